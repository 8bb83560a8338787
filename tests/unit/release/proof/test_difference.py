"""What a change does to whom, held against the decider itself by the example that each line gives."""

import msgspec
import pytest

from beaconfire.adapters.bundles import shipped_templates
from beaconfire.cli.arrangement.shown import ordinary_label
from beaconfire.errors import UsageError
from beaconfire.messages.label import Label
from beaconfire.messages.words import Group, Mode, Nation
from beaconfire.release.explanation import Fate, Line, Reader, bundle_from
from beaconfire.release.proof.difference import Change, Difference, difference
from beaconfire.release.proof.model import Terms, terms_of
from beaconfire.release.proof.search import Case

OLD = shipped_templates()["trilateral"]
CHANGES = {
    "nothing but impact": (
        '["impact", "timing", "classification", "provenance"]',
        '["impact", "provenance"]',
    ),
    "a lower level": ("context.level <= 2", "context.level <= 1"),
    "a finer grid": ('@grid("10")', '@grid("5")'),
    "a coarser grid": ('@grid("10")', '@grid("25")'),
    "no grid": ('@grid("10")', ""),
    "no trajectory": ('["trajectory", "covariance"]', '["covariance"]'),
    "names of sensors": ('@opaque_sensor("yes")', ""),
    "rounded times": ('@id("trilateral/warning")', '@id("trilateral/warning") @round_time("30")'),
    "old reports too": ("context.level <= 2", "context.level <= 2 && context.age_s <= 60"),
    "a delay": (
        '@id("trilateral/no-raw',
        """@id("late") @delay("20") permit (principal, action, resource) when { context.lane == "ROUTINE" &&
        context.group == "timing" && context.releasable_to.contains(principal) };
        @id("trilateral/no-raw""",
    ),
    "one direction": ('principal == Party::"KOR" && context.originator == "JPN"', "false"),
    "not even ORCON": ('["ORCON"].containsAll', '["NONE"].containsAll'),
}


def terms(policies: str) -> Terms:
    return msgspec.structs.replace(terms_of(bundle_from(OLD)), policies=policies)


def fate(policies: str, case: Case) -> Line:
    """Return what the decider itself makes of the case that an example tells of."""
    label = Label(
        policy="p",
        level=case.level,
        releasable_to=frozenset(map(Nation, case.releasable_to)),
        restrictions=frozenset(case.restrictions),
        tags=frozenset(),
        originator=Nation(case.originator),
    )
    bundle = bundle_from(msgspec.structs.replace(OLD, policies=policies))
    lines = Reader([bundle], Mode(case.mode)).lines(label, Nation(case.recipient), case.age_s * 1_000_000)
    return next(line for line in lines if line.group == case.group)


def is_more(more: Line, less: Line) -> bool:
    """Return whether one fate gives the recipient something that the other doesn't."""
    return less.fate is Fate.WITHHELD or (more.fate is not Fate.WITHHELD and more.words != less.words)


@pytest.mark.parametrize("change", CHANGES)
def test_the_decider_bears_out_every_example(change: str) -> None:
    new = OLD.policies.replace(*CHANGES[change])
    assert new != OLD.policies
    found = difference(terms(OLD.policies), terms(new))
    assert found
    for one in found:
        before, after = fate(OLD.policies, one.example), fate(new, one.example)
        gains = one.change is Change.GAINS
        assert is_more(*((after, before) if gains else (before, after))), one


def test_a_delay_is_told_of_the_whole_report_that_waits() -> None:
    late = {(change, group) for _, group, change, words in told("a delay") if "sooner (none" in words}
    groups = set(Group) - {Group.RAW_MEASUREMENT}
    assert late == {(Change.LOSES, group) for group in groups}


def test_show_says_what_each_lane_gets() -> None:
    old, new = CHANGES["a delay"]
    bundle = bundle_from(msgspec.structs.replace(OLD, policies=OLD.policies.replace(old, new)))
    reader = Reader([bundle], Mode.SIMULATED)
    label = ordinary_label(Nation("KOR"), OLD.parties)
    words = {line.group: line.words for line in reader.lines(label, Nation("JPN"), 1_000_000)}
    assert words[Group.IMPACT] == "FLASH: released; ROUTINE: 20 s late"
    assert words[Group.LAUNCH_POINT] == "FLASH: to a 10 km grid; ROUTINE: to a 10 km grid, 20 s late"
    assert (
        words[Group.RAW_MEASUREMENT] == "the label keeps it" or "takes it out" in words[Group.RAW_MEASUREMENT]
    )


def told(change: str) -> set[tuple[str, Group, Change, str]]:
    found: tuple[Difference, ...] = difference(
        terms(OLD.policies), terms(OLD.policies.replace(*CHANGES[change]))
    )
    return {(one.recipient, one.group, one.change, one.words) for one in found}


def test_what_is_told_is_all_that_changes() -> None:
    finer = "a finer grid (5 km rather than 10 km)"
    assert told("a finer grid") == {(p, Group.LAUNCH_POINT, Change.GAINS, finer) for p in ("JPN", "KOR")}
    lost = "a finer grid (10 km rather than 25 km)"
    assert told("a coarser grid") == {(p, Group.LAUNCH_POINT, Change.LOSES, lost) for p in ("JPN", "KOR")}
    none = "a finer grid (none rather than 10 km)"
    assert told("no grid") == {(p, Group.LAUNCH_POINT, Change.GAINS, none) for p in ("JPN", "KOR")}


def test_the_boost_stays_closed_while_the_launch_point_is_coarse() -> None:
    open_boost = OLD.policies.replace('@truncate_before("burnout")', "")
    assert difference(terms(OLD.policies), terms(open_boost)) == ()
    both = difference(terms(OLD.policies), terms(open_boost.replace('@grid("10")', "")))
    gained = {(one.group, one.words) for one in both}
    assert (Group.TRAJECTORY, "the boost too") in gained


def test_the_same_rules_in_another_order_change_nothing() -> None:
    rules = OLD.policies.split("\n\n")
    shuffled = "\n\n".join([rules[0], *reversed(rules[1:])])
    assert difference(terms(OLD.policies), terms(shuffled)) == ()


def test_what_the_solver_can_not_follow_is_wrong_use() -> None:
    odd = OLD.policies + 'forbid (principal, action, resource) when { context.group like "a*" };'
    with pytest.raises(UsageError, match="uses like"):
        difference(terms(OLD.policies), terms(odd))

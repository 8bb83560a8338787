"""The display model: what it takes, refuses, numbers, bounds and forgets."""

import itertools

import msgspec
import pytest

from beaconfire.messages.codec import encode
from beaconfire.messages.estimate import Ellipse, ImpactEstimate
from beaconfire.messages.event import Acknowledgement, Contribution, Event, Place, Warning
from beaconfire.messages.health import ArrangementHealth, Health, Notice
from beaconfire.messages.words import Lane, Mode, Nation, Severity, Sharing, Status
from beaconfire.nodes.commands import Channel, Forget, Inbound, Keep, Now, Table
from beaconfire.nodes.display import ArrangementLine, DisplayFacts, DisplayNode, Milestones
from beaconfire.nodes.display import node as node_module
from beaconfire.nodes.display import picture as picture_module
from picture_world import bare_event

JPN, KOR, USA = Nation("JPN"), Nation("KOR"), Nation("USA")
NOW = Now(utc_us=5_000_000, monotonic_us=1_000_000)


def event(event_id: str = "e1", revision: int = 1, **changes: object) -> Event:
    plain = bare_event(
        event_id=event_id,
        revision=revision,
        as_of_us=revision * 1_000_000,
        observed_at_us=revision * 1_000_000,
        status=Status.TENTATIVE,
        contributors=(KOR,),
        references=(f"KOR-{event_id}",),
    )
    return msgspec.structs.replace(plain, **changes)


def impact(semi_major_m: float, weight: float = 1.0) -> ImpactEstimate:
    return ImpactEstimate(weight, 0, 1.0, Ellipse(0.6, 2.4, semi_major_m, 1_000.0, 0.0, 0.95))


def inbound(message: object, channel: Channel = Channel.EVENT, sender: str = "JPN") -> Inbound:
    return Inbound(channel, sender, Lane.FLASH, message, 100)  # type: ignore[arg-type]


@pytest.fixture
def display() -> DisplayNode:
    return DisplayNode(JPN, DisplayFacts())


def shown_ids(display: DisplayNode) -> list[str]:
    return [shown.event.event_id for shown in display.snapshot(NOW).events]


def test_newest_revision_is_shown_with_its_age(display: DisplayNode) -> None:
    display.receive(inbound(event(revision=1)), NOW)
    display.receive(inbound(event(revision=2)), NOW)
    shown = display.shown("e1", Now(NOW.utc_us, NOW.monotonic_us + 2_500_000))
    assert shown is not None
    assert (shown.event.revision, shown.age_s, shown.revisions) == (2, 2.5, 2)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (inbound(event(), sender="KOR"), "wrong-sender"),
        (inbound(event(nation=KOR)), "wrong-nation"),
        (inbound(event(mode=Mode.EXERCISE)), "wrong-mode"),
        (inbound(event(mode=Mode.REAL)), "wrong-mode"),
        (inbound(event(sharing=Sharing.TRILATERAL)), "not-a-shadow"),
        (inbound(event(), channel=Channel.WARNING), "wrong-channel"),
        (inbound(event(), channel=Channel.TO_NATION), "wrong-channel"),
    ],
)
def test_what_is_not_its_own_is_refused_and_counted(
    display: DisplayNode, message: Inbound, code: str
) -> None:
    assert display.receive(message, NOW) == []
    assert display.snapshot(NOW).rejected == {code: 1}
    assert shown_ids(display) == []
    assert display.sequence == 0


def test_old_and_repeated_revisions_change_nothing(display: DisplayNode) -> None:
    display.receive(inbound(event(revision=3)), NOW)
    for revision in (3, 2):
        display.receive(inbound(event(revision=revision)), NOW)
    assert display.sequence == 1
    assert display.snapshot(NOW).rejected == {"old-revision": 1}, "the newest is told again, and is no fault"


def test_what_is_told_again_is_neither_news_nor_a_fault(display: DisplayNode) -> None:
    gone = event("e2", status=Status.WITHDRAWN)
    for _ in range(3):
        display.receive(inbound(event()), NOW)
        display.receive(inbound(warning(2), Channel.WARNING), NOW)
        display.receive(inbound(gone), NOW)
    assert display.sequence == 4, "two changes, one withdrawal and its notice"
    assert display.snapshot(NOW).rejected == {}


def test_an_event_of_a_picture_that_lost_its_journal_is_shown_from_its_first_revision_on(
    display: DisplayNode,
) -> None:
    later_us = 1_000
    display.receive(inbound(event(revision=300, as_of_us=later_us - 1)), NOW)
    for foreign in ({"nation": KOR}, {"mode": Mode.REAL}):
        display.receive(inbound(event(revision=1, as_of_us=later_us, **foreign)), NOW)
    assert [one.revision for one in display.revisions("e1")] == [300]
    for revision in (1, 2):
        display.receive(inbound(event(revision=revision, as_of_us=later_us + revision)), NOW)
    assert [one.revision for one in display.revisions("e1")] == [1, 2]
    display.receive(inbound(event(revision=1, as_of_us=later_us + 1)), NOW)
    assert [one.revision for one in display.revisions("e1")] == [1, 2], "an old one is old"


def test_foreign_facts_are_left_out() -> None:
    places = (Place("A", JPN, 0.6, 2.4, 1.0), Place("B", KOR, 0.6, 2.2, 1.0))
    theirs = ArrangementLine("usa-kor", 1, (USA, KOR), "d", 0, 1)
    ours = ArrangementLine("usa-jpn", 1, (USA, JPN), "d", 0, 1)
    display = DisplayNode(JPN, DisplayFacts(places=places, arrangements=(theirs, ours)))
    assert [place.name for place in display.snapshot(NOW).places] == ["A"]
    assert display.facts.arrangements == (ours,)


def test_shadow_pictures_give_milestones_and_are_never_shown(display: DisplayNode) -> None:
    display.receive(inbound(event(revision=1)), NOW)
    display.receive(inbound(event(revision=2, status=Status.CONFIRMED)), NOW)
    display.receive(inbound(event(revision=4, status=Status.CONFIRMED, impact=(impact(99_000.0),))), NOW)
    display.receive(inbound(event(revision=3, sharing=Sharing.BILATERAL)), NOW)
    (shown,) = display.snapshot(NOW).events
    assert shown.event.sharing is None
    assert shown.milestones == {
        Sharing.TRILATERAL: Milestones(1_000_000, 2_000_000, 4_000_000),
        Sharing.BILATERAL: Milestones(3_000_000, None, None),
    }


def test_a_shadow_with_another_id_is_found_by_its_track(display: DisplayNode) -> None:
    display.receive(inbound(event("e1", references=("JPN-1", "KOR-1"))), NOW)
    display.receive(inbound(event("s1", references=("JPN-1",), sharing=Sharing.ALONE)), NOW)
    display.receive(inbound(event("s2", references=("USA-9",), sharing=Sharing.BILATERAL)), NOW)
    (shown,) = display.snapshot(NOW).events
    assert set(shown.milestones) == {Sharing.TRILATERAL, Sharing.ALONE}


def test_the_area_of_the_heaviest_hypothesis_counts(display: DisplayNode) -> None:
    wide_first = (impact(300_000.0, 0.7), impact(20_000.0, 0.3))
    display.receive(inbound(event(impact=wide_first)), NOW)
    shown = display.shown("e1", NOW)
    assert shown is not None
    assert shown.milestones[Sharing.TRILATERAL].area_100km_us is None


def test_a_withdrawn_event_is_gone_and_stays_gone(display: DisplayNode) -> None:
    display.receive(inbound(event(revision=1)), NOW)
    display.receive(inbound(event(revision=1, sharing=Sharing.ALONE)), NOW)
    display.receive(inbound(event(revision=2, status=Status.WITHDRAWN)), NOW)
    display.receive(inbound(event(revision=3)), NOW)
    assert shown_ids(display) == []
    assert display.revisions("e1") == ()
    snapshot = display.snapshot(NOW)
    assert snapshot.rejected == {"withdrawn": 1}
    assert [notice.code for notice in snapshot.notices] == ["event-withdrawn"]


def test_changes_name_each_event_once_and_a_gap_is_told(display: DisplayNode) -> None:
    display.receive(inbound(event("e1", 1)), NOW)
    seen = display.sequence
    for message in (event("e2", 1), event("e1", 2), event("e2", 2)):
        display.receive(inbound(message), NOW)
    display.receive(inbound(Health("guard/JPN", 0, (), {}), Channel.HEALTH), NOW)
    changes = display.changes_since(seen)
    assert changes is not None
    assert (changes.event_ids, changes.others, changes.sequence) == (("e2", "e1"), True, 5)
    assert display.changes_since(99) is None
    for number in range(node_module.CHANGES_MAX):
        display.receive(inbound(event("e3", number + 1)), NOW)
    assert display.changes_since(seen) is None


def test_histories_are_thinned_keeping_first_and_newest(display: DisplayNode) -> None:
    for revision in range(1, 1_000):
        display.receive(inbound(event(revision=revision)), NOW)
    held = [one.revision for one in display.revisions("e1")]
    assert len(held) <= picture_module.REVISIONS_PER_EVENT_MAX
    assert (held[0], held[-1]) == (1, 999)
    assert held == sorted(held)


def test_too_many_events_drop_a_closed_one_first(
    display: DisplayNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_module, "EVENTS_MAX", 3)
    display.receive(inbound(event("open-1")), NOW)
    display.receive(inbound(event("ended", status=Status.ENDED)), NOW)
    display.receive(inbound(event("open-2")), NOW)
    display.receive(inbound(event("open-3")), NOW)
    assert shown_ids(display) == ["open-1", "open-2", "open-3"]
    display.receive(inbound(event("open-4")), NOW)
    assert shown_ids(display) == ["open-2", "open-3", "open-4"]


def test_all_histories_together_are_bounded(display: DisplayNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_module, "REVISIONS_TOTAL_MAX", 50)
    for revision in range(1, 40):
        for event_id in ("a", "b", "c"):
            display.receive(inbound(event(event_id, revision)), NOW)
    assert sum(len(display.revisions(event_id)) for event_id in "abc") <= 50


def test_notices_and_sources_are_bounded(display: DisplayNode) -> None:
    for number in range(300):
        notice = Notice("code", Severity.FAULT, f"n{number}", number, "guard/JPN")
        display.receive(inbound(notice, Channel.NOTICE), NOW)
        display.receive(inbound(Health(f"s{number:03}", 0, (), {}), Channel.HEALTH), NOW)
    snapshot = display.snapshot(NOW)
    assert snapshot.notices[-1].text == "n299"
    assert len(snapshot.notices) == node_module.NOTICES_MAX
    assert len(snapshot.health) == node_module.SOURCES_MAX


def warning(revision: int, warning_id: str = "w", **changes: object) -> Warning:
    plain = Warning(warning_id, "e1", JPN, "issue", revision, Mode.SIMULATED, 0, True, (), (), "text")
    return msgspec.structs.replace(plain, **changes)


def test_the_newest_warning_stands_with_its_event(display: DisplayNode) -> None:
    display.receive(inbound(event()), NOW)
    for message in (warning(2), warning(1), warning(9, nation=KOR), warning(9, mode=Mode.REAL)):
        display.receive(inbound(message, Channel.WARNING), NOW)
    shown = display.shown("e1", NOW)
    assert shown is not None
    assert shown.warning == warning(2)
    assert display.snapshot(NOW).rejected == {"old-revision": 1, "wrong-nation": 1, "wrong-mode": 1}


def test_a_warning_from_a_lost_journal_stands_though_its_revisions_count_from_one_again(
    display: DisplayNode,
) -> None:
    display.receive(inbound(event()), NOW)
    for message in (warning(7), anew := warning(1, issued_at_us=warning(7).issued_at_us + 1)):
        display.receive(inbound(message, Channel.WARNING), NOW)
    shown = display.shown("e1", NOW)
    assert shown is not None
    assert shown.warning == anew


class KeptRows:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def rows(self, table: Table) -> list[tuple[str, bytes]]:
        return list(self.kept.items()) if table is Table.STATE else []

    def log(self, _name: str) -> list[bytes]:
        return []

    def apply(self, commands: object) -> None:
        assert isinstance(commands, list)
        for command in commands:
            assert isinstance(command, Keep)
            self.kept[command.key] = command.body


def test_a_restarted_display_shows_what_the_journal_kept() -> None:
    rows = KeptRows()
    display = DisplayNode(JPN, DisplayFacts(), rows)
    rows.apply(display.receive(inbound(event("e1", 1)), NOW))
    rows.apply(display.receive(inbound(event("e1", 2)), NOW))  # too soon after the first: not kept
    rows.apply(display.receive(inbound(event("e2", 1)), NOW))
    rows.apply(display.receive(inbound(event("e2", 2, status=Status.WITHDRAWN)), NOW))
    rows.kept["display/broken"] = b"\xc1"
    rows.kept["display/foreign"] = encode(event("e9", nation=KOR))
    again = DisplayNode(JPN, DisplayFacts(), rows)
    assert shown_ids(again) == ["e1"]
    assert again.revisions("e1")[-1].revision == 1
    again.receive(inbound(event("e2", 3)), NOW)
    assert shown_ids(again) == ["e1"]


def acknowledgement(event_id: str = "e1", person: str = "Sato", nation: str = "JPN") -> Inbound:
    said = Acknowledgement(event_id, Nation(nation), person, 1, 7)
    return inbound(said, Channel.ACKNOWLEDGEMENT)


def test_an_acknowledgement_is_shown_kept_and_restored() -> None:
    rows = KeptRows()
    display = DisplayNode(JPN, DisplayFacts(), rows)
    rows.apply(display.receive(inbound(event()), NOW))
    rows.apply(display.receive(acknowledgement(), NOW))
    for one in (display, DisplayNode(JPN, DisplayFacts(), rows)):
        shown = one.shown("e1", NOW)
        assert shown is not None
        assert shown.acknowledged is not None
        assert shown.acknowledged.person == "Sato"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (acknowledgement("e9"), "no-such-event"),
        (acknowledgement(nation="KOR"), "wrong-nation"),
        (acknowledgement(person="  "), "no-name"),
        (acknowledgement(person="x" * 61), "no-name"),
    ],
)
def test_an_acknowledgement_of_nothing_or_by_nobody_is_refused(
    display: DisplayNode, said: Inbound, code: str
) -> None:
    display.receive(inbound(event()), NOW)
    assert display.receive(said, NOW) == []
    assert display.status(NOW).rejected == {code: 1}


def test_a_withdrawn_event_takes_its_acknowledgement_along(display: DisplayNode) -> None:
    display.receive(inbound(event()), NOW)
    display.receive(acknowledgement(), NOW)
    commands = display.receive(inbound(event(revision=2, status=Status.WITHDRAWN)), NOW)
    assert Forget(Table.STATE, "display-acknowledged/e1") in commands


def test_own_reports_are_known_the_first_and_the_newest(display: DisplayNode) -> None:
    for revision in range(1, 400):
        own = Contribution(JPN, "t", 0, 0, 0, (), (), f"own-{revision}")
        other = Contribution(KOR, "k", 0, 0, 0, (), (), f"other-{revision}")
        seen = (other,) if revision == 1 else (own, other)
        nations = tuple(one.nation for one in seen)
        display.receive(inbound(event(revision=revision, contributions=seen, contributors=nations)), NOW)
    shown = display.shown("e1", NOW)
    assert shown is not None
    assert (shown.own_report_ids[0], shown.own_report_ids[-1]) == ("own-2", "own-399")
    assert len(shown.own_report_ids) <= picture_module.REVISIONS_PER_EVENT_MAX + 1
    assert shown.fused_at_us == 2_000_000


def test_what_is_left_of_a_long_history_is_even_in_time(display: DisplayNode) -> None:
    for revision in range(1, 3_001):
        status = Status.TENTATIVE if revision < 70 else Status.CONFIRMED
        display.receive(inbound(event(revision=revision, status=status)), NOW)
    held = display.revisions("e1")
    assert held[0].revision == 1
    assert held[-1].revision == 3_000
    assert 70 in {one.revision for one in held}
    early = [one.revision for one in held if one.revision < 2_900]
    gaps = [b - a for a, b in itertools.pairwise(early)]
    assert max(gaps) <= 4 * sorted(gaps)[len(gaps) // 2]


def test_an_arrangement_stands_as_the_nodes_that_release_under_it_last_said() -> None:
    line = ArrangementLine("tri", 2, (JPN, KOR), "d", 0, 9)
    display = DisplayNode(JPN, DisplayFacts(arrangements=(line,)))

    def said(version: int, *suspended_by: str, silent: tuple[str, ...] = ()) -> Inbound:
        stands = ArrangementHealth("tri", version, suspended_by, silent)
        return inbound(Health("guard/JPN", 0, (), {}, (stands,)), Channel.HEALTH)

    def stands() -> tuple[bool, tuple[str, ...], tuple[str, ...]]:
        (one,) = display.status(NOW).arrangements
        return one.suspended, one.suspended_by, one.silent

    assert stands() == (False, (), ())
    display.receive(said(2, "KOR", silent=("HUB",)), NOW)
    assert stands() == (True, ("KOR",), ("HUB",))
    display.receive(said(1, "KOR"), NOW)
    assert stands() == (False, (), ())
    display.receive(said(2), NOW)
    assert stands() == (False, (), ())


def test_the_hub_sees_its_own_health_and_all_arrangements() -> None:
    line = ArrangementLine("a", 1, (JPN, KOR), "d", 0, 9)
    hub = DisplayNode(Nation("HUB"), DisplayFacts(arrangements=(line,)))
    hub.receive(inbound(Health("hub", 4_000_000, (), {}), Channel.HEALTH, sender="HUB"), NOW)
    (shown,) = hub.status(NOW).health
    assert (shown.health.source, shown.behind_us) == ("hub", 1_000_000)
    assert hub.facts.arrangements == (line,)

"""What happens in a run of the noninterference campaign, and how a second run may differ from it.

A story is a few slots of a tenth of a second: in each, a nation says something of its own or a party
suspends or resumes an arrangement. A twin of a story differs only in what its observer may not have.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from beaconfire.messages.detection import Plot
from beaconfire.messages.estimate import (
    Covariance,
    Ellipse,
    ImpactEstimate,
    Kinematics,
    LaunchEstimate,
)
from beaconfire.messages.label import GroupLabel
from beaconfire.messages.report import Classification, Provenance, Report, SensorUse, Timing
from beaconfire.messages.words import Group, Level, Mode, Nation, Phase, Status, TimeUs
from beaconfire.release.label import RAW_ONLY_AT_HOME, LabellingRules
from beaconfire.sim.chance import Chance
from beaconfire.sim.pacts import NOTHING, Pact, View, draw_pact, view_of

START_US: Final = 1_664_835_785_000_000
SCATTER_RAD: Final = 0.008
SLOT_US: Final = 100_000
SLOTS: Final = 9
NATIONS: Final = (Nation("JPN"), Nation("KOR"), Nation("USA"))
SECOND_US: Final = 1_000
STALE_US: Final = 100_000_000
_PHASES: Final = tuple(Phase)
_STATUSES: Final = tuple(Status)


class Said(msgspec.Struct, frozen=True):
    """A nation's own report, said to its guard in a slot."""

    slot: int
    report: Report
    age_us: int = 0
    second: bool = False

    @property
    def at_us(self) -> TimeUs:
        """When it is said; the second of a slot a moment after the first, which it may overtake."""
        return START_US + self.slot * SLOT_US + (SECOND_US if self.second else 0)


class Word(msgspec.Struct, frozen=True):
    """A party's word on an arrangement, said to its guard in a slot."""

    slot: int
    party: Nation
    arrangement: str
    suspended: bool


class Story(msgspec.Struct, frozen=True):
    """What happens.

    Attributes:
        observer: the nation that looks.
        pacts: arrangements held from the start.
        rules: how each nation labels.
        said: own reports, in order of slots.
        words: suspensions, in order of slots.
        mute: nations whose picture receipts nothing; never the observer.
    """

    observer: Nation
    pacts: tuple[Pact, ...]
    rules: dict[Nation, LabellingRules]
    said: tuple[Said, ...]
    words: tuple[Word, ...]
    mute: frozenset[Nation] = frozenset()

    def in_force(self, slot: int) -> tuple[Pact, ...]:
        """Return the arrangements that nobody has suspended in a slot."""
        last = {(one.party, one.arrangement): one.suspended for one in self.words if one.slot <= slot}
        away = {name for (_, name), suspended in last.items() if suspended}
        return tuple(pact for pact in self.pacts if pact.name not in away)

    def view(self, said: Said) -> View:
        """Return what the observer may see of a report."""
        return view_of(
            said.report, self.observer, self.in_force(said.slot), self.rules, age_s=said.age_us / 1e6
        )


def draw_pacts(chance: Chance) -> tuple[Pact, ...]:
    """Return the arrangements of a story: two bilateral, one of all, sometimes the third pair."""
    jpn, kor, usa = NATIONS
    pacts = [
        draw_pact("bilateral-usa-jpn", (usa, jpn), chance),
        draw_pact("bilateral-usa-kor", (usa, kor), chance),
    ]
    if chance.happens(0.7):
        pacts.append(draw_pact("trilateral", NATIONS, chance))
    if chance.happens(0.2):
        pacts.append(draw_pact("bilateral-jpn-kor", (jpn, kor), chance))
    return tuple(pacts)


def draw_rules(chance: Chance) -> dict[Nation, LabellingRules]:
    """Return how each nation labels in a story; mostly openly, sometimes tighter in one way."""
    return {nation: _draw_rule(nation, chance) for nation in NATIONS}


def _draw_rule(nation: Nation, chance: Chance) -> LabellingRules:
    others = frozenset(NATIONS) - {nation}
    named = frozenset(one for one in sorted(others) if chance.happens(0.9))
    level = Level.SECRET if chance.happens(0.05) else Level.RESTRICTED
    marks = frozenset({"ORCON", "EYES"}) if chance.happens(0.05) else frozenset({"ORCON"})
    overrides = RAW_ONLY_AT_HOME if chance.happens(0.7) else ()
    if chance.happens(0.4):
        group = tuple(Group)[chance.between(0, len(Group) - 2)]
        kept_from = sorted(others)[chance.between(0, 1)]
        overrides = (*overrides, GroupLabel(group, level, named - {kept_from}, marks))
    return LabellingRules("notional", level, named, marks, overrides)


def draw_story(seed: int, pacts: tuple[Pact, ...], rules: dict[Nation, LabellingRules]) -> Story:
    """Return the story of a seed among some arrangements."""
    chance = Chance(seed, "story")
    said = [_draw_said(slot, chance) for slot in range(SLOTS) if chance.happens(0.6)]
    said += [_draw_second(one, chance) for one in said if chance.happens(0.3)]
    words = tuple(_draw_words(pacts, {one.slot for one in said}, chance))
    observer = NATIONS[chance.between(0, 2)]
    mute = frozenset(n for n in NATIONS if n != observer and chance.happens(0.1))
    return Story(observer, pacts, rules, tuple(sorted(said, key=_when)), words, mute)


def _when(said: Said) -> TimeUs:
    return said.at_us


def _draw_second(first: Said, chance: Chance) -> Said:
    """Return one thing more that is said of the same track in the same slot, often in the same stage."""
    report = draw_report(first.slot, first.report.originator, chance, age_us=first.age_us)
    if chance.happens(0.6):
        same = msgspec.structs.replace(first.report, report_id=report.report_id, timing=report.timing)
        return Said(first.slot, same, first.age_us, second=True)
    track = msgspec.structs.replace(report, track=first.report.track)
    return Said(first.slot, track, first.age_us, second=True)


def _draw_words(pacts: tuple[Pact, ...], taken: set[int], chance: Chance) -> Iterator[Word]:
    away: set[tuple[str, str]] = set()
    for slot in (free for free in range(SLOTS) if free not in taken):
        if not chance.happens(0.5):
            continue
        pact = pacts[chance.between(0, len(pacts) - 1)]
        party = pact.parties[chance.between(0, len(pact.parties) - 1)]
        key = (party, pact.name)
        yield Word(slot, party, pact.name, suspended=key not in away)
        away ^= {key}


def _draw_said(slot: int, chance: Chance) -> Said:
    originator = NATIONS[chance.between(0, 2)]
    age_us = STALE_US if chance.happens(0.1) else 0
    return Said(slot, draw_report(slot, originator, chance, age_us=age_us), age_us)


def draw_report(slot: int, originator: Nation, chance: Chance, *, age_us: int = 0) -> Report:
    """Return a report with random groups and values; nothing in it flies."""
    at_us = START_US + slot * SLOT_US - age_us
    report_id = hashlib.sha256(f"{chance.bits()}".encode()).hexdigest()[:32]
    track = f"{originator}-{'AB'[chance.between(0, 1)]}"
    report = Report(
        report_id=report_id,
        track=track,
        supersedes=None,
        originator=originator,
        mode=Mode.SIMULATED,
        exercise="",
        stated_at_us=at_us,
        provenance=Provenance(own_sensors_only=True, transform="coast-batch", producer="beaconfire test"),
    )
    groups = {group: drawn(group, report, chance) for group in GROUPS_DRAWN if chance.happens(0.85)}
    return msgspec.structs.replace(report, **{group.value: value for group, value in groups.items()})


GROUPS_DRAWN: Final = tuple(group for group in Group if group is not Group.PROVENANCE)


def drawn(group: Group, report: Report, chance: Chance) -> object:
    """Return a random value of a group for a report."""
    return _DRAWING[group](report, chance)


def _ellipse(what: str, chance: Chance) -> Ellipse:
    """Return an area of what has one place, as revisions scatter about it: over some cells of a grid."""
    place = Chance(0, what)
    major_m = 500.0 + 5_000.0 * chance.fraction()
    return Ellipse(
        latitude_rad=0.6 + 0.1 * place.fraction() + SCATTER_RAD * (chance.fraction() - 0.5),
        longitude_rad=2.2 + 0.1 * place.fraction() + SCATTER_RAD * (chance.fraction() - 0.5),
        semi_major_m=major_m,
        semi_minor_m=major_m * (0.2 + 0.7 * chance.fraction()),
        bearing_rad=3.0 * chance.fraction(),
        probability=0.95,
    )


def _launch(report: Report, chance: Chance) -> LaunchEstimate:
    launched_at_us = START_US - chance.between(20, 60) * 1_000_000
    return LaunchEstimate(launched_at_us, 1.0, _ellipse(f"launch {report.track}", chance))


def _trajectory(report: Report, chance: Chance) -> Kinematics:
    x, y, z, vx, vy, vz = (1e6 * chance.fraction() for _ in range(6))
    phase = _PHASES[chance.between(0, 2)]
    return Kinematics(report.stated_at_us, (x, y, z), (vx, vy, vz), -9.0, phase)


def _covariance(report: Report, chance: Chance) -> Covariance:
    del report
    return Covariance(tuple(chance.fraction() for _ in range(28)), -9.0, 0.5, process_noise=False)


def _impact(report: Report, chance: Chance) -> tuple[ImpactEstimate, ...]:
    return (
        ImpactEstimate(
            1.0, report.stated_at_us + 300_000_000, 3.0, _ellipse(f"impact {report.track}", chance)
        ),
    )


def _timing(report: Report, chance: Chance) -> Timing:
    at_us = report.stated_at_us
    burnout_us = at_us + chance.between(-20, 5) * 1_000_000 if chance.happens(0.7) else None
    observed_us = at_us - chance.between(0, 2_000) * 1_000
    return Timing(at_us - chance.between(20_000, 90_000) * 1_000, observed_us, burnout_us)


def _classification(report: Report, chance: Chance) -> Classification:
    del report
    return Classification(_STATUSES[chance.between(0, 1)], chance.happens(0.2), chance.happens(0.3))


def _sensor(report: Report, chance: Chance) -> SensorUse:
    name = f"{report.originator.lower()}-{chance.between(1, 9)}"
    return SensorUse((name,), ("radar",), chance.between(2, 200))


def _raw(report: Report, chance: Chance) -> tuple[Plot, ...]:
    return (Plot(f"{report.originator.lower()}-1", report.stated_at_us, 1e6 * chance.fraction(), 0.2, 0.4),)


_DRAWING: Final[Mapping[Group, Callable[[Report, Chance], object]]] = {
    Group.LAUNCH_POINT: _launch,
    Group.TRAJECTORY: _trajectory,
    Group.COVARIANCE: _covariance,
    Group.IMPACT: _impact,
    Group.TIMING: _timing,
    Group.CLASSIFICATION: _classification,
    Group.SENSOR: _sensor,
    Group.RAW_MEASUREMENT: _raw,
}


def is_hidden(story: Story, said: Said) -> bool:
    """Return whether the observer may have nothing of a report, nor is its originator."""
    return said.report.originator != story.observer and story.view(said) == NOTHING

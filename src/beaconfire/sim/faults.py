"""Faults as data: what goes wrong in one run, drawn from a seed, printable, replayable, and made smaller.

A plan is a list of faults with times counted from the start of the run. It is drawn beforehand, written as
JSON, read back, and run again to the same bytes; a plan with fewer faults is a plan.

Corruption of bytes is not among them: links are TLS, which never hands on a changed byte, and a journal
passes over a record whose checksum is wrong.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from beaconfire.errors import UsageError
from beaconfire.messages.words import Nation
from beaconfire.nodes.commands import SET_BACK_MAX_US
from beaconfire.sim.chance import Chance
from beaconfire.sim.network import Address, Weather
from beaconfire.units import MICROSECONDS_PER_SECOND

CALM: Final = Weather()
CLOCK_ERROR_MAX_US: Final = 40_000
CLOCK_STEPS_US: Final = tuple(seconds * MICROSECONDS_PER_SECOND // 2 for seconds in (1, 4, 7_200, 172_800))
"""A step is at most one of these: half a second, two, an hour, a day."""
DRIFT_MAX_PPM: Final = 500
ROLES: Final = ("national", "guard", "picture", "warning")
FOR_GOOD_US: Final = 10**12
"""Longer than any run: what is down for so long stays down."""
PLAN_BYTES_MAX: Final = 1_000_000


class Storm(msgspec.Struct, frozen=True, tag="storm", forbid_unknown_fields=True):
    """Weather between one party, or any if empty, and the hub."""

    party: str
    from_us: int
    until_us: int
    weather: Weather


class Cut(msgspec.Struct, frozen=True, tag="cut", forbid_unknown_fields=True):
    """Nothing passes from one party to another, one way; an empty name stands for any party."""

    source: str
    destination: str
    from_us: int
    until_us: int


class Crash(msgspec.Struct, frozen=True, tag="crash", forbid_unknown_fields=True):
    """A node dies and comes back later; `torn`: it dies while it writes, and that group is not there."""

    party: str
    role: str
    at_us: int
    down_us: int
    torn: bool = False


class Wipe(msgspec.Struct, frozen=True, tag="wipe", forbid_unknown_fields=True):
    """A node dies, and when it comes back its journal is gone: it could not be read, and was set aside."""

    party: str
    role: str
    at_us: int
    down_us: int


class Frailty(msgspec.Struct, frozen=True, tag="frailty", forbid_unknown_fields=True):
    """Each call that commits may die between commit and send, with this probability."""

    share: float


class Pause(msgspec.Struct, frozen=True, tag="pause", forbid_unknown_fields=True):
    """A node is not run for a time; what comes meanwhile waits for it."""

    party: str
    role: str
    from_us: int
    until_us: int


class FullDisk(msgspec.Struct, frozen=True, tag="full-disk", forbid_unknown_fields=True):
    """A node's journal can't be written for a time."""

    party: str
    role: str
    from_us: int
    until_us: int


class ClockStep(msgspec.Struct, frozen=True, tag="clock-step", forbid_unknown_fields=True):
    """A party's UTC is off by so much more from a time on, for good unless it says until when."""

    party: str
    at_us: int
    by_us: int
    until_us: int | None = None


class ClockDrift(msgspec.Struct, frozen=True, tag="clock-drift", forbid_unknown_fields=True):
    """A party's UTC runs fast, or slow if negative, by parts in a million, for a time."""

    party: str
    from_us: int
    until_us: int
    ppm: int


class Suspend(msgspec.Struct, frozen=True, tag="suspend", forbid_unknown_fields=True):
    """One nation suspends the trilateral arrangement."""

    at_us: int


Kind = TypeVar("Kind", bound=msgspec.Struct)
Item = TypeVar("Item")
Fault = Storm | Cut | Crash | Wipe | Frailty | Pause | FullDisk | ClockStep | ClockDrift | Suspend


class FaultPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that goes wrong in one run.

    Attributes:
        seed: of every draw that is made while it runs.
        faults: with times in microseconds from the start of the run.
    """

    seed: int
    faults: tuple[Fault, ...]

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Return the faults of one kind, in order."""
        return [one for one in self.faults if isinstance(one, kind)]


def format_plan(plan: FaultPlan) -> bytes:
    """Return a plan as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n"


def read_plan(data: bytes, where: str) -> FaultPlan:
    """Return the plan that JSON states.

    Raises:
        UsageError: too large, or not a plan.
    """
    if len(data) > PLAN_BYTES_MAX:
        raise UsageError("too large", where, f"at most {PLAN_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(data, type=FaultPlan)
    except msgspec.MsgspecError as error:
        raise UsageError(f"not a plan of faults: {error}", where) from error


class Field(msgspec.Struct, frozen=True):
    """Where faults may fall.

    Attributes:
        nations: that take part.
        hubs: instances of the hub.
        span_us: of the time in which they may; all are over by its end, but for a hub that stays down.
    """

    nations: tuple[Nation, ...]
    hubs: tuple[str, ...]
    span_us: int

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every node; the hubs several times over, so that they are often chosen."""
        found = [Address(nation, role) for nation in self.nations for role in ROLES]
        return tuple(found + [Address(hub, "hub") for hub in self.hubs] * 3)


def plan_faults(seed: int, field: Field) -> FaultPlan:
    """Return the faults of a seed: always weather, a partition and a crash, and some of the others.

    Where a journal is lost it is the one journal that is, and nobody else dies: what two lose is lost.
    """
    chance = Chance(seed, "faults")
    faults: list[Fault] = [Storm("", 0, field.span_us, _weather(chance))]
    for _ in range(chance.between(1, 2)):
        faults += _partition(chance, field)
    faults += [_crash(chance, field) for _ in range(chance.between(1, 3))]
    faults += _sometimes(Chance(seed, "more faults"), field)
    wiping = Chance(seed, "wipe")
    if wiping.happens(0.15):
        faults = [one for one in faults if not _kills(one)]
        faults.append(_wipe(wiping, field))
    return FaultPlan(seed, tuple(faults))


def _kills(fault: Fault) -> bool:
    """Return whether a node dies of it: one whose clock is set back is started anew."""
    if isinstance(fault, ClockStep):
        return min(fault.by_us, -fault.by_us if fault.until_us is not None else 0) < -SET_BACK_MAX_US
    return isinstance(fault, Crash | Frailty | FullDisk)


def _sometimes(chance: Chance, field: Field) -> list[Fault]:
    parties: Sequence[str] = (*field.nations, *field.hubs)
    small = (ClockStep(one, 0, chance.between(-CLOCK_ERROR_MAX_US, CLOCK_ERROR_MAX_US)) for one in parties)
    found: list[Fault] = list(small)
    if chance.happens(0.4):
        found.append(Frailty(chance.fraction() * 0.01))
    if chance.happens(0.4):
        found.append(_during(chance, field, Pause))
    if chance.happens(0.35):
        found.append(_during(chance, field, FullDisk))
    if chance.happens(0.2):
        found += _clock_steps(chance, field, parties)
    if chance.happens(0.3):
        ppm = chance.between(-DRIFT_MAX_PPM, DRIFT_MAX_PPM)
        found.append(ClockDrift(_pick(chance, parties), 0, field.span_us, ppm))
    if chance.happens(0.3):
        found.append(Suspend(chance.between(0, field.span_us)))
    if len(field.hubs) > 1 and chance.happens(0.2):
        found.append(Crash(_pick(chance, field.hubs), "hub", _start(chance, field), FOR_GOOD_US))
    return found


def _pick(chance: Chance, items: Sequence[Item]) -> Item:
    return items[chance.between(0, len(items) - 1)]


def _start(chance: Chance, field: Field) -> int:
    return chance.between(0, field.span_us * 7 // 10)


def _interval(chance: Chance, field: Field) -> tuple[int, int]:
    start_us = _start(chance, field)
    longest_us = min(field.span_us - start_us, 12 * MICROSECONDS_PER_SECOND)
    return start_us, start_us + chance.between(500_000, max(500_000, longest_us))


def _weather(chance: Chance) -> Weather:
    fastest = chance.between(1_000, 60_000)
    slowest = fastest + chance.between(0, 300_000)
    return Weather(
        to_hub_us=(fastest, slowest),
        to_nation_us=(fastest, slowest),
        control_us=(fastest, slowest),
        local_us=chance.between(0, 2_000),
        loss=chance.fraction() * 0.25,
        duplicate=chance.fraction() * 0.15,
        reorder=chance.fraction() * 0.25,
        reorder_us=chance.between(50_000, 2_500_000),
    )


def _partition(chance: Chance, field: Field) -> list[Fault]:
    """Return a partition of one nation from all hubs or one of them, one way in a third of all cases."""
    nation, hub = _pick(chance, field.nations), _pick(chance, ("", "", *field.hubs))
    start_us, end_us = _interval(chance, field)
    out, back = Cut(nation, hub, start_us, end_us), Cut(hub, nation, start_us, end_us)
    if chance.happens(1 / 3):
        return [out if chance.happens(0.5) else back]
    return [out, back]


def _crash(chance: Chance, field: Field) -> Crash:
    party, role = _pick(chance, field.addresses)
    down_us = chance.between(100_000, field.span_us // 4)
    return Crash(party, role, _start(chance, field), down_us, torn=chance.happens(0.3))


def _clock_steps(chance: Chance, field: Field, parties: Sequence[str]) -> list[Fault]:
    """Return a step of a clock, in half of all cases undone later, and then often of two parties at once."""
    longest_us = _pick(chance, CLOCK_STEPS_US)
    by_us, chosen, (at_us, until_us) = (
        chance.between(-longest_us, longest_us),
        _pick(chance, parties),
        _interval(chance, field),
    )
    if chance.happens(0.5):
        return [ClockStep(chosen, at_us, by_us)]
    others = [_pick(chance, parties)] if chance.happens(0.5) else []
    return [ClockStep(one, at_us, by_us, until_us) for one in dict.fromkeys([chosen, *others])]


def _wipe(chance: Chance, field: Field) -> Wipe:
    receivers = [Address(nation, "picture") for nation in field.nations]
    receivers += [Address(hub, "hub") for hub in field.hubs]
    party, role = _pick(chance, receivers)
    return Wipe(party, role, _start(chance, field), chance.between(100_000, field.span_us // 4))


def _during(chance: Chance, field: Field, kind: type[Pause] | type[FullDisk]) -> Pause | FullDisk:
    party, role = _pick(chance, field.addresses)
    start_us, end_us = _interval(chance, field)
    return kind(party, role, start_us, end_us)

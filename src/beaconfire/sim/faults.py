"""The faults of one seed: weather, a partition, crashes, clock errors, a suspension, all drawn beforehand.

Corruption of bytes is not among them: links are TLS, which never hands on a changed byte.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from beaconfire.messages.words import HUB, Nation, TimeUs
from beaconfire.sim.chance import Chance
from beaconfire.sim.network import Address, Weather
from beaconfire.units import MICROSECONDS_PER_SECOND

CALM: Final = Weather()
CLOCK_ERROR_MAX_US: Final = 40_000
ROLES: Final = ("national", "guard", "picture", "warning")


class Cut(NamedTuple):
    """A partition: one party has no connection to the hub from one time to another."""

    party: str
    from_us: TimeUs
    until_us: TimeUs


class Crash(NamedTuple):
    """One node dies at a time and comes back later."""

    address: Address
    at_us: TimeUs
    down_us: int


class FaultPlan(msgspec.Struct, frozen=True):
    """All that goes wrong in one run.

    Attributes:
        weather: of the network until it clears.
        cuts: partitions.
        crashes: of nodes.
        crash_share: probability that a call dies between commit and send.
        clock_errors_us: of each party's UTC.
        suspended_at_us: when one party suspends the trilateral arrangement, None if it does not.
    """

    weather: Weather
    cuts: tuple[Cut, ...]
    crashes: tuple[Crash, ...]
    crash_share: float
    clock_errors_us: dict[str, int]
    suspended_at_us: TimeUs | None


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


def plan_faults(seed: int, nations: Sequence[Nation], from_us: TimeUs, until_us: TimeUs) -> FaultPlan:
    """Return the faults of a seed, all over by `until_us`.

    Every seed has weather, at least one partition and at least one crash.
    """
    chance = Chance(seed, "faults")
    span_us = until_us - from_us
    cuts = tuple(
        _cut(chance, nations[chance.between(0, len(nations) - 1)], from_us, span_us)
        for _ in range(chance.between(1, 2))
    )
    addresses = [Address(nation, role) for nation in nations for role in ROLES]
    addresses += [Address(HUB, "hub")] * 4
    crashes = tuple(
        Crash(
            addresses[chance.between(0, len(addresses) - 1)],
            from_us + chance.between(0, span_us * 7 // 10),
            chance.between(100_000, span_us // 4),
        )
        for _ in range(chance.between(1, 3))
    )
    return FaultPlan(
        weather=_weather(chance),
        cuts=cuts,
        crashes=crashes,
        crash_share=chance.fraction() * 0.01 if chance.happens(0.5) else 0.0,
        clock_errors_us={
            party: chance.between(-CLOCK_ERROR_MAX_US, CLOCK_ERROR_MAX_US) for party in (*nations, HUB)
        },
        suspended_at_us=from_us + chance.between(0, span_us) if chance.happens(0.3) else None,
    )


def _cut(chance: Chance, party: str, from_us: TimeUs, span_us: int) -> Cut:
    start_us = from_us + chance.between(0, span_us * 7 // 10)
    longest_us = min(from_us + span_us - start_us, 12 * MICROSECONDS_PER_SECOND)
    return Cut(party, start_us, start_us + chance.between(500_000, max(500_000, longest_us)))

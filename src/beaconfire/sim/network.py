"""The simulated network between nodes: delay, loss, duplication, reordering, partition, from one seed.

Within a nation messages arrive in order after a short fixed delay. Between nation and hub the weather
rules. A message is bytes here; nothing is shared between nodes but bytes.
"""

from typing import NamedTuple

import msgspec

from beaconfire.messages.words import Lane, TimeUs, is_hub
from beaconfire.nodes.commands import Channel
from beaconfire.sim.chance import Chance


class Address(NamedTuple):
    """Where a node is: its party and its role there."""

    party: str
    role: str


class Letter(msgspec.Struct, frozen=True):
    """One message on its way.

    Attributes:
        source: node that sent it.
        destination: node it goes to.
        channel: flow.
        lane: connection.
        sender: party whose credentials published it.
        data: its bytes.
        sent_at_us: simulated time of sending.
        is_delivery: it carries a report over a link.
    """

    source: Address
    destination: Address
    channel: Channel
    lane: Lane
    sender: str
    data: bytes
    sent_at_us: TimeUs
    is_delivery: bool = False


class Weather(msgspec.Struct, frozen=True):
    """What messages between a nation and the hub meet.

    Attributes:
        to_hub_us: shortest and longest delay of a report from a nation to the hub.
        to_nation_us: shortest and longest delay of a report from the hub to a nation.
        control_us: shortest and longest delay of everything else between them: receipts, probes.
        local_us: delay within a nation.
        loss: probability that a message is lost.
        duplicate: probability that it arrives twice.
        reorder: probability that it may overtake or be overtaken, and is held up to `reorder_us`.
        reorder_us: longest such hold.
        corrupt: probability that one bit of it is flipped.
    """

    to_hub_us: tuple[int, int] = (100_000, 100_000)
    to_nation_us: tuple[int, int] = (100_000, 100_000)
    control_us: tuple[int, int] = (1_000, 1_000)
    local_us: int = 0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_us: int = 2_000_000
    corrupt: float = 0.0


class Arrival(NamedTuple):
    """When a copy of a letter arrives, and what arrives."""

    time_us: TimeUs
    letter: Letter


class SimNetwork:
    """Decides when, whether and how often a letter arrives.

    Attributes:
        weather: what rules now; may be replaced, also by none, while running.
        weather_of: what rules instead between one nation and the hub.
        cut: ways from one party to another on which nothing passes now; an empty name is any party.
    """

    def __init__(self, weather: Weather, seed: int) -> None:
        """Start with some weather and no partition."""
        self.weather = weather
        self.weather_of: dict[str, Weather] = {}
        self.cut: set[tuple[str, str]] = set()
        self._chance = Chance(seed, "network")
        self._last_us: dict[tuple[Address, Address, Lane, bool], TimeUs] = {}

    def arrivals(self, letter: Letter) -> list[Arrival]:
        """Return the copies of a letter that arrive, possibly none."""
        if letter.source.party == letter.destination.party:
            return [self._in_order(letter, letter.sent_at_us + self.weather.local_us)]
        if self.cut and self.is_cut(letter):
            return []
        weather = self._weather_for(letter)
        if self._chance.happens(weather.loss):
            return []
        copies = [self._copy(letter, weather)]
        if self._chance.happens(weather.duplicate):
            copies.append(self._copy(letter, weather))
        return copies

    def is_cut(self, letter: Letter) -> bool:
        """Return True if a partition stands on the way from source to destination."""
        source, destination = letter.source.party, letter.destination.party
        return not self.cut.isdisjoint(((source, destination), (source, ""), ("", destination)))

    def _weather_for(self, letter: Letter) -> Weather:
        if not self.weather_of:
            return self.weather
        nation = letter.source.party if is_hub(letter.destination.party) else letter.destination.party
        return self.weather_of.get(nation, self.weather)

    def _copy(self, letter: Letter, weather: Weather) -> Arrival:
        span_us = weather.to_hub_us if is_hub(letter.destination.party) else weather.to_nation_us
        if not letter.is_delivery:
            span_us = weather.control_us
        time_us = letter.sent_at_us + self._chance.between(*span_us)
        if self._chance.happens(weather.corrupt) and letter.data:
            letter = msgspec.structs.replace(letter, data=self._flipped(letter.data))
        if self._chance.happens(weather.reorder):
            return Arrival(time_us + self._chance.between(0, weather.reorder_us), letter)
        return self._in_order(letter, time_us)

    def _in_order(self, letter: Letter, time_us: TimeUs) -> Arrival:
        way = (letter.source, letter.destination, letter.lane, letter.is_delivery)
        time_us = max(time_us, self._last_us.get(way, time_us))
        self._last_us[way] = time_us
        return Arrival(time_us, letter)

    def _flipped(self, data: bytes) -> bytes:
        place = self._chance.between(0, 8 * len(data) - 1)
        changed = bytearray(data)
        changed[place // 8] ^= 1 << (place % 8)
        return bytes(changed)

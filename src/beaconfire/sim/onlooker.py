"""Who looks on in the noninterference campaign, and a network on which nothing delays anything elsewhere."""

import hashlib
from typing import Final

from beaconfire.messages.codec import Message, decode_sealed, encode
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Nation, TimeUs
from beaconfire.nodes.commands import Channel, Command, Now, Send
from beaconfire.sim.disk import SimDisk
from beaconfire.sim.network import Address, Arrival, Letter, SimNetwork, Weather
from beaconfire.sim.sight import Given

DELAY_MAX_US: Final = 40_000
_AT_HOME: Final = frozenset({Channel.EVENT, Channel.NOTICE})


class Ways(SimNetwork):
    """A network whose delays depend on way and time only: what goes on one way delays nothing elsewhere.

    Nor on the lane. The lane of a guard towards the hub is FLASH if any partner sees a stage change: how
    that moves the time of arrival, by the jitter of a connection, is not promised to tell nothing.
    """

    def __init__(self, seed: int) -> None:
        """Take the seed of the delays."""
        super().__init__(Weather(), seed)
        self._seed = seed

    def arrivals(self, letter: Letter) -> list[Arrival]:
        """Return the one arrival of a letter, by its way and time alone."""
        if letter.source.party == letter.destination.party:
            return [Arrival(letter.sent_at_us, letter)]
        way = f"{self._seed}/{letter.source}/{letter.destination}/{letter.sent_at_us}"
        drawn = int.from_bytes(hashlib.blake2b(way.encode(), digest_size=4).digest(), "big")
        arrival = Arrival(letter.sent_at_us + drawn % DELAY_MAX_US, letter)
        return [arrival if letter.destination.party == HUB else self._in_order(letter, arrival.time_us)]


class Onlooker:
    """Writes down what goes to the observer, and every refusal of the second judge."""

    def __init__(self, observer: Nation) -> None:
        """Look on as a nation."""
        self._observer = observer
        self.letters: list[tuple[TimeUs, str, str, bytes]] = []
        self.given: list[Given] = []
        self.shown: list[tuple[TimeUs, bytes]] = []

    def called(self, address: Address, now: Now, commands: list[Command]) -> None:
        """Write down what the observer's picture shows at home."""
        if address != Address(self._observer, "picture"):
            return
        said = (one for one in commands if isinstance(one, Send) and one.channel in _AT_HOME)
        self.shown += [(now.utc_us, encode(one.message)) for one in said]

    def committed(self, address: Address, disk: SimDisk, commands: list[Command]) -> None:
        """Nothing to look at."""

    def sent(self, letter: Letter, message: Message) -> None:
        """Write down what goes to the observer."""
        if letter.destination.party != self._observer or letter.source.party != HUB:
            return
        self.letters.append((letter.sent_at_us, letter.destination.role, letter.lane.value, letter.data))
        if isinstance(message, Delivery):
            sealed = decode_sealed(message.sealed)
            coarse = frozenset(one.group for one in sealed.degradations)
            whole = frozenset(one.group for one in sealed.disclosures)
            self.given.append(
                Given(message.report_id, whole | coarse, coarse, letter.lane, letter.sent_at_us)
            )

    def received(self, letter: Letter, message: Message, at_us: TimeUs) -> None:
        """Nothing to look at."""

    def died(self, address: Address) -> None:
        """Nothing to look at."""

    def wiped(self, address: Address) -> None:
        """Nothing to keep."""

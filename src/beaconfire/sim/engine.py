"""The engine: runs the same nodes as `adapters.loop` does, on a simulated clock, network and disk.

The two rules of `nodes.commands` hold here too: a returned list is committed before anything of it
leaves, and a node's time never runs back. While a disk is full what was to be written waits in the same
`nodes.backlog` as in the loop: receipts wait with it, everything else leaves. All follows from one seed.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Protocol

from beaconfire.errors import PeerError
from beaconfire.messages.codec import Message, decode, encode
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import Lane, TimeUs
from beaconfire.nodes.backlog import BACKLOG_MAX, RETRY_US, Backlog, SpeaksForDisk
from beaconfire.nodes.commands import (
    SET_BACK_MAX_US,
    Append,
    Channel,
    Command,
    Deliver,
    Forget,
    Inbound,
    Keep,
    Node,
    Now,
    Rows,
    Send,
    WakeAt,
)
from beaconfire.sim.chance import Chance
from beaconfire.sim.disk import SimDisk
from beaconfire.sim.network import Address, Letter, SimNetwork
from beaconfire.sim.routes import roles_for
from beaconfire.sim.scheduler import Scheduler

START_ANEW_US: Final = 2_000_000
"""A process that ends since its clock was set back takes so long to be there again."""
TICK_US: Final = 1_000_000
"""A node that asks for nothing is ticked once a second, as `adapters.loop` does."""

Builder = Callable[[Rows], Node]


class Observer(Protocol):
    """Who looks on: the invariants, a recorder."""

    def called(self, address: Address, now: Now, commands: list[Command]) -> None:
        """A node was called and answered; nothing is committed or sent yet."""
        ...

    def committed(self, address: Address, disk: SimDisk, commands: list[Command]) -> None:
        """These are on the disk now, none if it is full; nothing of this call is sent yet."""
        ...

    def sent(self, letter: Letter, message: Message) -> None:
        """A message leaves."""
        ...

    def received(self, letter: Letter, message: Message, at_us: TimeUs) -> None:
        """A message reached a node that is up; it is called with it next."""
        ...

    def died(self, address: Address) -> None:
        """A node went down; what it had in memory alone is gone."""
        ...

    def wiped(self, address: Address) -> None:
        """A node that is down has lost its disk too."""
        ...


class Hosted:
    """One node: its builder, its disk, and the process that runs now, if one does.

    Attributes:
        address: where it is.
        disk: survives a crash.
        node: None while it is down.
        wake_us: monotonic time of its next tick, None if none is asked for.
        last: the time it was last called with.
        crashes: how often it went down.
        backlog: what is not on the disk yet.
        torn: its next write kills it before any of it is on the disk.
        paused: letters that wait since it is not run, None while it is.
    """

    def __init__(self, address: Address, build: Builder) -> None:
        """Start with an empty disk, down."""
        self.address = address
        self.build = build
        self.disk = SimDisk()
        self.node: Node | None = None
        self.wake_us: TimeUs | None = None
        self.last = Now(0, 0)
        self.crashes = 0
        self.backlog = Backlog()
        self.retry_us: TimeUs = 0
        self.torn: int | None = None
        self.paused: list[Letter] | None = None


class Engine:
    """Nodes in one process on a simulated clock.

    Attributes:
        scheduler: the clock. Monotonic time is the time of the clock; UTC adds the party's clock error.
        network: between the nodes.
        hosted: the nodes by address.
        rejected: messages that could not be decoded.
        missed: messages that reached a node that was down.
        left_to_sender: deliveries that met a backlog at its bound.
        disk_forgets: known bad: commits that each disk loses with its power; before nodes are hosted.
    """

    def __init__(self, start_us: TimeUs, network: SimNetwork, observers: Iterable[Observer] = ()) -> None:
        """Start without nodes."""
        self.scheduler = Scheduler(start_us)
        self.network = network
        self.hosted: dict[Address, Hosted] = {}
        self.rejected = 0
        self.missed = 0
        self.left_to_sender = 0
        self.disk_forgets = 0
        self._observers = tuple(observers)
        self._clock_error_us: dict[str, int] = {}
        self._drift: dict[str, tuple[TimeUs, int]] = {}
        self._crash: tuple[Chance, float] | None = None

    def host(self, address: Address, build: Builder) -> None:
        """Add a node; it starts at once."""
        hosted = Hosted(address, build)
        hosted.disk.forgetful = self.disk_forgets
        self.hosted[address] = hosted
        self._start(hosted)

    def step_clock(self, party: str, by_us: int) -> None:
        """Let a party's UTC be off by so much more from now on; set back far, its nodes are started anew."""
        self._clock_error_us[party] = self._clock_error_us.get(party, 0) + by_us
        utc_us = self.now_of(party).utc_us
        for address, hosted in self.hosted.items():
            if address.party == party and hosted.last.utc_us - utc_us > SET_BACK_MAX_US:
                self.crash(address, START_ANEW_US)

    def drift_clock(self, party: str, ppm: int) -> None:
        """Let a party's UTC run fast by parts in a million from now on; 0 ends it where it has got to."""
        since_us, rate = self._drift.get(party, (self.scheduler.now_us, 0))
        self.step_clock(party, _drifted(since_us, rate, self.scheduler.now_us))
        self._drift[party] = (self.scheduler.now_us, ppm)

    def crash_between_commit_and_send(self, chance: Chance, probability: float) -> None:
        """Let a call that commits and sends kill its node between the two, with a probability."""
        self._crash = (chance, probability)

    def now_of(self, party: str) -> Now:
        """Return the time as a party's nodes are given it."""
        now_us = self.scheduler.now_us
        since_us, rate = self._drift.get(party, (now_us, 0))
        error_us = self._clock_error_us.get(party, 0) + _drifted(since_us, rate, now_us)
        return Now(now_us + error_us, now_us)

    def crash(self, address: Address, down_us: int) -> None:
        """Kill a node and start it again from its disk after a time; one that is down stays so."""
        hosted = self.hosted[address]
        if hosted.node is None:
            return
        hosted.node = None
        hosted.wake_us = None
        hosted.torn = None
        hosted.paused = None
        hosted.backlog = Backlog()
        hosted.disk.lose_power()
        hosted.crashes += 1
        for observer in self._observers:
            observer.died(address)
        self.scheduler.at(self.scheduler.now_us + down_us, partial(self._start, hosted))

    def wipe(self, address: Address, down_us: int) -> None:
        """Kill a node and let it find no journal when it starts again."""
        hosted = self.hosted[address]
        if hosted.node is None:
            return
        self.crash(address, down_us)
        hosted.disk = SimDisk(self.disk_forgets, wiped=True)
        for observer in self._observers:
            observer.wiped(address)

    def tear(self, address: Address, down_us: int) -> None:
        """Let a node die at its next write, of which nothing reaches the disk."""
        self.hosted[address].torn = down_us

    def pause(self, address: Address, until_us: TimeUs) -> None:
        """Do not run a node until a time; what comes for it meanwhile waits."""
        hosted = self.hosted[address]
        if hosted.node is not None and hosted.paused is None:
            hosted.paused = []
            self.scheduler.at(until_us, partial(self._resume, hosted, hosted.paused))

    def _resume(self, hosted: Hosted, waiting: list[Letter]) -> None:
        if hosted.paused is not waiting:
            return
        hosted.paused = None
        for letter in waiting:
            self._deliver(letter)
        self._tick(hosted)

    def fill_disk(self, address: Address, *, full: bool) -> None:
        """Let nothing be written to a node's disk from now on, or let it be written again."""
        self.hosted[address].disk.full = full

    def _start(self, hosted: Hosted) -> None:
        hosted.node = hosted.build(hosted.disk)
        hosted.last = Now(0, 0)
        self._tick(hosted)

    def inject(self, time_us: TimeUs, destination: Address, inbound: tuple[Channel, Message]) -> None:
        """Have a message of the destination's own nation reach a node at a time, as a feed does."""
        channel, message = inbound
        letter = Letter(
            source=Address(destination.party, "feed"),
            destination=destination,
            channel=channel,
            lane=Lane.ROUTINE,
            sender=destination.party,
            data=encode(message),
            sent_at_us=time_us,
        )
        self.scheduler.at(time_us, partial(self._deliver, letter))

    def run_until(self, time_us: TimeUs) -> None:
        """Run everything up to a time."""
        self.scheduler.run_until(time_us)

    def _tick(self, hosted: Hosted) -> None:
        node = hosted.node
        if node is None or hosted.paused is not None:
            return
        hosted.wake_us = None
        now = self._now_for(hosted)
        self._execute(hosted, now, node.tick(now), earliest_us=now.monotonic_us + 1)
        if hosted.node is node:
            self._wake_without_being_asked(hosted)

    def _wake_without_being_asked(self, hosted: Hosted) -> None:
        if hosted.wake_us is None:
            self._wake_at(hosted, self.scheduler.now_us + TICK_US)

    def _now_for(self, hosted: Hosted) -> Now:
        """Return the time as `adapters.clock` gives it: a UTC that was set back stands still in a node."""
        now = self.now_of(hosted.address.party)
        assert now.monotonic_us >= hosted.last.monotonic_us, "the monotonic clock ran back"
        now = Now(max(now.utc_us, hosted.last.utc_us), now.monotonic_us)
        hosted.last = now
        return now

    def _wake_at(self, hosted: Hosted, time_us: TimeUs) -> None:
        """Ask for a tick; the earliest asked for wins, and replaces the others."""
        if hosted.wake_us is not None and hosted.wake_us <= time_us:
            return
        hosted.wake_us = time_us
        self.scheduler.at(time_us, partial(self._wake, hosted, time_us))

    def _wake(self, hosted: Hosted, time_us: TimeUs) -> None:
        if hosted.wake_us == time_us:
            self._tick(hosted)

    def _execute(self, hosted: Hosted, now: Now, commands: list[Command], *, earliest_us: int) -> None:
        """Commit, then send; a wake asked for is not before `earliest_us`, so a tick can't wake itself."""
        kept = [one for one in commands if isinstance(one, Keep | Forget | Append)]
        if kept and hosted.torn is not None:
            self.crash(hosted.address, hosted.torn)
            return
        for observer in self._observers:
            observer.called(hosted.address, now, commands)
        on_disk = self._commit(hosted, kept, now)
        if kept and self._crash is not None and self._crash[0].happens(self._crash[1]):
            self.crash(hosted.address, self._crash[0].between(100_000, 3_000_000))
            return
        for command in commands:
            match command:
                case Send(message=message) if not on_disk and isinstance(message, SpeaksForDisk):
                    hosted.backlog.hold(command)
                case Send(channel=channel, recipient=recipient, lane=lane, message=message):
                    self._send(hosted.address, (channel, recipient, lane), encode(message), message)
                case Deliver(channel=channel, recipient=recipient, lane=lane, body=body):
                    self._send(hosted.address, (channel, recipient, lane), body, decode(body))
                case WakeAt(monotonic_us=wake_us):
                    self._wake_at(hosted, max(wake_us, earliest_us))
                case _:
                    pass

    def _commit(self, hosted: Hosted, kept: "list[Keep | Forget | Append]", now: Now) -> bool:
        """Write a group, or gather it as the loop does; returns whether all there is is on the disk."""
        backlog = hosted.backlog
        if len(backlog):
            backlog.add(kept)
            waits = hosted.disk.full or now.monotonic_us < hosted.retry_us
            kept = [] if waits else backlog.waiting()
        elif hosted.disk.full and kept:
            backlog.add(kept)
            hosted.retry_us = now.monotonic_us + RETRY_US
            kept = []
        hosted.disk.commit(kept)
        for observer in self._observers:
            observer.committed(hosted.address, hosted.disk, list(kept))
        if not len(backlog):
            return True
        if not kept:
            return False
        for receipt in backlog.written():
            where = (receipt.channel, receipt.recipient, receipt.lane)
            self._send(hosted.address, where, encode(receipt.message), receipt.message)
        return True

    def _send(self, source: Address, where: tuple[Channel, str, Lane], data: bytes, message: Message) -> None:
        channel, recipient, lane = where
        for role in roles_for(channel, message, between_parties=recipient != source.party):
            destination = Address(recipient, role)
            if destination not in self.hosted or destination == source:
                continue
            letter = Letter(
                source=source,
                destination=destination,
                channel=channel,
                lane=lane,
                sender=source.party,
                data=data,
                sent_at_us=self.scheduler.now_us,
                is_delivery=isinstance(message, Delivery),
            )
            for observer in self._observers:
                observer.sent(letter, message)
            self._post(letter)

    def _post(self, letter: Letter) -> None:
        for arrival in self.network.arrivals(letter):
            self.scheduler.at(arrival.time_us, partial(self._deliver, arrival.letter))

    def _deliver(self, letter: Letter) -> None:
        hosted = self.hosted[letter.destination]
        if hosted.node is None:
            self.missed += 1
            return
        if hosted.paused is not None:
            hosted.paused.append(letter)
            return
        try:
            message = decode(letter.data)
        except PeerError:
            self.rejected += 1
            return
        if isinstance(message, Delivery) and len(hosted.backlog) >= BACKLOG_MAX:
            self.left_to_sender += 1
            return
        now = self._now_for(hosted)
        for observer in self._observers:
            observer.received(letter, message, now.monotonic_us)
        inbound = Inbound(letter.channel, letter.sender, letter.lane, message, len(letter.data))
        commands = hosted.node.receive(inbound, now)
        self._execute(hosted, now, commands, earliest_us=now.monotonic_us)


def _drifted(since_us: TimeUs, ppm: int, now_us: TimeUs) -> int:
    return (now_us - since_us) * ppm // 1_000_000

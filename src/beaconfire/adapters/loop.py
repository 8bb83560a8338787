"""The loop: runs any node for real. Drain, call, commit, then send.

FLASH is drained first and committed by itself; ROUTINE in groups. What nothing waits for, rows that may go
and inputs that changed no row, is committed with what comes next. A node that computes runs in a thread of
its own, one call at a time, so that the connections stay alive meanwhile. While the journal
can't be written, commands gather in memory, receipts are held back (so senders keep what is not on the
disk), everything else still flows, and a notice says so.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import Clock
from beaconfire.adapters.journal import InputKind, Journal, RecordedInput, recorded
from beaconfire.adapters.pending import Pending
from beaconfire.adapters.wiring import Heard
from beaconfire.errors import EnvironmentFault, PeerError
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.versions import as_of
from beaconfire.messages.words import LINK_SCHEMA, Lane, Severity
from beaconfire.nodes.backlog import BACKLOG_MAX, RETRY_US, Backlog, JournalCommand, SpeaksForDisk
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
    Send,
    Unreadable,
    WakeAt,
)
from beaconfire.nodes.voice import Said, Voice

QUEUE_MAX: Final = {Lane.FLASH: 8_192, Lane.ROUTINE: 1_024}
"""Messages waiting in one lane. Over it FLASH refuses the newest (its outbox sends it again), ROUTINE
drops the oldest: a node that takes 200 a second is then five seconds behind, and no more."""
GROUP_MAX: Final = 128
GROUP_US: Final = 20_000
"""A group ends once its node has taken this long over it; what is left waits for the next."""
GATHER_US: Final = 20_000
"""ROUTINE is taken no more often: what comes meanwhile is committed together."""
TURNS: Final = 6
"""Turns of the event loop between groups: to read, to hand on, to take up, to buffer and to write."""
PAUSE_US: Final = 1_000
"""What was waited for at least this long left connections turns enough."""
TICK_US: Final = 250_000
SCRUB_PERIOD_US: Final = 1_000_000
SCRUB_RECORDS: Final = 200
"""Records looked at once a second while nothing waits: a million within an hour and a half."""
INPUTS_MAX: Final = 20_000
"""Inputs of a recording that wait for the disk; past it the recording has a hole, and says so."""
NOTICE_PERIOD_US: Final = 10_000_000
WAITING: Final = "loop_waiting"
"""Counter of a health: messages that the node has not been given yet."""


class LoopOptions(msgspec.Struct, frozen=True):
    """How a node is run.

    Attributes:
        party: nation, or HUB.
        source: named in notices and health, such as "guard/KOR".
        record: write every input to the journal, so that it can be replayed.
        threaded: call the node and write the journal in a thread beside the connections'.
        schema: of the link, that is spoken: one before the newest reads and says nothing that came later.
    """

    party: str
    source: str
    record: bool = False
    threaded: bool = False
    schema: int = LINK_SCHEMA


class _Waiting(msgspec.Struct, frozen=True):
    heard: Heard
    body: bytes


class Loop:
    """One node, its bus and its journal.

    Attributes:
        counters: counts of the loop itself, added to the health of the node.
        renew: asked before each tick what is to be done since files outside have changed; None if nothing is.
    """

    def __init__(
        self, node: Node, bus: Bus, journal: Journal | None, clock: Clock, options: LoopOptions
    ) -> None:
        """Join them; `run` starts.

        Args:
            node: to be run.
            bus: opened by the caller with `accept` as its handler.
            journal: None for a node that keeps nothing.
            clock: tells the time.
            options: see there.
        """
        self.node = node
        self._bus = bus
        self._journal = journal
        self.clock = clock
        self._options = options
        self._voice = Voice(options.source, options.party)
        self._queues: dict[Lane, deque[_Waiting]] = {lane: deque() for lane in (Lane.FLASH, Lane.ROUTINE)}
        self._event = asyncio.Event()
        self._stopping = False
        self._gathering = False
        self._wake_us = 0
        self._next_tick_us = self._next_routine_us = 0
        self._backlog = Backlog()
        self._unrecorded: list[RecordedInput] = []
        self._pending = Pending()
        self._next_retry_us = 0
        self._next_notice_us = 0
        self._next_scrub_us = 0
        self.on_notice: Callable[[Notice], None] | None = None
        self.renew: Callable[[Now], list[Command]] | None = None
        self.counters = dict.fromkeys(
            ("overflow", "undecodable", "unjournalled", "left_to_sender", "unrecorded", "spoilt"), 0
        )

    def accept(self, heard: Heard, body: bytes) -> None:
        """Queue a message as it comes off the bus; bounded, see `QUEUE_MAX`."""
        queue = self._queues[heard.lane]
        if len(queue) >= QUEUE_MAX[heard.lane]:
            self.counters["overflow"] += 1
            if heard.lane is Lane.FLASH:
                return
            queue.popleft()
        queue.append(_Waiting(heard, body))
        if heard.lane is Lane.FLASH or not self._gathering:
            self._event.set()

    def stop(self) -> None:
        """End `run` after the group at hand."""
        self._stopping = True
        self._event.set()

    async def run(self) -> None:
        """Run until `stop`.

        Raises:
            EnvironmentFault: the journal has been unwritable for longer than memory allows, or the clock was
                set back further than is waited for (`SET_BACK_MAX_US`): whoever started this starts it anew.
        """
        start = self.clock.now()
        self._commit([], [self._mark(InputKind.START, start)], start, at_once=True)
        self._tell_of_damage(start)
        with ThreadPoolExecutor(max_workers=1) as thread:
            while not (self._stopping or self._is_set_back()):
                if not await self._wait():
                    for _ in range(TURNS):
                        await asyncio.sleep(0)
                if self._options.threaded:
                    await asyncio.get_running_loop().run_in_executor(thread, self._step)
                else:
                    self._step()
        self._commit([], [], self.clock.now(), at_once=True)
        self._end_if_set_back()

    def _is_set_back(self) -> bool:
        return self.clock.set_back_us > SET_BACK_MAX_US

    def _end_if_set_back(self) -> None:
        if not self._stopping and self._is_set_back():
            by_ms = self.clock.set_back_us // 1_000
            text = f"the clock was set back by {by_ms:,} ms"
            about: dict[str, str | int] = {"source": self._options.source, "by_ms": by_ms}
            self._tell(Said("clock-set-back", Severity.CAUTION, text, about), self.clock.now())
            raise EnvironmentFault(text, "start it anew: with the old time it would be of no use to anybody")

    async def _wait(self) -> bool:
        """Return once there is something to do, a FLASH at once, ROUTINE in groups.

        Returns:
            whether that took long enough for the connections to have had their turns.
        """
        began_us = self.clock.now().monotonic_us
        while not (self._stopping or self._queues[Lane.FLASH]):
            self._event.clear()
            self._gathering = bool(self._queues[Lane.ROUTINE])
            due_us = min(self._wake_us or self._next_tick_us, self._next_tick_us)
            if self._gathering:
                due_us = min(due_us, self._next_routine_us)
            wait_us = due_us - self.clock.now().monotonic_us
            if wait_us <= 0:
                break
            timer = asyncio.get_running_loop().call_later(wait_us / 1e6, self._event.set)
            await self._event.wait()
            timer.cancel()
        return self.clock.now().monotonic_us - began_us >= PAUSE_US

    def _step(self) -> None:
        if self._queues[Lane.FLASH]:
            self._receive(Lane.FLASH)
        self._tick_if_due()
        now_us = self.clock.now().monotonic_us
        if self._queues[Lane.ROUTINE] and now_us >= self._next_routine_us:
            self._next_routine_us = now_us + GATHER_US
            self._receive(Lane.ROUTINE)

    def _receive(self, lane: Lane) -> None:
        """Give the node one group of a lane, and carry out what it answers; ROUTINE stops for a FLASH."""
        now, queue, flash = self.clock.now(), self._queues[lane], self._queues[Lane.FLASH]
        commands: list[Command] = []
        inputs: list[RecordedInput] = []
        for _ in range(min(GROUP_MAX, len(queue))):
            waiting = queue.popleft()
            inbound = self._inbound(waiting)
            if inbound is not None:
                commands += self.node.receive(inbound, now)
                if self._options.record and not isinstance(inbound.message, Unreadable):
                    inputs.append(recorded(inbound, waiting.body, now))
            spent_us = self.clock.now().monotonic_us - now.monotonic_us
            if spent_us > GROUP_US or (lane is Lane.ROUTINE and flash):
                break
        self._carry_out(commands, inputs, now)

    def _inbound(self, waiting: _Waiting) -> Inbound | None:
        heard = waiting.heard
        try:
            message = decode(waiting.body, self._options.schema)
        except PeerError as error:
            self.counters["undecodable"] += 1
            if heard.channel is not Channel.TO_HUB:
                return None
            unreadable = Unreadable(waiting.body, f"{error.code}: {error.detail}")
            return Inbound(heard.channel, heard.sender, heard.lane, unreadable, len(waiting.body))
        if isinstance(message, Delivery) and len(self._backlog) >= BACKLOG_MAX:
            self.counters["left_to_sender"] += 1
            return None
        return Inbound(heard.channel, heard.sender, heard.lane, message, len(waiting.body))

    def _tick_if_due(self) -> None:
        now = self.clock.now()
        if now.monotonic_us < self._next_tick_us and not 0 < self._wake_us <= now.monotonic_us:
            return
        self._next_tick_us = now.monotonic_us + TICK_US
        self._wake_us = 0
        renewed = self.renew(now) if self.renew is not None else []
        self._carry_out([*renewed, *self.node.tick(now)], [self._mark(InputKind.TICK, now)], now)
        self._scrub_if_idle(now)

    def _tell_of_damage(self, now: Now) -> None:
        """Say what was wrong with the journal when it was opened."""
        for flaw in self._journal.damage if self._journal else ():
            self._tell(_damaged(f"journal: {flaw}", flaw), now)

    def _scrub_if_idle(self, now: Now) -> None:
        """Look at a few records of the journal, and cut what is over its bounds, while nothing waits."""
        if self._journal is None or now.monotonic_us < self._next_scrub_us or any(self._queues.values()):
            return
        self._next_scrub_us = now.monotonic_us + SCRUB_PERIOD_US
        try:
            spoilt = self._journal.scrub(SCRUB_RECORDS)
            self._journal.cut()
        except EnvironmentFault as fault:
            self._tell(_damaged(str(fault), str(fault)), now)
            return
        if spoilt:
            self.counters["spoilt"] += spoilt
            text = f"{spoilt} records of the journal are spoilt"
            self._tell(Said("journal-spoilt", Severity.FAULT, text, {"count": spoilt}), now)

    def _mark(self, kind: InputKind, now: Now) -> RecordedInput:
        return RecordedInput(kind, now.utc_us, now.monotonic_us)

    def _carry_out(self, commands: list[Command], inputs: list[RecordedInput], now: Now) -> None:
        """Commit what is to be kept, then send what is to be sent."""
        kept = [one for one in commands if isinstance(one, Keep | Forget | Append)]
        on_disk = self._commit(kept, inputs, now)
        for command in commands:
            match command:
                case Send(message=message) if not on_disk and isinstance(message, SpeaksForDisk):
                    self._backlog.hold(command)
                case Send():
                    self._send(command)
                case Deliver(channel, recipient, lane, body):
                    self._bus.publish(channel, recipient, lane, ("delivery", body))
                case WakeAt(monotonic_us):
                    self._wake_us = min(self._wake_us or monotonic_us, monotonic_us)

    def _send(self, send: Send) -> None:
        message = as_of(send.message, self._options.schema)
        if message is None:
            return
        if isinstance(message, Health):
            own = {f"loop_{name}": count for name, count in self.counters.items()}
            own[WAITING] = sum(map(len, self._queues.values()))
            message = msgspec.structs.replace(
                message, counters={**message.counters, **own, **self._bus.counts()}
            )
        if isinstance(message, Notice) and self.on_notice is not None:
            self.on_notice(message)
        kind = str(message.__struct_config__.tag)
        self._bus.publish(send.channel, send.recipient, send.lane, (kind, encode(message)))

    def _commit(
        self, kept: list[JournalCommand], inputs: list[RecordedInput], now: Now, *, at_once: bool = False
    ) -> bool:
        """Write a group, or gather it; returns whether all that a receipt may rest on is on the disk."""
        inputs = inputs if self._options.record else []
        if self._journal is None:
            return True
        backlog, unrecorded = self._backlog, self._unrecorded
        failing = bool(len(backlog) or unrecorded)
        if failing:
            self._gather(kept, inputs)
            if now.monotonic_us < self._next_retry_us:
                return False
        else:
            self._pending.add(kept, inputs, now.monotonic_us)
            if not (at_once or self._pending.is_due(now.monotonic_us)):
                return True
            kept, inputs = self._pending.take()
        if not (kept or inputs or failing):
            return True
        try:
            if failing:
                self._journal.commit(backlog.waiting(), unrecorded)
            else:
                self._journal.commit(kept, inputs)
        except EnvironmentFault as fault:
            if not failing:
                self._gather(kept, inputs)
            self._cannot_write(fault, now)
            return False
        if failing:
            self._can_write_again(now)
        return True

    def _gather(self, kept: list[JournalCommand], inputs: list[RecordedInput]) -> None:
        self._backlog.add(kept)
        room = max(0, INPUTS_MAX - len(self._unrecorded))
        self._unrecorded += inputs[:room]
        self.counters["unrecorded"] += max(0, len(inputs) - room)

    def _cannot_write(self, fault: EnvironmentFault, now: Now) -> None:
        self.counters["unjournalled"] = len(self._backlog)
        self._next_retry_us = now.monotonic_us + RETRY_US
        if len(self._backlog) > 2 * BACKLOG_MAX:
            raise fault
        if now.monotonic_us >= self._next_notice_us:
            self._next_notice_us = now.monotonic_us + NOTICE_PERIOD_US
            text = f"{fault}; nothing is receipted"
            self._tell(Said("journal-unwritable", Severity.FAULT, text, {"reason": str(fault)}), now)

    def _can_write_again(self, now: Now) -> None:
        self._unrecorded.clear()
        for receipt in self._backlog.written():
            self._send(receipt)
        self.counters["unjournalled"] = 0
        self._next_notice_us = 0
        text = "the journal can be written again"
        self._tell(Said("journal-written-again", Severity.INFORMATION, text), now)

    def _tell(self, said: Said, now: Now) -> None:
        self._send(self._voice.tell(said, now))


def _damaged(text: str, reason: str) -> Said:
    return Said("journal-damaged", Severity.FAULT, text, {"reason": reason})

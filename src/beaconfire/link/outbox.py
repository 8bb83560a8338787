"""The outbox: the durable queue of one sender towards one recipient, in two lanes.

Four rules:

1. A row goes only when its receipt comes, when it expires, or (ROUTINE only) when a report of the same
   track that was sealed later replaces it or the lane is over its bound, oldest first. FLASH is refused
   at the door once `FLASH_ROWS_MAX` unexpired rows are open; what was accepted is never dropped before
   it expires.
2. A sequence number is given once, in order of `put`, and never again, restarts included: a restart begins
   `RESTART_SKIP` further, whatever the journal could not keep.
3. A receipted delivery is remembered until it expires, in memory alone; a receiver that was started again
   is sent it again.
4. FLASH is resent oldest first, ROUTINE newest first, both with backoff and at most a window at a time.
5. What may not leave any more when its resend is due, an arrangement having been suspended, stays where it
   is until it may again or expires.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from beaconfire.link.journal import Row
from beaconfire.link.lane_queue import FIRST_RESEND_US, HELD_DECODER, Held, LaneQueue, Timer
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES, encode
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import LINK_SCHEMA, LINK_SCHEMA_BEFORE, ClockQuality, Lane, party_of
from beaconfire.release.decide import Outgoing, Released

FLASH_ROWS_MAX: Final = 4_096
ROUTINE_ROWS_MAX: Final = 4_096
RESEND_WINDOW: Final = 128
"""At most this many deliveries of one lane are given by one call of `due`."""
SEALED_BYTES_MAX: Final = MAXIMUM_MESSAGE_BYTES - 1_024
"""Leaves room for the fields of a `Delivery` around the sealed bytes."""
LAST_RESEND_US: Final = 4_000_000
RESTART_SKIP: Final = 2**20
"""Numbers passed over by a restart: more than can have been given while the journal could not be written,
so that a receipt on its way from before never settles a report of after."""


class Parcel(msgspec.Struct, frozen=True):
    """A delivery to be published now.

    Attributes:
        lane: which connection.
        body: MessagePack of a `Delivery`.
    """

    lane: Lane
    body: bytes


class Put(msgspec.Struct, frozen=True):
    """What came of a `put`: all of `keep` and `forget` are committed before `parcel` leaves.

    Attributes:
        parcel: to be published, or None if it was refused.
        keep: rows to write.
        forget: keys to delete (replaced, over the bound, or expired).
        refused: why it was not taken, empty if it was: "full", "oversize", "expired".
    """

    parcel: Parcel | None
    keep: tuple[Row, ...] = ()
    forget: tuple[str, ...] = ()
    refused: str = ""


class Due(msgspec.Struct, frozen=True):
    """What is to be done at a time.

    Attributes:
        parcels: to be published again.
        forget: keys of expired rows.
        expired_flash: report ids of FLASH rows that expired without a receipt: lost, and to be said.
        expired_routine: of ROUTINE rows that did, none newer of their track having replaced them.
    """

    parcels: tuple[Parcel, ...]
    forget: tuple[str, ...]
    expired_flash: tuple[str, ...]
    expired_routine: tuple[str, ...] = ()


class Settled(msgspec.Struct, frozen=True):
    """What a receipt settled.

    Attributes:
        forget: keys to delete.
        delivered: report ids the recipient committed.
        refused: report ids the recipient committed a refusal of.
    """

    forget: tuple[str, ...]
    delivered: tuple[str, ...]
    refused: tuple[str, ...]


class Outbox:
    """What one sender still owes one recipient.

    Attributes:
        sender: own party.
        recipient: the other party.
        schema: of the link, that the recipient is known to read.
    """

    def __init__(self, sender: str, recipient: str, rows: Iterable[tuple[str, bytes]]) -> None:
        """Restore the queue from the rows of the journal's outbox table; rows of others are passed over.

        Restored rows are due at once. A row that can't be read is passed over: the journal's checksum
        has already reported it.
        """
        self.sender = sender
        self.recipient = recipient
        self.schema = LINK_SCHEMA_BEFORE
        self._prefix = f"{sender}>{recipient}/"
        self._lanes = {lane: LaneQueue() for lane in Lane}
        found = sorted(row for row in rows if row[0].startswith(self._prefix))
        for key, body in found:
            self._restore(key.removeprefix(self._prefix), body)
        for queue in self._lanes.values():
            if queue.next_sequence > 1:
                queue.next_sequence += RESTART_SKIP
        self._unsaid: list[str] = []
        self._resting: set[Lane] = set()

    def _restore(self, name: str, body: bytes) -> None:
        lane_name, _, rest = name.partition("/")
        if lane_name not in set(Lane):
            return
        queue = self._lanes[Lane(lane_name)]
        if rest == "next":
            queue.next_sequence = max(queue.next_sequence, int.from_bytes(body, "big"))
            return
        try:
            held = HELD_DECODER.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        queue.add(held, Timer(0, FIRST_RESEND_US[held.lane], None))
        queue.next_sequence = max(queue.next_sequence, held.sequence + 1)

    def _key(self, lane: Lane, sequence: int) -> str:
        return f"{self._prefix}{lane.value}/{sequence:016d}"

    def put(
        self,
        released: Released[Outgoing],
        *,
        utc_us: int,
        monotonic_us: int,
        clock: ClockQuality | None = None,
    ) -> Put:
        """Take a released report and return what is to be written and published.

        Args:
            released: to this outbox's recipient.
            utc_us: now.
            monotonic_us: now.
            clock: how far its originator's clock is from the recipient's, as far as is known.

        Raises:
            ValueError: it was released to another party than this outbox's recipient.
        """
        if released.recipient != party_of(self.recipient):
            raise ValueError(f"released to {released.recipient}, not to {self.recipient}")
        outgoing = released.value
        queue = self._lanes[outgoing.lane]
        if outgoing.expires_at_us <= utc_us:
            return Put(None, refused="expired")
        if len(outgoing.sealed) > SEALED_BYTES_MAX:
            return Put(None, refused="oversize")
        held = Held(
            sequence=queue.next_sequence,
            report_id=outgoing.report_id,
            originator=outgoing.originator,
            track=outgoing.track,
            lane=outgoing.lane,
            expires_at_us=outgoing.expires_at_us,
            hops=outgoing.hops,
            sealed=outgoing.sealed,
            sent_at_us=outgoing.sent_at_us,
            clock=clock,
            stated_at_us=outgoing.stated_at_us,
        )
        forget = self._make_room(held, utc_us)
        if held.lane is Lane.FLASH and len(queue.open) >= FLASH_ROWS_MAX:
            return Put(None, forget=forget, refused="full")
        queue.next_sequence += 1
        wait_us = FIRST_RESEND_US[held.lane]
        queue.add(held, Timer(monotonic_us + wait_us, wait_us, monotonic_us))
        counter = Row(f"{self._prefix}{outgoing.lane.value}/next", queue.next_sequence.to_bytes(8, "big"))
        row = Row(self._key(outgoing.lane, held.sequence), encode(held))
        return Put(self._parcel(held), keep=(row, counter), forget=forget)

    def _make_room(self, held: Held, utc_us: int) -> tuple[str, ...]:
        """Drop what the new report replaces, and what a full lane may drop."""
        routine = self._lanes[Lane.ROUTINE]
        gone: list[str] = []
        replaced = routine.by_track.get((held.originator, held.track))
        if replaced is not None and routine.open[replaced].newness <= held.newness:
            gone.append(self._drop(Lane.ROUTINE, replaced))
        if held.lane is Lane.ROUTINE:
            while len(routine.open) >= ROUTINE_ROWS_MAX:
                gone.append(self._drop(Lane.ROUTINE, routine.oldest_open()))
        elif len(self._lanes[Lane.FLASH].open) >= FLASH_ROWS_MAX:
            flash = self._lanes[Lane.FLASH]
            expired = flash.expired(utc_us)
            self._unsaid += [flash.open[number].report_id for number in expired]
            gone += [self._drop(Lane.FLASH, number) for number in expired]
        return tuple(gone)

    def _drop(self, lane: Lane, sequence: int) -> str:
        self._lanes[lane].remove(sequence)
        return self._key(lane, sequence)

    def _parcel(self, held: Held) -> Parcel:
        delivery = Delivery(
            sender=self.sender,
            recipient=self.recipient,
            lane=held.lane,
            sequence=held.sequence,
            oldest_open=self._lanes[held.lane].oldest_open(),
            hops=held.hops,
            report_id=held.report_id,
            sealed=held.sealed,
            clock=held.clock if self.schema >= LINK_SCHEMA else None,
        )
        return Parcel(held.lane, encode(delivery))

    def due(
        self, *, utc_us: int, monotonic_us: int, may_leave: Callable[[str, bytes], bool] | None = None
    ) -> Due:
        """Return what is to be published again and what expired; each resend doubles that row's wait.

        Args:
            utc_us: now.
            monotonic_us: now.
            may_leave: says of an originator and its sealed bytes whether they may still be sent; None lets
                everything.
        """
        flash = self._lanes[Lane.FLASH]
        unreceipted = [n for n in flash.expired(utc_us) if n not in flash.receipted_once]
        expired_flash = (*self._unsaid, *(flash.open[n].report_id for n in unreceipted))
        self._unsaid = []
        routine = self._lanes[Lane.ROUTINE]
        expired_routine = tuple(
            routine.open[n].report_id for n in routine.expired(utc_us) if n not in routine.receipted_once
        )
        forget = tuple(
            self._drop(lane, number) for lane in Lane for number in self._lanes[lane].expired(utc_us)
        )
        ready = (held for lane in Lane for held in self._resend(lane, monotonic_us))
        parcels = tuple(
            self._parcel(held)
            for held in ready
            if may_leave is None or may_leave(held.originator, held.sealed) or self._hold_back(held)
        )
        return Due(parcels, forget, expired_flash, expired_routine)

    def _hold_back(self, held: Held) -> bool:
        """Let a row wait without counting as unreceipted, since it isn't sent; always False."""
        self._lanes[held.lane].timers[held.sequence].since_us = None
        return False

    def _resend(self, lane: Lane, monotonic_us: int) -> list[Held]:
        queue = self._lanes[lane]
        if lane in self._resting:
            return []
        numbers = queue.open if lane is Lane.FLASH else reversed(queue.open)
        ready = [n for n in numbers if queue.timers[n].next_us <= monotonic_us][:RESEND_WINDOW]
        for number in ready:
            timer = queue.timers[number]
            timer.since_us = monotonic_us if timer.since_us is None else timer.since_us
            timer.wait_us = min(2 * timer.wait_us, LAST_RESEND_US)
            timer.next_us = monotonic_us + timer.wait_us
        return [queue.open[number] for number in ready]

    def next_due_us(self) -> int | None:
        """Return the monotonic time of the next resend, or None if there is none to come."""
        awake = [queue for lane, queue in self._lanes.items() if lane not in self._resting]
        times = [timer.next_us for queue in awake for timer in queue.timers.values()]
        return min(times, default=None)

    def link_down(self, lane: Lane) -> None:
        """Let what is open on ROUTINE rest until the link is up: its newest is to go first then.

        Without this, what fell due while nobody heard it would be behind what falls due next. FLASH is
        resent all the same, oldest first: a link may hear what it can't answer.
        """
        if lane is Lane.ROUTINE:
            self._resting.add(lane)

    def link_up(self, lane: Lane) -> None:
        """Make everything open in a lane due at once: the link is back."""
        self._resting.discard(lane)
        for timer in self._lanes[lane].timers.values():
            timer.next_us = 0
            timer.wait_us = FIRST_RESEND_US[lane]

    def reopen(self, *, utc_us: int) -> tuple[Row, ...]:
        """Open again what was receipted and has not expired; return the rows to write.

        For a recipient that was started again and may have lost it. All of it is due at once, and so is what
        was open: its resends have backed off meanwhile, by seconds.
        """
        rows: list[Row] = []
        for lane, queue in self._lanes.items():
            self.link_up(lane)
            bound = FLASH_ROWS_MAX if lane is Lane.FLASH else ROUTINE_ROWS_MAX
            opened = [
                held for held in queue.retained.take(utc_us) if len(queue.open) < bound and queue.reopen(held)
            ]
            rows += [Row(self._key(lane, held.sequence), encode(held)) for held in opened]
            queue.sort()
        return tuple(rows)

    def receipt(self, receipt: Receipt) -> Settled:
        """Return what a receipt settles. The caller has verified its signature.

        A receipt between other parties, and a number that is not open, settle nothing.
        """
        if (receipt.sender, receipt.recipient) != (self.recipient, self.sender):
            return Settled((), (), ())
        delivered = self._settle(receipt.lane, receipt.sequences)
        refused = self._settle(receipt.lane, receipt.refused)
        for held in delivered:
            self._lanes[receipt.lane].retained.add(held)
        forget = tuple(self._key(receipt.lane, one.sequence) for one in (*delivered, *refused))
        return Settled(
            forget,
            tuple(one.report_id for one in delivered),
            tuple(one.report_id for one in refused),
        )

    def _settle(self, lane: Lane, numbers: Iterable[int]) -> list[Held]:
        removed = (self._lanes[lane].remove(number) for number in numbers)
        return [held for held in removed if held is not None]

    def open_ids(self, lane: Lane) -> list[str]:
        """Return the report ids of the open rows of a lane, oldest first."""
        return [held.report_id for held in self._lanes[lane].open.values()]

    def unreceipted_since_us(self) -> int | None:
        """Return since when, monotonic, the oldest open FLASH row has waited, None if none does."""
        timers = self._lanes[Lane.FLASH].timers.values()
        return min((one.since_us for one in timers if one.since_us is not None), default=None)

    def queued(self, lane: Lane) -> int:
        """Return how many rows of a lane are open."""
        return len(self._lanes[lane].open)

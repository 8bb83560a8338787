"""The intake: what one recipient has had from one sender, what is missing, what it owes a receipt for.

Four rules:

1. A report id that was settled is settled once: every later copy is a double, receipted again, never opened.
2. A receipt is given only for what `settle` was called for, whose row its caller commits first.
3. What the sender no longer holds (`oldest_open`) is not missing: it was receipted, replaced or expired;
   nor is what a restarted sender passed over.
4. What is remembered gives way to what came later, in the own order of coming and not by the sender's
   numbers, and what was taken never to what was refused: whoever sends what is refused makes nothing
   forgotten that was taken.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from beaconfire.errors import PeerError
from beaconfire.link.journal import Row
from beaconfire.messages.codec import encode
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import Lane

REMEMBERED_MAX: Final = 8_192
"""Reports taken that are remembered per lane, and as many refused; above both bounds of an outbox, so a
resend is always known."""
RECEIPT_SEQUENCES_MAX: Final = 1_000
ROUTINE_RECEIPT_WAIT_US: Final = 20_000
GAP_WAIT_US: Final = 3_000_000
GAPS_MAX: Final = 256
RENUMBERED: Final = 2**19
"""A jump of so many numbers is a restart of the sender, not so many deliveries missing; see `link.outbox`."""
SEQUENCE_MAX: Final = 2**53


class Gap(msgspec.Struct, frozen=True):
    """Deliveries that the sender numbered and that did not come within `GAP_WAIT_US`.

    Attributes:
        sender: whose.
        lane: which.
        sequences: the missing numbers, at most `GAPS_MAX`.
    """

    sender: str
    lane: Lane
    sequences: tuple[int, ...]


class _Settled(msgspec.Struct, frozen=True, array_like=True):
    """One row's body: a report that was committed, or whose refusal was; `number` in order of coming.

    It is 0 in rows of before there was one: their keys went by the sequence, where the next number goes on.
    """

    sequence: int
    report_id: str
    refused: bool
    number: int = 0


_settled_decoder: Final = msgspec.msgpack.Decoder(_Settled)


class _LaneIntake:
    """What is known of one lane."""

    def __init__(self) -> None:
        self.settled: dict[bool, OrderedDict[str, None]] = {False: OrderedDict(), True: OrderedDict()}
        self.next_number = {False: 1, True: 1}
        self.highest = 0
        self.missing: dict[int, int] = {}
        self.owed: dict[int, bool] = {}
        self.owed_since_us: int | None = None

    def remember(self, one: _Settled) -> None:
        memory = self.settled[one.refused]
        memory[one.report_id] = None
        number = one.number or one.sequence
        self.next_number[one.refused] = max(self.next_number[one.refused], number + 1)
        self.highest = max(self.highest, one.sequence)
        while len(memory) > REMEMBERED_MAX:
            memory.popitem(last=False)

    def was_refused(self, report_id: str) -> bool | None:
        """Return whether a report was refused; None if it was not settled, as far as is remembered."""
        return next((refused for refused in (False, True) if report_id in self.settled[refused]), None)

    def owe(self, sequence: int, *, refused: bool, monotonic_us: int) -> None:
        if len(self.owed) < REMEMBERED_MAX:
            self.owed[sequence] = refused
            if self.owed_since_us is None:
                self.owed_since_us = monotonic_us

    def note_missing(self, delivery: Delivery, monotonic_us: int) -> None:
        """Start the clock for numbers between the last seen and this one; end it for what came or went."""
        for number in [n for n in self.missing if n < delivery.oldest_open or n == delivery.sequence]:
            del self.missing[number]
        if self.highest and delivery.sequence - self.highest < RENUMBERED:
            first = max(self.highest + 1, delivery.oldest_open, delivery.sequence - GAPS_MAX)
            for number in range(first, delivery.sequence):
                if len(self.missing) < GAPS_MAX:
                    self.missing[number] = monotonic_us + GAP_WAIT_US
        self.highest = max(self.highest, delivery.sequence)


class Intake:
    """What one recipient has had from one sender.

    Attributes:
        recipient: own party.
        sender: the other party.
    """

    def __init__(self, recipient: str, sender: str, rows: Iterable[tuple[str, bytes]]) -> None:
        """Restore from the rows of the journal's intake table; rows of others are passed over."""
        self.recipient = recipient
        self.sender = sender
        self._prefix = f"{sender}>{recipient}/"
        self._lanes = {lane: _LaneIntake() for lane in Lane}
        restored: list[tuple[Lane, _Settled]] = []
        for key, body in rows:
            if key.startswith(self._prefix):
                lane_name = key.removeprefix(self._prefix).partition("/")[0]
                try:
                    restored.append((Lane(lane_name), _settled_decoder.decode(body)))
                except (msgspec.MsgspecError, ValueError):
                    continue
        for lane, one in sorted(restored, key=lambda pair: (pair[1].number, pair[1].sequence)):
            self._lanes[lane].remember(one)

    def is_new(self, delivery: Delivery, *, lane: Lane, monotonic_us: int) -> bool:
        """Return whether a delivery is to be opened; a double is owed its receipt again and is not.

        Args:
            delivery: as decoded; the caller has seen to it that the bus vouches for its sender.
            lane: connection it came over.
            monotonic_us: now.

        Raises:
            PeerError: between other parties, over the wrong lane, or with impossible numbers.
        """
        if (delivery.sender, delivery.recipient) != (self.sender, self.recipient):
            raise PeerError("wrong-party", f"{delivery.sender[:16]} to {delivery.recipient[:16]}")
        if delivery.lane is not lane:
            raise PeerError("wrong-lane", f"{delivery.lane} over {lane}")
        if not 1 <= delivery.oldest_open <= delivery.sequence <= SEQUENCE_MAX:
            raise PeerError("bad-sequence", f"{delivery.sequence} with {delivery.oldest_open} open")
        state = self._lanes[lane]
        state.note_missing(delivery, monotonic_us)
        refused = state.was_refused(delivery.report_id)
        if refused is None and self.has_taken(delivery.report_id):
            refused = False
        if refused is None:
            return True
        state.owe(delivery.sequence, refused=refused, monotonic_us=monotonic_us)
        return False

    def has_taken(self, report_id: str) -> bool:
        """Return whether a report was committed here, over either lane, and not as a refusal."""
        return any(report_id in state.settled[False] for state in self._lanes.values())

    def settle(self, delivery: Delivery, *, refused: bool, monotonic_us: int) -> Row:
        """Return the row that makes a new delivery settled, for good or as a refusal; a receipt is owed.

        The keys of one lane go round, those of refusals by themselves, so that the journal keeps
        `REMEMBERED_MAX` rows of each and no more.
        """
        state = self._lanes[delivery.lane]
        one = _Settled(delivery.sequence, delivery.report_id, refused, state.next_number[refused])
        state.remember(one)
        state.owe(delivery.sequence, refused=refused, monotonic_us=monotonic_us)
        slot = f"{'r' if refused else ''}{one.number % REMEMBERED_MAX:05d}"
        return Row(f"{self._prefix}{delivery.lane.value}/{slot}", encode(one))

    def receipts(self, sign: Callable[[Receipt], Receipt], *, monotonic_us: int) -> tuple[Receipt, ...]:
        """Return the receipts to be sent now: FLASH at once, ROUTINE gathered for 20 ms.

        Args:
            sign: gives the receipt signed, such as `release.attest.sign_receipt` with a key.
            monotonic_us: now.
        """
        made: list[Receipt] = []
        for lane, state in self._lanes.items():
            wait_us = ROUTINE_RECEIPT_WAIT_US if lane is Lane.ROUTINE else 0
            if state.owed_since_us is None or monotonic_us - state.owed_since_us < wait_us:
                continue
            made += [sign(content) for content in self._contents(lane, state)]
            state.owed = {}
            state.owed_since_us = None
        return tuple(made)

    def _contents(self, lane: Lane, state: _LaneIntake) -> list[Receipt]:
        numbers = sorted(state.owed)
        pieces = [
            numbers[start : start + RECEIPT_SEQUENCES_MAX]
            for start in range(0, len(numbers), RECEIPT_SEQUENCES_MAX)
        ]
        return [
            Receipt(
                sender=self.recipient,
                recipient=self.sender,
                lane=lane,
                sequences=tuple(n for n in piece if not state.owed[n]),
                refused=tuple(n for n in piece if state.owed[n]),
                key_id="",
                signature=b"",
            )
            for piece in pieces
        ]

    def gaps(self, *, monotonic_us: int) -> tuple[Gap, ...]:
        """Return what is overdue; each missing number is given once."""
        found: list[Gap] = []
        for lane, state in self._lanes.items():
            overdue = tuple(sorted(n for n, at_us in state.missing.items() if at_us <= monotonic_us))
            for number in overdue:
                del state.missing[number]
            if overdue:
                found.append(Gap(self.sender, lane, overdue))
        return tuple(found)

    def next_due_us(self) -> int | None:
        """Return the monotonic time at which `receipts` or `gaps` will have something, or None."""
        times = [at_us for state in self._lanes.values() for at_us in state.missing.values()]
        times += [
            state.owed_since_us + (ROUTINE_RECEIPT_WAIT_US if lane is Lane.ROUTINE else 0)
            for lane, state in self._lanes.items()
            if state.owed_since_us is not None
        ]
        return min(times, default=None)

"""One lane of an outbox: its open rows in order of sequence, and what was receipted and may be asked for."""

from collections import OrderedDict
from typing import Final

import msgspec

from beaconfire.messages.words import ClockQuality, Lane

RETAINED_MAX: Final = 4_096
"""Receipted deliveries remembered per lane until they expire, for a receiver that lost its journal."""
FIRST_RESEND_US: Final = {Lane.FLASH: 500_000, Lane.ROUTINE: 2_000_000}
"""A ROUTINE report is soon replaced by the next of its track: sent twice for being late on a busy machine, it
would make all others later still."""


class Held(msgspec.Struct, frozen=True, array_like=True):
    """One row's body: what is needed to send it again; holds no type of another package.

    A row that a version before this wrote says nothing of when its report was stated: that is 0.
    """

    sequence: int
    report_id: str
    originator: str
    track: str
    lane: Lane
    expires_at_us: int
    hops: int
    sealed: bytes
    sent_at_us: int
    clock: ClockQuality | None = None
    stated_at_us: int = 0

    @property
    def newness(self) -> tuple[int, int]:
        """Return what is larger the newer a report of one track is.

        While a clock that was set back stands still, all is sealed at one time, and so is what a guard seals
        in one group; no two reports of a track are stated at one time.
        """
        return self.sent_at_us, self.stated_at_us


class Timer(msgspec.Struct):
    """When one row is resent next, the wait after that, and since when it waits; all monotonic."""

    next_us: int
    wait_us: int
    since_us: int | None


HELD_DECODER: Final = msgspec.msgpack.Decoder(Held)


class _Retained:
    """What a recipient has receipted and could ask for again: FLASH, and the newest ROUTINE of each track."""

    def __init__(self) -> None:
        self._held: OrderedDict[object, Held] = OrderedDict()

    def add(self, held: Held) -> None:
        key = held.sequence if held.lane is Lane.FLASH else (held.originator, held.track)
        known = self._held.pop(key, None)
        self._held[key] = held if known is None or known.newness <= held.newness else known
        if len(self._held) > RETAINED_MAX:
            self._held.popitem(last=False)

    def take(self, utc_us: int) -> list[Held]:
        """Return all that has not expired, and forget it: it is open again."""
        found = [held for held in self._held.values() if held.expires_at_us > utc_us]
        self._held.clear()
        return found


class LaneQueue:
    """The open rows of one lane in order of sequence, and the next number to give."""

    def __init__(self) -> None:
        self.next_sequence = 1
        self.open: dict[int, Held] = {}
        self.timers: dict[int, Timer] = {}
        self.by_track: dict[tuple[str, str], int] = {}
        self.retained = _Retained()
        self.receipted_once: set[int] = set()

    def reopen(self, held: Held) -> bool:
        """Open a receipted row again under its number, unless a newer one of its track is open."""
        track = (held.originator, held.track)
        if held.sequence in self.open or (held.lane is Lane.ROUTINE and track in self.by_track):
            return False
        self.add(held, Timer(0, FIRST_RESEND_US[held.lane], None))
        self.receipted_once.add(held.sequence)
        return True

    def sort(self) -> None:
        """Put the open rows in order of their numbers again."""
        self.open = dict(sorted(self.open.items()))

    def add(self, held: Held, timer: Timer) -> None:
        """Open a row."""
        self.open[held.sequence] = held
        self.timers[held.sequence] = timer
        self.by_track[held.originator, held.track] = held.sequence

    def remove(self, sequence: int) -> Held | None:
        """Close a row and return it, None if it is not open."""
        held = self.open.pop(sequence, None)
        if held is None:
            return None
        self.receipted_once.discard(sequence)
        del self.timers[sequence]
        track = (held.originator, held.track)
        if self.by_track.get(track) == sequence:
            del self.by_track[track]
        return held

    def oldest_open(self) -> int:
        """Return the smallest open number, the next to be given if none is."""
        return next(iter(self.open), self.next_sequence)

    def expired(self, utc_us: int) -> list[int]:
        """Return the open numbers that are past their time."""
        return [number for number, held in self.open.items() if held.expires_at_us <= utc_us]

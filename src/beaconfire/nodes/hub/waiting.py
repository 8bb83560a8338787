"""Reports that an arrangement delays, towards one nation, until their time has come by the hub's clock.

Three rules:

1. A report is ready once its wait is over by both clocks of the hub: neither a clock that is set forward nor
   a restart lets it out early. After a restart it waits its whole time again.
2. What waits stands in the journal as the originator sealed it; when it is ready it is decided anew, so that
   what was revoked meanwhile withholds it. It passes only under what was in force when it came: an
   arrangement that is suspended takes its permits along, but its obligations too.
3. At most `WAITING_MAX` wait towards a nation: the oldest gives way, and that is recorded as a refusal. What
   waits towards one nation makes no room nor time for another.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from beaconfire.messages.codec import encode
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import Nation, TimeUs
from beaconfire.nodes.commands import Command, Forget, Keep, Now, Table
from beaconfire.release.decide import Later

WAITING_MAX: Final = 4_096
"""As many as a ROUTINE lane of an outbox holds."""
NEVER_US: Final = 2**62
READY_MAX: Final = 128
"""Decided in one call; the rest in the next, at once after it."""


class Waiting(msgspec.Struct, frozen=True):
    """One report that waits.

    Attributes:
        number: in order of coming; names its row.
        sender: nation that gave it.
        delivery: as it came.
        came_at_us: UTC of the hub.
        wait_us: how long.
        agreements: digests of those in force when it came.
    """

    number: int
    sender: Nation
    delivery: Delivery
    came_at_us: TimeUs
    wait_us: int
    agreements: tuple[str, ...]


_decoder: Final = msgspec.msgpack.Decoder(Waiting)


class WaitingRoom:
    """What waits towards one nation."""

    def __init__(self, nation: Nation, rows: Iterable[tuple[str, bytes]]) -> None:
        """Restore from the rows of the journal's table of states; rows of others are passed over."""
        self._prefix = f"waiting/{nation}/"
        self._since_us: dict[int, int | None] = {}
        self._held: OrderedDict[int, Waiting] = OrderedDict()
        for key, body in sorted(row for row in rows if row[0].startswith(self._prefix)):
            try:
                one = _decoder.decode(body)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if key == self._key(one.number):
                self._held[one.number] = one
                self._since_us[one.number] = None
        self._next = max(self._held, default=0) + 1
        self._not_before_us = 0 if self._held else NEVER_US

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._held)

    def _key(self, number: int) -> str:
        return f"{self._prefix}{number:016d}"

    def add(
        self, sender: Nation, delivery: Delivery, later: Later, now: Now
    ) -> tuple[list[Command], Waiting | None]:
        """Let a report wait; return the rows to write and delete, and the one that gave way to it."""
        one = Waiting(self._next, sender, delivery, now.utc_us, later.wait_us, later.agreements)
        commands: list[Command] = [Keep(Table.STATE, self._key(one.number), encode(one))]
        oldest = next(iter(self._held.values())) if len(self._held) >= WAITING_MAX else None
        if oldest is not None:
            commands.append(self.end(oldest))
        self._next += 1
        self._held[one.number] = one
        self._since_us[one.number] = now.monotonic_us
        self._not_before_us = min(self._not_before_us, now.monotonic_us + later.wait_us)
        return commands, oldest

    def end(self, one: Waiting) -> Command:
        """Let one wait no longer; return the row to delete."""
        del self._held[one.number]
        del self._since_us[one.number]
        return Forget(Table.STATE, self._key(one.number))

    def prolong(self, one: Waiting, wait_us: int) -> list[Command]:
        """Let one wait longer, because it is old now; return the row to write."""
        longer = msgspec.structs.replace(one, wait_us=wait_us)
        self._held[one.number] = longer
        self._not_before_us = 0
        return [Keep(Table.STATE, self._key(one.number), encode(longer))]

    def waited_us(self, one: Waiting, now: Now) -> int:
        """Return how long one has waited by the clock that says less."""
        since_us = self._since_us.get(one.number)
        by_monotonic_us = 0 if since_us is None else now.monotonic_us - since_us
        return max(0, min(by_monotonic_us, now.utc_us - one.came_at_us))

    def ready(self, now: Now) -> list[Waiting]:
        """Return what is ready, in order of coming, at most `READY_MAX`."""
        if now.monotonic_us < self._not_before_us:
            return []
        for number, since_us in self._since_us.items():
            if since_us is None:
                self._since_us[number] = now.monotonic_us
        left_us = {number: one.wait_us - self.waited_us(one, now) for number, one in self._held.items()}
        over = [self._held[number] for number, left in left_us.items() if left <= 0]
        soonest_us = min((left for left in left_us.values() if left > 0), default=NEVER_US)
        self._not_before_us = now.monotonic_us + (0 if len(over) > READY_MAX else soonest_us)
        return over[:READY_MAX]

    def next_due_us(self) -> int | None:
        """Return the monotonic time before which none is ready, or None if none waits."""
        return self._not_before_us if self._held else None

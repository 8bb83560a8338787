"""The same reports to every instance of one recipient, each with an outbox of its own.

Two rules:

1. An instance that is down holds nobody up: each has its own sequence, its own receipts, its own resends.
2. A report is delivered once any instance has receipted it, and lost only if it expired with none.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from beaconfire.link.journal import Row
from beaconfire.link.outbox import Due, Outbox, Put
from beaconfire.messages.transfer import Receipt
from beaconfire.messages.words import Lane
from beaconfire.release.decide import Outgoing, Released

RECEIPTED_MAX: Final = 16_384
"""Ids remembered as receipted by some instance: above what all outboxes can hold."""


class Posted(msgspec.Struct, frozen=True):
    """What came of a `put`.

    Attributes:
        puts: what came of it towards each instance.
        refused: why no instance's outbox took it, empty if one did.
    """

    puts: dict[str, Put]
    refused: str


class Pending(msgspec.Struct, frozen=True):
    """What is to be done at a time.

    Attributes:
        dues: towards each instance.
        lost: report ids of FLASH that expired and that no instance has receipted.
        lost_routine: of ROUTINE, none newer of their track having replaced them.
    """

    dues: dict[str, Due]
    lost: tuple[str, ...]
    lost_routine: tuple[str, ...] = ()


class Acknowledged(msgspec.Struct, frozen=True):
    """What a receipt settled.

    Attributes:
        forget: keys to delete.
        delivered: report ids that an instance committed, the first to do so.
        refused: report ids that this instance committed a refusal of.
    """

    forget: tuple[str, ...]
    delivered: tuple[str, ...]
    refused: tuple[str, ...]


class ParallelOutbox:
    """What one sender still owes each instance of one recipient.

    Attributes:
        sender: own party.
        recipients: names of the instances.
    """

    def __init__(self, sender: str, recipients: Sequence[str], rows: Iterable[tuple[str, bytes]]) -> None:
        """Restore from the rows of the journal's outbox table.

        What is open towards one instance and not towards another was receipted by that one.
        """
        held = list(rows)
        self.sender = sender
        self.recipients = tuple(recipients)
        self._outboxes = {name: Outbox(sender, name, held) for name in recipients}
        self._receipted: OrderedDict[str, None] = OrderedDict()
        open_ids = [
            {report_id for lane in Lane for report_id in one.open_ids(lane)}
            for one in self._outboxes.values()
        ]
        everywhere = set.intersection(*open_ids)
        for ids in open_ids:
            self._remember(sorted(ids - everywhere))

    def _remember(self, report_ids: Iterable[str]) -> tuple[str, ...]:
        """Note that some instance has receipted these; return those that none had."""
        fresh = tuple(one for one in report_ids if one not in self._receipted)
        for report_id in fresh:
            self._receipted[report_id] = None
            if len(self._receipted) > RECEIPTED_MAX:
                self._receipted.popitem(last=False)
        return fresh

    def put(self, released: Released[Outgoing], *, utc_us: int, monotonic_us: int) -> Posted:
        """Take a released report for every instance and return what is to be written and published.

        Raises:
            ValueError: it was released to another party.
        """
        puts = {
            name: outbox.put(released, utc_us=utc_us, monotonic_us=monotonic_us)
            for name, outbox in self._outboxes.items()
        }
        reasons = [put.refused for put in puts.values()]
        return Posted(puts, reasons[0] if all(reasons) else "")

    def due(
        self, *, utc_us: int, monotonic_us: int, may_leave: Callable[[str, bytes], bool] | None = None
    ) -> Pending:
        """Return what is to be published again and what expired, towards each instance; see `Outbox.due`."""
        dues = {
            name: outbox.due(utc_us=utc_us, monotonic_us=monotonic_us, may_leave=may_leave)
            for name, outbox in self._outboxes.items()
        }
        flash = dict.fromkeys(one for due in dues.values() for one in due.expired_flash)
        routine = dict.fromkeys(one for due in dues.values() for one in due.expired_routine)
        lost, lost_routine = (
            tuple(one for one in expired if one not in self._receipted) for expired in (flash, routine)
        )
        return Pending(dues, lost, lost_routine)

    def receipt(self, receipt: Receipt) -> Acknowledged:
        """Return what a receipt settles; its caller has verified the signature, and who brought it."""
        outbox = self._outboxes.get(receipt.sender)
        if outbox is None:
            return Acknowledged((), (), ())
        settled = outbox.receipt(receipt)
        return Acknowledged(settled.forget, self._remember(settled.delivered), settled.refused)

    def reopen(self, recipient: str, *, utc_us: int) -> tuple[Row, ...]:
        """Open again what one instance has receipted, and return the rows to write."""
        return self._outboxes[recipient].reopen(utc_us=utc_us)

    def link_down(self, recipient: str, lane: Lane) -> None:
        """Let what is open on ROUTINE towards one instance rest until it is heard again."""
        self._outboxes[recipient].link_down(lane)

    def link_up(self, recipient: str, lane: Lane) -> None:
        """Make everything open towards one instance in a lane due at once."""
        self._outboxes[recipient].link_up(lane)

    def queued(self, recipient: str) -> dict[Lane, int]:
        """Return how many rows are open towards one instance, by lane."""
        return {lane: self._outboxes[recipient].queued(lane) for lane in Lane}

    def unreceipted_since_us(self, recipient: str) -> int | None:
        """Return since when, monotonic, the oldest open FLASH has waited for one instance, None if none."""
        return self._outboxes[recipient].unreceipted_since_us()

    def next_due_us(self) -> int | None:
        """Return the monotonic time of the next resend, or None if nothing is open."""
        times = [at_us for one in self._outboxes.values() if (at_us := one.next_due_us()) is not None]
        return min(times, default=None)

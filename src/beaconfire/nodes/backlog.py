"""What a node wrote while its journal could not be written: kept in memory, within bounds, until it can.

Two rules:

1. The newest of each row stands for those before it; records of logs all stay, in order.
2. A receipt waits here until what it speaks for is on the disk, so senders keep what is not. What vouches
   for a log does, too: a hub that offers records which it then loses would be accused of a second history.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from beaconfire.messages.transfer import Receipt
from beaconfire.messages.vouching import CheckpointOffer, Cosignature
from beaconfire.nodes.commands import Append, Forget, Keep, Send

BACKLOG_MAX: Final = 20_000
"""Journal commands held in memory; past it deliveries are left to their senders."""
RECEIPTS_MAX: Final = 8_192
RETRY_US: Final = 250_000

JournalCommand = Keep | Forget | Append
SpeaksForDisk = Receipt | CheckpointOffer | Cosignature


class Backlog:
    """Journal commands that are not on the disk yet, and the receipts that wait for them."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[str, str], Keep | Forget] = OrderedDict()
        self._appends: list[Append] = []
        self._receipts: list[Send] = []

    def __len__(self) -> int:
        """Return how many commands wait."""
        return len(self._rows) + len(self._appends)

    def add(self, commands: Iterable[JournalCommand]) -> None:
        """Take what could not be written."""
        for command in commands:
            if isinstance(command, Append):
                self._appends.append(command)
            else:
                place = (command.table.value, command.key)
                self._rows.pop(place, None)
                self._rows[place] = command

    def hold(self, receipt: Send) -> None:
        """Let what speaks for the disk wait; for one too many its sender sends or offers again."""
        if len(self._receipts) < RECEIPTS_MAX:
            self._receipts.append(receipt)

    def waiting(self) -> list[JournalCommand]:
        """Return all that is to be written, in one transaction."""
        return [*self._appends, *self._rows.values()]

    def written(self) -> list[Send]:
        """Forget what is on the disk now, and return the receipts that may leave."""
        receipts, self._receipts = self._receipts, []
        self._rows.clear()
        self._appends.clear()
        return receipts

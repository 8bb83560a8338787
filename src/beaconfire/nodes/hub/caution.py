"""Caution: a hub that lost its journal does not know what is suspended, and so releases nothing under it.

Two rules:

1. Until a party has said all that it has suspended, every arrangement it is a party to counts as suspended
   by it. What that withholds, the other instance of the hub passes on.
2. Whom it still waits for stands in the journal, so that a second start does not forget it.
"""

from collections.abc import Iterable
from typing import Final

from beaconfire.messages.words import Nation
from beaconfire.nodes.commands import Command, Forget, Keep, Rows, Table
from beaconfire.release.arrangements import Arrangements

_PREFIX: Final = "unheard/"
_DOUBTED: Final = -1
_CLEARED: Final = 0
"""Numbers of the hub's own doubt and of its end; a party's own words begin at 1."""


class Caution:
    """The parties that a hub which lost its journal has not heard of yet."""

    def __init__(self, arrangements: Arrangements, rows: Rows) -> None:
        """Doubt those whom the journal names."""
        self._arrangements = arrangements
        self._unheard = {
            key.removeprefix(_PREFIX) for key, _ in rows.rows(Table.STATE) if key.startswith(_PREFIX)
        }
        self._unwritten: list[str] = []
        for party in sorted(self._unheard):
            self._doubt(party)

    def begin(self, parties: Iterable[Nation]) -> None:
        """Doubt these parties from now on: the journal was lost."""
        for party in parties:
            self._unheard.add(party)
            self._unwritten.append(party)
            self._doubt(party)

    def _doubt(self, party: str) -> None:
        for agreement in self._arrangements.agreements:
            self._arrangements.suspend(party, agreement.bundle.arrangement, number=_DOUBTED, suspended=True)

    def to_write(self) -> list[Command]:
        """Return the rows that keep what is doubted, once."""
        unwritten, self._unwritten = self._unwritten, []
        return [Keep(Table.STATE, _PREFIX + party, b"") for party in unwritten]

    def heard(self, party: str) -> list[Command]:
        """Trust a party again, all of whose words were applied; return the row to delete."""
        if party not in self._unheard:
            return []
        self._unheard.discard(party)
        for agreement in self._arrangements.agreements:
            self._arrangements.suspend(party, agreement.bundle.arrangement, number=_CLEARED, suspended=False)
        return [Forget(Table.STATE, _PREFIX + party)]

    def __len__(self) -> int:
        """Return how many parties are doubted."""
        return len(self._unheard)

"""The simulated journal of one node: what is committed survives a crash, and nothing else does."""

from collections.abc import Iterable
from typing import Final

from beaconfire.nodes.commands import Append, Command, Forget, Keep, Table

ROWS_MAX: Final = 200_000
"""Rows of one table: the bounds the nodes promise, with room."""
RECORDS_MAX: Final = 2_000_000


class SimDisk:
    """The committed tables and logs of one node; reads as `nodes.commands.Rows`.

    Attributes:
        full: nothing can be written now.
        wiped: it stands in the place of one that was lost.
        forgetful: known bad: a commit is on the disk only once this many later ones are; 0 for a sound disk.
    """

    def __init__(self, forgetful: int = 0, *, wiped: bool = False) -> None:
        """Start empty."""
        self.full = False
        self.wiped = wiped
        self.forgetful = forgetful
        self._unsynced: list[list[Command]] = []
        self._tables: dict[Table, dict[str, bytes]] = {table: {} for table in Table}
        self._logs: dict[str, list[bytes]] = {}

    def lose_power(self) -> None:
        """Forget what a disk that does not sync had not written yet; a sound one forgets nothing."""
        if not self.forgetful:
            return
        kept = self._unsynced[: -self.forgetful]
        self._unsynced = []
        self._tables = {table: {} for table in Table}
        self._logs = {}
        for commands in kept:
            self._apply(commands)
        self._unsynced = kept

    def commit(self, commands: Iterable[Command]) -> int:
        """Apply every `Keep`, `Forget` and `Append` as one transaction; return how many there were."""
        held = list(commands)
        if self.forgetful:
            self._unsynced.append(held)
        return self._apply(held)

    def _apply(self, commands: Iterable[Command]) -> int:
        count = 0
        for command in commands:
            match command:
                case Keep(table=table, key=key, body=body):
                    self._tables[table][key] = body
                case Forget(table=table, key=key):
                    self._tables[table].pop(key, None)
                case Append(log=log, body=body):
                    self._logs.setdefault(log, []).append(body)
                case _:
                    continue
            count += 1
        return count

    def rows(self, table: Table) -> list[tuple[str, bytes]]:
        """Return all rows of a table as (key, body), in order of insertion."""
        return list(self._tables[table].items())

    def log(self, name: str) -> list[bytes]:
        """Return all records of a log, in order."""
        return list(self._logs.get(name, ()))

    def logs(self) -> list[str]:
        """Return the names of the logs."""
        return sorted(self._logs)

    def size(self, table: Table) -> int:
        """Return the number of rows of a table."""
        return len(self._tables[table])

    def log_size(self, name: str) -> int:
        """Return the number of records of a log."""
        return len(self._logs.get(name, ()))

"""What is to be written next: at once if anything that leaves rests on it, else with what comes soon."""

from typing import Final

from beaconfire.adapters.journal import RecordedInput
from beaconfire.nodes.backlog import JournalCommand
from beaconfire.nodes.commands import Forget

WAIT_US: Final = 250_000
"""So long may wait for the disk what nothing rests on. A crash meanwhile costs little: a row that was not
deleted is sent again, and a recording lacks inputs that changed no row."""
PENDING_MAX: Final = 1_024


class Pending:
    """Commands and inputs in order, until the next commit."""

    def __init__(self) -> None:
        self._commands: list[JournalCommand] = []
        self._inputs: list[RecordedInput] = []
        self._due_us = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._commands) + len(self._inputs)

    def add(self, commands: list[JournalCommand], inputs: list[RecordedInput], monotonic_us: int) -> None:
        """Put them behind what waits: to delete rows and record inputs is worth no commit of its own."""
        if not all(isinstance(one, Forget) for one in commands):
            self._due_us = monotonic_us
        elif not len(self):
            self._due_us = monotonic_us + WAIT_US
        self._commands += commands
        self._inputs += inputs

    def is_due(self, monotonic_us: int) -> bool:
        """Return whether what waits is to be written now."""
        return len(self) > PENDING_MAX or (len(self) > 0 and monotonic_us >= self._due_us)

    def take(self) -> tuple[list[JournalCommand], list[RecordedInput]]:
        """Return all that waits, and wait for none of it any more."""
        taken = self._commands, self._inputs
        self._commands, self._inputs = [], []
        return taken

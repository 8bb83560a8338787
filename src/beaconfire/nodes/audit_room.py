"""How much room the audit logs of a node have: told before it ends, and without it nothing is decided."""

from collections.abc import Mapping, Sequence
from typing import Final

from beaconfire.audit.record import RECORDS_MAX, RECORDS_NEAR, AuditLog
from beaconfire.messages.health import Arguments
from beaconfire.messages.words import Severity
from beaconfire.nodes.voice import Said

REPEAT_US: Final = 600_000_000
"""What is still so is told again after this."""


class AuditRoom:
    """The logs of one node."""

    def __init__(self, logs: Sequence[AuditLog]) -> None:
        """Take the logs, as they grow."""
        self._logs = tuple(logs)
        self._told = ""
        self._told_us = 0

    @property
    def full(self) -> bool:
        """Whether one holds as many records in the journal as it may."""
        return any(log.held >= RECORDS_MAX for log in self._logs)

    def is_full_for(self, gave: str) -> bool:
        """Return whether nothing more can be taken that is recorded in this log of what a nation gave.

        Another nation's such log stops nobody else, or whoever sends rubbish could stop all; a full log of
        what a nation was given stops all, since what passes would be recorded there.
        """
        stops = (log for log in self._logs if log.name == gave or log.name.startswith("given/"))
        return any(log.held >= RECORDS_MAX for log in stops)

    def rotated(self, sizes: Mapping[str, int]) -> None:
        """Take how many records of each log stand in archives."""
        for log in self._logs:
            log.moved = max(log.moved, min(log.size, sizes.get(log.name, 0)))

    def look(self, monotonic_us: int) -> list[Said]:
        """Return what is to be said now: of a change, or again of what is still so."""
        most = max(self._logs, key=lambda log: log.held)
        code = "audit-full" if self.full else "audit-near-full" if most.held >= RECORDS_NEAR else ""
        if code == self._told and (not code or monotonic_us - self._told_us < REPEAT_US):
            return []
        self._told, self._told_us = code, monotonic_us
        return [_said(code, most)]


def _said(code: str, most: AuditLog) -> Said:
    held: Arguments = {"log": most.name, "count": most.held, "limit": RECORDS_MAX}
    if not code:
        text = f"the logs have room: {most.name} holds {most.held:,} records"
        return Said("audit-room-again", Severity.INFORMATION, text, held)
    text = f"{most.name} holds {most.held:,} of {RECORDS_MAX:,} records: beaconfire audit rotate"
    if code == "audit-near-full":
        return Said("audit-near-full", Severity.FAULT, text, held)
    return Said("audit-full", Severity.FAULT, f"nothing more is released: {text}", held)

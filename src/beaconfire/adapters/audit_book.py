"""The own audit as a display reads it: the logs in the journal of the own guard, or of the hub at the hub.

Read only, a bounded piece at a time, each record checked against the chain as it comes in.
"""

import sqlite3
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any, Final

import msgspec

from beaconfire.audit.merkle import Tree
from beaconfire.audit.record import AuditRecord, decode_record
from beaconfire.audit.seam import SEAM, seam_in

Json = dict[str, Any]

CHECKPOINTS: Final = "checkpoint/"
PIECE: Final = 1_000
"""Records read at most at one refresh."""
REPORTS_MAX: Final = 20_000
"""Reports whose records are held; beyond it the oldest go."""
RECENT_MAX: Final = 200
RECORDS_PER_REPORT_MAX: Final = 16


class AuditBook:
    """The newest decisions of one journal, by report, and whether the chain holds so far.

    Attributes:
        records: read so far.
        flaw: the first thing found wrong, empty while the chain holds.
    """

    def __init__(self, journal: Path) -> None:
        """Read nothing yet; the journal need not be there yet either."""
        self._journal = journal
        self._newest_id = 0
        self._trees: dict[str, Tree] = {}
        self._by_report: OrderedDict[str, list[Json]] = OrderedDict()
        self._recent: deque[Json] = deque(maxlen=RECENT_MAX)
        self.records = 0
        self.flaw = ""

    def refresh(self) -> bool:
        """Read what was added, at most `PIECE` records; return whether there was any."""
        try:
            rows = self._rows_after(self._newest_id)
        except sqlite3.Error:
            return False
        for number, log, body in rows:
            self._newest_id = number
            if not log.startswith(CHECKPOINTS):
                self._take(log, body)
        return bool(rows)

    def _rows_after(self, newest_id: int) -> list[tuple[int, str, bytes]]:
        if not self._journal.is_file():
            return []
        connection = sqlite3.connect(f"{self._journal.resolve().as_uri()}?mode=ro", uri=True, timeout=0.2)
        try:
            found = connection.execute(
                "SELECT id, log, body FROM logs WHERE id > ? ORDER BY id LIMIT ?", (newest_id, PIECE)
            )
            return [(int(number), str(log), bytes(body)) for number, log, body in found]
        finally:
            connection.close()

    def _take(self, log: str, body: bytes) -> None:
        tree = self._trees.get(log)
        if tree is None:
            tree = self._trees[log] = self._tree(log)
        try:
            record = decode_record(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.flaw = self.flaw or f"{log}: record {tree.size} can't be read"
            return
        if record.index != tree.size or record.root_before != tree.root():
            self.flaw = self.flaw or f"{log}: a record before record {record.index} was altered or is missing"
        tree.append(body)
        self.records += 1
        self._keep(_line(log, record))

    def _tree(self, log: str) -> Tree:
        """Return the tree of a log as it goes on after what stands in archives."""
        connection = sqlite3.connect(f"{self._journal.resolve().as_uri()}?mode=ro", uri=True, timeout=0.2)
        try:
            rows = connection.execute("SELECT key, body FROM state WHERE key = ?", (SEAM + log,)).fetchall()
            seam = seam_in(log, rows)
        except (sqlite3.Error, msgspec.MsgspecError):
            return Tree()
        finally:
            connection.close()
        return Tree((), seam.size, seam.frontier()) if seam else Tree()

    def _keep(self, line: Json) -> None:
        self._recent.append(line)
        held = self._by_report.setdefault(line["report_id"], [])
        if len(held) < RECORDS_PER_REPORT_MAX:
            held.append(line)
        if len(self._by_report) > REPORTS_MAX:
            self._by_report.popitem(last=False)

    def about(self, report_id: str) -> list[Json]:
        """Return the decisions on one report, oldest first; empty if there are none here."""
        return list(self._by_report.get(report_id, ()))

    def recent(self) -> list[Json]:
        """Return the newest decisions, the newest first, at most `RECENT_MAX`."""
        return list(reversed(self._recent))

    def chain(self) -> Json:
        """Return how many records were read and what is wrong with them, if anything."""
        return {"records": self.records, "logs": sorted(self._trees), "flaw": self.flaw}


def _line(log: str, record: AuditRecord) -> Json:
    return {
        "log": log,
        "index": record.index,
        "at_us": record.at_us,
        "outcome": record.outcome.value,
        "originator": record.originator,
        "recipient": record.recipient,
        "report_id": record.report_id,
        "lane": record.lane.value,
        "reason": None if record.reason is None else record.reason.value,
        "rule": record.rule,
        "detail": record.detail,
        "groups": [group.value for group in record.groups],
        "degraded": [group.value for group in record.degraded],
        "basis": list(record.basis),
        "digest": record.digest.hex(),
    }

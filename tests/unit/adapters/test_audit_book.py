"""The audit as a display reads it: found by report, read on piece by piece, altered records noticed."""

import sqlite3
from pathlib import Path

import pytest

from beaconfire.adapters.audit_book import PIECE, AuditBook
from beaconfire.adapters.journal import Journal
from beaconfire.audit.record import AuditLog, Passed, Subject
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.words import HUB, Group, Lane
from beaconfire.nodes.commands import Append

PASSED = Passed((Group.TRAJECTORY, Group.SENSOR), (Group.SENSOR,), ("trilateral",), ("trilateral/track",))
WITHHELD = Withheld(reason=Reason.EXPIRED, rule="expiry", detail="too old")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "guard.journal"


def write(path: Path, count: int, log: AuditLog | None = None) -> AuditLog:
    log = log or AuditLog("guard/JPN")
    journal = Journal(path)
    start = log.size
    for number in range(start, start + count):
        subject = Subject("JPN", HUB, f"r{number}", Lane.FLASH, b"body")
        body = log.add(subject, PASSED if number % 2 == 0 else WITHHELD, 1_000 + number)
        journal.commit([Append(log.name, body)])
    journal.close()
    return log


def test_decisions_are_found_by_report(path: Path) -> None:
    write(path, 2)
    book = AuditBook(path)
    assert book.refresh()
    (released,), (refused,) = book.about("r0"), book.about("r1")
    assert (released["outcome"], released["groups"], released["degraded"]) == (
        "DEGRADED",
        ["trajectory", "sensor"],
        ["sensor"],
    )
    assert (refused["outcome"], refused["reason"], refused["rule"]) == ("REFUSED", "expired", "expiry")
    assert book.about("r9") == []
    assert [one["report_id"] for one in book.recent()] == ["r1", "r0"]


def test_it_reads_on_where_it_was_and_a_piece_at_a_time(path: Path) -> None:
    log = write(path, 3)
    book = AuditBook(path)
    assert book.refresh()
    assert not book.refresh()
    write(path, 2, log)
    assert book.refresh()
    assert book.chain() == {"records": 5, "logs": ["guard/JPN"], "flaw": ""}
    assert PIECE > 5


def test_no_journal_yet_is_no_fault(path: Path) -> None:
    book = AuditBook(path)
    assert not book.refresh()
    assert book.chain()["records"] == 0
    write(path, 1)
    assert book.refresh()


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM logs WHERE id = 2",
        "UPDATE logs SET body = (SELECT body FROM logs WHERE id = 1) WHERE id = 2",
    ],
)
def test_a_record_that_is_missing_or_altered_is_found(path: Path, harm: str) -> None:
    write(path, 4)
    connection = sqlite3.connect(path)
    connection.execute(harm)
    connection.commit()
    connection.close()
    book = AuditBook(path)
    book.refresh()
    assert book.chain()["flaw"].startswith("guard/JPN: ")

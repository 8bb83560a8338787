import resource
import sqlite3
from pathlib import Path

import pytest

from beaconfire.adapters.journal import (
    InputKind,
    Journal,
    MemoryRows,
    RecordedInput,
    inbound_of,
    recorded,
    recorded_inputs,
)
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.transfer import Probe
from beaconfire.messages.words import HUB, Lane
from beaconfire.nodes.commands import Append, Channel, Forget, Inbound, Keep, Now, Table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.journal"


def keep(key: str, body: bytes, table: Table = Table.OUTBOX) -> Keep:
    return Keep(table, key, body)


def test_rows_are_kept_replaced_and_forgotten_in_order_of_insertion(path: Path) -> None:
    journal = Journal(path)
    journal.commit([keep("b", b"1"), keep("a", b"2"), keep("c", b"3")])
    journal.commit([keep("b", b"4"), Forget(Table.OUTBOX, "c"), Forget(Table.OUTBOX, "never there")])
    journal.close()
    assert Journal(path).rows(Table.OUTBOX) == [("b", b"4"), ("a", b"2")]
    assert Journal(path).rows(Table.INTAKE) == []


def test_logs_only_grow_and_stand_apart(path: Path) -> None:
    journal = Journal(path)
    journal.commit([Append("gave/KOR", b"1"), Append("given/JPN", b"2"), Append("gave/KOR", b"1")])
    assert journal.log("gave/KOR") == [b"1", b"1"]
    assert journal.log("given/JPN") == [b"2"]
    assert journal.log("given/USA") == []
    assert journal.logs() == ["gave/KOR", "given/JPN"]


def test_a_group_is_written_whole_or_not_at_all(path: Path) -> None:
    journal = Journal(path)
    journal.commit([keep("a", b"1")])
    bad = keep("b", None)  # type: ignore[arg-type]
    with pytest.raises((EnvironmentFault, TypeError)):
        journal.commit([keep("a", b"2"), Append("log", b"x"), bad])
    journal.commit([keep("c", b"3")])
    assert journal.rows(Table.OUTBOX) == [("a", b"1"), ("c", b"3")]
    assert journal.log("log") == []


def test_what_was_committed_is_on_the_disk_in_full_synchronous_write_ahead_mode(path: Path) -> None:
    journal = Journal(path)
    assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("column", ["body", "key", "sum"])
def test_an_altered_row_is_passed_over_and_counted(path: Path, column: str) -> None:
    journal = Journal(path)
    journal.commit([keep("a", b"1"), keep("b", b"2")])
    journal.close()
    alter(path, f"UPDATE outbox SET {column} = 'x' WHERE key = 'a'")
    again = Journal(path)
    assert again.rows(Table.OUTBOX) == [("b", b"2")]
    assert again.corrupt == 1


def test_a_row_moved_to_another_table_or_log_is_not_taken(path: Path) -> None:
    journal = Journal(path)
    journal.commit([keep("a", b"1"), Append("gave/KOR", b"2")])
    journal.close()
    alter(path, "INSERT INTO intake (key, body, sum) SELECT key, body, sum FROM outbox")
    alter(path, "UPDATE logs SET log = 'gave/JPN'")
    again = Journal(path)
    assert again.rows(Table.INTAKE) == []
    assert again.log("gave/JPN") == []


def alter(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def test_a_file_that_is_no_journal_is_set_aside_and_the_node_starts(path: Path) -> None:
    path.write_bytes(b"this was a journal once" * 1_000)
    journal = Journal(path)
    journal.commit([keep("a", b"1")])
    assert journal.rows(Table.OUTBOX) == [("a", b"1")]
    assert journal.set_aside is not None
    assert journal.set_aside.read_bytes().startswith(b"this was")


def test_a_flipped_page_never_gives_a_wrong_row(path: Path) -> None:
    journal = Journal(path)
    bodies = {f"k{number:04d}": bytes([number % 251]) * 200 for number in range(400)}
    journal.commit([keep(key, body) for key, body in bodies.items()])
    journal.close()
    whole = path.read_bytes()
    for at in range(100, len(whole), 9_973):
        flipped = bytearray(whole)
        flipped[at] ^= 0x40
        path.write_bytes(flipped)
        again = Journal(path)
        found = dict(again.rows(Table.OUTBOX))
        lost = len(found) < len(bodies)
        again.close()
        assert found.items() <= bodies.items()
        assert not lost or again.corrupt or again.set_aside


def test_a_full_disk_is_a_clear_fault_and_writing_goes_on_once_there_is_room(path: Path) -> None:
    journal = Journal(path)
    journal.commit([keep("a", b"1")])
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(EnvironmentFault, match="full") as caught:
        journal.commit([keep("b", bytes(100_000))])
    assert caught.value.remedy == "make room on the disk"
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    journal.commit([keep("c", b"3")])
    assert journal.rows(Table.OUTBOX) == [("a", b"1"), ("c", b"3")]


def test_a_place_that_cannot_be_written_is_a_clear_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="journal"):
        Journal(tmp_path / "file" / "node.journal")


def probe() -> Inbound:
    message = Probe(HUB, "KOR", Lane.FLASH, 1, 2, echo=False)
    return Inbound(Channel.TO_NATION, HUB, Lane.FLASH, message, 10)


def test_inputs_are_read_back_in_order_with_every_byte(path: Path) -> None:
    journal = Journal(path)
    start = RecordedInput(InputKind.START, 1, 2)
    message = recorded(probe(), b"\x00bytes", Now(3, 4))
    tick = RecordedInput(InputKind.TICK, 5, 6)
    journal.commit([], [start])
    journal.commit([keep("a", b"1")], [message, tick])
    journal.close()
    found = list(recorded_inputs(path))
    assert found == [start, message, tick]
    assert inbound_of(found[1]) == (Channel.TO_NATION, HUB, Lane.FLASH)
    assert found[1].now == Now(3, 4)


def test_an_altered_recording_is_named(path: Path) -> None:
    Journal(path).commit([], [RecordedInput(InputKind.TICK, 5, 6)])
    alter(path, "UPDATE inputs SET utc_us = 7")
    with pytest.raises(UsageError, match="input 1"):
        list(recorded_inputs(path))


@pytest.mark.parametrize("content", [None, b"no journal at all, but long enough to be taken for one" * 50])
def test_what_is_no_recording_is_named(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"node\.journal"):
        list(recorded_inputs(path))


def test_memory_rows_hold_nothing() -> None:
    assert MemoryRows().rows(Table.STATE) == []
    assert MemoryRows().log("audit") == []


def test_a_commit_does_not_leave_files_open(path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    for _ in range(min(limit, 300)):
        Journal(path).close()

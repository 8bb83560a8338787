"""The journal of one node: SQLite, write-ahead log, `synchronous=FULL`, a checksum on every record.

One transaction holds what one group of inputs made a node write. A record whose checksum is wrong is
passed over and counted; a file that SQLite can't read is set aside, and the node starts without it. At its
start every table is read through, later a few records at a time; what is damaged is told of, and filled
again by those who sent it.

Growth: outbox, intake and state are bounded by their nodes. Of a recording the newest `INPUTS_KEPT` inputs
stay, of what a picture took and said the newest `RECORDS_KEPT`. Audit logs and checkpoints are never cut, but
moved to an archive by `adapters.archive`.
"""

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from beaconfire.adapters.scrubbing import flaw_in_wal
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.words import Lane
from beaconfire.nodes.backlog import JournalCommand
from beaconfire.nodes.commands import (
    EVENTS_LOG,
    RECEIVED_LOG,
    Append,
    Channel,
    Forget,
    Inbound,
    Keep,
    Now,
    Table,
)

_SUM_BYTES: Final = 16
INPUTS_KEPT: Final = 2_000_000
RECORDS_KEPT: Final = 500_000
CUT_AT_ONCE: Final = 2_000
CUT_LOGS: Final = (RECEIVED_LOG, EVENTS_LOG)
WAL_LEFT_BYTES: Final = 16 * 1_048_576
_SCHEMA: Final = (
    *(
        f"CREATE TABLE IF NOT EXISTS {table.value} "
        "(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL, sum BLOB NOT NULL)"
        for table in Table
    ),
    (
        "CREATE TABLE IF NOT EXISTS logs "
        "(id INTEGER PRIMARY KEY, log TEXT NOT NULL, body BLOB NOT NULL, sum BLOB NOT NULL)"
    ),
    "CREATE INDEX IF NOT EXISTS logs_by_name ON logs (log, id)",
    (
        "CREATE TABLE IF NOT EXISTS inputs (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, "
        "utc_us INTEGER NOT NULL, monotonic_us INTEGER NOT NULL, channel TEXT NOT NULL, "
        "sender TEXT NOT NULL, lane TEXT NOT NULL, body BLOB NOT NULL, sum BLOB NOT NULL)"
    ),
)


_SPOILT: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What reading a damaged file raises; the latter where SQLite's own words quote bytes that are no text."""
_WAL_LEFT: Final = f"journal_size_limit={WAL_LEFT_BYTES}"
_SECTIONS: Final = (
    *((table.value, "key, body", (table.value,)) for table in Table),
    ("logs", "log, body", ()),
    ("inputs", "kind, utc_us, monotonic_us, channel, sender, lane, body", ()),
)
"""What is scrubbed, in turn: table, columns, and what stands before them in the checksum."""


class InputKind(StrEnum):
    """What happened to a node."""

    START = "start"
    RECEIVE = "receive"
    TICK = "tick"


class RecordedInput(msgspec.Struct, frozen=True):
    """One thing that a node was given, enough to give it again.

    Attributes:
        kind: (re)start, message, or time.
        utc_us: microseconds UTC by the node's clock.
        monotonic_us: by the machine's.
        channel: of a message; empty otherwise.
        sender: party the bus vouched for; empty otherwise.
        lane: of a message; empty otherwise.
        body: MessagePack of the message, as received; empty otherwise.
    """

    kind: InputKind
    utc_us: int
    monotonic_us: int
    channel: str = ""
    sender: str = ""
    lane: str = ""
    body: bytes = b""

    @property
    def now(self) -> Now:
        """The time that the node was told."""
        return Now(self.utc_us, self.monotonic_us)


def recorded(inbound: Inbound, body: bytes, now: Now) -> RecordedInput:
    """Return the record of a message."""
    return RecordedInput(
        InputKind.RECEIVE,
        now.utc_us,
        now.monotonic_us,
        inbound.channel.value,
        inbound.sender,
        inbound.lane.value,
        body,
    )


def record_sum(*parts: bytes | str | int) -> bytes:
    """Return the checksum of a row: its table or log, its columns, in order; 16 bytes."""
    digest = hashlib.blake2b(digest_size=_SUM_BYTES)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()


class Journal:
    """One node's journal; implements `nodes.commands.Rows`.

    Attributes:
        path: of the file.
        corrupt: records passed over since it was opened.
        set_aside: where an unreadable file was moved to when it was opened, or None.
        damage: what was found to be wrong when it was opened, in words; nothing if it was sound.
    """

    def __init__(self, path: Path) -> None:
        """Open the journal, or make it.

        Raises:
            EnvironmentFault: the file can't be made or opened, or the disk is full.
        """
        self.path = path
        self.corrupt = 0
        self.set_aside: Path | None = None
        self.damage: list[str] = []
        self._scrub_after: tuple[int, int] = (0, 0)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if flaw := flaw_in_wal(path):
                self.damage.append(flaw)
            self._connection = self._open_sound()
            self._drop_spoilt_rows()
        except (OSError, *_SPOILT, sqlite3.Error) as error:
            raise _fault(path, error) from error

    def _open_sound(self) -> sqlite3.Connection:
        try:
            return _opened(self.path)
        except sqlite3.OperationalError:
            raise
        except _SPOILT:
            self.set_aside = self.path.with_name(f"{self.path.name}.unreadable-{time.time_ns() // 1_000_000}")
            self.path.replace(self.set_aside)
            self.damage.append(f"it can't be read, and was set aside as {self.set_aside.name}")
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return _opened(self.path)

    def _drop_spoilt_rows(self) -> None:
        """Delete rows whose checksum is wrong: they can't be used, and are told of once."""
        for table in Table:
            query = f"SELECT id, key, body, sum FROM {table.value}"  # noqa: S608
            spoilt = [
                number
                for number, key, body, mark in self._all(self._connection.execute(query))
                if mark != record_sum(table.value, key, body)
            ]
            for number in spoilt:
                self._connection.execute(f"DELETE FROM {table.value} WHERE id = ?", (number,))  # noqa: S608
            if spoilt:
                self.corrupt += len(spoilt)
                self.damage.append(f"{len(spoilt)} rows of {table.value} were spoilt")

    def scrub(self, records: int) -> int:
        """Check the next few records, wherever the last call ended, and return how many are spoilt.

        After the last record of the last table it begins anew. What is found stays where it is: it is told
        of now, and dropped at the next start.
        """
        place, after = self._scrub_after
        section, names, parts = _SECTIONS[place]
        query = f"SELECT id, sum, {names} FROM {section} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
        try:
            found = self._connection.execute(query, (after, records)).fetchall()
        except _SPOILT as error:
            self._scrub_after = ((place + 1) % len(_SECTIONS), 0)
            raise _fault(self.path, error) from error
        more = len(found) == records
        self._scrub_after = (place, found[-1][0]) if more else ((place + 1) % len(_SECTIONS), 0)
        return sum(mark != record_sum(*parts, *values) for _, mark, *values in found)

    def cut(self) -> int:
        """Delete some of what is over the bounds of growth, oldest first; return how many records.

        Raises:
            EnvironmentFault: the disk is full or broken.
        """
        try:
            gone = self._cut("inputs", "1", (), INPUTS_KEPT)
            return gone + sum(self._cut("logs", "log = ?", (name,), RECORDS_KEPT) for name in CUT_LOGS)
        except sqlite3.Error as error:
            raise _fault(self.path, error) from error

    def _cut(self, table: str, condition: str, values: tuple[str, ...], kept: int) -> int:
        newest = f"SELECT id FROM {table} WHERE {condition} ORDER BY id DESC LIMIT 1 OFFSET ?"  # noqa: S608
        row = self._connection.execute(newest, (*values, kept)).fetchone()
        if row is None:
            return 0
        old = f"SELECT id FROM {table} WHERE {condition} AND id <= ? ORDER BY id LIMIT ?"  # noqa: S608
        done = self._connection.execute(
            f"DELETE FROM {table} WHERE id IN ({old})",  # noqa: S608
            (*values, row[0], CUT_AT_ONCE),
        )
        return done.rowcount

    def rows(self, table: Table) -> list[tuple[str, bytes]]:
        """Return all sound rows of a table as (key, body), in order of insertion."""
        found = self._connection.execute(f"SELECT key, body, sum FROM {table.value} ORDER BY id")  # noqa: S608
        return [
            (key, body) for key, body, mark in self._all(found) if self._sound(mark, table.value, key, body)
        ]

    def log(self, name: str) -> list[bytes]:
        """Return all sound records of a log, in order."""
        found = self._connection.execute("SELECT id, body, sum FROM logs WHERE log = ? ORDER BY id", (name,))
        return [body for _, body, mark in self._all(found) if self._sound(mark, name, body)]

    def logs(self) -> list[str]:
        """Return the names of the logs."""
        return [name for (name,) in self._connection.execute("SELECT DISTINCT log FROM logs ORDER BY log")]

    def _all(self, cursor: sqlite3.Cursor) -> "Iterator[tuple[Any, ...]]":
        try:
            yield from cursor
        except _SPOILT:
            self.corrupt += 1

    def _sound(self, mark: bytes, *parts: bytes | str) -> bool:
        sound = mark == record_sum(*parts)
        self.corrupt += not sound
        return sound

    def commit(self, commands: Iterable[JournalCommand], inputs: Iterable[RecordedInput] = ()) -> None:
        """Write a group in one transaction: all of it is on the disk when this returns, or none.

        Raises:
            EnvironmentFault: the disk is full or broken; nothing was written.
        """
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for one in inputs:
                _insert_input(connection, one)
            for command in commands:
                _apply(connection, command)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise _fault(self.path, error) from error

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self._connection.close()
                self._connection = _opened(self.path)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=1000", _WAL_LEFT):
            connection.execute(f"PRAGMA {pragma}")
        (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)
        for statement in _SCHEMA:
            connection.execute(statement)
    except (sqlite3.Error, UnicodeDecodeError):
        connection.close()
        raise
    return connection


def _fault(path: Path, error: Exception) -> EnvironmentFault:
    full = "full" in str(error) or "disk I/O" in str(error)
    remedy = "make room on the disk" if full else "check the file and the rights to it"
    return EnvironmentFault(f"journal {path}: {error}", remedy)


def _apply(connection: sqlite3.Connection, command: JournalCommand) -> None:
    match command:
        case Keep(table, key, body):
            connection.execute(
                f"INSERT INTO {table.value} (key, body, sum) VALUES (?, ?, ?) "  # noqa: S608
                "ON CONFLICT (key) DO UPDATE SET body = excluded.body, sum = excluded.sum",
                (key, body, record_sum(table.value, key, body)),
            )
        case Forget(table, key):
            connection.execute(f"DELETE FROM {table.value} WHERE key = ?", (key,))  # noqa: S608
        case Append(log, body):
            connection.execute(
                "INSERT INTO logs (log, body, sum) VALUES (?, ?, ?)", (log, body, record_sum(log, body))
            )


def _insert_input(connection: sqlite3.Connection, one: RecordedInput) -> None:
    values = msgspec.structs.astuple(one)
    connection.execute(
        "INSERT INTO inputs (kind, utc_us, monotonic_us, channel, sender, lane, body, sum) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (one.kind.value, *values[1:], record_sum(one.kind.value, *values[1:])),
    )


def count_unreceipted(path: Path) -> int:
    """Return how many deliveries stand in the outbox of a journal, whose node may be running.

    Raises:
        EnvironmentFault: it can't be read now.
    """
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1.0)
        try:
            query = "SELECT count(*) FROM outbox WHERE key NOT LIKE '%/next'"
            return int(connection.execute(query).fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _fault(path, error) from error


def recorded_inputs(path: Path) -> Iterator[RecordedInput]:
    """Yield what the node of a journal was given, in order, its (re)starts included.

    Raises:
        UsageError: no such file, not a journal, or a record that was altered.
    """
    if not path.is_file():
        raise UsageError("no such recording", str(path), "a journal")
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            yield from _read_inputs(connection, path)
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise UsageError(f"not a journal: {error}", str(path)) from error


def _read_inputs(connection: sqlite3.Connection, path: Path) -> Iterator[RecordedInput]:
    query = "SELECT id, sum, kind, utc_us, monotonic_us, channel, sender, lane, body FROM inputs ORDER BY id"
    for number, mark, kind, *rest in connection.execute(query):
        if mark != record_sum(kind, *rest):
            raise UsageError("a record was altered", f"{path}: input {number}")
        yield RecordedInput(InputKind(kind), *rest)


def inbound_of(one: RecordedInput) -> tuple[Channel, str, Lane]:
    """Return channel, sender and lane of a recorded message."""
    return Channel(one.channel), one.sender, Lane(one.lane)


class MemoryRows:
    """A journal that keeps nothing: for a node that is replayed, or has no journal."""

    def rows(self, table: Table) -> list[tuple[str, bytes]]:
        """Return nothing."""
        del table
        return []

    def log(self, name: str) -> list[bytes]:
        """Return nothing."""
        del name
        return []

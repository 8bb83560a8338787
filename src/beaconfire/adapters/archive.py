"""Move the older records of audit logs from a journal to an archive; the logs go on where they are.

An archive is a journal of its own: the records moved, the checkpoints that went with them, and the seams that
they follow. Three rules:

1. The archive is on the disk, and read back, before anything is taken from the journal.
2. Records go and seams come in one transaction. A rotation that is cut off leaves records in both places.
3. The newest checkpoint stays, the newest that the nation cosigned, and each that covers a record that stays.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec

from beaconfire.adapters.journal import Journal, record_sum
from beaconfire.audit.checkpoint import Checkpoint, SignedCheckpoint, open_offer
from beaconfire.audit.growth import Growth
from beaconfire.audit.seam import SEAM, Seam, seam_row
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.nodes.commands import Append, Command, Keep, Now, Table

AUDITED: Final = ("gave/", "given/", "guard/")
CHECKPOINTS: Final = "checkpoint/"
GROUP: Final = 2_000
"""Records written to an archive in one transaction."""
PERIOD_US: Final = 10_000_000


class Moved(msgspec.Struct, frozen=True):
    """What was moved of one log.

    Attributes:
        log: its name.
        first: place of the first record moved.
        size: records that stand in archives now, this one and those before.
        kept: records that stay in the journal.
        checkpoints: moved with them.
    """

    log: str
    first: int
    size: int
    kept: int
    checkpoints: int


class _Cut(msgspec.Struct, frozen=True):
    """What of one log is to be moved: ids of rows, the seam before, and the one after."""

    before: Seam | None
    after: Seam
    newest_id: int
    checkpoints: tuple[int, ...]
    kept: int


class _Checkpoint(NamedTuple):
    """The row of a checkpoint, the records it covers, and whether the nation signed it too."""

    row: int
    size: int
    cosigned: bool


def rotate(journal: Path, archive: Path, *, keep: int) -> tuple[Moved, ...]:
    """Move all but the newest records of each audit log of a journal to a new archive; return what was moved.

    Args:
        journal: of a guard or hub, which may be running.
        archive: new file; none is made if there is nothing to move.
        keep: records of each log that stay, 1 or more.

    Raises:
        UsageError: no such journal, or the archive is there already.
        EnvironmentFault: it can't be read or written.
    """
    if not journal.is_file():
        raise UsageError("no such journal", str(journal))
    if archive.exists():
        raise UsageError("it is there already", str(archive), "a new file")
    try:
        connection = sqlite3.connect(journal, isolation_level=None, timeout=5.0)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            cuts = [cut for name in _audited(connection) if (cut := _cut(connection, name, keep))]
            if cuts:
                _write(connection, cuts, archive)
                _take_away(connection, cuts)
        finally:
            connection.close()
    except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
        raise EnvironmentFault(f"{journal}: {error}", "beaconfire audit verify, and room for it") from error
    return tuple(
        Moved(
            log=cut.after.log,
            first=cut.before.size if cut.before else 0,
            size=cut.after.size,
            kept=cut.kept,
            checkpoints=len(cut.checkpoints),
        )
        for cut in cuts
    )


class Rotated(Protocol):
    """A node that is told while it runs how much of its logs was moved away."""

    def rotated(self, sizes: Mapping[str, int]) -> None:
        """Take how many records of each log stand in archives."""
        ...


class Rotations:
    """Looks at the seams in the journal of a running node, and tells it of them."""

    def __init__(self, journal: Path, node: Rotated) -> None:
        """Take the journal and the node that writes it."""
        self._journal = journal
        self._node = node
        self._next_us = 0

    def look(self, now: Now) -> list[Command]:
        """Tell the node how much was moved away, once in ten seconds; returns nothing to be done."""
        if now.monotonic_us < self._next_us:
            return []
        self._next_us = now.monotonic_us + PERIOD_US
        try:
            connection = sqlite3.connect(f"{self._journal.resolve().as_uri()}?mode=ro", uri=True, timeout=0.2)
            try:
                rows = connection.execute("SELECT body FROM state WHERE key LIKE 'seam/%'").fetchall()
            finally:
                connection.close()
            seams = [msgspec.msgpack.decode(body, type=Seam) for (body,) in rows]
        except (sqlite3.Error, msgspec.MsgspecError):
            return []
        self._node.rotated({one.log: one.size for one in seams})
        return []


def _audited(connection: sqlite3.Connection) -> list[str]:
    names = connection.execute("SELECT DISTINCT log FROM logs ORDER BY log").fetchall()
    return [str(name) for (name,) in names if str(name).startswith(AUDITED)]


def _cut(connection: sqlite3.Connection, name: str, keep: int) -> _Cut | None:
    """Return what is to be moved of a log, None if it holds no more than is to be kept."""
    row = connection.execute("SELECT body FROM state WHERE key = ?", (SEAM + name,)).fetchone()
    before = msgspec.msgpack.decode(row[0], type=Seam) if row else None
    count = connection.execute("SELECT count(*) FROM logs WHERE log = ?", (name,)).fetchone()[0]
    if count <= keep:
        return None
    held = _checkpoints(connection, name)
    vouched = max((one.size for one in held if one.cosigned), default=0)
    place = open_offer(one.cosigned for one in held)
    asked = held[place] if place is not None else None
    growth = Growth((), vouched, before.spans if before else (), asked.size if asked else 0)
    newest_id = 0
    for number, body in _first(connection, name, count - keep):
        growth.append(body)
        newest_id = number
    after = Seam(name, growth.size, growth.spans())
    newest = {held[-1].row, *[one.row for one in held if one.cosigned][-1:]} if held else set()
    stay = newest | ({asked.row} if asked else set())
    checkpoints = tuple(one.row for one in held if one.size <= after.size and one.row not in stay)
    return _Cut(before, after, newest_id, checkpoints, keep)


def _first(connection: sqlite3.Connection, name: str, count: int) -> Iterator[tuple[int, bytes]]:
    query = "SELECT id, body FROM logs WHERE log = ? ORDER BY id LIMIT ?"
    yield from connection.execute(query, (name, count))


def _checkpoints(connection: sqlite3.Connection, name: str) -> list[_Checkpoint]:
    """Return the checkpoints of a log, in order."""
    query = "SELECT id, body FROM logs WHERE log = ? ORDER BY id"
    found: list[_Checkpoint] = []
    for number, body in connection.execute(query, (CHECKPOINTS + name,)):
        signed = msgspec.msgpack.decode(body, type=SignedCheckpoint)
        size = msgspec.msgpack.decode(signed.body, type=Checkpoint).size
        found.append(_Checkpoint(number, size, signed.is_cosigned))
    return found


def _write(connection: sqlite3.Connection, cuts: list[_Cut], archive: Path) -> None:
    """Write the archive under another name, read it back, and give it its name."""
    unfinished = archive.with_name(archive.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    made = Journal(unfinished)
    try:
        made.commit([Keep(Table.STATE, *seam_row(cut.before)) for cut in cuts if cut.before])
        group: list[Append] = []
        for one in _moved(connection, cuts):
            group.append(one)
            if len(group) >= GROUP:
                made.commit(group)
                group = []
        made.commit(group)
        again = _digest(Append(log, body) for log in sorted(made.logs()) for body in made.log(log))
    finally:
        made.close()
    if again != _digest(sorted(_moved(connection, cuts), key=lambda one: one.log)):
        raise OSError(f"{unfinished} reads other than it was written")
    unfinished.replace(archive)
    folder = os.open(archive.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _moved(connection: sqlite3.Connection, cuts: list[_Cut]) -> Iterator[Append]:
    for cut in cuts:
        name = cut.after.log
        for _, body in _first(connection, name, cut.after.size - (cut.before.size if cut.before else 0)):
            yield Append(name, body)
        for number in cut.checkpoints:
            (body,) = connection.execute("SELECT body FROM logs WHERE id = ?", (number,)).fetchone()
            yield Append(CHECKPOINTS + name, body)


def _digest(records: Iterable[Append]) -> bytes:
    digest = hashlib.sha256()
    for one in records:
        digest.update(record_sum(one.log, one.body))
    return digest.digest()


def _take_away(connection: sqlite3.Connection, cuts: list[_Cut]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for cut in cuts:
            key, body = seam_row(cut.after)
            connection.execute(
                "INSERT INTO state (key, body, sum) VALUES (?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET body = excluded.body, sum = excluded.sum",
                (key, body, record_sum(Table.STATE.value, key, body)),
            )
            connection.execute("DELETE FROM logs WHERE log = ? AND id <= ?", (cut.after.log, cut.newest_id))
            connection.executemany("DELETE FROM logs WHERE id = ?", [(one,) for one in cut.checkpoints])
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise

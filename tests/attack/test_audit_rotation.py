"""Audit logs go on over a seam: records are moved away from running nodes, and all together stays provable.

Real guard and hub on real journals; verification shares no code with them. Whatever is done to the files of
a rotated log (one missing, swapped, altered, cut off, forked) is found.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.archive import Rotations, rotate
from beaconfire.adapters.audit_book import AuditBook
from beaconfire.adapters.journal import Journal, record_sum
from beaconfire.audit.record import AuditLog, Passed, Subject
from beaconfire.audit.verifier import Found
from beaconfire.cli.audit import AuditFile, read_file, verify_files
from beaconfire.cli.main import main
from beaconfire.errors import UsageError
from beaconfire.messages.codec import decode
from beaconfire.messages.health import Notice
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.vouching import CheckpointOffer, Cosignature
from beaconfire.messages.words import Group, Lane
from beaconfire.nodes.commands import Append, Command, Deliver, Forget, Keep, Send
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from release_world import (
    KOR,
    NATIONS,
    guard_config,
    hub_config,
    keys_of,
    now,
    own,
    report,
    to_hub,
    to_nation,
)

MINUTE_US = 60_000_000
KEYS = [msgspec.to_builtins(key.public, builtin_types=(bytes,)) for key in keys_of().values()]
KEEP = 3


class Pair:
    """Korea's guard and a hub, each with its journal on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.minute = self.reports = 0
        self.notices: list[Notice] = []
        self.open()

    def open(self) -> None:
        self.hub_journal, self.guard_journal = (
            Journal(self.folder / name) for name in ("hub.journal", "guard.journal")
        )
        self.hub = HubNode(hub_config(), self.hub_journal)
        self.guard = GuardNode(guard_config(), self.guard_journal)

    def restart(self) -> None:
        self.close()
        self.open()

    def close(self) -> None:
        self.hub_journal.close()
        self.guard_journal.close()

    def _written(self, journal: Journal, commands: list[Command]) -> list[Command]:
        journal.commit([one for one in commands if isinstance(one, Append | Keep | Forget)])
        sent: list[Command] = [one for one in commands if isinstance(one, Send | Deliver)]
        self.notices += [
            one.message for one in sent if isinstance(one, Send) and isinstance(one.message, Notice)
        ]
        return sent

    def say(self, count: int) -> None:
        for _ in range(count):
            self.reports += 1
            at = now(self.minute * MINUTE_US + self.reports)
            self.guard.arrangements.renew("HUB", at.monotonic_us)
            for nation in NATIONS:
                self.hub.arrangements.renew(nation, at.monotonic_us)
            given = self._written(
                self.guard_journal, self.guard.receive(own(report(self.reports, at_us=at.utc_us)), at)
            )
            for command in given:
                if isinstance(command, Deliver):
                    delivery = decode(command.body)
                    assert isinstance(delivery, Delivery)
                    self._written(self.hub_journal, self.hub.receive(to_hub(delivery, KOR, command.lane), at))

    def vouch(self, *, answered: bool = True) -> int:
        """Let the hub sign what it has, and Korea cosign it; return how many logs it cosigned.

        Args:
            answered: the hub gets Korea's word.
        """
        self.minute += 1
        at = now(self.minute * MINUTE_US)
        sent = self._written(self.hub_journal, self.hub.tick(at))
        offers = [
            one.message
            for one in sent
            if isinstance(one, Send) and one.recipient == KOR and isinstance(one.message, CheckpointOffer)
        ]
        answers: list[Command] = []
        for offer in offers:
            answers += self._written(self.guard_journal, self.guard.receive(to_nation(offer), at))
        words = [one.message for one in answers if isinstance(one, Send)]
        cosigned = [one for one in words if isinstance(one, Cosignature)]
        for word in cosigned if answered else ():
            self._written(self.hub_journal, self.hub.receive(to_hub(word), at))
        return len(cosigned)

    def rotate(self, name: str, *, hub: bool = True) -> Path:
        journal = self.folder / ("hub.journal" if hub else "guard.journal")
        archive = self.folder / name
        assert rotate(journal, archive, keep=KEEP)
        return archive

    @property
    def journal(self) -> Path:
        return self.folder / "hub.journal"


def verified(*paths: Path, log: str = "gave/KOR") -> Found:
    return next(one for one in verify_files([read_file(one) for one in paths], KEYS, []) if one.log == log)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A hub whose logs were rotated twice, once while it ran and once before a restart."""
    made = Pair(tmp_path / "here")
    made.say(6)
    assert made.vouch() == 1
    made.say(4)
    made.rotate("first.archive")
    made.say(5)
    assert made.vouch() == 1, "a hub that ran meanwhile goes on, and its nation knows the log again"
    made.rotate("second.archive")
    made.restart()
    made.say(2)
    assert made.vouch() == 1, "and so does one that was started again"
    assert not [one.code for one in made.notices if one.code == "audit-fork"]
    made.close()
    return made


def parts(pair: Pair) -> list[Path]:
    return [pair.folder / "first.archive", pair.folder / "second.archive", pair.journal]


def test_all_files_together_are_one_log_from_its_beginning_in_whatever_order_they_are_named(
    pair: Pair,
) -> None:
    first, second, journal = parts(pair)
    for files in ((first, second, journal), (journal, second, first)):
        found = verified(*files)
        assert (found.flaw, found.first, found.records) == ("", 0, 2 * 17)
        assert found.vouched == found.signed == found.records


def test_each_file_alone_is_whole_from_where_it_begins(pair: Pair) -> None:
    first, second, journal = parts(pair)
    firsts = [verified(one) for one in (first, second, journal)]
    assert [one.flaw for one in firsts] == ["", "", ""]
    assert firsts[0].first == 0
    assert firsts[1].first == firsts[0].records
    assert firsts[2].first == firsts[1].first + firsts[1].records
    assert firsts[2].vouched == 2 * 17


def test_a_log_is_one_though_its_rotation_was_cut_off_and_begun_again(tmp_path: Path) -> None:
    """Power was lost between the archive and the journal: records stand in both, then in a second archive."""
    pair = Pair(tmp_path / "here")
    pair.say(6)
    pair.close()
    before = shutil.copy(pair.journal, tmp_path / "before")
    first = pair.rotate("first.archive")
    shutil.copy(before, pair.journal)
    pair.open()
    pair.say(4)
    pair.close()
    second = pair.rotate("second.archive")
    found = verified(first, second, pair.journal)
    assert (found.flaw, found.records) == ("", 20)


@pytest.mark.parametrize("before", [False, True])
def test_what_a_nation_was_asked_to_cosign_stays_asked_when_records_are_moved(
    tmp_path: Path, *, before: bool
) -> None:
    pair = Pair(tmp_path)
    pair.say(3)
    assert pair.vouch() == 1
    pair.say(4)
    assert pair.vouch(answered=False) == 1
    pair.say(9)
    if before:
        pair.restart()
    archive = pair.rotate("moved")
    pair.restart()
    assert pair.vouch() == 1
    pair.say(1)
    assert pair.vouch() == 1
    assert "audit-fork" not in {one.code for one in pair.notices}
    found = verified(pair.journal, archive)
    assert (found.records, found.vouched, found.flaw) == (34, 34, "")
    pair.close()


def test_a_guards_own_log_is_rotated_too_and_a_display_goes_on_reading(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "here")
    pair.say(6)
    book = AuditBook(pair.folder / "guard.journal")
    assert book.refresh()
    archive = pair.rotate("guard.archive", hub=False)
    pair.say(3)
    pair.restart()
    pair.say(1)
    late = AuditBook(pair.folder / "guard.journal")
    assert book.refresh()
    assert late.refresh()
    assert (book.flaw, late.flaw) == ("", "")
    assert (book.records, late.records) == (10, KEEP + 4)
    pair.close()
    found = verified(archive, pair.folder / "guard.journal", log="guard/KOR")
    assert (found.flaw, found.records) == ("", 10)


def test_a_running_node_is_told_how_much_was_moved(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "here")
    pair.say(6)
    looks = Rotations(pair.journal, pair.hub)
    assert looks.look(now()) == []
    pair.rotate("first.archive")
    books = pair.hub._links[KOR].books
    looks.look(now(1))
    assert (books.gave.held, books.gave.size) == (12, 12), "ten seconds are not over"
    looks.look(now(10_000_000))
    assert (books.gave.held, books.gave.size) == (KEEP, 12)
    pair.close()


# Each way of spoiling the files of a rotated log.


def without(number: int) -> Callable[[Pair], list[Path]]:
    def spoil(pair: Pair) -> list[Path]:
        files = parts(pair)
        del files[number]
        return files

    spoil.__name__ = f"file {number} missing"
    return spoil


def of_another_instance(pair: Pair) -> list[Path]:
    """Put the archive of another hub, which was given other reports, in the place of the own one."""
    other = Pair(pair.folder.parent / "other")
    other.reports = 100
    other.say(10)
    other.close()
    return [other.rotate("first.archive"), *parts(pair)[1:]]


def changed(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute(statement, values).rowcount
    connection.commit()
    connection.close()


def body_of(path: Path, place: int) -> tuple[int, bytes]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT id, body FROM logs WHERE log = 'gave/KOR' ORDER BY id").fetchall()
    connection.close()
    number, body = rows[place]
    return int(number), bytes(body)


def altered(number: int, place: int) -> Callable[[Pair], list[Path]]:
    """Change one word in one record, and its checksum with it."""

    def spoil(pair: Pair) -> list[Path]:
        path = parts(pair)[number]
        row, body = body_of(path, place)
        other = body.replace(b"trilateral", b"triangular") if b"trilateral" in body else body[:-1] + b"\x00"
        assert other != body
        changed(path, "UPDATE logs SET body = ?, sum = ? WHERE id = ?", other, record_sum(other), row)
        return parts(pair)

    spoil.__name__ = f"file {number}, record {place} altered"
    return spoil


def deleted(number: int, place: int) -> Callable[[Pair], list[Path]]:
    def spoil(pair: Pair) -> list[Path]:
        path = parts(pair)[number]
        changed(path, "DELETE FROM logs WHERE id = ?", body_of(path, place)[0])
        return parts(pair)

    spoil.__name__ = f"file {number}, record {place} deleted"
    return spoil


def reordered(pair: Pair) -> list[Path]:
    path = parts(pair)[1]
    (one, first), (two, second) = body_of(path, 2), body_of(path, 3)
    changed(path, "UPDATE logs SET body = ? WHERE id = ?", second, one)
    changed(path, "UPDATE logs SET body = ? WHERE id = ?", first, two)
    return parts(pair)


def forked(pair: Pair) -> list[Path]:
    """Write the second archive anew, with another history over the same seam that is whole in itself."""
    first, second, journal = parts(pair)
    log = AuditLog("gave/KOR")
    for body in read_file(first).logs["gave/KOR"]:
        log.growth.append(body)
    subject = Subject("KOR", "JPN", "f" * 32, Lane.FLASH, b"never released")
    passed = Passed(groups=(Group.PROVENANCE,), degraded=(), basis=(), rules=())
    ids = [body_of(second, place)[0] for place in range(len(read_file(second).logs["gave/KOR"]))]
    for row in ids:
        changed(second, "UPDATE logs SET body = ? WHERE id = ?", log.add(subject, passed, 1), row)
    return [first, second, journal]


def a_second_history_beside(pair: Pair) -> list[Path]:
    files = parts(pair)
    fork = pair.folder / "fork.archive"
    shutil.copy(files[1], fork)
    return [*forked(pair), fork]


def seam_moved(pair: Pair) -> list[Path]:
    row = read_file(pair.journal).seams["gave/KOR"]
    spans = [(begin, end, bytes(32)) for begin, end, _ in row[1]]
    body = msgspec.msgpack.encode({"log": "gave/KOR", "size": row[0], "spans": spans})
    changed(pair.journal, "UPDATE state SET body = ? WHERE key = 'seam/gave/KOR'", body)
    return parts(pair)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without(0), "are missing"),
        (without(1), "are missing"),
        (of_another_instance, "altered"),
        (altered(0, 0), "altered"),
        (altered(0, -1), "altered"),
        (altered(1, 0), "altered"),
        (altered(1, -1), "altered"),
        (altered(2, 0), "altered"),
        (deleted(0, 0), "missing"),
        (deleted(0, 5), "missing"),
        (deleted(0, -1), "missing"),
        (deleted(1, -1), "missing"),
        (deleted(2, 0), "missing"),
        (reordered, "out of order"),
        (forked, "altered"),
        (a_second_history_beside, "two histories"),
        (seam_moved, "does not fit"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_whatever_is_done_to_the_files_is_found(
    pair: Pair, spoil: Callable[[Pair], list[Path]], told: str
) -> None:
    assert told in verified(*spoil(pair)).flaw


@pytest.mark.parametrize("end", [0, -1])
def test_every_byte_of_a_record_on_either_side_of_a_seam_counts(pair: Pair, end: int) -> None:
    files = [read_file(one) for one in parts(pair)]
    records = files[1].logs["gave/KOR"]
    whole = records[end]
    for place in range(len(whole)):
        records[end] = whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :]
        found = next(one for one in verify_files(files, KEYS, []) if one.log == "gave/KOR")
        assert found.flaw, f"byte {place}"


def test_a_seam_that_was_altered_is_found_in_the_journal_alone(pair: Pair) -> None:
    seam_moved(pair)
    assert "altered" in verified(pair.journal).flaw
    changed(pair.journal, "DELETE FROM state WHERE key = 'seam/gave/KOR'")
    assert "are missing" in verified(pair.journal).flaw


def test_an_end_cut_off_at_a_seam_is_found_by_its_checkpoints() -> None:
    """A journal of which every record is gone, its seam and checkpoints left."""
    log = AuditLog("gave/KOR")
    found = verify_files([AuditFile({"checkpoint/gave/KOR": [b"x"]}, {"gave/KOR": (0, ())})], None, [])
    assert log.size == 0
    assert found[0].flaw


# The command.


def test_the_command_moves_tells_and_verifies_with_archives(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, journal = parts(pair)
    third = pair.folder / "third.archive"
    assert main(["audit", "rotate", str(journal), "--out", str(third), "--keep", "1", "--json"]) == 0
    moved = {one["log"]: one for one in json.loads(capsys.readouterr().out)}
    assert moved["gave/KOR"]["size"] == 33
    assert moved["gave/KOR"]["kept"] == 1
    archives = ["--archive", str(first), str(second), str(third)]
    assert main(["audit", "verify", str(journal), *archives, "--json"]) == 0
    rows = {one["log"]: one for one in json.loads(capsys.readouterr().out)}
    assert rows["gave/KOR"]["records"] == 34
    assert main(["audit", "verify", str(journal), *archives[:2]]) == 1
    assert main(["audit", "prove-inclusion", str(journal), "--log", "gave/KOR", "--index", "2"]) == 2
    capsys.readouterr()
    prove = ["audit", "prove-inclusion", str(journal), *archives, "--log", "gave/KOR", "--index", "2"]
    assert main(prove) == 0
    proof = pair.folder / "proof.json"
    proof.write_text(capsys.readouterr().out)
    assert main(["audit", "check-inclusion", str(proof)]) == 0


def test_nothing_is_moved_from_a_flawed_log_or_onto_a_file_that_is_there(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _, journal = parts(pair)
    with pytest.raises(UsageError, match="there already"):
        rotate(journal, first, keep=1)
    assert main(["audit", "rotate", str(journal), "--out", str(first), "--keep", "0"]) == 2
    altered(2, 0)(pair)
    new = pair.folder / "new.archive"
    assert main(["audit", "rotate", str(journal), "--out", str(new), "--keep", "1"]) == 1
    assert "nothing was moved" in capsys.readouterr().err
    assert not new.exists()


def test_nothing_to_move_makes_no_archive(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    new = pair.folder / "new.archive"
    assert main(["audit", "rotate", str(pair.journal), "--out", str(new)]) == 0
    assert "nothing was moved" in capsys.readouterr().out
    assert not new.exists()

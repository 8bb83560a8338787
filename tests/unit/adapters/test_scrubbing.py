"""Damage of a journal's files: told of each time it cost anything, and nothing altered is ever taken."""

import os
import random
import shutil
from pathlib import Path

import pytest

from beaconfire.adapters.journal import Journal
from beaconfire.adapters.scrubbing import flaw_in_wal
from beaconfire.nodes.commands import Append, Forget, Keep, Table

COMMITS = 120
TRIALS = int(os.environ.get("BEACONFIRE_DAMAGE", "8"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of a journal as a kill leaves them: a log that was not written back."""
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal(folder / "live" / "j")
    for number in range(60):
        journal.commit(
            [Keep(Table.OUTBOX, f"k{number}", bytes([number]) * 300), Append("log", b"%d" % number)]
        )
    journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(60, COMMITS):
        journal.commit(
            [Keep(Table.OUTBOX, f"k{number}", bytes([number]) * 300), Append("log", b"%d" % number)]
        )
    (folder / "killed").mkdir()
    for name in ("j", "j-wal"):
        shutil.copy(folder / "live" / name, folder / "killed" / name)
    journal.close()
    return folder / "killed"


def content(journal: Journal) -> tuple[dict[str, bytes], list[bytes]]:
    return dict(journal.rows(Table.OUTBOX)), journal.log("log")


def opened(written: Path, folder: Path) -> Path:
    folder.mkdir()
    for name in ("j", "j-wal"):
        shutil.copy(written / name, folder / name)
    return folder / "j"


def test_a_sound_journal_has_no_flaw(written: Path, tmp_path: Path) -> None:
    path = opened(written, tmp_path / "copy")
    assert flaw_in_wal(path) == ""
    journal = Journal(path)
    assert (journal.damage, journal.corrupt) == ([], 0)
    rows, log = content(journal)
    assert len(rows) == len(log) == COMMITS
    journal.close()
    assert flaw_in_wal(path) == ""


def test_a_journal_that_was_written_over_many_times_has_no_flaw(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    for number in range(3_000):
        journal.commit([Keep(Table.STATE, f"k{number % 7}", bytes(900)), Forget(Table.STATE, "k3")])
    assert (tmp_path / "j-wal").stat().st_size > 1_000_000
    assert flaw_in_wal(path) == ""


@pytest.mark.parametrize("kind", ["flip", "truncate"])
@pytest.mark.parametrize("name", ["j", "j-wal"])
def test_damage_is_told_of_whenever_it_cost_anything(
    written: Path, tmp_path: Path, name: str, kind: str
) -> None:
    chance = random.Random(f"{name} {kind}")
    whole = {f"k{number}": bytes([number]) * 300 for number in range(COMMITS)}
    costly = 0
    for trial in range(TRIALS):
        path = opened(written, tmp_path / f"{trial}")
        hurt = path.with_name(name)
        data = bytearray(hurt.read_bytes())
        at = chance.randrange(len(data))
        if kind == "flip":
            data[at] ^= 1 << chance.randrange(8)
        else:
            del data[at:]
        hurt.write_bytes(data)
        journal = Journal(path)
        rows, log = content(journal)
        journal.close()
        assert rows.items() <= whole.items(), "an altered row was taken"
        assert set(log) <= {b"%d" % number for number in range(COMMITS)}
        cost = len(rows) < COMMITS or len(log) < COMMITS
        costly += cost
        assert not cost or journal.damage or journal.corrupt, f"{kind} at {at} of {name} went unsaid"
    assert costly > TRIALS // 5


def test_spoilt_records_are_found_while_it_runs_and_spoilt_rows_dropped_at_the_next_start(
    written: Path, tmp_path: Path
) -> None:
    path = opened(written, tmp_path / "copy")
    journal = Journal(path)
    journal._connection.execute("UPDATE outbox SET body = 'x' WHERE key = 'k5'")
    journal._connection.execute("UPDATE logs SET body = 'x' WHERE id = 70")
    assert sum(journal.scrub(25) for _ in range(13)) == 2
    assert sum(journal.scrub(1_000) for _ in range(5)) == 2, "it begins anew"
    journal.close()
    again = Journal(path)
    assert again.damage == ["1 rows of outbox were spoilt"]
    again.close()
    assert Journal(path).damage == []


def test_recordings_and_what_a_picture_said_are_cut_and_audit_logs_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beaconfire.adapters.journal.RECORDS_KEPT", 30)
    journal = Journal(tmp_path / "j")
    journal.commit([Append(log, b"%d" % n) for log in ("events", "gave/KOR") for n in range(100)])
    assert journal.cut() == 70
    assert journal.cut() == 0
    assert journal.log("events") == [b"%d" % n for n in range(70, 100)]
    assert len(journal.log("gave/KOR")) == 100

"""No input kills a reader: the short form of `tools/fuzz.py`, what it found before, and what it must find."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.installation import read_installation
from beaconfire.adapters.journal import Journal, recorded_inputs
from beaconfire.audit.record import decode_record
from beaconfire.errors import UsageError
from beaconfire.formats.launch_database import DatabaseTexts, parse_launches_json
from beaconfire.formats.places import parse_places
from beaconfire.link.outbox import Outbox
from fuzzing.engine import Reader, loop
from fuzzing.mutation import STRUCTURED, mutator
from fuzzing.targets import TARGETS

SECONDS = 30


@pytest.mark.real
@pytest.mark.timeout(300)
def test_nothing_is_found_in_the_short_form(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(root / "tools" / "fuzz.py"), "--together", "--seconds", str(SECONDS)]
    command += ["--json", "--findings", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=290)
    assert done.returncode == 0, done.stderr.decode()[-4_000:]
    (group,) = json.loads(done.stdout)["groups"]
    assert set(group["tried"]) == set(TARGETS)
    assert all(inputs > 50 for inputs, _, _ in group["tried"].values())
    assert all(refused < inputs for inputs, refused, _ in group["tried"].values()), "some are accepted"


def test_a_planted_bug_behind_a_strict_decoder_is_found() -> None:
    def careless(data: bytes) -> object:
        detections = msgspec.msgpack.decode(data)["detections"]
        return [1 / one["range_m"] if "range_m" in one else 0 for one in detections]

    reader = Reader("national", careless)
    assert loop(reader, 3_000), "a range of nothing divides by it"


def test_a_reader_that_grows_is_found() -> None:
    held: list[bytes] = []

    def greedy(data: bytes) -> object:
        held.append(b"\x01" * 100_000_000 if len(data) > 100 else b"")
        return len(held)

    assert loop(Reader("lines", greedy), 100)


@pytest.mark.parametrize("kind", STRUCTURED)
def test_the_same_seed_changes_an_input_the_same_way(kind: str) -> None:
    seed = next(iter(next(one for one in TARGETS.values() if one.kind == kind).seeds()))
    change = mutator(kind)
    assert [change(seed, 5_000, n) for n in range(30)] == [change(seed, 5_000, n) for n in range(30)]
    assert len({change(seed, 5_000, n) for n in range(30)}) > 5


def test_number_too_large_for_a_float_is_refused() -> None:
    with pytest.raises(UsageError, match="latitude_deg"):
        parse_places(f'[[place]]\nname = "a"\nnation = "KOR"\nlatitude_deg = {"9" * 400}\n', "places")


def test_number_of_too_many_digits_is_refused() -> None:
    with pytest.raises(UsageError, match="not TOML"):
        parse_places(f"[[place]]\nname = {'9' * 5_000}\n", "places")
    with pytest.raises(UsageError, match="not JSON"):
        parse_launches_json(DatabaseTexts("9" * 5_000, '{"facilities": {}}'), "launches")


def test_configuration_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "installation.json").write_bytes(b'{"directory":"\x87"}')
    with pytest.raises(UsageError, match="not an installation"):
        read_installation(tmp_path)


def test_audit_record_that_is_no_text_is_no_record() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_record(b"\x81\xa1\xab\x00")


def test_journal_whose_own_schema_is_no_text_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "node.journal"
    Journal(path).close()
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE inputs", b"CREATE TABLE inp\xedts"))
    with pytest.raises(UsageError, match="not a journal"):
        list(recorded_inputs(path))
    journal = Journal(path)
    assert journal.set_aside is not None
    assert journal.damage
    journal.close()


def test_outbox_row_of_no_lane_is_passed_over() -> None:
    outbox = Outbox("KOR", "HUB", [("KOR>HUB/FLASH+0000000000000001", b"")])
    assert outbox.due(utc_us=0, monotonic_us=0).parcels == ()

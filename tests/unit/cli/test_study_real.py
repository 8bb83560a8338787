"""Real flights in the study of accuracy: both tables, and lines that fail."""

import json
from pathlib import Path

import msgspec
import pytest

from beaconfire.cli import study_real
from beaconfire.cli.main import main
from beaconfire.cli.study_real import RealResult, arc_line, real_flights

WORDS = ["study", "accuracy", "--only", "real", "--short"]


def test_short_form_with_telemetry_as_json(recorded_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--json", "--telemetry", str(recorded_data / "telemetry")]) == 0
    real = json.loads(capsys.readouterr().out)["real"]
    assert [one["flight"] for one in real["arcs"]] == ["BulgariaSat-1"]
    assert all(one["flight_time_error_s"] is not None for one in real["launches"])


def test_without_telemetry_it_says_what_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(WORDS) == 0
    assert "recorded arcs not flown" in capsys.readouterr().out


def test_a_folder_without_telemetry_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--telemetry", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_arc_foretold_too_far_off_fails(recorded_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_real, "APOGEE_LIMIT_M", 1.0)
    assert not arc_line(recorded_data / "telemetry", "BulgariaSat-1", range(1, 2)).passed


def test_one_bad_line_fails_the_whole() -> None:
    found = real_flights(None, 1, 1, short=True)
    assert found.passed
    bad = msgspec.structs.replace(found.launches[0], passed=False)
    assert not RealResult((), (bad, *found.launches[1:])).passed

import argparse
import json
from pathlib import Path

import pytest

from beaconfire.cli import doctor
from beaconfire.cli.main import main


def test_a_whole_machine_is_found_good(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["doctor", "--directory", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith("MISSING")]
    for what in ("python", "packages", "nats-server", "loopback ports", "disk", "compiled", "browser"):
        assert [line for line in lines if what in line]


def test_a_server_too_old_is_missing_and_the_remedy_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old = tmp_path / "nats-server"
    old.write_text("#!/bin/sh\necho v2.10.0\n")
    old.chmod(0o755)
    assert main(["doctor", "--server", str(old), "--json"]) == 1
    found = {one["what"]: one for one in json.loads(capsys.readouterr().out)}
    assert not found["nats-server"]["good"]
    assert "2.10.0 is too old" in found["nats-server"]["found"]
    assert "pip install" in found["nats-server"]["remedy"]
    assert found["python"]["good"]


def test_a_place_that_cannot_be_written_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = argparse.Namespace(
        json=False, server=None, server_configuration=None, directory=tmp_path / "nowhere"
    )
    assert doctor.run(arguments) == 1
    assert "MISSING disk" in capsys.readouterr().out


def test_what_is_only_wanted_does_not_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "BROWSERS", ("no-such-browser",))
    arguments = argparse.Namespace(json=False, server=None, server_configuration=None, directory=tmp_path)
    assert doctor.run(arguments) == 0
    assert "absent  browser: none -> install" in capsys.readouterr().out

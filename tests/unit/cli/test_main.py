"""The entry: verbs from one table, one line for each failure, the exit status of the interface."""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from beaconfire.cli import main as entry
from beaconfire.errors import EnvironmentFault, PeerError, UsageError


def _raiser(error: BaseException) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        raise error

    return run


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Put a verb called `trial` in place; a test gives it its `run`."""
    module = ModuleType("beaconfire.cli.trial")
    module.add_parser = lambda subparsers: subparsers.add_parser("trial")  # type: ignore[attr-defined]
    monkeypatch.setattr(entry, "VERBS", {"trial": "only here"})
    monkeypatch.setattr(entry, "verbs", lambda: {"trial": "only here"})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UsageError("no such file", "a.toml"), 2, "beaconfire: a.toml: no such file\n"),
        (EnvironmentFault("port taken", "name another"), 2, "beaconfire: port taken; name another\n"),
        (PeerError("schema", "two\nlines"), 2, "beaconfire: schema: two lines\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_each_kind_of_failure_has_its_status_and_one_line(
    verb: ModuleType,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    line: str,
) -> None:
    verb.run = _raiser(error)  # type: ignore[attr-defined]
    assert entry.main(["trial"]) == status
    assert capsys.readouterr().err == line


def test_our_own_bug_is_not_hidden(verb: ModuleType) -> None:
    verb.run = _raiser(AssertionError("our own"))  # type: ignore[attr-defined]
    with pytest.raises(AssertionError):
        entry.main(["trial"])


@pytest.mark.parametrize("status", [0, 1])
def test_status_of_the_verb_is_the_status(verb: ModuleType, status: int) -> None:
    verb.run = lambda _: status  # type: ignore[attr-defined]
    assert entry.main(["trial"]) == status


@pytest.mark.parametrize("words", [[], ["nowhere"], ["--nowhere"]])
def test_wrong_use_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        entry.main(words)
    assert stopped.value.code == 2
    assert "usage: beaconfire" in capsys.readouterr().err


def test_every_listed_verb_keeps_its_promise(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.verbs()
    for name in entry.verbs():
        with pytest.raises(SystemExit) as stopped:
            entry.main([name, "--help"])
        assert stopped.value.code == 0, name
        assert f"beaconfire {name}" in capsys.readouterr().out


def test_help_lists_exactly_the_verbs_that_are_built(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        entry.main(["--help"])
    listed = re.findall(r"^ {4}(\S+)", capsys.readouterr().out, re.MULTILINE)
    assert listed == list(entry.verbs())


def test_a_closed_pipe_is_no_traceback() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m beaconfire.cli.main --help | head -c 1 >{os.devnull}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_the_package_runs_as_the_command_does() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "beaconfire", "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("beaconfire ")

"""The policy officer's page shows what its commands really print, run in order from an empty folder.

`BEACONFIRE_WRITE_DOCS=1` writes what they print into the page instead of comparing.
"""

import os
import sys
from pathlib import Path

import pytest

from docs.printed import Step, filled, lasting, play, session

PAGE = "docs/arrangements.md"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Return a PATH on which `beaconfire` is this source."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "beaconfire"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m beaconfire.cli.main "$@"\n')
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_every_command_prints_what_the_page_shows(root: Path, tmp_path: Path, path: str) -> None:
    text = (root / PAGE).read_text()
    steps = session(text)
    assert len(steps) >= 9
    folder = tmp_path / "officer"
    folder.mkdir()
    printed = list(play(steps, folder, path))
    if os.environ.get("BEACONFIRE_WRITE_DOCS"):
        (root / PAGE).write_text(filled(text, printed))
        return
    for shown, really in zip(steps, printed, strict=True):
        assert lasting(shown.printed) == lasting(really), shown.commands


def test_a_page_that_shows_something_else_is_found(tmp_path: Path, path: str) -> None:
    (step,) = session("```console\n$ echo one\n```\n\n```text\ntwo\n```\n")
    assert step == Step("echo one\n", "two\n")
    (really,) = play([step], tmp_path, path)
    assert lasting(really) != lasting(step.printed)

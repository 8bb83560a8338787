"""Console blocks of a page as a session: what the commands print stands in the text block after them."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_STEP = re.compile(
    r"```console\n(?P<commands>(?:\$ [^\n]*\n)+)```\n(?:\n```text\n(?P<printed>.*?)```\n)?", re.DOTALL
)
_PASSING = (
    (re.compile(r"[0-9a-f]{32}"), "0" * 32),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "2026-01-01 00:00 UTC"),
)


class Step(NamedTuple):
    """The commands of one block, and what the page says they print."""

    commands: str
    printed: str


def session(text: str) -> list[Step]:
    """Return every console block of a page, in order."""
    return [
        Step(re.sub(r"^\$ ", "", found["commands"], flags=re.MULTILINE), found["printed"] or "")
        for found in _STEP.finditer(text)
    ]


def lasting(text: str) -> str:
    """Return a text with what changes from run to run (digests, dates) made alike."""
    for pattern, instead in _PASSING:
        text = pattern.sub(instead, text)
    return text


def play(steps: list[Step], folder: Path, path: str) -> Iterator[str]:
    """Run every block in a folder, one after the other; yield what each really printed."""
    for step in steps:
        done = subprocess.run(
            ["bash", "-c", step.commands],
            cwd=folder,
            env=os.environ | {"PATH": path, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        yield done.stdout


def filled(text: str, printed: list[str]) -> str:
    """Return a page with what was printed put after each console block."""
    waiting = iter(printed)

    def with_output(found: re.Match[str]) -> str:
        said = next(waiting)
        block = f"```console\n{found['commands']}```\n"
        return f"{block}\n```text\n{said}```\n" if said else block

    return _STEP.sub(with_output, text)

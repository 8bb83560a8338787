"""The README begins with the two commands, one line each, and CI runs the second as it stands there."""

import re
import subprocess
from pathlib import Path

import pytest

from docs.pages import blocks


@pytest.fixture
def shell_blocks(root: Path) -> list[str]:
    """Return the text of the README's `sh` blocks."""
    return [b.text for b in blocks("README.md", (root / "README.md").read_text()) if b.language == "sh"]


def test_the_first_two_blocks_are_one_line_each(shell_blocks: list[str]) -> None:
    assert len(shell_blocks) >= 2
    assert all(text.count("\n") == 1 for text in shell_blocks[:2])


def test_the_first_runs_the_main_job_from_a_fresh_clone(shell_blocks: list[str]) -> None:
    assert shell_blocks[0].startswith("python3 -m venv .venv && ")
    assert "--require-hashes -r requirements.txt" in shell_blocks[0]
    assert shell_blocks[0].rstrip().endswith("beaconfire demo --speed 20")


def test_the_second_runs_every_check(shell_blocks: list[str], root: Path) -> None:
    assert "--require-hashes -r requirements-dev.txt" in shell_blocks[1]
    assert shell_blocks[1].rstrip().endswith("bash tools/check")
    stages = re.search(r"stages=\((\w.*)\)", (root / "tools" / "check").read_text())
    assert stages is not None
    assert stages[1].split() == ["lint", "format", "types", "layers", "docs", "computed", "real"]


def test_ci_takes_its_command_from_the_readme(shell_blocks: list[str], root: Path) -> None:
    script = (root / ".ci" / "run").read_text()
    extract = re.search(r"readme_command=\$\((awk .*)\)\n", script)
    assert extract is not None
    done = subprocess.run(["bash", "-c", extract[1]], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == shell_blocks[1]


@pytest.mark.parametrize("script", [".ci/run", "tools/check", "tools/lock"])
def test_script_parses(script: str, root: Path) -> None:
    assert subprocess.run(["bash", "-n", str(root / script)], check=False).returncode == 0


@pytest.mark.parametrize("words", [["nowhere"], ["layers", "nowhere"]])
def test_an_unknown_stage_is_wrong_use(words: list[str], root: Path) -> None:
    done = subprocess.run(
        ["bash", "tools/check", words[-1]], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "nowhere" in done.stderr


def test_readme_says_what_it_is_not(root: Path) -> None:
    text = " ".join((root / "README.md").read_text().split()).lower()
    for words in ("simulated", "notional", "not connected with any government", "no fire control"):
        assert words in text

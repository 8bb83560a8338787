"""What the pages show is so: blocks parse, commands and options exist, links lead somewhere."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from beaconfire.adapters.configuration import read_config
from beaconfire.cli.main import main, verbs
from beaconfire.formats.sensors import parse_sensors
from docs.pages import Block, blocks, broken_links, commands, pages

ROOT = Path(__file__).resolve().parents[2]
PAGES = pages(ROOT)
BLOCKS = [block for page, text in PAGES.items() for block in blocks(page, text)]


def _flaw(block: Block) -> str:
    """Return why a block doesn't parse, or nothing."""
    try:
        if block.language == "toml":
            tomllib.loads(block.text)
        if block.language in {"sh", "console"}:
            script = re.sub(r"^\$ ", "", block.text, flags=re.MULTILINE)
            subprocess.run(["bash", "-n"], input=script, text=True, check=True, capture_output=True)
        if block.language == "json" and "…" not in block.text and "|" not in block.text:
            for line in block.text.splitlines() if block.text.count("\n{") else [block.text]:
                json.loads(line)
    except (ValueError, subprocess.CalledProcessError) as error:
        return f"{block.page}:{block.line} {error}"
    return ""


@cache
def _help_of(*words: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main([*words, "--help"])
    return printed.getvalue()


def _unknown(words: list[str]) -> list[str]:
    """Return the words of a command that the program doesn't know: a verb, an action or an option."""
    verb, rest = words[0], words[1:]
    if verb.startswith("-"):
        return [] if verb.rstrip(",.") in _help_of() else [verb]
    if verb.rstrip(",.:") not in verbs():
        return [verb]
    text = _help_of(verb)
    actions = re.search(r"ACTION \.\.\.", text) and rest and re.split(r"\|", rest[0])
    unknown = [action for action in actions or [] if not re.search(rf"^ +{action}\b", text, re.MULTILINE)]
    if actions and not unknown:
        text += "".join(_help_of(verb, action) for action in actions)
    options = re.findall(r"(?<![\w-])--[a-z][a-z-]+", " ".join(rest))
    return unknown + [option for option in options if option not in text]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}:{block.line}")
def test_block_parses(block: Block) -> None:
    assert not _flaw(block)


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str) -> None:
    assert not [(words, missing) for words in commands(PAGES[page]) if (missing := _unknown(words))]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert not broken_links(ROOT / page, PAGES[page])


def test_sensors_shown_are_read(tmp_path: Path) -> None:
    shown = [b.text for b in BLOCKS if b.page == "docs/connect.md" and b.language == "toml"]
    assert len(shown) == 1
    assert {sensor.nation for sensor in parse_sensors(shown[0], "docs/connect.md")} == {"KOR", "USA"}


def test_configuration_shown_is_read(tmp_path: Path) -> None:
    shown = [b.text for b in BLOCKS if b.page == "docs/deploy.md" and b.language == "toml"]
    assert len(shown) == 1
    (tmp_path / "feed.toml").write_text(shown[0])
    assert read_config(tmp_path / "feed.toml").config.role == "feed"


@pytest.mark.parametrize(
    ("language", "text"), [("toml", "a ="), ("json", "{"), ("sh", "if true"), ("console", "$ (beaconfire")]
)
def test_a_block_that_does_not_parse_is_found(language: str, text: str) -> None:
    assert _flaw(Block("a.md", 1, language, text + "\n"))


@pytest.mark.parametrize(
    "text",
    [
        "`beaconfire nowhere`",
        "`beaconfire schema --nowhere`",
        "`beaconfire keys make|nowhere`",
        "```console\n$ beaconfire nowhere --x\n```\n",
        "`beaconfire --nowhere`",
    ],
)
def test_a_command_that_is_not_there_is_found(text: str) -> None:
    assert [missing for words in commands(text) if (missing := _unknown(words))]


def test_a_link_that_leads_nowhere_is_found() -> None:
    assert broken_links(ROOT / "a.md", "[x](nowhere/at/all.md)")


def test_the_stage_that_builds_the_pages_fails_for_one_that_is_in_no_list(tmp_path: Path) -> None:
    """With `--quiet` it once passed whatever was missing: what is not logged is not counted."""
    found = re.search(r'\[docs\]="(.*)"', (ROOT / "tools" / "check").read_text())
    assert found
    command = found[1].replace("$bin", f"{Path(sys.executable).parent}").split()
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    whole = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert whole.returncode == 0, whole.stderr[-2_000:]
    (tmp_path / "docs" / "forgotten.md").write_text("# Forgotten\n")
    missing = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert missing.returncode == 1
    assert "forgotten.md" in missing.stderr

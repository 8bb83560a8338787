"""What is pinned satisfies what is declared, with hashes, without addresses, under licences that fit."""

import re
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Pins = Mapping[str, Requirement]

FILES = ("requirements.txt", "requirements-dev.txt")


def _flaws_of_pins(text: str) -> list[str]:
    """Find what is no pin: no exact version, no hash, or the address of an index."""
    blocks = re.split(r"\n(?=\S)", text.strip())
    flaws = [f"not pinned: {block[:60]}" for block in blocks if not re.match(r"[\w.-]+==[\w.]+", block)]
    flaws += [f"no hash: {block[:60]}" for block in blocks if "--hash=sha256:" not in block]
    return flaws + [
        f"an address: {line[:40]}" for line in text.splitlines() if "//" in line or "index" in line
    ]


def _pins(path: Path) -> Pins:
    lines = [line.rstrip("\\ ") for line in path.read_text().splitlines() if "==" in line and line[0] != " "]
    requirements = [Requirement(line) for line in lines]
    return {
        canonicalize_name(each.name): each
        for each in requirements
        if each.marker is None
        or each.marker.evaluate({"python_full_version": "3.11.2", "python_version": "3.11"})
    }


def _declared(root: Path, *groups: str) -> list[Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    words = list(project["project"]["dependencies"])
    for group in groups:
        words += [word for word in project["dependency-groups"][group] if isinstance(word, str)]
    return [Requirement(word) for word in words]


def _unsatisfied(declared: list[Requirement], pins: Pins) -> list[str]:
    return [
        str(each)
        for each in declared
        if (pin := pins.get(canonicalize_name(each.name))) is None
        or not each.specifier.contains(next(iter(pin.specifier)).version)
    ]


@pytest.mark.parametrize("file", FILES)
def test_every_line_is_a_pin_with_hashes_and_no_address(file: str, root: Path) -> None:
    assert not _flaws_of_pins((root / file).read_text())


@pytest.mark.parametrize(
    "text",
    ["numpy>=2 --hash=sha256:0", "numpy==2.4.6", "numpy==2.4.6 --hash=sha256:0\n--index-" + "url https://x"],
)
def test_a_line_that_is_no_pin_is_found(text: str) -> None:
    assert _flaws_of_pins(text)


def test_pins_satisfy_what_the_project_declares(root: Path) -> None:
    assert not _unsatisfied(_declared(root), _pins(root / "requirements.txt"))
    assert not _unsatisfied(_declared(root, "test", "lint", "docs"), _pins(root / "requirements-dev.txt"))


def test_a_dependency_without_a_pin_is_found(root: Path) -> None:
    assert _unsatisfied([Requirement("numpy>=99")], _pins(root / "requirements.txt"))
    assert _unsatisfied([Requirement("nowhere-to-be-found")], _pins(root / "requirements.txt"))


def test_what_runs_is_pinned_alike_in_both_files(root: Path) -> None:
    run, check = (_pins(root / file) for file in FILES)
    assert {name: str(pin.specifier) for name, pin in run.items()} == {
        name: str(check[name].specifier) for name in run if name in check
    }


def test_no_library_at_run_time_is_under_the_gpl(root: Path) -> None:
    found = {}
    for name in _pins(root / "requirements.txt"):
        try:
            about = metadata(name)
        except PackageNotFoundError:
            continue
        words = [*(about.get_all("License-Expression") or []), *(about.get_all("License") or [])]
        words = [word[:200] for word in words]  # the first lines name it; some give the whole text
        words += [each for each in about.get_all("Classifier") or [] if each.startswith("License")]
        if re.search(r"\bA?GPL|General Public", " ".join(words)) and "Lesser" not in " ".join(words):
            found[name] = words
    assert not found

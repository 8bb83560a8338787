"""The mutation gate: the noninterference campaign finds seeded bugs, at least nineteen in twenty of them."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from mutant import Mutant
from release_mutants import MUTANTS

STORIES = 1_200
TWINS = 2
SHARE = 0.95
FRESH = ("release", "audit", "link", "nodes", "sim")
"""Packages imported anew for each mutant."""


class _Patched(Loader):
    """Runs a module's source with a mutant in it."""

    def __init__(self, path: Path, mutant: Mutant) -> None:
        self._path, self._mutant = path, mutant

    def _code(self) -> CodeType:
        text = self._path.read_text(encoding="utf-8")
        for old, new in self._mutant.changes:
            assert text.count(old) == 1, f"{self._mutant.name}: stands {text.count(old)} times: {old}"
            text = text.replace(old, new)
        return compile(text, str(self._path), "exec")

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code(), module.__dict__)


class _Finder(MetaPathFinder):
    """Finds the one module that a mutant changes."""

    def __init__(self, mutant: Mutant, path: Path) -> None:
        self._name, self._loader = f"beaconfire.{mutant.module}", _Patched(path, mutant)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self._loader)


def _is_fresh(name: str) -> bool:
    return name.startswith(tuple(f"beaconfire.{package}" for package in FRESH))


@contextmanager
def mutated(mutant: Mutant) -> Iterator[Any]:
    """Give the campaign's module as it is with a mutant in the source; leave the others as they were."""
    spec = importlib.util.find_spec(f"beaconfire.{mutant.module}")
    assert spec is not None
    assert spec.origin is not None
    kept = {name: module for name, module in sys.modules.items() if _is_fresh(name)}
    finder = _Finder(mutant, Path(spec.origin))
    for name in kept:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module("beaconfire.sim.noninterference")
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_fresh(name)]:
            del sys.modules[name]
        sys.modules.update(kept)


def found_after(mutant: Mutant, stories: int = STORIES) -> int | None:
    """Return the story that gave a mutant away, or None. A node that dies gives it away too."""
    with mutated(mutant) as campaign:
        pairs = campaign.Pairs(twins=TWINS)
        for number in range(stories):
            try:
                pairs.run(number)
            except Exception:  # noqa: BLE001 - a breach, or a node that the bug killed
                return number
    return None


def test_the_list_is_long_and_names_each_bug_once() -> None:
    assert len(MUTANTS) >= 40
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({mutant.changes for mutant in MUTANTS}) == len(MUTANTS)
    assert sum(bool(mutant.missed) for mutant in MUTANTS) <= (1 - SHARE) * len(MUTANTS)


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if not one.missed], ids=lambda one: one.name)
def test_seeded_bug_is_found(mutant: Mutant) -> None:
    assert found_after(mutant) is not None


def test_without_a_bug_nothing_is_found() -> None:
    nothing = Mutant("none", "release.age", (("ROUTINE_SHARE: Final = 10", "ROUTINE_SHARE: Final = 10"),))
    assert found_after(nothing, stories=40) is None

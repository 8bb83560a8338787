"""Each import contract holds, and each fails on a copy of the source with one breach written into it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUN = "from importlinter.cli import lint_imports_command; lint_imports_command()"

BREACHES = {
    "layers": ("messages/words.py", "import beaconfire.nodes.commands"),
    "nodes": ("nodes/hub/node.py", "import beaconfire.nodes.guard"),
    "pure-core": ("link/__init__.py", "import socket"),
    "simulator": ("sim/__init__.py", "import time"),
    "light-nodes": ("link/__init__.py", "import numba"),
    "sealing": ("nodes/guard.py", "import beaconfire.release.seal"),
    "cycles": ("messages/words.py", "import beaconfire.release.label"),
}


@pytest.fixture
def copy_of_source(tmp_path: Path, root: Path) -> Path:
    """Return a folder with the source and the contracts, for a test to spoil."""
    shutil.copytree(
        root / "src" / "beaconfire",
        tmp_path / "beaconfire",
        ignore=shutil.ignore_patterns("__pycache__", "page"),
    )
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def _broken(folder: Path, *only: str) -> subprocess.CompletedProcess[str]:
    contracts = [word for contract in only for word in ("--contract", contract)]
    return subprocess.run(
        [sys.executable, "-c", RUN, "--no-cache", *contracts],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_contract_holds(copy_of_source: Path) -> None:
    done = _broken(copy_of_source)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("contract", BREACHES)
def test_contract_finds_a_breach(contract: str, copy_of_source: Path) -> None:
    file, line = BREACHES[contract]
    path = copy_of_source / "beaconfire" / file
    path.write_text(path.read_text() + f"\n{line}\n")
    done = _broken(copy_of_source, contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


def test_a_package_without_a_layer_is_found(copy_of_source: Path) -> None:
    package = copy_of_source / "beaconfire" / "elsewhere"
    package.mkdir()
    (package / "__init__.py").write_text("")
    done = _broken(copy_of_source, "layers")
    assert done.returncode == 1
    assert "elsewhere" in done.stdout

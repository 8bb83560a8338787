"""What must start light starts light: seen in the modules that are loaded, not by the clock."""

import subprocess
import sys

import pytest

HEAVY = {"numba", "scipy", "numpy", "nats", "starlette", "uvicorn", "rich", "cedarpy", "asyncio", "msgspec"}
NUMERICS = {"numba", "scipy", "llvmlite"}

LOADED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def _loaded_after(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{LOADED}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_nothing_heavy() -> None:
    ask = "from beaconfire.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit: pass"
    assert not _loaded_after(ask) & HEAVY


@pytest.mark.parametrize(
    "module",
    [
        f"beaconfire.{name}"
        for name in ("messages.codec", "nodes.guard", "nodes.hub", "nodes.warning", "nodes.display")
    ],
)
def test_a_light_part_loads_no_numerics(module: str) -> None:
    assert not _loaded_after(f"import {module}") & NUMERICS


def test_a_heavy_part_is_seen_as_heavy() -> None:
    assert "numba" in _loaded_after("import beaconfire.frames.geodesy")

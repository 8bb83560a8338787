"""Every study runs in its short form, holds, draws its picture, and its page shows it."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "studies"
STUDIES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "study")


def _run(script: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), "--short", "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=380)


def test_there_are_studies() -> None:
    assert {"gate", "huber_width", "integration_step", "model_switching"} <= set(STUDIES)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", STUDIES)
def test_study_holds(name: str, tmp_path: Path) -> None:
    done = _run(FOLDER / f"{name}.py", tmp_path)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    assert "<svg" in (tmp_path / f"{name}.svg").read_text()
    assert done.stdout.strip().endswith(".")


@pytest.mark.parametrize("name", STUDIES)
def test_the_page_shows_it(name: str) -> None:
    assert f"{name}.svg" in (FOLDER / "index.md").read_text()
    assert (FOLDER / f"{name}.svg").stat().st_size < 20_000


@pytest.mark.timeout(400)
def test_a_study_whose_figures_do_not_bear_it_out_fails(tmp_path: Path) -> None:
    text = (FOLDER / "integration_step.py").read_text().replace("AIR_WANTED_M = 1.0", "AIR_WANTED_M = 1e-6")
    (tmp_path / "spoilt.py").write_text(text)
    (tmp_path / "study.py").write_text((FOLDER / "study.py").read_text())
    done = _run(tmp_path / "spoilt.py", tmp_path)
    assert done.returncode == 1
    assert "DOES NOT HOLD" in done.stdout

"""The types tell frames, nations and released values apart: each sample fails where it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize("sample", ["frames_mixed_up.py", "messages_mixed_up.py"])
def test_sample_fails_exactly_where_it_says(sample: str, root: Path) -> None:
    path = SAMPLES / sample
    wrong = {n for n, line in enumerate(path.read_text().splitlines(), 1) if line.endswith("# wrong")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            "--follow-imports=silent",
            str(path),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {int(n) for n in re.findall(rf"{sample}:(\d+): error", done.stdout)}
    assert found == wrong, done.stdout + done.stderr

"""Processes whose wall clock is a day off for a while, and then right again."""

import json
import subprocess
import sys

import pytest

from beaconfire.adapters.wrong_clock import why_not

COUNT = 2


@pytest.mark.real
@pytest.mark.timeout(200)
@pytest.mark.skipif(bool(why_not()), reason=f"NOT SHOWN HERE: wrong clocks of processes ({why_not()})")
def test_a_clock_that_was_a_day_ahead_keeps_nobody_out_once_it_is_right_again() -> None:
    command = [sys.executable, "-m", "beaconfire.cli.main", "campaign", "clocks", "--count", str(COUNT)]
    done = subprocess.run([*command, "--json"], capture_output=True, check=False, timeout=190)
    assert done.returncode == 0, done.stderr.decode()[-2_000:] + done.stdout.decode()[-500:]
    found = json.loads(done.stdout)
    assert {trial["place"].split("/")[0] for trial in found["trials"]} == {"hub", "guard"}
    assert found["lost"] == found["missing"] == found["doubled"] == found["turned_away"] == 0
    assert found["acknowledged"] < found["given"], (
        "while its guard's clock is wrong a nation's reports are refused"
    )
    assert all(trial["comeback"]["after_ms"] is not None for trial in found["trials"]), (
        "each was started anew"
    )

"""Every kind of fault on real processes, each nation and hub instance in a network namespace of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from beaconfire.adapters.arena import why_not
from beaconfire.adapters.fault_turns import clocks_for, faults_for
from beaconfire.adapters.installation import Options, make_installation
from beaconfire.messages.words import HUB_INSTANCES, Nation

NATIONS = (Nation("JPN"), Nation("KOR"), Nation("USA"))
COUNT = 8


def test_wrong_clocks_have_their_turn_at_every_hub_and_guard(tmp_path: Path) -> None:
    made = make_installation(tmp_path / "here", nations=NATIONS, options=Options())
    faults = list(clocks_for(made, 30))
    assert len(set(faults)) == 30
    assert {one.place for one in faults[:5]} == {
        *(f"hub/{hub}" for hub in HUB_INSTANCES),
        *(f"guard/{nation}" for nation in NATIONS),
    }
    assert list(clocks_for(made, 3, first=29)) == [faults[29], *faults[:2]], "after the last comes the first"


@pytest.mark.real
@pytest.mark.timeout(280)
@pytest.mark.skipif(bool(why_not()), reason=f"NOT SHOWN HERE: kills, pauses, cuts, slow links ({why_not()})")
def test_nothing_acknowledged_is_lost_and_nothing_doubled_through_eight_faults() -> None:
    command = [sys.executable, "-m", "beaconfire.cli.main", "campaign", "faults", "--count", str(COUNT)]
    done = subprocess.run([*command, "--json"], capture_output=True, check=False, timeout=270)
    assert done.returncode == 0, done.stderr.decode()[-2_000:] + done.stdout.decode()[-500:]
    found = json.loads(done.stdout)
    assert found["faults"] == COUNT
    assert found["lost"] == found["missing"] == found["doubled"] == 0
    assert found["acknowledged"] > 200
    assert found["arrived"] >= found["acknowledged"], "each goes to two others"
    assert {trial["kind"] for trial in found["trials"]} == {"kill", "pause", "partition", "slow"}
    assert all(trial["gap_ms"] is not None for trial in found["trials"])


def test_every_process_server_and_link_has_its_turn(tmp_path: Path) -> None:
    made = make_installation(tmp_path / "here", nations=NATIONS, options=Options())
    faults = list(faults_for(made, 60))
    assert len(set(faults)) >= 30
    assert list(faults_for(made, 20, first=17)) == faults[17:37], "a campaign that was ended goes on there"
    places = {one.place for one in faults}
    assert places >= {*HUB_INSTANCES, *NATIONS}
    assert places >= {f"{role}/{nation}" for role in ("guard", "picture", "server") for nation in NATIONS}
    assert places >= {f"{role}/{hub}" for role in ("hub", "server") for hub in HUB_INSTANCES}
    assert {one.kind for one in faults[:COUNT]} == {"kill", "pause", "partition", "slow"}

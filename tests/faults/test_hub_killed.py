"""Kill one hub, then both, servers too, in flight: no gap, then alone and said; nothing lost or doubled."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beaconfire.adapters.clock import read_clock, wall_now_us
from beaconfire.adapters.journal import recorded_inputs
from beaconfire.nodes.commands import Channel

SPEED = "30"
DEADLINE_S = 240.0
OUTAGE_S = 5.0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    command = ["-m", "beaconfire.cli.main", "demo", "--headless", "--speed", SPEED, "--flight", "2022-10-04"]
    options = ["--recording", str(tmp_path / "recording"), "--json", str(tmp_path / "summary.json")]
    process = subprocess.Popen(
        [sys.executable, *command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    yield process
    process.terminate()
    process.wait(30)


def _pids(needle: str, recording: Path) -> list[int]:
    """Return the processes of this recording whose command line holds `needle`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(needle in word for word in words) and any(str(recording) in word for word in words):
            found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def _kill_for(seconds: float, needle: str, recording: Path) -> int:
    """Kill what matches, and kill it again each time it is back, for a while; returns how often."""
    killed = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for pid in _pids(needle, recording):
            os.kill(pid, signal.SIGKILL)
            killed += 1
        time.sleep(0.05)
    return killed


def _until(process: "subprocess.Popen[str]", words: tuple[str, ...], said: list[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if all(word in line for word in words):
            return
    pytest.fail("the demo ended before it said " + " ".join(words) + ":\n" + "".join(said[-20:]))


@pytest.mark.timeout(DEADLINE_S)
def test_first_one_hub_and_then_both_are_killed_in_mid_flight(
    demo: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    """With one hub gone reports go on arriving and nobody is alone; with both, Japan says that it is."""
    recording = tmp_path / "recording"
    said: list[str] = []
    _until(demo, ("JPN", "confirmed"), said)
    before = len(_notices(recording))

    began_us = wall_now_us()
    assert _kill_for(OUTAGE_S, "HUB-1/", recording) > 1
    ended_us = wall_now_us()
    one_gone = _notices(recording)[before:]
    assert any("hub-instance-down" in line for line in one_gone), one_gone
    assert not any("link-down" in line for line in one_gone), "one hub was not enough"
    assert _revised_from_a_partner(recording, began_us, ended_us), "one hub was not enough"

    began_us = wall_now_us()
    assert _kill_for(OUTAGE_S, "HUB-", recording) > 3
    ended_us = wall_now_us()

    rest, _ = demo.communicate(timeout=DEADLINE_S)
    said.append(rest)
    assert demo.returncode == 0, "".join(said)[-2_000:]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["lost"] == 0
    assert summary["doubled"] == 0
    assert summary["released"] > 0
    both_gone = _notices(recording)[before + len(one_gone) :]
    assert any("link-down" in line for line in both_gone), "Japan did not say that it was alone"
    assert any("link-up" in line for line in both_gone), "the link did not come back by itself"
    assert _revised_from_own_sensors(recording, began_us, ended_us) > 0, "Japan's picture stood still"


def _notices(recording: Path) -> list[str]:
    return (recording / "JPN" / "picture.log").read_text().splitlines()


def _revised_from_a_partner(recording: Path, from_wall_us: int, until_wall_us: int) -> bool:
    """Return whether Japan's picture took a partner's report between two moments, long after the first.

    It is read from the journal of the running picture: what each report it took says of when it came.
    """
    clock = read_clock(recording / "clock.json")
    middle_us = (from_wall_us + until_wall_us) // 2
    taken = [
        one.utc_us
        for one in recorded_inputs(recording / "JPN" / "picture.journal")
        if one.channel == Channel.TO_NATION.value and b"delivery" in one.body[:20]
    ]
    return any(clock.utc_at(middle_us) <= utc_us <= clock.utc_at(until_wall_us) for utc_us in taken)


def _revised_from_own_sensors(recording: Path, from_wall_us: int, until_wall_us: int) -> int:
    """Return how many revisions Japan's picture made of its own sensors' reports between two moments."""
    clock = read_clock(recording / "clock.json")
    lines = (recording / "JPN" / "events.jsonl").read_text().splitlines()
    return sum(
        clock.utc_at(from_wall_us) <= event["as_of_us"] <= clock.utc_at(until_wall_us)
        and "JPN" in event["contributors"]
        for event in map(json.loads, lines)
    )

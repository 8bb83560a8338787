"""Kill the hub and its server in mid-flight: Japan warns alone and says so; nothing is lost or doubled."""

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
def test_the_hub_and_its_server_are_killed_in_mid_flight(
    demo: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    recording = tmp_path / "recording"
    said: list[str] = []
    _until(demo, ("JPN", "confirmed"), said)
    before = len((recording / "JPN" / "picture.log").read_text().splitlines())

    began_us = wall_now_us()
    assert _kill_for(OUTAGE_S, "HUB/hub.json", recording) > 0
    ended_us = wall_now_us()
    assert _kill_for(1.0, "HUB/server.conf", recording) > 0

    rest, _ = demo.communicate(timeout=DEADLINE_S)
    said.append(rest)
    assert demo.returncode == 0, "".join(said)[-2_000:]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["lost"] == 0
    assert summary["doubled"] == 0
    assert summary["released"] > 0
    picture = (recording / "JPN" / "picture.log").read_text().splitlines()[before:]
    assert any("link-down" in line for line in picture), "Japan did not say that it was alone"
    assert any("link-up" in line for line in picture), "the link did not come back by itself"
    assert _revised_from_own_sensors(recording, began_us, ended_us) > 0, "Japan's picture stood still"


def _revised_from_own_sensors(recording: Path, from_wall_us: int, until_wall_us: int) -> int:
    """Return how many revisions Japan's picture made of its own sensors' reports between two moments."""
    clock = read_clock(recording / "clock.json")
    lines = (recording / "JPN" / "events.jsonl").read_text().splitlines()
    return sum(
        clock.utc_at(from_wall_us) <= event["as_of_us"] <= clock.utc_at(until_wall_us)
        and "JPN" in event["contributors"]
        for event in map(json.loads, lines)
    )

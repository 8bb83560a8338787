"""Three hundred tracks of three nations at one report a second, then ten times that: what arrives, and when.

    .venv/bin/python benchmarks/load.py [--seconds N] [--burst N] [--tracks N] [--json]

A real installation on loopback: two hub instances, guards, pictures, five servers. The nations' own trackers
are played: each track states itself once a second, and one track of each nation changes its stage every
second, which makes a FLASH. What is timed begins when a report is handed to its nation's server and ends when
the picture of *another* nation takes it, by its recording; what fusing costs is in `latency.py`. Then the
bytes that the guards sent to the first hub go once more over bare servers with equal commits
(`bare_chain.py`). Memory is that of each process, from the end of the first ten seconds. Held: every FLASH
arrives, in the burst too; ROUTINE may be replaced by what is newer, and the newest of each track arrives.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from bare_chain import Bare, Sent
from latency import _bare, _figures, _ratio, _sent_by_guards
from rich.console import Console

from beaconfire.adapters.bus import Bus, Endpoint
from beaconfire.adapters.clock import wall_now_us
from beaconfire.adapters.fault_turns import ROLES
from beaconfire.adapters.installation import Installation, make_installation
from beaconfire.adapters.journal import recorded_inputs
from beaconfire.adapters.loopback import Loopback
from beaconfire.adapters.wiring import Line, Role, Server
from beaconfire.cli.campaign_faults import NATIONS, notional_report
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.estimate import Ellipse, LaunchEstimate
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import Lane, Nation
from beaconfire.nodes.commands import Channel

SETTLE_S: Final = 10.0
DRAIN_S: Final = 15.0
BURST: Final = 10
P50_PROMISED_MS: Final = 100.0
P99_PROMISED_MS: Final = 500.0
GROWTH_MAX_MB: Final = 64.0


class Run:
    """What was sent and what was heard, by report.

    Attributes:
        sent: report id to when, in which phase, whether it was FLASH, and its track.
        heard: (nation, report id) to when.
    """

    def __init__(self, installation: Installation, tracks: int) -> None:
        self.sent: dict[str, tuple[int, str, bool, str]] = {}
        self.heard: dict[tuple[str, str], int] = {}
        self._installation = installation
        self._each = tracks // len(NATIONS)
        self._buses: dict[Nation, Bus] = {}

    async def open(self) -> None:
        """Connect as each nation's tracker."""
        for nation in NATIONS:
            server = next(one for one in self._installation.servers if one.party == nation)
            seed = self._installation.directory / nation / "keys" / f"home-{Role.FEED.value}.seed"
            url = f"nats://{server.host}:{server.port}"
            bus = Bus(nation, Role.FEED, [Endpoint(Line(Server.HOME, nation, None), url, seed)])
            await bus.open(lambda _heard, _body: None)
            self._buses[nation] = bus

    def read(self) -> None:
        """Read from the recordings when each report came to each picture first."""
        for nation in NATIONS:
            for one in recorded_inputs(self._installation.journal(Role.PICTURE, nation)):
                if one.channel == Channel.TO_NATION.value:
                    message = decode(one.body)
                    if isinstance(message, Delivery):
                        self.heard.setdefault((nation, message.report_id), one.utc_us)

    async def phase(self, name: str, seconds: int, rate: int) -> None:
        """Send for so long, each track so often a second, evenly spread."""
        number, start_us = 0, wall_now_us()
        count = self._each * rate
        for step in range(seconds * count):
            due_us = start_us + step * 1_000_000 // count
            await asyncio.sleep(max(0.0, (due_us - wall_now_us()) / 1e6))
            for nation in NATIONS:
                self._say(nation, step % self._each, step // self._each + number, name)

    def _say(self, nation: Nation, track: int, number: int, phase: str) -> None:
        """State one track; the first of each nation changes its stage every time."""
        flash = track == 0
        now_us = wall_now_us()
        report = notional_report(nation, number if flash else 1, now_us)
        launch = LaunchEstimate(now_us - 60_000_000, 5.0, _area(nation, track))
        name = f"{nation}-{track:04X}"
        report = msgspec.structs.replace(
            report, track=name, launch_point=launch, report_id=f"{report.report_id[:24]}{track:08x}"
        )
        assert isinstance(report, Report)
        lane = Lane.FLASH if flash else Lane.ROUTINE
        self._buses[nation].publish(Channel.OWN_REPORT, nation, lane, ("report", encode(report)))
        self.sent[report.report_id] = (now_us, phase, flash, name)

    def delays_ms(self, phase: str, *, flash: bool) -> tuple[list[float], int]:
        """Return how long each report of a phase took to each other nation's event, and how many were due."""
        chosen = {
            one: at
            for one, (at, name, is_flash, _) in self.sent.items()
            if (name, is_flash) == (phase, flash)
        }
        found = [
            (self.heard[nation, report] - at_us) / 1_000.0
            for report, at_us in chosen.items()
            for nation in NATIONS
            if (nation, report) in self.heard and not self.sent[report][3].startswith(nation)
        ]
        return found, 2 * len(chosen)

    def unheard_newest(self) -> int:
        """Return of how many tracks the newest report was not heard in both other nations."""
        newest = {track: report for report, (_, _, _, track) in self.sent.items()}
        return sum(
            (nation, report) not in self.heard
            for track, report in newest.items()
            for nation in NATIONS
            if not track.startswith(nation)
        )


def _area(nation: Nation, track: int) -> Ellipse:
    row, column = divmod(track, 10)
    place = NATIONS.index(nation)
    return Ellipse(0.2 + 0.08 * row, -2.0 + 0.08 * column + 1.3 * place, 9_000.0, 9_000.0, 0.0, 0.95)


def _taken_per_s(made: Installation, from_us: int, seconds: int) -> dict[str, float]:
    """Return how many reports and deliveries a process of each role took in a second of the steady phase."""
    found = {}
    for role, party in ((Role.GUARD, NATIONS[0]), (Role.HUB, made.hubs[0]), (Role.PICTURE, NATIONS[0])):
        until_us = from_us + seconds * 1_000_000
        inputs = (
            one for one in recorded_inputs(made.journal(role, party)) if from_us <= one.utc_us < until_us
        )
        taken = sum(b"report" in one.body[:20] or b"delivery" in one.body[:20] for one in inputs)
        found[f"{role.value}/{party}"] = round(taken / seconds, 1)
    return found


def _memory_mb(arena: Loopback) -> dict[str, float]:
    found = {}
    for name, runner in arena.runners.items():
        if runner.pid is not None:
            status = Path(f"/proc/{runner.pid}/status").read_text(encoding="ascii")
            kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]
            found[name] = round(int(kilobytes) / 1_024, 1)
    return found


def _processor_s(arena: Loopback) -> dict[str, float]:
    """Return how long each process has had a processor, seconds."""
    found = {}
    for name, runner in arena.runners.items():
        if runner.pid is not None:
            fields = Path(f"/proc/{runner.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            found[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


async def _measure(
    made: Installation, arena: Loopback, arguments: argparse.Namespace
) -> tuple[Run, dict[str, list[float]], dict[str, float], int]:
    run = Run(made, arguments.tracks)
    await run.open()
    await run.phase("settling", round(SETTLE_S), 1)
    before, spent_s, from_us = _memory_mb(arena), _processor_s(arena), wall_now_us()
    await run.phase("steady", arguments.seconds, 1)
    middle, until_s = _memory_mb(arena), _processor_s(arena)
    reports = arguments.seconds * (arguments.tracks // len(NATIONS)) * len(NATIONS)
    each_ms = {one: round(1e3 * (until_s[one] - spent_s[one]) / reports, 3) for one in spent_s}
    await run.phase("burst", arguments.burst, BURST)
    await run.phase("after", 2, 1)
    await asyncio.sleep(DRAIN_S)
    after = _memory_mb(arena)
    return run, {name: [before[name], middle[name], after[name]] for name in before}, each_ms, from_us


def _result(run: Run, bare: Bare, messages: list[Sent], memory: dict[str, list[float]]) -> dict[str, object]:
    phases: dict[str, dict[str, object]] = {}
    for phase in ("steady", "burst"):
        for lane in ("FLASH", "ROUTINE"):
            delays, due = run.delays_ms(phase, flash=lane == "FLASH")
            phases[f"{phase} {lane}"] = {**_figures(delays), "due": due}
    steady, theirs = phases["steady ROUTINE"], _figures(bare.delays_ms)
    return {
        "phases": phases,
        "bare": {**theirs, "messages": len(messages), "bytes": bare.sent_bytes, "missing": bare.missing},
        "ratio": {name: _ratio(steady[name], theirs[name]) for name in ("p50_ms", "p99_ms")},
        "newest_not_heard": run.unheard_newest(),
        "memory_mb": memory,
    }


def main() -> int:
    """Print what arrived and when; returns 1 if a promise is broken."""
    parser = argparse.ArgumentParser(
        description="reports of many tracks to the partners' pictures, then a burst"
    )
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--burst", type=int, default=10, help="seconds at ten times the rate")
    parser.add_argument("--tracks", type=int, default=300, help="of all three nations together")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.seconds < 1 or not 1 <= arguments.burst <= 60 or not 6 <= arguments.tracks <= 300:
        parser.error("--seconds from 1, --burst 1 to 60, --tracks 6 to 300")
    with tempfile.TemporaryDirectory(prefix="beaconfire-load-") as name:
        made = make_installation(Path(name) / "installation", nations=NATIONS)
        arena = Loopback(made, ROLES)
        try:
            arena.open()
            run, memory, each_ms, from_us = asyncio.run(_measure(made, arena, arguments))
        finally:
            arena.close()
        run.read()
        taken = _taken_per_s(made, from_us, arguments.seconds)
        ends_s = float(arguments.seconds)
        messages = [one for one in _sent_by_guards(made, from_us) if one.after_s < ends_s]
        bare = _bare(Path(name) / "bare", messages, Console(stderr=True))
    result = _result(run, bare, messages, memory) | {"taken_per_s": taken, "processor_ms": each_ms}
    phases = result["phases"]
    assert isinstance(phases, dict)
    steady = phases["steady ROUTINE"]
    kept = (steady["p50_ms"] or 1e9) <= P50_PROMISED_MS and (steady["p99_ms"] or 1e9) <= P99_PROMISED_MS
    whole = all(one["n"] == one["due"] for key, one in phases.items() if key.endswith("FLASH"))
    flat = all(after - before <= GROWTH_MAX_MB for before, after, _ in memory.values())
    passed = kept and whole and flat and not result["newest_not_heard"]
    if arguments.json:
        print(json.dumps({**result, "passed": passed}))
        return 0 if passed else 1
    for key, one in phases.items():
        print(
            f"{key:16} {one['n']:>8} of {one['due']:>8} taken, p50 {one['p50_ms']} ms, p99 {one['p99_ms']} ms"
        )
    print(f"bare {result['bare']}\nratio {result['ratio']}\nnewest not heard {result['newest_not_heard']}")
    print(f"taken in a second of the steady phase {result['taken_per_s']}")
    print(
        f"processor for each report of the steady phase {sum(each_ms.values()):.2f} ms, by process {each_ms}"
    )
    for key, (first, middle, last) in memory.items():
        print(f"{key:16} {first:8.1f} MB, {middle:8.1f} MB before the burst, {last:8.1f} MB after")
    print("kept" if passed else "NOT KEPT")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

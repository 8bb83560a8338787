"""What release takes of a plot's way to a partner's picture in the main job.

    .venv/bin/python benchmarks/release_share.py [--flight ID] [--runs N] [--seconds N] [--json]

The nodes of `beaconfire demo` fly a flight of the catalogue under all three arrangements in one process
without servers: tracker, guard, hub, picture. Timed within them, in processor time, is what release does: at
the guard deciding, sealing, signing and the second check; at the hub verifying and opening, then for each
partner deciding, sanitising, encoding, signing and the second check. All of it lies on the way of one report.
Then the way itself is measured in wall time in a real installation, as `latency.py` does, with one object for
three nations. Promised: release takes under 10 % of that. The share of the nodes' processor time alone, with
no server, journal or wait in it, is printed beside. `--seconds 0` leaves the installation out.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from latency import measure
from rich.console import Console

from beaconfire.cli.assess import shipped_agreements
from beaconfire.formats.places import shipped_places
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.words import Sharing
from beaconfire.nodes import guard
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode, passage
from beaconfire.nodes.picture import PictureNode
from beaconfire.release import decide
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.chain import Chain, ChainPlan, default_rules, nations_of
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.nationals import run_nationals
from beaconfire.sim.sharing import run_chain
from beaconfire.sim.world import World, build_world

FLIGHT: Final = "2022-10-04"
SHARE_PROMISED: Final = 0.10
DELAY_US: Final = 200_000
SEED: Final = 1
SHARE: Final = "share of release in plot to picture"

NODES: Final = (
    ("guard", GuardNode, ("receive", "tick")),
    ("hub", HubNode, ("receive", "tick")),
    ("picture", PictureNode, ("receive", "tick")),
)
RELEASE: Final = (
    ("release at the guard", guard, "release_to_hub"),
    ("opening at the hub", passage, "open_sealed"),
    ("release at the hub", passage, "release_to_partner"),
    ("second check, within these", decide, "flaw_in_outgoing"),
    ("second check, within these", decide, "flaw_towards_hub"),
)


class Meter:
    """Processor time by name, and how often."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)

    def timed(self, name: str, what: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same and is timed."""

        def doing(*given: Any, **named: Any) -> Any:
            started = time.process_time()
            try:
                return what(*given, **named)
            finally:
                self.seconds[name] += time.process_time() - started
                self.calls[name] += 1

        return doing

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Time all nodes and what release does in them, for a while."""
        places = [(name, owner, one) for name, owner, ones in NODES for one in ones]
        kept = [(owner, one, getattr(owner, one)) for _, owner, one in (*places, *RELEASE)]
        for name, owner, one in (*places, *RELEASE):
            setattr(owner, one, self.timed(name, getattr(owner, one)))
        try:
            yield
        finally:
            for owner, one, before in kept:
                setattr(owner, one, before)


def fly(world: World, chain: Chain) -> Meter:
    """Return what one run took."""
    meter = Meter()
    nationals = meter.timed("tracker", run_nationals)(world.detections, world.sensors, SEED)
    meter.calls["tracker"] = len(nationals.reports)
    with meter.in_place():
        run_chain(chain, nationals.reports, DELAY_US)
    return meter


def chain_of(world: World) -> Chain:
    """Return the nodes of the main job."""
    nations = nations_of(world.sensors)
    return Chain(
        ChainPlan(
            nations=nations,
            places=shipped_places(),
            agreements=shipped_agreements(SEED)[Sharing.TRILATERAL.value],
            rules=default_rules(nations),
            seed=SEED,
            warnings=False,
        )
    )


def figures(meter: Meter) -> dict[str, float]:
    """Return milliseconds a report for each part, and the share of release."""
    reports = meter.calls["tracker"]
    found = {f"{name}, ms a report": 1e3 * taken / reports for name, taken in meter.seconds.items()}
    whole = sum(meter.seconds[name] for name in ("tracker", "guard", "hub", "picture"))
    release = sum(meter.seconds[name] for name, _, _ in RELEASE[:3])
    found["the whole way, ms a report"] = 1e3 * whole / reports
    found["release, ms a report"] = 1e3 * release / reports
    found["share of the nodes' processor time"] = release / whole
    found["share of it of the second check"] = meter.seconds["second check, within these"] / whole
    for name, _, _ in RELEASE[:4]:
        found[f"{name}, us a message"] = 1e6 * meter.seconds[name] / max(meter.calls[name], 1)
    return found


def plot_to_picture_ms(seconds: int) -> float:
    """Return the median time from a plot to a partner's picture in an installation, milliseconds."""
    with tempfile.TemporaryDirectory(prefix="beaconfire-share-") as folder:
        measured = asyncio.run(measure(Path(folder), (1, seconds), 0.0, Console(stderr=True)))
    return median(measured.delays_ms)


def main() -> int:
    """Print the table; returns 1 if release takes more than promised."""
    parser = argparse.ArgumentParser(
        description="what release takes of the way from plot to partner's picture"
    )
    parser.add_argument("--flight", default=FLIGHT)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20, help="in the installation; 0 leaves it out")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    world = build_world([flight_of_launch(find_launch(arguments.flight))], shipped_sensors(), SEED)
    fly(world, chain_of(world))
    runs = [figures(fly(world, chain_of(world))) for _ in range(max(1, arguments.runs))]
    found = {name: median(run[name] for run in runs) for name in runs[0]}
    if arguments.seconds:
        way_ms = plot_to_picture_ms(arguments.seconds)
        found["plot to a partner's picture, p50, ms"] = way_ms
        found[SHARE] = found["release, ms a report"] / way_ms
    if arguments.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:48} {value:10.3f}")
    return int(found.get(SHARE, 0.0) >= SHARE_PROMISED)


if __name__ == "__main__":
    sys.exit(main())

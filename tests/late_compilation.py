"""What of the numerics is compiled only in the course of a flight: run as a process of its own.

Usage: python late_compilation.py FLIGHT WARMED RUN, each of the last two national or picture: what warms up,
and whose part of the flight is then run. Prints JSON, the late signatures by function. With only a FLIGHT it
writes what sensors and nations say of it, for a run that is to fly and track nothing beside its own part.
"""

import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import msgspec
from numba.core.dispatcher import Dispatcher

import beaconfire
from beaconfire.adapters.warming_picture import warm_up_picture
from beaconfire.adapters.warming_tracker import warm_up_tracker
from beaconfire.cli.assess import shipped_agreements
from beaconfire.formats.places import shipped_places
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.detection import Detection
from beaconfire.messages.words import Sharing
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.chain import Chain, ChainPlan, default_rules, nations_of
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.nationals import OwnReport, run_nationals
from beaconfire.sim.sharing import run_chain
from beaconfire.sim.world import build_world

COMPUTING = ("alerting", "flight", "frames", "fusion", "tracking")
LIVE_S = 260.0


def compiled() -> dict[str, set[str]]:
    """Return what each compiled function of the numerics has been called with in this process."""
    found: dict[str, set[str]] = {}
    for part in COMPUTING:
        folder = Path(beaconfire.__file__).parent / part
        for module in pkgutil.iter_modules([str(folder)]):
            full = f"beaconfire.{part}.{module.name}"
            for name, value in vars(import_module(full)).items():
                if isinstance(value, Dispatcher) and value.__module__ == full:
                    found[f"{full}.{name}"] = {str(one) for one in value.signatures}
    return found


class Flight(msgspec.Struct):
    """A catalogue flight up to `LIVE_S` after its launch: what sensors saw, what their nations said of it."""

    seen: list[Detection]
    reports: list[OwnReport]


def flown(flight: str) -> Flight:
    """Fly it and track it; compiles whatever that takes."""
    sensors = shipped_sensors()
    world = build_world([flight_of_launch(find_launch(flight))], sensors, 1)
    until_us = world.first_launch_us + round(LIVE_S * 1e6)
    seen = [one for one in world.detections if one.measured_at_us < until_us]
    return Flight(seen, run_nationals(seen, sensors, 1).reports)


def flown_elsewhere(flight: str) -> Flight:
    """Return a flight from a process that flies and tracks it, so that this one need not."""
    done = subprocess.run([sys.executable, __file__, flight], capture_output=True, check=True)
    return msgspec.msgpack.decode(done.stdout, type=Flight)


def fuse(reports: list[OwnReport]) -> None:
    """Run the pictures of all three nations, each sharing with the others."""
    nations = nations_of(shipped_sensors())
    agreements = shipped_agreements(1)[Sharing.TRILATERAL.value]
    plan = ChainPlan(nations, shipped_places(), agreements, default_rules(nations), 1, warnings=False)
    run_chain(Chain(plan), reports, 200_000)


def main(flight: str, warmed: str, ran: str) -> None:
    """Warm up as a role does, then run a role's part of the flight."""
    given = flown_elsewhere(flight)
    if warmed == "picture":
        warm_up_picture()
    else:
        warm_up_tracker()
    before = compiled()
    if ran == "picture":
        fuse(given.reports)
    else:
        run_nationals(given.seen, shipped_sensors(), 1)
    late = {name: sorted(found - before[name]) for name, found in compiled().items() if found - before[name]}
    print(json.dumps(late))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.stdout.buffer.write(msgspec.msgpack.encode(flown(sys.argv[1])))
    else:
        main(*sys.argv[1:])

"""What of the numerics is compiled only in the course of a flight: run as a process of its own.

Usage: python late_compilation.py FLIGHT national|picture; prints JSON, the late signatures by function.
"""

import json
import pkgutil
import sys
from importlib import import_module
from pathlib import Path

from numba.core.dispatcher import Dispatcher

import beaconfire
from beaconfire.adapters import warming
from beaconfire.cli.assess import shipped_agreements
from beaconfire.formats.places import shipped_places
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.words import Sharing
from beaconfire.sim.assessment import Task, assess
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch
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


def main(flight: str, role: str) -> None:
    """Warm up as a role does, then assess the flight up to `LIVE_S` after its launch."""
    sensors = shipped_sensors()
    world = build_world([flight_of_launch(find_launch(flight))], sensors, 1)
    until_us = world.first_launch_us + round(LIVE_S * 1e6)
    seen = [one for one in world.detections if one.measured_at_us < until_us]
    warming.warm_up(picture=role == "picture")
    before = compiled()
    main = Sharing.TRILATERAL.value
    assess(seen, Task(sensors, shipped_places(), {main: shipped_agreements(1)[main]}, main, 1, 200_000))
    late = {name: sorted(found - before[name]) for name, found in compiled().items() if found - before[name]}
    print(json.dumps(late))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Three hundred tracks at ten plots a second each: does the national tracker keep pace on one core?

    .venv/bin/python benchmarks/tracks_at_rate.py [--tracks N] [--seconds N] [--rate HZ] [--json]

The promise is an hour of it with room to spare. A shorter stretch is flown: ten objects a second appear at
each tracker until all are there; five seconds later the load factor, seconds of processor for each second
flown, begins to be counted. From there on a second costs what any later second of the hour costs, but for the
plots kept, which grow to the tracker's own bound within half a minute. More tracks than one tracker's bound
are shared out over several. Memory is taken from the process: growth for each track over what is counted.

The nation's own picture takes each report at once. Beside the load of the tracker stands how long, in one
process, it is from a plot until the event that rests on it has its impact: promised under 50 ms in 99 of 100.
"""

import argparse
import json
import math
import resource
import sys
import time
from typing import Final

import numpy as np

from beaconfire.analysis.summary import percentile
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.fusion.picture import Picture
from beaconfire.fusion.source import Source
from beaconfire.messages.detection import Plot
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Mode, Nation
from beaconfire.sim.sensing import radar_view
from beaconfire.tracking.tracker import TRACKS_MAX, Tracker

HOUR_S: Final = 3_600
START_US: Final = 1_700_000_000_000_000
SEED: Final = 3
SPACING_RAD: Final = math.radians(0.25)
TRACKS_LIMIT: Final = 5_000
SECONDS_LIMIT: Final = 600
APPEAR_HZ: Final = 10.0
SETTLE_S: Final = 5.0
GROWTH_MAX_KB: Final = 64.0
NATION: Final = Nation("KOR")


def radar(number: int) -> Radar:
    """Return one of several equal notional radars, one for each tracker."""
    return Radar(
        sensor=f"rate-{number}",
        nation=NATION,
        latitude_rad=math.radians(36.5),
        longitude_rad=math.radians(128.5),
        height_m=100.0,
        sigma_range_m=30.0,
        sigma_azimuth_rad=5e-4,
        sigma_elevation_rad=5e-4,
        maximum_range_m=4e6,
    )


def objects(count: int) -> np.ndarray:
    """Return states of seven, shape (count, 7), ECEF: a grid 400 km up, going east."""
    side = math.ceil(math.sqrt(count))
    states = np.empty((count, 7))
    for number in range(count):
        row, column = divmod(number, side)
        place = Geodetic(
            math.radians(36.0) + SPACING_RAD * row, math.radians(131.0) + SPACING_RAD * column, 4e5
        )
        rotation = np.asarray(enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad))
        states[number] = (*ecef_from_geodetic(place), *(rotation.T @ (3_000.0, 200.0, 900.0)), -8.0)
    return states


def plots(sensor: Radar, states: np.ndarray, at_us: int, draw: np.random.Generator) -> list[Plot]:
    """Return one plot of each object."""
    view = radar_view(sensor, states)
    noise = draw.standard_normal((len(states), 3))
    return [
        Plot(
            sensor.sensor,
            at_us,
            float(view.range_m[k] + noise[k, 0] * sensor.sigma_range_m),
            float((view.azimuth_rad[k] + noise[k, 1] * sensor.sigma_azimuth_rad) % (2.0 * math.pi)),
            float(view.elevation_rad[k] + noise[k, 2] * sensor.sigma_elevation_rad),
            None,
        )
        for k in range(len(states))
    ]


def _peak_kb() -> float:
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


class Part:
    """One tracker with its radar and its share of the objects."""

    def __init__(self, number: int, states: np.ndarray) -> None:
        """Take the number of the tracker and its objects."""
        self.radar, self.states = radar(number), states
        self.tracker = Tracker([self.radar], NATION, bytes([number]) * 32)
        self.picture = Picture(
            NATION, Mode.SIMULATED, secret=bytes([number]) * 32, sharing=None, places_of=lambda _, __: ()
        )
        self.held = 0
        self.impact_ms: list[float] = []

    def step(self, at_us: int, gap_s: float, draw: np.random.Generator) -> float:
        """Move the objects, give the tracker one scan, and return the processor seconds it took over it."""
        self.states = np.array([propagate_kernel(one, gap_s, 1.0) for one in self.states])
        there = math.ceil(APPEAR_HZ * (at_us - START_US) / 1e6)
        seen = plots(self.radar, self.states[: max(1, there)], at_us, draw)
        started, began = time.process_time(), time.perf_counter()
        self.tracker.add(seen, at_us)
        reports = self.tracker.step(at_us)
        taken = time.process_time() - started
        self.held = len(self.tracker.tracks)
        self.impact_ms = []
        for report in reports:
            revised = self.picture.accept(Source(report, (), at_us), at_us)
            if any(one.event.impact for one in revised):
                self.impact_ms.append(1e3 * (time.perf_counter() - began))
        return taken


def share_of(tracks: int) -> int:
    """Return how many tracks each tracker holds: as few trackers as its own bound allows."""
    return -(-tracks // -(-tracks // TRACKS_MAX))


def measure(tracks: int, seconds: int, rate_hz: float) -> dict[str, float]:
    """Return the load factor and what goes with it."""
    share = share_of(tracks)
    states, draw = objects(tracks), np.random.default_rng(SEED)
    parts = [Part(n, states[first : first + share]) for n, first in enumerate(range(0, tracks, share))]
    scans, gap_s = round(seconds * rate_hz), 1.0 / rate_hz
    counted = round((share / APPEAR_HZ + SETTLE_S) * rate_hz)
    taken, impact_ms, middle_kb = [], list[float](), 0.0
    for scan in range(scans):
        at_us = START_US + round(1e6 * scan * gap_s)
        taken.append(sum(part.step(at_us, gap_s, draw) for part in parts))
        if scan >= counted:
            impact_ms += [one for part in parts for one in part.impact_ms]
        if scan == counted:
            middle_kb = _peak_kb()
    late = taken[counted:]
    return {
        "tracks": tracks,
        "held": sum(part.held for part in parts),
        "trackers": len(parts),
        "rate_hz": rate_hz,
        "flown_s": seconds,
        "counted_s": len(late) * gap_s,
        "load_factor": sum(late) / (len(late) * gap_s),
        "hour_would_take_s": HOUR_S * sum(late) / (len(late) * gap_s),
        "scan_ms_p50": 1e3 * float(np.median(late)),
        "scan_ms_max": 1e3 * max(late),
        "impacts": len(impact_ms),
        "plot_to_impact_ms_p50": percentile(impact_ms, 0.5) or math.nan,
        "plot_to_impact_ms_p99": percentile(impact_ms, 0.99) or math.nan,
        "kb_growth_a_track": (_peak_kb() - middle_kb) / tracks,
    }


def main() -> int:
    """Print the load factor; returns 1 if it is one or more, a track was lost, or memory grew."""
    parser = argparse.ArgumentParser(description="does the tracker keep pace")
    parser.add_argument("--tracks", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not (1 <= arguments.tracks <= TRACKS_LIMIT and 2 <= arguments.seconds <= SECONDS_LIMIT):
        parser.error(f"--tracks at most {TRACKS_LIMIT}, --seconds at most {SECONDS_LIMIT}")
    if arguments.seconds < share_of(arguments.tracks) / APPEAR_HZ + SETTLE_S + 1.0:
        parser.error("--seconds: too few for all objects to appear and settle")
    found = measure(arguments.tracks, arguments.seconds, arguments.rate)
    passed = (
        found["load_factor"] < 1.0
        and found["held"] == arguments.tracks
        and found["kb_growth_a_track"] < GROWTH_MAX_KB
    )
    if arguments.json:
        print(json.dumps({**found, "passed": passed}))
    else:
        for name, value in found.items():
            print(f"{name.replace('_', ' '):20}{value:12,.3f}")
        print("keeps pace" if passed else "DOES NOT KEEP PACE")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

"""Compile what a tracker computes with, before it is needed: it follows one made-up arc.

The compiled code is kept on disk (numba's cache), so this takes long once for each machine. What it leaves
out would be compiled in the middle of a flight, with the node standing still: a test looks for such gaps.
"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from beaconfire.adapters.journal import MemoryRows
from beaconfire.adapters.warming_arc import ARC_S, BOOST_S, OWN, START_US, state_at
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.messages.detection import DetectionBatch, Plot, SightLine
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import InfraredSensor, Radar, Sensor
from beaconfire.messages.words import Lane, Mode, Nation
from beaconfire.nodes.commands import Channel, Inbound, Now, Send
from beaconfire.nodes.national import Identity, NationalNode
from beaconfire.tracking.stitch import joint_cost, within_reach
from beaconfire.tracking.tracker import Tracker

_RADAR: Final = Radar(
    sensor="warm-radar",
    nation=OWN,
    latitude_rad=0.6,
    longitude_rad=2.2,
    height_m=0.0,
    sigma_range_m=30.0,
    sigma_azimuth_rad=5e-4,
    sigma_elevation_rad=5e-4,
    sigma_range_rate_m_s=1.0,
    bias_sigma_range_m=10.0,
    bias_sigma_azimuth_rad=1e-4,
    bias_sigma_elevation_rad=1e-4,
    bias_sigma_clock_s=1e-3,
    maximum_range_m=2.0e6,
)
_INFRARED: Final = InfraredSensor("warm-ir", OWN, 2e-5)
_AFTER_S: Final = 40
_FAST_S: Final = 30
"""From here on plots come ten a second: more than an arc keeps, so that it is rolled up."""


_BESIDE: Final = 5
"""Bodies beside each other: more than are compared one by one with a new track."""
_TURNED_RAD: Final = 0.05
_SEEN_S: Final = 6
_GAP_S: Final = 6


def warm_up_tracker() -> int:
    """Track the arc, and compare tracks lost under thrust with a new one; returns how many reports came."""
    _compare()
    return len(list(_reports(OWN)))


def _compare() -> None:
    """Track some bodies, lose them while thrust is on, and hold another's track against theirs."""
    lost, new = Tracker((_RADAR,), OWN, bytes(32)), Tracker((_RADAR,), OWN, bytes(32))
    for second in range(_SEEN_S):
        plots = [_plot(float(second), number * _TURNED_RAD) for number in range(_BESIDE)]
        lost.add(plots, START_US)
        lost.step(START_US + second * 1_000_000 + 950_000)
    new.add([_plot(0.0)], START_US)  # both count from one instant
    for second in range(_SEEN_S + _GAP_S, 2 * _SEEN_S + _GAP_S):
        new.add([_plot(float(second))], START_US)
        new.step(START_US + second * 1_000_000 + 950_000)
    within_reach(lost.tracks, new.tracks[-1])
    joint_cost(lost.tracks[0], new.tracks[-1])


def _reports(nation: Nation) -> Iterator[tuple[Report, Now]]:
    radar = msgspec.structs.replace(_RADAR, nation=nation)
    infrared = msgspec.structs.replace(_INFRARED, nation=nation)
    sensors: tuple[Sensor, ...] = (radar, infrared)
    node = NationalNode(Identity(nation, Mode.SIMULATED, "warm"), sensors, bytes(32), MemoryRows())
    for second in range(ARC_S + _AFTER_S):
        now = Now(START_US + second * 1_000_000 + 950_000, second * 1_000_000 + 950_000)
        if second < ARC_S:
            batch = DetectionBatch(tuple(_detections(second)))
            node.receive(Inbound(Channel.DETECTION, nation, Lane.ROUTINE, batch, 0), now)
        for command in node.tick(now):
            if isinstance(command, Send) and isinstance(command.message, Report):
                yield command.message, now


def _detections(second: int) -> Iterator[Plot | SightLine]:
    steps = 10 if second >= _FAST_S else 1
    yield from (_plot(second + step / steps) for step in range(steps))
    if second <= BOOST_S:
        yield _sight_line(float(second))


def _plot(time_s: float, turned_rad: float = 0.0) -> Plot:
    state = state_at(time_s)
    origin = np.asarray(ecef_from_geodetic(Geodetic(_RADAR.latitude_rad, _RADAR.longitude_rad, 0.0)))
    rotation = np.asarray(enu_from_ecef_rotation(_RADAR.latitude_rad, _RADAR.longitude_rad))
    sight = state[:3] - origin
    east, north, up = (float(value) for value in rotation @ sight)
    range_m = float(np.linalg.norm(sight))
    return Plot(
        _RADAR.sensor,
        START_US + round(time_s * 1e6),
        range_m,
        (math.atan2(east, north) + turned_rad) % (2.0 * math.pi),
        math.asin(up / range_m),
        float(sight @ state[3:6]) / range_m,
    )


def _sight_line(time_s: float) -> SightLine:
    state = state_at(time_s)
    above = 4.2e7 * np.array([math.cos(2.4), math.sin(2.4), 0.0])
    toward = (state[:3] - above) / np.linalg.norm(state[:3] - above)
    x, y, z = (float(value) for value in toward)
    ax, ay, az = (float(value) for value in above)
    return SightLine(_INFRARED.sensor, START_US + round(time_s * 1e6), (ax, ay, az), (x, y, z))

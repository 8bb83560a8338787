"""Compile the numerics before they are needed: two trackers and a picture follow one made-up arc.

The compiled code is kept on disk (numba's cache), so this takes long once for each machine. What it leaves
out would be compiled in the middle of a flight, with the node standing still: a test looks for such gaps.
"""

import math
from collections.abc import Iterator
from importlib import import_module
from typing import Final

import msgspec
import numpy as np

from beaconfire.adapters.journal import MemoryRows
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import DetectionBatch, Plot, SightLine
from beaconfire.messages.event import Event, Place, PlaceTime
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import InfraredSensor, Radar, Sensor
from beaconfire.messages.words import Lane, Mode, Nation
from beaconfire.nodes.commands import Channel, Inbound, Now, Send
from beaconfire.nodes.national import Identity, NationalNode

_NATION: Final = Nation("XXA")
_PARTNER: Final = Nation("XXB")
_RADAR: Final = Radar(
    sensor="warm-radar",
    nation=_NATION,
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
_INFRARED: Final = InfraredSensor("warm-ir", _NATION, 2e-5)
_PLACE: Final = Place("warm", _NATION, 0.6, 2.25, 50_000.0)
_START_US: Final = 1_600_000_000_000_000
_ARC_S: Final = 60
_BOOST_S: Final = 12
_AFTER_S: Final = 40
_FAST_S: Final = 30
"""From here on plots come ten a second: more than an arc keeps, so that it is rolled up."""


def warm_up(*, picture: bool) -> int:
    """Track the arc, and fuse what two nations report of it if `picture`; returns how many messages came."""
    reports = list(_reports(_NATION))
    if not picture:
        return len(reports)
    import_module("beaconfire.nodes.picture")
    return len(reports) + len(list(_events([*reports[::5], *list(_reports(_PARTNER))[::5]])))


def _reports(nation: Nation) -> Iterator[tuple[Report, Now]]:
    radar = msgspec.structs.replace(_RADAR, nation=nation)
    infrared = msgspec.structs.replace(_INFRARED, nation=nation)
    sensors: tuple[Sensor, ...] = (radar, infrared)
    node = NationalNode(Identity(nation, Mode.SIMULATED, "warm"), sensors, bytes(32), MemoryRows())
    for second in range(_ARC_S + _AFTER_S):
        now = Now(_START_US + second * 1_000_000 + 950_000, second * 1_000_000 + 950_000)
        if second < _ARC_S:
            batch = DetectionBatch(tuple(_detections(second)))
            node.receive(Inbound(Channel.DETECTION, nation, Lane.ROUTINE, batch, 0), now)
        for command in node.tick(now):
            if isinstance(command, Send) and isinstance(command.message, Report):
                yield command.message, now


def _events(reports: list[tuple[Report, Now]]) -> Iterator[Event]:
    from beaconfire.alerting.places import places_of_event  # noqa: PLC0415 - for a picture only
    from beaconfire.fusion.picture import Picture  # noqa: PLC0415
    from beaconfire.fusion.source import Source  # noqa: PLC0415

    def places_of(event: Event, before: tuple[PlaceTime, ...]) -> tuple[PlaceTime, ...]:
        del before
        return places_of_event(event, (_PLACE,))

    picture = Picture(_NATION, Mode.SIMULATED, secret=bytes(32), sharing=None, places_of=places_of)
    for report, now in sorted(reports, key=lambda one: one[1].utc_us):
        revised = picture.accept(Source(report, (), now.utc_us), now.utc_us)
        yield from (one.event for one in (*revised, *picture.tick(now.utc_us)))


def _state(time_s: float) -> Vector:
    """Return the state of seven, ECEF: a slow climb under thrust, then free fall."""
    place = Geodetic(0.61, 2.21, 2_000.0)
    rotation = np.asarray(enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad))
    thrust_s = min(time_s, float(_BOOST_S))
    along = np.array([0.2, 0.5, 1.0]) / math.sqrt(1.29)
    speed_m_s = 200.0 + 100.0 * thrust_s
    climbed_m = 200.0 * thrust_s + 50.0 * thrust_s**2
    position = np.asarray(ecef_from_geodetic(place)) + climbed_m * (along @ rotation)
    state = np.concatenate((position, speed_m_s * (along @ rotation), [math.log(1.0 / 3_000.0)]))
    free_s = time_s - thrust_s
    return np.asarray(propagate_kernel(state, free_s, 0.5)) if free_s > 0.0 else state


def _detections(second: int) -> Iterator[Plot | SightLine]:
    steps = 10 if second >= _FAST_S else 1
    yield from (_plot(second + step / steps) for step in range(steps))
    if second <= _BOOST_S:
        yield _sight_line(float(second))


def _plot(time_s: float) -> Plot:
    state = _state(time_s)
    origin = np.asarray(ecef_from_geodetic(Geodetic(_RADAR.latitude_rad, _RADAR.longitude_rad, 0.0)))
    rotation = np.asarray(enu_from_ecef_rotation(_RADAR.latitude_rad, _RADAR.longitude_rad))
    sight = state[:3] - origin
    east, north, up = (float(value) for value in rotation @ sight)
    range_m = float(np.linalg.norm(sight))
    return Plot(
        _RADAR.sensor,
        _START_US + round(time_s * 1e6),
        range_m,
        math.atan2(east, north) % (2.0 * math.pi),
        math.asin(up / range_m),
        float(sight @ state[3:6]) / range_m,
    )


def _sight_line(time_s: float) -> SightLine:
    state = _state(time_s)
    above = 4.2e7 * np.array([math.cos(2.4), math.sin(2.4), 0.0])
    toward = (state[:3] - above) / np.linalg.norm(state[:3] - above)
    x, y, z = (float(value) for value in toward)
    ax, ay, az = (float(value) for value in above)
    return SightLine(_INFRARED.sensor, _START_US + round(time_s * 1e6), (ax, ay, az), (x, y, z))

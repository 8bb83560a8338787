"""Compile the numerics before they are needed: nodes of their own track and fuse one made-up arc.

The compiled code is kept on disk (numba's cache), so this takes long once for each machine.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from beaconfire.adapters.journal import MemoryRows
from beaconfire.alerting.places import places_of_event
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import DetectionBatch, Plot, SightLine
from beaconfire.messages.event import Event, Place
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import InfraredSensor, Radar, Sensor
from beaconfire.messages.words import Lane, Mode, Nation
from beaconfire.nodes.commands import Channel, Inbound, Now, Send
from beaconfire.nodes.national import Identity, NationalNode

_NATION: Final = Nation("XXA")
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


def warm_up(*, picture: bool) -> int:
    """Track the arc, and fuse its reports if `picture`; returns how many messages came of it."""
    reports = list(_reports())
    return len(reports) + (sum(1 for _ in _events(reports[::5])) if picture else 0)


def _reports() -> Iterator[tuple[Report, Now]]:
    sensors: tuple[Sensor, ...] = (_RADAR, _INFRARED)
    node = NationalNode(Identity(_NATION, Mode.SIMULATED, "warm"), sensors, bytes(32), MemoryRows())
    for second in range(_ARC_S + _AFTER_S):
        now = Now(_START_US + second * 1_000_000 + 200_000, second * 1_000_000 + 200_000)
        if second < _ARC_S:
            batch = DetectionBatch(tuple(_detections(second)))
            node.receive(Inbound(Channel.DETECTION, _NATION, Lane.ROUTINE, batch, 0), now)
        for command in node.tick(now):
            if isinstance(command, Send) and isinstance(command.message, Report):
                yield command.message, now


def _events(reports: list[tuple[Report, Now]]) -> Iterator[Event]:
    from beaconfire.adapters.configuration import key_class_of  # noqa: PLC0415 - for a picture only
    from beaconfire.nodes.picture import PictureConfig, PictureNode  # noqa: PLC0415
    from beaconfire.release.keys import Keyring, SigningKey  # noqa: PLC0415

    key_class = key_class_of(Mode.SIMULATED)
    key = SigningKey(_NATION, key_class, bytes(32))
    config = PictureConfig(
        nation=_NATION,
        mode=Mode.SIMULATED,
        exercise="warm",
        key=key,
        keyring=Keyring(key_class, (key.public,)),
        agreements=(),
        places=(_PLACE,),
        secret=bytes(32),
    )
    node = PictureNode(config, MemoryRows())
    for report, now in reports:
        inbound = Inbound(Channel.OWN_REPORT, _NATION, Lane.ROUTINE, report, 0)
        for command in (*node.receive(inbound, now), *node.tick(now)):
            if isinstance(command, Send) and isinstance(command.message, Event):
                yield command.message
                places_of_event(command.message, (_PLACE,))


def _state(second: int) -> Vector:
    """Return the state of seven, ECEF: a slow climb under thrust, then free fall."""
    place = Geodetic(0.61, 2.21, 2_000.0)
    rotation = np.asarray(enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad))
    thrust_s = float(min(second, _BOOST_S))
    along = np.array([0.2, 0.5, 1.0]) / math.sqrt(1.29)
    speed_m_s = 200.0 + 100.0 * thrust_s
    climbed_m = 200.0 * thrust_s + 50.0 * thrust_s**2
    position = np.asarray(ecef_from_geodetic(place)) + climbed_m * (along @ rotation)
    state = np.concatenate((position, speed_m_s * (along @ rotation), [math.log(1.0 / 3_000.0)]))
    free_s = second - thrust_s
    return np.asarray(propagate_kernel(state, free_s, 0.5)) if free_s > 0.0 else state


def _detections(second: int) -> Iterator[Plot | SightLine]:
    state = _state(second)
    at_us = _START_US + second * 1_000_000
    origin = np.asarray(ecef_from_geodetic(Geodetic(_RADAR.latitude_rad, _RADAR.longitude_rad, 0.0)))
    rotation = np.asarray(enu_from_ecef_rotation(_RADAR.latitude_rad, _RADAR.longitude_rad))
    sight = state[:3] - origin
    east, north, up = (float(value) for value in rotation @ sight)
    range_m = float(np.linalg.norm(sight))
    yield Plot(
        _RADAR.sensor,
        at_us,
        range_m,
        math.atan2(east, north) % (2.0 * math.pi),
        math.asin(up / range_m),
        float(sight @ state[3:6]) / range_m,
    )
    if second <= _BOOST_S:
        above = 4.2e7 * np.array([math.cos(2.4), math.sin(2.4), 0.0])
        toward = (state[:3] - above) / np.linalg.norm(state[:3] - above)
        x, y, z = (float(value) for value in toward)
        ax, ay, az = (float(value) for value in above)
        yield SightLine(_INFRARED.sensor, at_us, (ax, ay, az), (x, y, z))

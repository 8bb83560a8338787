"""Two objects close together over a long flight: association and consistency, with misses and false plots.

Source: D. Crouse, Tracker Component Library (US Naval Research Laboratory), demoBallisticScenario: places,
accuracies, probability of detection, density of false plots. It publishes no table of results.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import least_squares

from beaconfire.flight.fall import fall_kernel
from beaconfire.flight.propagation import propagate_kernel, propagate_with_transition_kernel
from beaconfire.frames.geodesy import (
    Geodetic,
    ecef_from_geodetic,
    enu_from_ecef_rotation,
    geodetic_from_ecef_kernel,
    great_circle_kernel,
)
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Detection, Plot
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation, Status, TimeUs
from beaconfire.sim.sensing import generator, radar_view
from beaconfire.tracking.tracker import Tracker
from beaconfire.units import microseconds_from_seconds, seconds_from_microseconds

START: Final = Geodetic(math.radians(39.61693), math.radians(134.54975), 0.0)
END: Final = Geodetic(math.radians(40.56751), math.radians(-159.53953), 0.0)
RADAR: Final = Radar(
    sensor="pair",
    nation=Nation("USA"),
    latitude_rad=math.radians(51.86310),
    longitude_rad=math.radians(-177.98669),
    height_m=0.0,
    sigma_range_m=10.0,
    sigma_azimuth_rad=math.radians(0.1),
    sigma_elevation_rad=math.radians(0.1),
    minimum_elevation_rad=math.radians(10.0),
    maximum_range_m=1e7,
)
SCANS: Final = 100
SCAN_S: Final = 2.0
NEWEST_US: Final = 8_000_000
"""A track goes on through four scans without its plot, which happens to one in six hundred by chance."""
"""Own choice: the source spreads its plots over the whole pass, eight seconds apart."""
DETECTION_PROBABILITY: Final = 0.8
FALSE_PER_M_RAD2: Final = 1e-2
APART_M: Final = 50.0
_ROOM: Final = (2_000.0, math.radians(2.0), math.radians(2.0))
"""Half sides of the box about the objects in which false plots are drawn."""
_NO_AIR: Final = -40.0
_LAUNCHED_AT_US: Final = 1_600_000_000_000_000
_SECRET: Final = bytes(32)


class Held(NamedTuple):
    """One track at one scan: state of six and covariance (6, 6)."""

    state: Vector
    covariance: Vector


class PairFrame(NamedTuple):
    """What was true and what was held at one scan.

    Attributes:
        time_s: after the launch.
        truths: states of six of both objects, shape (2, 6).
        tracks: by name, those confirmed.
    """

    time_s: float
    truths: Vector
    tracks: dict[str, Held]


def _start(speed_m_s: float, azimuth_rad: float) -> Vector:
    """Return the state of seven at the start: elevation of least energy, no air."""
    span, _ = great_circle_kernel(
        START.latitude_rad, START.longitude_rad, END.latitude_rad, END.longitude_rad
    )
    elevation = 0.25 * (math.pi - span / 6.371e6)
    level = math.cos(elevation)
    ahead = np.array((level * math.sin(azimuth_rad), level * math.cos(azimuth_rad), math.sin(elevation)))
    rotation = np.asarray(enu_from_ecef_rotation(START.latitude_rad, START.longitude_rad))
    return np.concatenate((ecef_from_geodetic(START), speed_m_s * (rotation.T @ ahead), (_NO_AIR,)))


def _miss(unknowns: Vector) -> Vector:
    """Return how far it comes down from the end, east and north, megametres."""
    landed = fall_kernel(_start(1e3 * unknowns[0], unknowns[1]), 0.0)[1]
    latitude, longitude, _ = geodetic_from_ecef_kernel(landed[0], landed[1], landed[2])
    distance, bearing = great_circle_kernel(END.latitude_rad, END.longitude_rad, latitude, longitude)
    return np.array((distance * math.sin(bearing), distance * math.cos(bearing))) / 1e6


def flight_of_least_energy() -> Vector:
    """Return the state of seven at the start of the flight from start to end, J2 and turning Earth in."""
    _, bearing = great_circle_kernel(
        START.latitude_rad, START.longitude_rad, END.latitude_rad, END.longitude_rad
    )
    found = least_squares(_miss, np.array((5.9, bearing)), diff_step=[1e-4, 1e-4], x_scale=(0.1, 0.01))
    return _start(1e3 * float(found.x[0]), float(found.x[1]))


def scan_times_s(start: Vector) -> Vector:
    """Return the instants of the scans, shape (100,): amid its time above ten degrees at the radar."""
    length = int(fall_kernel(start, 0.0)[0])
    states = np.array([propagate_kernel(start, float(second), 1.0) for second in range(1, length, 5)])
    seen = np.flatnonzero(radar_view(RADAR, states).visible)
    middle_s = 1.0 + 2.5 * float(seen[0] + seen[-1])
    return np.asarray(middle_s + SCAN_S * (np.arange(SCANS) - SCANS // 2), dtype=np.float64)


def _truths(start: Vector, times_s: Vector) -> Vector:
    """Return states of both objects at the scans, shape (100, 2, 7): 50 m apart in range half-way."""
    half_way = float(times_s[SCANS // 2])
    first = propagate_kernel(start, half_way, 1.0)
    station = Geodetic(RADAR.latitude_rad, RADAR.longitude_rad, RADAR.height_m)
    sight = first[:3] - np.asarray(ecef_from_geodetic(station))
    second = first.copy()
    second[:3] += APART_M * sight / np.linalg.norm(sight)
    return np.array(
        [[propagate_kernel(one, float(at) - half_way, 1.0) for one in (first, second)] for at in times_s]
    )


def _plot(values: Vector, at_us: TimeUs) -> Plot:
    return Plot(
        RADAR.sensor, at_us, float(values[0]), float(values[1] % (2.0 * math.pi)), float(values[2]), None
    )


def _scan(states: Vector, at_us: TimeUs, draw: np.random.Generator) -> list[Detection]:
    """Return what the radar reports at one scan, in no order."""
    view = radar_view(RADAR, states)
    exact = np.column_stack((view.range_m, view.azimuth_rad, view.elevation_rad))
    sigma = np.array((RADAR.sigma_range_m, RADAR.sigma_azimuth_rad, RADAR.sigma_elevation_rad))
    noisy = exact + draw.standard_normal(exact.shape) * sigma
    plots = [_plot(one, at_us) for one in noisy[draw.random(len(noisy)) < DETECTION_PROBABILITY]]
    volume = 8.0 * float(np.prod(_ROOM))
    ghosts = exact[0] + draw.uniform(-1.0, 1.0, (draw.poisson(FALSE_PER_M_RAD2 * volume), 3)) * _ROOM
    plots += [_plot(one, at_us) for one in ghosts]
    return [plots[k] for k in draw.permutation(len(plots))]


def _held(report: Report, at_us: TimeUs) -> Held:
    """Return the track of a report at an instant, carried on in free flight if it had no plot there."""
    assert report.trajectory is not None
    assert report.covariance is not None
    spread = np.zeros((7, 7))
    spread[np.triu_indices(7)] = report.covariance.upper
    spread += np.triu(spread, 1).T
    trajectory = report.trajectory
    state = np.array((*trajectory.position_ecef_m, *trajectory.velocity_ecef_m_s, _NO_AIR))
    ahead_s = seconds_from_microseconds(at_us - trajectory.epoch_us)
    moved, transition = propagate_with_transition_kernel(state, np.eye(7), ahead_s, 1.0)
    return Held(moved[:6], (transition @ spread @ transition.T)[:6, :6])


def _goes_on(report: Report, at_us: TimeUs) -> bool:
    """Return whether a report's track is confirmed and had a plot in one of the newest scans."""
    assert report.trajectory is not None
    status = report.classification.status if report.classification else Status.TENTATIVE
    return status is Status.CONFIRMED and at_us - report.trajectory.epoch_us <= NEWEST_US


def pair_run(seed: int, start: Vector, times_s: Sequence[float]) -> list[PairFrame]:
    """Return what a tracker held at each scan; the same seed gives the same.

    Args:
        seed: of every draw.
        start: see `flight_of_least_energy`.
        times_s: see `scan_times_s`.
    """
    draw = generator(seed, "pair")
    tracker = Tracker([RADAR], RADAR.nation, _SECRET)
    frames: list[PairFrame] = []
    newest: dict[str, Report] = {}
    for at_s, states in zip(times_s, _truths(start, np.asarray(times_s)), strict=True):
        at_us = _LAUNCHED_AT_US + microseconds_from_seconds(float(at_s))
        tracker.add(_scan(states, at_us, draw), at_us)
        said = {report.track: report for report in tracker.step(at_us) if report.trajectory is not None}
        newest = {**newest, **said}
        held = {name: _held(one, at_us) for name, one in newest.items() if _goes_on(one, at_us)}
        frames.append(PairFrame(float(at_s), states[:, :6], held))
    return frames

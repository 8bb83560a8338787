"""The hypotheses of where and when an object comes down, each with its weight and its own areas.

A free flight has one. While thrust is on there are two: it ends now, or later, and then the area is as wide
as public accounts of ascents allow. A flight that pulls up or glides may go on so, or fall freely from here.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numba import njit

from beaconfire.flight.impact import (
    NORMAL_SAMPLES,
    Landing,
    ellipses_of_landing,
    impact_of_landing,
    landing_of,
    spread_of_samples,
)
from beaconfire.flight.outline import contours_of
from beaconfire.flight.propagation import FLIGHT_TIME_MAX_S
from beaconfire.frames.geodesy import destination, geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.frames.types import Vector
from beaconfire.fusion.source import Estimate
from beaconfire.messages.estimate import ImpactEstimate
from beaconfire.messages.event import ImpactAreas
from beaconfire.messages.words import Hypothesis, TimeUs
from beaconfire.units import (
    EARTH_GM_M3_S2,
    EARTH_MEAN_RADIUS_M,
    EARTH_ROTATION_RAD_S,
    microseconds_from_seconds,
)

TWO_SIDED_95: Final = 1.96
MANOEUVRE_WEIGHT: Final = 0.8
"""Of the wide area of a flight that was seen to manoeuvre; the rest is that it falls freely from now on."""
DRIVE_M_S2: Final = 25.0
DRIVE_LOG_SIGMA: Final = 0.45
"""Mean gain of speed per second. Source: 2-3 km/s in 60-120 s, 7 km/s in 300 s in public accounts."""
BURN_MAX_S: Final = 320.0
"""Longest thrust. Source: public accounts of intercontinental flights, about 300 s."""
BURN_MIN_S: Final = 20.0
NOW_S: Final = 5.0
"""Thrust that ends within this counts as ending now."""
PITCH_OVER_RAD_S: Final = math.radians(0.15)
PITCH_OVER_MAX_RAD: Final = math.radians(20.0)
"""How fast an ascent goes on bending down, and how far at most."""
PITCH_SIGMA_RAD: Final = math.radians(10.0)
HEADING_SIGMA_RAD: Final = math.radians(3.0)
LATER_LIMIT_M: Final = 9_000_000.0
"""A wider area than this, at 95 %, can't be laid in a plane about its centre."""
LANDED_LEAST: Final = 48
"""Of 64 samples of a thrust that goes on, so many must come down for an area to mean anything."""


_SHARES: Final = np.array([NormalDist().cdf(one) for one in NORMAL_SAMPLES[:, 0].tolist()])
"""The first coordinate of the samples, uniform between 0 and 1."""


class Outlook(NamedTuple):
    """One hypothesis: what an estimate states, and what belongs to it beside the 95 % area."""

    impact: ImpactEstimate
    areas: ImpactAreas


def _outlook(landing: Landing, epoch_us: TimeUs, hypothesis: Hypothesis) -> Outlook:
    impact = impact_of_landing(landing, epoch_us)
    ellipses = ellipses_of_landing(landing)
    return Outlook(impact, ImpactAreas(hypothesis, *_window(impact), ellipses))


def _window(impact: ImpactEstimate) -> tuple[TimeUs, TimeUs]:
    half_us = microseconds_from_seconds(TWO_SIDED_95 * impact.sigma_time_s)
    return impact.time_us - half_us, impact.time_us + half_us


def stated(impact: ImpactEstimate) -> Outlook:
    """Return the outlook of an impact that a nation stated itself."""
    return Outlook(impact, ImpactAreas(Hypothesis.STATED, *_window(impact), (impact.area,)))


def weighted(outlook: Outlook, weight: float) -> Outlook:
    """Return an outlook with another weight."""
    return Outlook(msgspec.structs.replace(outlook.impact, weight=weight), outlook.areas)


def loosened(outlook: Outlook, sigma_s: float) -> Outlook:
    """Return an outlook whose time of impact has another independent error, one standard deviation."""
    sigma_time_s = math.hypot(outlook.impact.sigma_time_s, sigma_s)
    impact = msgspec.structs.replace(outlook.impact, sigma_time_s=sigma_time_s)
    earliest_us, latest_us = _window(impact)
    areas = msgspec.structs.replace(outlook.areas, earliest_us=earliest_us, latest_us=latest_us)
    return Outlook(impact, areas)


def falling(estimate: Estimate, hypothesis: Hypothesis = Hypothesis.FREE_FLIGHT) -> Outlook | None:
    """Return the outlook of a body that nothing drives from its epoch on; None as in `landing_of`.

    Args:
        estimate: of the body.
        hypothesis: what is supposed by letting it fall.
    """
    landing = landing_of(estimate.state, estimate.covariance)
    if landing is None:
        return None
    found = _outlook(landing, estimate.epoch_us, hypothesis)
    if not landing.is_bent:
        return found
    contours = contours_of(estimate.state, estimate.covariance, landing.reference)
    return Outlook(found.impact, msgspec.structs.replace(found.areas, contours=contours))


def thrusting(estimate: Estimate, launched_at_us: TimeUs | None) -> tuple[Outlook, ...]:
    """Return what comes of a body under thrust: if it ends now, if later; nothing if one can't be said.

    The end of thrust is log-uniform between now and `BURN_MAX_S` after the launch: as little as can be
    supposed. The two weights add to 1.

    Args:
        estimate: of the body.
        launched_at_us: estimated launch, None if nobody can say.
    """
    burnt_s = _burnt_s(estimate, launched_at_us)
    landing = _driven(estimate, burnt_s)
    now = None if landing is None else falling(estimate, Hypothesis.BURNOUT_NOW)
    if landing is None or now is None:
        return ()
    share = math.log1p(NOW_S / burnt_s) / math.log(BURN_MAX_S / burnt_s)
    later = _outlook(landing, estimate.epoch_us, Hypothesis.BURNOUT_LATER)
    return weighted(later, 1.0 - share), weighted(now, share)


def _burnt_s(estimate: Estimate, launched_at_us: TimeUs | None) -> float:
    """Return how long thrust has been on, at most so that something is left."""
    if launched_at_us is None:
        seconds = float(np.linalg.norm(estimate.state[3:6])) / DRIVE_M_S2
    else:
        seconds = (estimate.epoch_us - launched_at_us) / 1e6
    return min(max(seconds, BURN_MIN_S), BURN_MAX_S - 4.0 * NOW_S)


def _driven(estimate: Estimate, burnt_s: float) -> Landing | None:
    """Return the landing if thrust goes on for an unknown time, from fixed samples."""
    states, durations_s = _ends_of_thrust(estimate, burnt_s)
    places = kepler_landings(states)
    places[:, 2] += durations_s
    places = places[~np.isnan(places[:, 2])]
    if len(places) < LANDED_LEAST:
        return None
    point = geodetic_from_ecef_kernel(*(float(x) for x in estimate.state[:3]))
    centre = (float(point[0]), float(point[1]))
    for _ in range(2):  # the middle of the landings: seen from the point below, then from itself
        east, north, _ = (float(value) for value in _offsets(centre, places).mean(axis=0))
        centre = destination(*centre, math.atan2(east, north), math.hypot(east, north))
    mean, spread, scales = spread_of_samples(_offsets(centre, places))
    reference = np.array((*centre, 0.0))
    last = float(np.linalg.eigvalsh(spread[:2, :2])[1])
    landing = Landing(reference, mean * (0.0, 0.0, 1.0), spread, scales, is_bent=True)
    return landing if scales[1] * math.sqrt(max(last, 0.0)) <= LATER_LIMIT_M else None


@njit(cache=True)
def _offsets(centre: tuple[float, float], places: Vector) -> Vector:
    """Return east, north (m) and time (s) of places (latitude, longitude, time) from a centre, (n, 3)."""
    out = np.empty((places.shape[0], 3))
    for row in range(places.shape[0]):
        distance, bearing = great_circle_kernel(centre[0], centre[1], places[row, 0], places[row, 1])
        out[row, 0] = distance * math.sin(bearing)
        out[row, 1] = distance * math.cos(bearing)
        out[row, 2] = places[row, 2]
    return out


def kepler_landings(states: Vector) -> Vector:
    """Return latitude, longitude (rad) and seconds until each body comes down on a sphere, without air.

    Good to a hundredth of the way, which is enough for what no one can know to a half. Shape (n, 3), nan of
    those that stay up for over two hours.

    Source: Bate, Mueller and White, Fundamentals of Astrodynamics (1971), chapters 2 and 4.

    Args:
        states: of seven, ECEF, SI, shape (n, 7).
    """
    positions = states[:, :3]
    spin = np.array((0.0, 0.0, EARTH_ROTATION_RAD_S))
    velocities = states[:, 3:6] + _cross(spin, positions)
    radius = np.linalg.norm(positions, axis=1)
    normal = _cross(positions, velocities)
    momentum = np.linalg.norm(normal, axis=1)
    axis = 1.0 / (2.0 / radius - np.sum(velocities**2, axis=1) / EARTH_GM_M3_S2)
    ratio = momentum**2 / EARTH_GM_M3_S2
    with np.errstate(invalid="ignore", divide="ignore"):
        eccentricity = np.sqrt(np.where(axis > 0.0, 1.0 - ratio / axis, np.nan))
        out_at, down_at = (np.arccos((ratio / r - 1.0) / eccentricity) for r in (radius, EARTH_MEAN_RADIUS_M))
        falls = np.sum(positions * velocities, axis=1) < 0.0
        now = np.where(falls, 2.0 * math.pi - out_at, out_at)
        landed = 2.0 * math.pi - down_at
        anomalies = [
            2.0
            * np.arctan2(
                np.sqrt(1.0 - eccentricity) * np.sin(0.5 * one),
                np.sqrt(1.0 + eccentricity) * np.cos(0.5 * one),
            )
            for one in (now, landed)
        ]
        start, end = (one - eccentricity * np.sin(one) for one in anomalies)
        elapsed_s = (end - start) * np.sqrt(axis**3 / EARTH_GM_M3_S2)
    ahead = _cross(normal, positions) / (momentum * radius)[:, None]
    turn = (landed - now)[:, None]
    ends = positions / radius[:, None] * np.cos(turn) + ahead * np.sin(turn)
    longitude = np.arctan2(ends[:, 1], ends[:, 0]) - EARTH_ROTATION_RAD_S * elapsed_s
    longitude = (longitude + math.pi) % (2.0 * math.pi) - math.pi
    elapsed_s = np.where(elapsed_s <= FLIGHT_TIME_MAX_S, elapsed_s, np.nan)
    return np.column_stack((np.arcsin(np.clip(ends[:, 2], -1.0, 1.0)), longitude, elapsed_s))


def _ends_of_thrust(estimate: Estimate, burnt_s: float) -> tuple[Vector, Vector]:
    """Return states of seven at the end of thrust, shape (64, 7), and the seconds until then, shape (64,)."""
    normal = NORMAL_SAMPLES
    seconds = burnt_s * ((BURN_MAX_S / burnt_s) ** _SHARES - 1.0)
    drive = DRIVE_M_S2 * np.exp(DRIVE_LOG_SIGMA * normal[:, 1])
    root = np.linalg.cholesky(estimate.covariance[3:6, 3:6] + 1e-6 * np.eye(3))
    velocities = estimate.state[3:6] + normal[:, 4:7] @ root.T
    up = estimate.state[:3] / np.linalg.norm(estimate.state[:3])
    over = np.minimum(PITCH_OVER_MAX_RAD, PITCH_OVER_RAD_S * seconds)
    ends = _turned(velocities, up, PITCH_SIGMA_RAD * normal[:, 2] - over, HEADING_SIGMA_RAD * normal[:, 3])
    speeds = np.linalg.norm(velocities, axis=1)
    final = ends * (speeds + drive * seconds)[:, None]
    positions = estimate.state[:3] + 0.5 * (velocities + final) * seconds[:, None]
    rest = np.full((len(seconds), 1), estimate.prior_mean)
    states = np.ascontiguousarray(np.hstack((positions, final, rest)))
    return states, np.asarray(seconds)


def _turned(velocities: Vector, up: Vector, pitch_rad: Vector, heading_rad: Vector) -> Vector:
    """Return the directions of velocities, shape (n, 3), turned up and right, never below level."""
    rates = velocities @ up
    level = velocities - np.outer(rates, up)
    lengths = np.maximum(np.linalg.norm(level, axis=1), 1.0)
    ahead = level / lengths[:, None]
    right = _cross(ahead, up)
    climb = np.clip(np.arctan2(rates, lengths) + pitch_rad, math.radians(5.0), math.radians(89.0))
    along = ahead * np.cos(heading_rad)[:, None] + right * np.sin(heading_rad)[:, None]
    return np.asarray(along * np.cos(climb)[:, None] + np.outer(np.sin(climb), up))


def _cross(one: Vector, other: Vector) -> Vector:
    """Return the cross products of rows, shape (n, 3); a quarter of the time that NumPy's own takes."""
    a, b = one.T, other.T
    parts = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return np.column_stack(parts)


def impacts_of(outlooks: Sequence[Outlook]) -> tuple[ImpactEstimate, ...]:
    """Return the impacts of outlooks."""
    return tuple(one.impact for one in outlooks)


def areas_of(outlooks: Sequence[Outlook]) -> tuple[ImpactAreas, ...]:
    """Return what belongs to them."""
    return tuple(one.areas for one in outlooks)

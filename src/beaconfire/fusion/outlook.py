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

from beaconfire.flight.coefficient import CoefficientPrior
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
from beaconfire.frames.geodesy import destination_kernel, geodetic_from_ecef_kernel, great_circle_kernel
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
    landing = landing_of(
        estimate.state, estimate.covariance, CoefficientPrior(estimate.prior_mean, estimate.prior_sigma)
    )
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
    about = np.array((burnt_s, estimate.prior_mean))
    states, durations_s = _ends_of_thrust(estimate.state, estimate.covariance, about)
    places = kepler_landings(states)
    places[:, 2] += durations_s
    places = places[~np.isnan(places[:, 2])]
    if len(places) < LANDED_LEAST:
        return None
    centre, offsets = _about_their_middle(estimate.state, places)
    mean, spread, scales = spread_of_samples(offsets)
    reference = np.array((*centre, 0.0))
    last = float(np.linalg.eigvalsh(spread[:2, :2])[1])
    landing = Landing(reference, mean * (0.0, 0.0, 1.0), spread, scales, is_bent=True)
    return landing if scales[1] * math.sqrt(max(last, 0.0)) <= LATER_LIMIT_M else None


@njit(cache=True)
def _about_their_middle(state: Vector, places: Vector) -> tuple[tuple[float, float], Vector]:
    """Return the middle of landings (latitude, longitude) and their offsets from it, shape (n, 3).

    The middle is that seen from the point below a state, then from itself.
    """
    point = geodetic_from_ecef_kernel(state[0], state[1], state[2])
    centre = (point[0], point[1])
    for _ in range(2):
        offsets = _offsets(centre, places)
        east, north = offsets[:, 0].mean(), offsets[:, 1].mean()
        centre = destination_kernel(centre[0], centre[1], math.atan2(east, north), math.hypot(east, north))
    return centre, _offsets(centre, places)


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


@njit(cache=True)
def kepler_landings(states: Vector) -> Vector:
    """Return latitude, longitude (rad) and seconds until each body comes down on a sphere, without air.

    Good to a hundredth of the way, which is enough for what no one can know to a half. Shape (n, 3), nan of
    those that stay up for over two hours.

    Source: Bate, Mueller and White, Fundamentals of Astrodynamics (1971), chapters 2 and 4.

    Args:
        states: of seven, ECEF, SI, shape (n, 7).
    """
    out = np.full((states.shape[0], 3), math.nan)
    for row in range(states.shape[0]):
        position, velocity = states[row, :3], states[row, 3:6].copy()
        velocity[0] -= EARTH_ROTATION_RAD_S * position[1]
        velocity[1] += EARTH_ROTATION_RAD_S * position[0]
        radius = _length(position)
        normal = _cross(position, velocity)
        axis = 1.0 / (2.0 / radius - _length(velocity) ** 2 / EARTH_GM_M3_S2)
        ratio = _length(normal) ** 2 / EARTH_GM_M3_S2
        if axis <= 0.0 or ratio >= axis:
            continue
        eccentricity = math.sqrt(1.0 - ratio / axis)
        here, ground = (
            (ratio / radius - 1.0) / eccentricity,
            (ratio / EARTH_MEAN_RADIUS_M - 1.0) / eccentricity,
        )
        if abs(here) > 1.0 or abs(ground) > 1.0:
            continue
        falls = position[0] * velocity[0] + position[1] * velocity[1] + position[2] * velocity[2] < 0.0
        now = 2.0 * math.pi - math.acos(here) if falls else math.acos(here)
        landed = 2.0 * math.pi - math.acos(ground)
        elapsed_s = (_mean_anomaly(landed, eccentricity) - _mean_anomaly(now, eccentricity)) * math.sqrt(
            axis**3 / EARTH_GM_M3_S2
        )
        if not elapsed_s <= FLIGHT_TIME_MAX_S:
            continue
        ahead = _cross(normal, position) / (_length(normal) * radius)
        end = position / radius * math.cos(landed - now) + ahead * math.sin(landed - now)
        longitude = math.atan2(end[1], end[0]) - EARTH_ROTATION_RAD_S * elapsed_s
        out[row, 0] = math.asin(min(1.0, max(-1.0, end[2])))
        out[row, 1] = (longitude + math.pi) % (2.0 * math.pi) - math.pi
        out[row, 2] = elapsed_s
    return out


@njit(cache=True)
def _mean_anomaly(true_rad: float, eccentricity: float) -> float:
    """Return the mean anomaly of a true one, radians."""
    eccentric = 2.0 * math.atan2(
        math.sqrt(1.0 - eccentricity) * math.sin(0.5 * true_rad),
        math.sqrt(1.0 + eccentricity) * math.cos(0.5 * true_rad),
    )
    return eccentric - eccentricity * math.sin(eccentric)


@njit(cache=True)
def _ends_of_thrust(state: Vector, covariance: Vector, about: Vector) -> tuple[Vector, Vector]:
    """Return states of seven at the end of thrust, shape (64, 7), and the seconds until then, shape (64,).

    Args:
        state: of seven.
        covariance: of it.
        about: seconds that thrust has been on; the mean of ln(1/beta).
    """
    count = NORMAL_SAMPLES.shape[0]
    states, until_s = np.empty((count, 7)), np.empty(count)
    root = np.linalg.cholesky(covariance[3:6, 3:6] + 1e-6 * np.eye(3))
    up = state[:3] / _length(state[:3])
    for row in range(count):
        drawn = NORMAL_SAMPLES[row]
        seconds = about[0] * ((BURN_MAX_S / about[0]) ** _SHARES[row] - 1.0)
        velocity = state[3:6].copy()
        for i in range(3):
            for k in range(3):
                velocity[i] += root[i, k] * drawn[4 + k]
        over = min(PITCH_OVER_MAX_RAD, PITCH_OVER_RAD_S * seconds)
        course = _turned(velocity, up, PITCH_SIGMA_RAD * drawn[2] - over, HEADING_SIGMA_RAD * drawn[3])
        gained = DRIVE_M_S2 * math.exp(DRIVE_LOG_SIGMA * drawn[1]) * seconds
        final = course * (_length(velocity) + gained)
        states[row, :3] = state[:3] + 0.5 * (velocity + final) * seconds
        states[row, 3:6] = final
        states[row, 6] = about[1]
        until_s[row] = seconds
    return states, until_s


@njit(cache=True)
def _turned(velocity: Vector, up: Vector, pitch_rad: float, heading_rad: float) -> Vector:
    """Return the direction of a velocity turned up and right, never below level."""
    rate = velocity[0] * up[0] + velocity[1] * up[1] + velocity[2] * up[2]
    level = velocity - rate * up
    length = max(_length(level), 1.0)
    ahead = level / length
    climb = math.atan2(rate, length) + pitch_rad
    climb = min(max(climb, math.radians(5.0)), math.radians(89.0))
    along = ahead * math.cos(heading_rad) + _cross(ahead, up) * math.sin(heading_rad)
    return np.asarray(along * math.cos(climb) + up * math.sin(climb))


@njit(cache=True)
def _length(one: Vector) -> float:
    return math.sqrt(one[0] * one[0] + one[1] * one[1] + one[2] * one[2])


@njit(cache=True)
def _cross(a: Vector, b: Vector) -> Vector:
    return np.array((a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]))


def impacts_of(outlooks: Sequence[Outlook]) -> tuple[ImpactEstimate, ...]:
    """Return the impacts of outlooks."""
    return tuple(one.impact for one in outlooks)


def areas_of(outlooks: Sequence[Outlook]) -> tuple[ImpactAreas, ...]:
    """Return what belongs to them."""
    return tuple(one.areas for one in outlooks)

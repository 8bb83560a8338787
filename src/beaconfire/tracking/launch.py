"""Launch point and time: the arc taken back to where thrust may have ended, then a family of generic ascents.

Nothing is known of the vehicle, so what differs between plausible ascents is part of the stated
uncertainty: how bent the path was (height over ground distance as a power law with exponent 1/p), how hard
it was driven on average, and how path length and final speed make a duration. Where an infrared line was
seen, the place where it meets the ground is joined to that in information form.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.flight.propagation import STEP_S, propagate_kernel
from beaconfire.frames.geodesy import (
    destination_kernel,
    enu_from_ecef_rotation,
    enu_from_ecef_rotation_kernel,
    geodetic_from_ecef_kernel,
)
from beaconfire.frames.types import Vector
from beaconfire.messages.estimate import Ellipse, LaunchEstimate
from beaconfire.messages.words import TimeUs
from beaconfire.tracking.filter import predict_kernel
from beaconfire.tracking.sight import meeting_kernel
from beaconfire.units import microseconds_from_seconds

BEND: Final = ((0.25, 0.1), (0.4, 0.2), (0.55, 0.3), (0.7, 0.25), (0.85, 0.15))
"""(p, weight): ground distance = p * height / tan(climb angle); 1 is a straight line, 1/2 a parabola."""
DURATION: Final = ((1.7, 1.85, 0.25), (2.0, 2.3, 0.45), (2.3, 2.8, 0.3))
"""(low, high, weight): duration = k * path / speed, k from low on the ground to high at `DURATION_HEIGHT_M`.

It is 2 at constant drive, and grows as the drive does. Source: webcast telemetry of three Falcon 9 first
stages, 2.1 to 2.3 in their first minute, 2.5 to 3.2 later; V-2 (65 s, 1.6 km/s, 43 km of path) and R-17
(62 s, 1.5 km/s, 40 km) at burnout, 2.4 and 2.3; constant specific drive, 1.7 to 2.1.
"""
DURATION_HEIGHT_M: Final = 40_000.0
PATH_BEND: Final = 1.02
"""Length of an ascent over its chord. Source: a parabola of 45 degrees mean climb: 1.01 to 1.04."""
DRIVE_M_S2: Final = 25.0
DRIVE_LOG_SIGMA: Final = 0.45
"""Mean gain of speed per second. Source: 2-3 km/s in 60-120 s, 7 km/s in 300 s in public accounts."""
BACK_STEP_S: Final = 4.0
BACK_MAX_S: Final = 900.0
FLOOR_M: Final = 8_000.0
SIGMA_MIN_M: Final = 2_500.0
SIGHT_HEIGHT_MAX_M: Final = 15_000.0
SIGHT_DELAY_S: Final = 30.0
SIGHT_DELAY_SIGMA_S: Final = 18.0
"""First infrared detection: uniform over 0-15 km and 0-60 s after launch (sigma 60 / sqrt(12) = 17.3 s)."""
PROBABILITY: Final = 0.95
CHI_SQUARE_95: Final = 5.991


class GroundGuess(NamedTuple):
    """Latitude, longitude (rad) and time (s), covariance east and north (m^2), sigma of the time (s)."""

    latitude_rad: float
    longitude_rad: float
    time_s: float
    covariance: Vector
    sigma_time_s: float


class _Climb(NamedTuple):
    """How a body climbs: where it is (rad, m), its speeds (m/s), and the bearing it goes to (rad)."""

    latitude_rad: float
    longitude_rad: float
    height_m: float
    speed_m_s: float
    level_m_s: float
    up_m_s: float
    bearing_rad: float


@njit(cache=True)
def _climb_kernel(state: Vector) -> _Climb:
    latitude, longitude, height = geodetic_from_ecef_kernel(state[0], state[1], state[2])
    east, north, up = enu_from_ecef_rotation_kernel(latitude, longitude) @ state[3:6]
    level = math.hypot(east, north)
    return _Climb(latitude, longitude, height, math.hypot(level, up), level, up, math.atan2(east, north))


@njit(cache=True)
def _origin_kernel(climb: _Climb, bend: float) -> tuple[float, float, float]:
    """Return latitude, longitude and path length of the ascent that ends in `climb`."""
    distance = bend * climb.height_m * climb.level_m_s / max(climb.up_m_s, 0.05 * climb.speed_m_s)
    latitude, longitude = destination_kernel(
        climb.latitude_rad, climb.longitude_rad, climb.bearing_rad + math.pi, distance
    )
    return latitude, longitude, PATH_BEND * math.hypot(distance, climb.height_m)


@njit(cache=True)
def _ends_of_thrust_kernel(state: Vector, thrust_seen: bool) -> tuple[list[_Climb], list[float]]:  # noqa: FBT001 - compiled
    """Return climbs at which thrust may have ended, and how long before: one if seen, else back the arc."""
    there, back = state.copy(), 0.0
    climb = _climb_kernel(there)
    climbs, backs = [climb], [back]
    while not thrust_seen and back < BACK_MAX_S:
        back += BACK_STEP_S
        there = propagate_kernel(there, -BACK_STEP_S, STEP_S)
        climb = _climb_kernel(there)
        if climb.height_m < FLOOR_M:
            break
        if climb.up_m_s > 0.0:
            climbs.append(climb)
            backs.append(back)
    if climbs[0].up_m_s <= 0.0 and len(climbs) > 1:
        return climbs[1:], backs[1:]
    return climbs, backs


@njit(cache=True)
def _weight_kernel(climb: _Climb, path_m: float) -> float:
    """Return how plausible the mean drive of an ascent is (not normalised)."""
    drive = climb.speed_m_s**2 / (2.25 * max(path_m, 1.0))
    return math.exp(-0.5 * (math.log(drive / DRIVE_M_S2) / DRIVE_LOG_SIGMA) ** 2) + 1e-9


@njit(cache=True)
def _family_kernel(state: Vector, time_s: float, thrust_seen: bool) -> tuple[Vector, Vector, float]:  # noqa: FBT001 - compiled
    """Return beginnings (latitude, longitude, time, path), their weights, and the likeliest end of thrust."""
    climbs, backs = _ends_of_thrust_kernel(state, thrust_seen)
    members = np.empty((len(climbs) * len(BEND) * len(DURATION), 4))
    weights = np.empty(members.shape[0])
    count, best, likeliest = 0, -1.0, time_s
    for climb, back in zip(climbs, backs):  # noqa: B905 - compiled; both are appended to together
        risen = min(1.0, climb.height_m / DURATION_HEIGHT_M)
        for bend, share in BEND:
            latitude, longitude, path = _origin_kernel(climb, bend)
            weight = share if thrust_seen else share * _weight_kernel(climb, path)
            if weight > best or (weight == best and time_s - back > likeliest):
                best, likeliest = weight, time_s - back
            for low, high, part in DURATION:
                duration_s = (low + risen * (high - low)) * path / max(climb.speed_m_s, 1.0)
                members[count] = (latitude, longitude, time_s - back - duration_s, path)
                weights[count] = weight * part
                count += 1
    return members, weights, likeliest


def from_flight(state: Vector, covariance: Vector, time_s: float, *, thrust_seen: bool) -> GroundGuess:
    """Return where and when a flight began.

    Args:
        state: state of seven: the earliest steady one of a track seen in boost, or one of its coast arc.
        covariance: of it, shape (7, 7).
        time_s: of it.
        thrust_seen: True if thrust was on at `time_s`.
    """
    members, weights, likeliest_s = _family_kernel(state, time_s, thrust_seen)
    carried = _carried_kernel(state, covariance, likeliest_s - time_s)
    speed = float(np.linalg.norm(state[3:6]))
    share = math.sqrt(float(np.trace(covariance[3:6, 3:6]))) / max(speed, 1.0)
    return _summed(members, weights, carried, share)


def _summed(members: Vector, weights: Vector, carried: Vector, speed_share: float) -> GroundGuess:
    """Return mean and spread of the family, with the covariance of the arc on top."""
    weights = weights / weights.sum()
    latitude, longitude, time_s = (float(weights @ members[:, i]) for i in range(3))
    meters = np.array((6.371e6 * math.cos(latitude), 6.371e6))
    offsets = (members[:, [1, 0]] - (longitude, latitude)) * meters
    spread = (offsets * weights[:, None]).T @ offsets + carried + SIGMA_MIN_M**2 * np.eye(2)
    spread_s2 = float(weights @ (members[:, 2] - time_s) ** 2)
    path_s = math.sqrt(max(float(carried.trace()), 0.0)) / 1_000.0  # at 1 km/s along the path
    longest_s = float(np.ptp(members[:, 2]))
    sigma = math.sqrt(spread_s2 + (speed_share * longest_s) ** 2 + path_s**2 + 25.0)
    return GroundGuess(latitude, longitude, time_s, spread, sigma)


@njit(cache=True)
def _carried_kernel(state: Vector, covariance: Vector, ahead_s: float) -> Vector:
    """Return the arc's covariance at the launch point, east and north, shape (2, 2), by differences."""
    wide, ten = np.zeros((10, 10)), np.zeros(10)
    wide[:7, :7], ten[:7] = covariance, state
    there, spread = predict_kernel(ten, wide, ahead_s, 0.0)
    latitude, longitude, _ = _origin_kernel(_climb_kernel(there), 0.55)
    partials = np.zeros((2, 6))
    for i in range(6):
        step = 100.0 if i < 3 else 1.0
        moved = there.copy()
        moved[i] += step
        north, east, _ = _origin_kernel(_climb_kernel(moved), 0.55)
        partials[0, i] = (east - longitude) * 6.371e6 * math.cos(latitude) / step
        partials[1, i] = (north - latitude) * 6.371e6 / step
    return partials @ spread[:6, :6].copy() @ partials.T


def from_sight(row: Vector, sensor: Vector) -> GroundGuess | None:
    """Return where and when a flight began by its first infrared line, or None if that misses the Earth."""
    low, distance = meeting_kernel(row[6:9].copy(), row[2:5].copy(), 0.0)
    high, _ = meeting_kernel(row[6:9].copy(), row[2:5].copy(), SIGHT_HEIGHT_MAX_M)
    if math.isnan(distance):
        return None
    middle = 0.5 * (low + high)
    latitude, longitude, _ = geodetic_from_ecef_kernel(*(float(x) for x in middle))
    rotation = enu_from_ecef_rotation(latitude, longitude)
    between = (rotation @ (high - low))[:2]
    line = rotation @ row[2:5]
    level = line[:2] / max(float(np.linalg.norm(line[:2])), 1e-9)
    across = np.array((-level[1], level[0]))
    slant = max(abs(float(line[2])), 0.1)
    sigma = distance * float(sensor[21])
    covariance = (
        np.outer(between, between) / 8.0
        + sigma**2 * (np.outer(across, across) + np.outer(level, level) / slant**2)
        + SIGMA_MIN_M**2 * np.eye(2)
    )
    return GroundGuess(latitude, longitude, float(row[0]) - SIGHT_DELAY_S, covariance, SIGHT_DELAY_SIGMA_S)


def joined(first: GroundGuess, second: GroundGuess) -> GroundGuess:
    """Return two guesses joined in information form; where they contradict, the tighter one, widened."""
    meters = np.array((6.371e6 * math.cos(first.latitude_rad), 6.371e6))
    apart = (
        np.array((second.longitude_rad - first.longitude_rad, second.latitude_rad - first.latitude_rad))
        * meters
    )
    total = first.covariance + second.covariance
    distance = float(apart @ np.linalg.solve(total, apart))
    if distance > 13.8:
        tighter = min(first, second, key=lambda guess: float(np.linalg.det(guess.covariance)))
        wide = tighter.covariance * min(distance / 4.0, 10.0)
        return GroundGuess(*tighter[:3], wide, tighter.sigma_time_s)
    gain = first.covariance @ np.linalg.inv(total)
    shift = gain @ apart / meters
    precision = first.sigma_time_s**-2 + second.sigma_time_s**-2
    time_s = (first.time_s / first.sigma_time_s**2 + second.time_s / second.sigma_time_s**2) / precision
    covariance = first.covariance - gain @ first.covariance
    return GroundGuess(
        first.latitude_rad + float(shift[1]),
        first.longitude_rad + float(shift[0]),
        time_s,
        0.5 * (covariance + covariance.T),
        precision**-0.5,
    )


def launch_estimate(guess: GroundGuess, origin_us: TimeUs) -> LaunchEstimate:
    """Return the guess as it is reported: ellipse of 95 %."""
    values, vectors = np.linalg.eigh(guess.covariance)
    major = vectors[:, 1]
    ellipse = Ellipse(
        latitude_rad=guess.latitude_rad,
        longitude_rad=(guess.longitude_rad + math.pi) % (2.0 * math.pi) - math.pi,
        semi_major_m=math.sqrt(CHI_SQUARE_95 * float(values[1])),
        semi_minor_m=math.sqrt(CHI_SQUARE_95 * float(values[0])),
        bearing_rad=math.atan2(float(major[0]), float(major[1])) % math.pi,
        probability=PROBABILITY,
    )
    time_us = origin_us + microseconds_from_seconds(guess.time_s)
    return LaunchEstimate(time_us=time_us, sigma_time_s=guess.sigma_time_s, area=ellipse)

"""Launch estimates of several nations as one: conservative, since their boost arcs share assumptions."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from beaconfire.flight.impact import covariance_from_ellipse, ellipse_from_covariance
from beaconfire.frames.geodesy import destination, great_circle_kernel
from beaconfire.frames.types import Vector
from beaconfire.fusion.information import CHI_SQUARE_2, CHI_SQUARE_3
from beaconfire.messages.estimate import LaunchEstimate
from beaconfire.units import seconds_from_microseconds

PLACE_FLOOR_M: Final = 2_000.0
TIME_FLOOR_S: Final = 3.0
"""Added, one standard deviation each, when two nations' launches are compared."""


class _Plane(NamedTuple):
    """An estimate in the plane about a common centre: mean (2,) and covariance (2, 2), metres."""

    mean: Vector
    covariance: Vector


def _offset_m(centre: LaunchEstimate, other: LaunchEstimate) -> Vector:
    a, b = centre.area, other.area
    distance, bearing = great_circle_kernel(a.latitude_rad, a.longitude_rad, b.latitude_rad, b.longitude_rad)
    return np.array([distance * math.sin(bearing), distance * math.cos(bearing)])


def launch_gate_ratio(one: LaunchEstimate, other: LaunchEstimate) -> float:
    """Return how far apart two launches are in place and time; up to 1 they may be the same one."""
    offset = _offset_m(one, other)
    spread = covariance_from_ellipse(one.area) + covariance_from_ellipse(other.area)
    spread += np.eye(2) * PLACE_FLOOR_M**2
    delay = seconds_from_microseconds(other.time_us - one.time_us)
    variance = one.sigma_time_s**2 + other.sigma_time_s**2 + TIME_FLOOR_S**2
    total = float(offset @ np.linalg.solve(spread, offset)) + delay * delay / variance
    return total / CHI_SQUARE_3


def launches_apart(one: LaunchEstimate, other: LaunchEstimate) -> tuple[float, float]:
    """Return the distance (m) and the interval (s) between two launches."""
    interval_s = abs(seconds_from_microseconds(one.time_us - other.time_us))
    return float(np.hypot(*_offset_m(one, other))), interval_s


def _combined(one: _Plane, other: _Plane) -> _Plane:
    """Return the intersection of two areas, or a cover of both if they disagree."""
    apart = other.mean - one.mean
    total = one.covariance + other.covariance
    if float(apart @ np.linalg.solve(total, apart)) > CHI_SQUARE_2:
        middle = 0.5 * (one.mean + other.mean)
        half = 0.5 * apart
        return _Plane(middle, total + np.outer(half, half))
    first, second = np.linalg.inv(one.covariance), np.linalg.inv(other.covariance)
    weight = max(
        (step / 10.0 for step in range(11)),
        key=lambda w: float(np.linalg.det(w * first + (1.0 - w) * second)),
    )
    covariance = np.linalg.inv(weight * first + (1.0 - weight) * second)
    return _Plane(one.mean + covariance @ ((1.0 - weight) * second @ apart), covariance)


def _combined_time(launches: Sequence[LaunchEstimate]) -> tuple[int, float]:
    """Return the best launch time and sigma, widened over those that disagree with it."""
    best = min(launches, key=lambda one: (one.sigma_time_s, one.time_us))
    sigma = best.sigma_time_s
    for one in launches:
        delay = abs(seconds_from_microseconds(one.time_us - best.time_us))
        if delay > 3.3 * math.hypot(best.sigma_time_s, one.sigma_time_s):
            sigma = max(sigma, 0.5 * delay)
    return best.time_us, sigma


def combine_launches(launches: Sequence[LaunchEstimate]) -> LaunchEstimate | None:
    """Return one launch estimate from several of one object, at probability 0.95; None from none."""
    if not launches:
        return None
    if len(launches) == 1:
        return launches[0]
    centre = launches[0]
    floor = np.eye(2)
    plane = _Plane(np.zeros(2), covariance_from_ellipse(centre.area) + floor)
    for one in launches[1:]:
        other = _Plane(_offset_m(centre, one), covariance_from_ellipse(one.area) + floor)
        plane = _combined(plane, other)
    east, north = float(plane.mean[0]), float(plane.mean[1])
    latitude, longitude = destination(
        centre.area.latitude_rad,
        centre.area.longitude_rad,
        math.atan2(east, north),
        math.hypot(east, north),
    )
    time_us, sigma_s = _combined_time(launches)
    return LaunchEstimate(time_us, sigma_s, ellipse_from_covariance(latitude, longitude, plane.covariance))

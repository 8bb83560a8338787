"""Launch estimates of several nations as one: conservative, since their boost arcs share assumptions."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numba import njit

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


@njit(cache=True)
def launch_distance_kernel(
    east_m: float, north_m: float, spread: tuple[float, float, float], late: tuple[float, float]
) -> float:
    """Return the squared Mahalanobis distance of two launches, with the floors of place and time added.

    Args:
        east_m: of one from the other.
        north_m: likewise.
        spread: sums of both variances east, covariances and variances north, square metres.
        late: seconds between the two, and the sum of both variances of that.
    """
    xx, xy, yy = spread[0] + PLACE_FLOOR_M**2, spread[1], spread[2] + PLACE_FLOOR_M**2
    place = (yy * east_m**2 - 2.0 * xy * east_m * north_m + xx * north_m**2) / (xx * yy - xy * xy)
    return place + late[0] ** 2 / (late[1] + TIME_FLOOR_S**2)


def launch_gate_ratio(one: LaunchEstimate, other: LaunchEstimate) -> float:
    """Return how far apart two launches are in place and time; up to 1 they may be the same one."""
    east_m, north_m = (float(value) for value in _offset_m(one, other))
    spread = covariance_from_ellipse(one.area) + covariance_from_ellipse(other.area)
    sums = (float(spread[0, 0]), float(spread[0, 1]), float(spread[1, 1]))
    late_s = seconds_from_microseconds(other.time_us - one.time_us)
    late = (late_s, one.sigma_time_s**2 + other.sigma_time_s**2)
    return float(launch_distance_kernel(east_m, north_m, sums, late)) / CHI_SQUARE_3


@njit(cache=True)
def _combined_kernel(
    mean: Vector, covariance: Vector, other_mean: Vector, other_covariance: Vector
) -> tuple[Vector, Vector]:
    """Return mean and covariance of the intersection of two areas, or of a cover if they disagree."""
    apart = other_mean - mean
    total = covariance + other_covariance
    if apart @ (np.linalg.inv(total) @ apart) > CHI_SQUARE_2:
        return 0.5 * (mean + other_mean), total + 0.25 * np.outer(apart, apart)
    first, second = np.linalg.inv(covariance), np.linalg.inv(other_covariance)
    best, sharpest = 0.0, -math.inf
    for step in range(11):
        weight = step / 10.0
        mixed = weight * first + (1.0 - weight) * second
        sharpness = mixed[0, 0] * mixed[1, 1] - mixed[0, 1] * mixed[1, 0]
        if sharpness > sharpest:
            best, sharpest = weight, sharpness
    joint = np.linalg.inv(best * first + (1.0 - best) * second)
    return mean + joint @ ((1.0 - best) * (second @ apart)), joint


def _combined(one: _Plane, other: _Plane) -> _Plane:
    """Return the intersection of two areas, or a cover of both if they disagree."""
    mean, covariance = _combined_kernel(one.mean, one.covariance, other.mean, other.covariance)
    return _Plane(mean, np.ascontiguousarray(covariance))  # another layout would be compiled for anew


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

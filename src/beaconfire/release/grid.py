"""The fixed grid in place and time: coarse values, and how long one that was given stays.

What was given stays while the truth may be there. Revisions that scatter about the edge of a cell, or about
half a step, would else fall now on this side and now on that, and their average would tell far more than the
grid does.
"""

import math
from collections.abc import Iterable
from typing import Final

from beaconfire.messages.estimate import Ellipse
from beaconfire.units import EARTH_MEAN_RADIUS_M, MICROSECONDS_PER_SECOND

RADIUS_SPREAD: Final = 1.01
"""Above the ratio of any radius of curvature of the ellipsoid to the mean radius."""


Place = tuple[float, float]
"""Geodetic latitude and longitude, radians."""

NORMAL_95: Final = 1.96
"""Half of a 95 % interval in standard deviations."""


def snap(latitude_rad: float, longitude_rad: float, grid_m: float) -> tuple[float, float, float]:
    """Return the centre of the grid cell of a place and the greatest distance within the cell to it.

    Rows of latitude are `grid_m` high; each holds a whole number of columns at least `grid_m` wide.
    Result: latitude and longitude in radians, distance in metres.
    """
    row_rad = grid_m / EARTH_MEAN_RADIUS_M
    row = math.floor(latitude_rad / row_rad)
    centre_latitude = (row + 0.5) * row_rad
    cosine = max(math.cos(centre_latitude), 1.0e-3)
    columns = max(1, math.floor(2.0 * math.pi * cosine * EARTH_MEAN_RADIUS_M / grid_m))
    width_rad = 2.0 * math.pi / columns
    column = math.floor((longitude_rad % (2.0 * math.pi)) / width_rad)
    centre_longitude = (column + 0.5) * width_rad
    widest = max(math.cos(row * row_rad), math.cos((row + 1) * row_rad))
    reach_m = RADIUS_SPREAD * math.hypot(grid_m / 2.0, width_rad * widest * EARTH_MEAN_RADIUS_M / 2.0)
    return centre_latitude, (centre_longitude + math.pi) % (2.0 * math.pi) - math.pi, reach_m


def distance_m(one: Place, other: Place) -> float:
    """Return the distance of two places some kilometres apart, metres, never less than it is."""
    north = one[0] - other[0]
    east = (one[1] - other[1] + math.pi) % (2.0 * math.pi) - math.pi
    cosine = max(math.cos(one[0]), math.cos(other[0]))
    return RADIUS_SPREAD * EARTH_MEAN_RADIUS_M * math.hypot(north, east * cosine)


def centre_for(area: Ellipse, grid_m: float, held: Iterable[Place] = ()) -> Place:
    """Return the centre that an area is given: the first it had where it may still be, or its cell's.

    It may be there within the size of a cell and the area's own.
    """
    place = (area.latitude_rad, area.longitude_rad)
    near = (one for one in held if distance_m(place, one) <= grid_m + area.semi_major_m)
    return next(near, snap(*place, grid_m)[:2])


def snap_ellipse(area: Ellipse, grid_m: float, held: Iterable[Place] = ()) -> Ellipse:
    """Return an area around a cell's centre that holds the old one wherever `centre_for` lets it stand.

    The outer ellipse of the sum of the old ellipse and a disc as wide as that, with axes rounded up to a
    tenth of the grid; so at least the stated probability still lies inside.

    Args:
        area: as stated.
        grid_m: size of the cells; 0 leaves the area as it is.
        held: centres given before.

    Source: A. Kurzhanski and I. Valyi, Ellipsoidal Calculus (1997), section 2.3: the ellipse with
    matrix (1 + 1/p) Q1 + (1 + p) Q2, p = sqrt(tr Q1 / tr Q2), holds the sum of ellipses Q1 and Q2.
    """
    if grid_m <= 0.0:
        return area
    latitude_rad, longitude_rad = centre_for(area, grid_m, held)
    reach_m = RADIUS_SPREAD * (grid_m + area.semi_major_m)
    major, minor, reach = area.semi_major_m**2, area.semi_minor_m**2, reach_m**2
    ratio = max(math.sqrt((major + minor) / (2.0 * reach)), 1.0e-9)
    step_m = grid_m / 10.0

    def grown(axis_squared: float) -> float:
        axis_m = math.sqrt((1.0 + 1.0 / ratio) * axis_squared + (1.0 + ratio) * reach)
        return math.ceil(axis_m / step_m) * step_m

    return Ellipse(
        latitude_rad=latitude_rad,
        longitude_rad=longitude_rad,
        semi_major_m=grown(major),
        semi_minor_m=grown(minor),
        bearing_rad=area.bearing_rad,
        probability=area.probability,
    )


def step_time(time_us: int, sigma_s: float, step_s: float, held: Iterable[int] = ()) -> tuple[int, float]:
    """Return a time on a multiple of the step, and a sigma under which it still holds.

    The 95 % interval of the result holds that of the original wherever the time is let stand.

    Args:
        time_us: as stated.
        sigma_s: of it.
        step_s: 0 leaves both.
        held: times given before; the first within reach of which it may be stays.
    """
    step_us = round(step_s * MICROSECONDS_PER_SECOND)
    if step_us <= 0:
        return time_us, sigma_s
    reach_s = step_s + 2.0 * sigma_s
    near = (one for one in held if abs(time_us - one) <= reach_s * MICROSECONDS_PER_SECOND)
    rounded_us = (time_us + step_us // 2) // step_us * step_us
    wide_s = sigma_s + reach_s / NORMAL_95
    return next(near, rounded_us), math.ceil(10.0 * wide_s / step_s) * step_s / 10.0

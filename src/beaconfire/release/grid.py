"""The fixed grid in place and time: coarse values, and how long one that was given stays.

What was given stays while the truth may be there. Revisions that scatter about the edge of a cell, or about
half a step, would else fall now on this side and now on that, and their average would tell far more than the
grid does. Whether it stays follows from coarse values alone, from the cell and the rounded axes of what is
stated now: a rule that asked how far the estimate itself has moved would tell where in its cell it is.
"""

import math
from collections.abc import Iterable
from typing import Final

from beaconfire.messages.estimate import Ellipse
from beaconfire.units import EARTH_MEAN_RADIUS_M, MICROSECONDS_PER_SECOND

RADIUS_SPREAD: Final = 1.01
"""Above the ratio of any radius of curvature of the ellipsoid to the mean radius."""
CELL_REACH: Final = 0.76
"""Cells reach no further from their centre, in sizes of the grid, up to 89 degrees of latitude; two that
touch have their centres within twice that. It is the same for all: what it adds to an area tells no row."""

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


def snap_ellipse(area: Ellipse, grid_m: float, held: Iterable[Place] = ()) -> Ellipse:
    """Return an area around its cell's centre, or around the one that was given before and stays.

    The first of those given stays while the cell is beside it, or as far off as the area is wide. The axes
    are those of the outer ellipse of the sum of the old ellipse and a disc as wide as that and the cell,
    rounded up to a tenth of the grid before and after; so at least the stated probability still lies inside.

    Args:
        area: as stated.
        grid_m: size of the cells; 0 leaves the area as it is.
        held: centres given before.

    Source: A. Kurzhanski and I. Valyi, Ellipsoidal Calculus (1997), section 2.3: the ellipse with
    matrix (1 + 1/p) Q1 + (1 + p) Q2, p = sqrt(tr Q1 / tr Q2), holds the sum of ellipses Q1 and Q2.
    """
    if grid_m <= 0.0:
        return area
    step_m = grid_m / 10.0
    major_m, minor_m = (math.ceil(axis / step_m) * step_m for axis in (area.semi_major_m, area.semi_minor_m))
    cell_latitude, cell_longitude, reach_m = snap(area.latitude_rad, area.longitude_rad, grid_m)
    cell_m = max(reach_m, CELL_REACH * grid_m)
    stays_m = 2.0 * cell_m + major_m
    centre = (cell_latitude, cell_longitude)
    latitude_rad, longitude_rad = next((one for one in held if distance_m(centre, one) <= stays_m), centre)
    major, minor, reach = (axis_m**2 for axis_m in (major_m, minor_m, stays_m + cell_m))
    ratio = max(math.sqrt((major + minor) / (2.0 * reach)), 1.0e-9)

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

    The first of those given stays while the rounded time is a step from it, or as far off as the time may be.
    The 95 % interval of the result holds that of the original wherever the time is let stand.

    Args:
        time_us: as stated.
        sigma_s: of it.
        step_s: 0 leaves both.
        held: times given before.
    """
    step_us = round(step_s * MICROSECONDS_PER_SECOND)
    if step_us <= 0:
        return time_us, sigma_s
    sigma_s = math.ceil(10.0 * sigma_s / step_s) * step_s / 10.0
    stays_s = step_s + 2.0 * sigma_s
    rounded_us = (time_us + step_us // 2) // step_us * step_us
    near = (one for one in held if abs(rounded_us - one) <= stays_s * MICROSECONDS_PER_SECOND)
    wide_s = sigma_s + (stays_s + step_s / 2.0) / NORMAL_95
    return next(near, rounded_us), math.ceil(10.0 * wide_s / step_s) * step_s / 10.0

"""Infrared lines alone: where they meet a height, and a plain filter that holds one source's together."""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.frames.types import Vector

REFERENCE_HEIGHT_M: Final = 30_000.0
SPEED_SIGMA_M_S: Final = 1_500.0
ACCELERATION_NOISE: Final = 10_000.0
"""Spectral density of the unknown acceleration, m^2/s^3: a lofted ascent moves its meeting point with up to
60 m/s^2, and staging comes at once."""


@njit(cache=True)
def meeting_kernel(position_ecef_m: Vector, line_of_sight: Vector, height_m: float) -> tuple[Vector, float]:
    """Return where a sight line first meets a height above the ellipsoid, shape (3,), and the distance there.

    The distance is nan if the line passes above it; then the point is that of closest approach.
    """
    towards = -(
        position_ecef_m[0] * line_of_sight[0]
        + position_ecef_m[1] * line_of_sight[1]
        + position_ecef_m[2] * line_of_sight[2]
    )
    nearest = position_ecef_m + towards * line_of_sight
    if towards <= 0.0:
        return nearest, math.nan
    _, _, lowest = geodetic_from_ecef_kernel(nearest[0], nearest[1], nearest[2])
    if lowest >= height_m:
        return nearest, math.nan
    near, far = 0.0, towards
    for _ in range(60):
        middle = 0.5 * (near + far)
        there = position_ecef_m + middle * line_of_sight
        _, _, height = geodetic_from_ecef_kernel(there[0], there[1], there[2])
        if height > height_m:
            near = middle
        else:
            far = middle
    return position_ecef_m + far * line_of_sight, far


class SightFilter:
    """One source seen by one infrared sensor: where its lines meet 30 km, and how fast that point moves.

    Only for holding lines of one source together; nothing of it is published.

    Attributes:
        time_s: of the newest line used.
        sensor: index of the sensor whose lines it follows; lines of others are compared with more room.
    """

    def __init__(self, row: Vector, sigma_m: float, point_ecef_m: Vector) -> None:
        """Start at one line's meeting point with its sigma."""
        self.time_s = float(row[0])
        self.sensor = int(row[1])
        self._point = point_ecef_m
        self._speed = np.zeros(3)
        self._spread = np.array([[sigma_m**2, 0.0], [0.0, SPEED_SIGMA_M_S**2]])

    def _predicted(self, time_s: float) -> tuple[Vector, Vector]:
        gap = time_s - self.time_s
        move = np.array([[1.0, gap], [0.0, 1.0]])
        noise = ACCELERATION_NOISE * np.array(
            [[abs(gap) ** 3 / 3.0, gap * gap / 2.0], [gap * gap / 2.0, abs(gap)]]
        )
        return self._point + gap * self._speed, move @ self._spread @ move.T + noise

    def distance(self, row: Vector, sigma_m: float, point_ecef_m: Vector) -> tuple[float, float]:
        """Return squared Mahalanobis distance of a meeting point and logarithm of its spread (two axes)."""
        point, spread = self._predicted(float(row[0]))
        parallax_m = 0.0 if int(row[1]) == self.sensor else 60_000.0
        variance = spread[0, 0] + sigma_m**2 + parallax_m**2
        difference = point_ecef_m - point
        return float(difference @ difference) / variance, 2.0 * math.log(variance)

    def update(self, row: Vector, sigma_m: float, point_ecef_m: Vector) -> None:
        """Take one line of the same source; late lines and those of other sensors change nothing."""
        if int(row[1]) != self.sensor or float(row[0]) <= self.time_s:
            return
        point, spread = self._predicted(float(row[0]))
        gain = spread[:, 0] / (spread[0, 0] + sigma_m**2)
        difference = point_ecef_m - point
        self._point = point + gain[0] * difference
        self._speed = self._speed + gain[1] * difference
        self._spread = spread - np.outer(gain, spread[0])
        self.time_s = float(row[0])


def meeting_point(row: Vector, sensor: Vector) -> tuple[Vector, float] | None:
    """Return where a sight-line row meets 30 km and its sigma across the line, or None if it never does."""
    point, distance = meeting_kernel(row[6:9].copy(), row[2:5].copy(), REFERENCE_HEIGHT_M)
    if math.isnan(distance):
        return None
    up = point / np.linalg.norm(point)
    slant = max(abs(float(up @ row[2:5])), 0.2)
    return point, float(distance * sensor[21] / slant)

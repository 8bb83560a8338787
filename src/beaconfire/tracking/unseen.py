"""Where a body that nobody sees any more may be by now: spread that bends with the air, and grows.

A covariance carried linearly into the air is wrong both ways: drag squeezes what it takes to be known and
says nothing of how late a light body comes. So points of equal weight fall one by one, and the spread is
taken about the one that falls from the estimate itself.
Source: I. Arasaratnam and S. Haykin, IEEE Trans. Automatic Control 54 (2009) 1254, points of degree three.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.dynamics import approximate_height_kernel
from beaconfire.flight.propagation import rk4_step_kernel
from beaconfire.frames.types import Vector

WANDER_M_S: Final = 0.5
"""Growth of velocity sigma per square root of a second once nobody sees the object, each axis."""
AIR_HEIGHT_M: Final = 130_000.0
"""Above this nothing of the air is felt."""
_STATES: Final = 7


@njit(cache=True)
def _fallen_kernel(state: Vector, interval_s: float) -> Vector:
    """Return the state after an interval, or where it touched the ground before that."""
    current, left = state.copy(), interval_s
    while left > 1e-9:
        height = approximate_height_kernel(current[0], current[1], current[2])
        if height < 0.0:
            break
        current = rk4_step_kernel(current, min(left, 0.5 if height < AIR_HEIGHT_M else 5.0))
        left -= 0.5 if height < AIR_HEIGHT_M else 5.0
    return current


@njit(cache=True)
def unseen_kernel(state: Vector, covariance: Vector, interval_s: float) -> tuple[Vector, Vector]:
    """Return state (7,) and covariance (7, 7) of a free body after seconds without a detection.

    Args:
        state: of seven when it was last estimated, ECEF, SI.
        covariance: of it, shape (7, 7), positive definite.
        interval_s: seconds since, not negative.
    """
    wide = covariance.copy()
    for i in range(3):
        wide[3 + i, 3 + i] += WANDER_M_S * WANDER_M_S * interval_s
    scale = np.empty(_STATES)
    for i in range(_STATES):
        scale[i] = math.sqrt(max(wide[i, i], 1e-12))
    scaled = wide / np.outer(scale, scale) + 1e-9 * np.eye(_STATES)
    lower = np.linalg.cholesky(scaled)
    middle = _fallen_kernel(state, interval_s)
    out = np.zeros((_STATES, _STATES))
    for i in range(_STATES):
        for sign in (-1.0, 1.0):
            start = state + sign * math.sqrt(_STATES) * lower[:, i] * scale
            apart = _fallen_kernel(start, interval_s) - middle
            out += np.outer(apart, apart) / (2.0 * _STATES)
    return middle, out

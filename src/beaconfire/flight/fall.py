"""The fall of a free body: time to the ground, highest point, and the path over the Earth on the way.

Steps are long in vacuum and short in air; on the ground they agree with a fixed short step to metres.
A state of seven is x y z (m), vx vy vz (m/s, ECEF), ln(1/beta).
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.flight.dynamics import approximate_height_kernel
from beaconfire.flight.propagation import (
    FLIGHT_TIME_MAX_S,
    propagate_with_transition_kernel,
    rk4_step_kernel,
)
from beaconfire.frames.geodesy import enu_from_ecef_rotation_kernel, geodetic_from_ecef_kernel
from beaconfire.frames.types import Vector

AIR_M: Final = 80e3
"""Height below which drag asks for short steps."""
INTO_AIR_S: Final = 1.0
"""Least step towards that height: the last one must pass it."""


class FallPath(NamedTuple):
    """A flight to the ground, sampled in time.

    Attributes:
        elapsed_s: since the epoch of the state, shape (n,).
        latitude_rad: of the point below, shape (n,).
        longitude_rad: of the point below, shape (n,).
        height_m: above the ellipsoid, shape (n,).
        states: state of seven at each instant, shape (n, 7).
        transitions: position rows of the transition matrix from the epoch, shape (n, 3, 7).
    """

    elapsed_s: Vector
    latitude_rad: Vector
    longitude_rad: Vector
    height_m: Vector
    states: Vector
    transitions: Vector


@njit(cache=True)
def _step_for_kernel(height_m: float) -> float:
    """Return the largest step that keeps the fall exact to metres: long in vacuum, short in air."""
    if height_m > 150e3:
        return 10.0
    return 2.0 if height_m > AIR_M else 0.5


@njit(cache=True)
def _climb_rate_kernel(state: Vector) -> float:
    """Return the radial rate, m/s, near enough to the rate of the height for choosing steps."""
    radius = math.sqrt(state[0] ** 2 + state[1] ** 2 + state[2] ** 2)
    rate: float = (state[0] * state[3] + state[1] * state[4] + state[2] * state[5]) / radius
    return rate


@njit(cache=True)
def _touch_kernel(state: Vector, height_m: float) -> tuple[float, Vector]:
    """Return the short time (s) and state (7,) at which a falling body near `height_m` passes it."""
    moved = 0.0
    for _ in range(6):
        latitude, longitude, height = geodetic_from_ecef_kernel(state[0], state[1], state[2])
        up = enu_from_ecef_rotation_kernel(latitude, longitude)[2]
        rate = up[0] * state[3] + up[1] * state[4] + up[2] * state[5]
        if rate > -1.0 or abs(height - height_m) < 1e-3:
            break
        step = (height_m - height) / rate
        if abs(step) > 12.0:
            step = math.copysign(12.0, step)
        state = rk4_step_kernel(state, step)
        moved += step
    return moved, state


@njit(cache=True)
def fall_kernel(state: Vector, height_m: float) -> tuple[float, Vector]:
    """Return seconds until a body passes `height_m` on its way down, and its state (7,) there.

    The time is nan for a body that does not come down within `FLIGHT_TIME_MAX_S`.
    """
    elapsed = 0.0
    current = state.copy()
    while elapsed < FLIGHT_TIME_MAX_S:
        height = approximate_height_kernel(current[0], current[1], current[2])
        if height <= height_m and _climb_rate_kernel(current) < 0.0:
            moved, current = _touch_kernel(current, height_m)
            return elapsed + moved, current
        step = _step_for_kernel(height)
        current = rk4_step_kernel(current, step)
        elapsed += step
    return math.nan, current


@njit(cache=True)
def _next_step_kernel(state: Vector, left_s: float, stretch: float) -> float:
    """Return the next step of a fall, or of one backwards, of at most what is left; seconds."""
    height = approximate_height_kernel(state[0], state[1], state[2])
    step = stretch * _step_for_kernel(height)
    if height > AIR_M:  # a long step into the air would be no step of this motion any more
        step = min(step, max((height - AIR_M) / max(abs(_climb_rate_kernel(state)), 1.0), INTO_AIR_S))
    return math.copysign(min(abs(left_s), step), left_s)


@njit(cache=True)
def fallen_kernel(state: Vector, elapsed_s: float) -> Vector:
    """Return the state (7,) of a free body after `elapsed_s`, or before, in the steps of a fall."""
    current, left = state.copy(), elapsed_s
    while abs(left) > 1e-9:
        step = _next_step_kernel(current, left, 1.0)
        current = rk4_step_kernel(current, step)
        left -= step
    return current


@njit(cache=True)
def fall_with_transition_kernel(
    state: Vector, elapsed_s: float, stretch: float = 1.0
) -> tuple[Vector, Vector]:
    """Return state (7,) and transition matrix (7, 7) after `elapsed_s`, or before, in the steps of a fall.

    Args:
        state: of seven, ECEF, SI.
        elapsed_s: seconds, negative for before.
        stretch: factor on the steps, more than 1 where only the matrix is wanted.
    """
    current, transition = state.copy(), np.eye(7)
    left = elapsed_s
    while abs(left) > 1e-9:
        step = _next_step_kernel(current, left, stretch)
        current, transition = propagate_with_transition_kernel(current, transition, step, 60.0)
        left -= step
    return current, transition


@njit(cache=True)
def _apogee_kernel(state: Vector) -> float:
    """Return the greatest height (m), ahead or behind; nan if it lies beyond the time limit."""
    current = state.copy()
    rate = _climb_rate_kernel(current)
    sign = 1.0 if rate > 0.0 else -1.0
    elapsed = 0.0
    while elapsed < FLIGHT_TIME_MAX_S:
        step = _step_for_kernel(approximate_height_kernel(current[0], current[1], current[2]))
        after = rk4_step_kernel(current, sign * step)
        after_rate = _climb_rate_kernel(after)
        if after_rate * rate <= 0.0:
            top = rk4_step_kernel(current, sign * step * rate / (rate - after_rate + 1e-300))
            _, _, height = geodetic_from_ecef_kernel(top[0], top[1], top[2])
            return height
        current, rate = after, after_rate
        elapsed += step
    return math.nan


def apogee_height_m(state: Vector) -> float | None:
    """Return the height of the highest point of free flight above the ellipsoid, or None if there is none.

    Args:
        state: of seven, ECEF, SI. A falling body is followed back up.
    """
    height = _apogee_kernel(state)
    return None if math.isnan(height) else height


@njit(cache=True)
def _path_kernel(state: Vector, interval_s: float, limit: int) -> tuple[int, Vector, Vector, Vector]:
    where, states = np.empty((limit, 4)), np.empty((limit, 7))
    transitions = np.empty((limit, 3, 7))
    current, transition = state.copy(), np.eye(7)
    elapsed, count = 0.0, 0
    while count < limit:
        latitude, longitude, height = geodetic_from_ecef_kernel(current[0], current[1], current[2])
        if height < 0.0 and _climb_rate_kernel(current) < 0.0:
            break
        where[count, 0], where[count, 1] = elapsed, latitude
        where[count, 2], where[count, 3] = longitude, height
        states[count] = current
        transitions[count] = transition[:3]
        count += 1
        step = 2.0 if height < 120e3 else 10.0
        current, transition = propagate_with_transition_kernel(current, transition, interval_s, step)
        elapsed += interval_s
    return count, where, states, transitions


def fall_path(state: Vector, interval_s: float = 10.0) -> FallPath:
    """Return the path from the epoch of a state to the ground, at most 720 instants.

    Args:
        state: of seven at the epoch, ECEF, SI.
        interval_s: between two instants.
    """
    count, where, states, transitions = _path_kernel(state, interval_s, 720)
    return FallPath(
        elapsed_s=where[:count, 0],
        latitude_rad=where[:count, 1],
        longitude_rad=where[:count, 2],
        height_m=where[:count, 3],
        states=states[:count],
        transitions=transitions[:count],
    )

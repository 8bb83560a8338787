"""Propagation of a free body: fourth-order Runge-Kutta, with or without the transition matrix.

Deterministic: the same state, interval and largest step give the same bits. The step is the interval
divided into equal parts no longer than `STEP_S` (or `step_s`), so a flight cut at other instants
differs by the truncation error only (below 1 cm over 20 minutes; see docs/studies).
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.dynamics import acceleration_kernel, acceleration_partials_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.frames.types import Vector

STEP_S: Final = 1.0
FLIGHT_TIME_MAX_S: Final = 7_200.0


@njit(cache=True)
def rk4_step_kernel(state: Vector, step_s: float) -> Vector:
    """Return the state of seven after one step."""
    acceleration = np.empty(3)
    middle = state.copy()
    total = np.zeros(6)
    weights = (1.0, 2.0, 2.0, 1.0)
    offsets = (0.5, 0.5, 1.0, 0.0)
    for stage in range(4):
        acceleration_kernel(middle, acceleration)
        velocity0, velocity1, velocity2 = middle[3], middle[4], middle[5]
        total[0] += weights[stage] * velocity0
        total[1] += weights[stage] * velocity1
        total[2] += weights[stage] * velocity2
        offset = offsets[stage] * step_s
        for i in range(3):
            total[3 + i] += weights[stage] * acceleration[i]
            middle[3 + i] = state[3 + i] + offset * acceleration[i]
        middle[0] = state[0] + offset * velocity0
        middle[1] = state[1] + offset * velocity1
        middle[2] = state[2] + offset * velocity2
    out = state.copy()
    for i in range(6):
        out[i] += step_s / 6.0 * total[i]
    return out


@njit(cache=True)
def propagate_kernel(state: Vector, interval_s: float, step_s: float) -> Vector:
    """Return the state of seven after `interval_s` (negative goes back)."""
    steps = max(1, math.ceil(abs(interval_s) / step_s - 1e-9))
    out = state.copy()
    for _ in range(steps):
        out = rk4_step_kernel(out, interval_s / steps)
    return out


@njit(cache=True)
def _derivative_kernel(state: Vector, transition: Vector, d_state: Vector, d_transition: Vector) -> None:
    acceleration = np.empty(3)
    partials = np.empty((3, 7))
    acceleration_partials_kernel(state, acceleration, partials)
    for i in range(3):
        d_state[i] = state[3 + i]
        d_state[3 + i] = acceleration[i]
        for j in range(7):
            d_transition[i, j] = transition[3 + i, j]
            total = 0.0
            for k in range(7):
                total += partials[i, k] * transition[k, j]
            d_transition[3 + i, j] = total
    d_state[6] = 0.0
    for j in range(7):
        d_transition[6, j] = 0.0


@njit(cache=True)
def propagate_with_transition_kernel(
    state: Vector, transition: Vector, interval_s: float, step_s: float
) -> tuple[Vector, Vector]:
    """Return state (7,) and transition matrix (7, 7) after `interval_s`.

    `transition` is the partial derivative of `state` with some earlier state; the one returned is that
    of the new state with the same earlier one. Start from the identity.
    """
    steps = max(1, math.ceil(abs(interval_s) / step_s - 1e-9))
    h = interval_s / steps
    x, phi = state.copy(), transition.copy()
    d_x, d_phi = np.empty(7), np.empty((7, 7))
    for _ in range(steps):
        sum_x, sum_phi = np.zeros(7), np.zeros((7, 7))
        mid_x, mid_phi = x.copy(), phi.copy()
        for stage in range(4):
            _derivative_kernel(mid_x, mid_phi, d_x, d_phi)
            weight = 1.0 if stage in (0, 3) else 2.0
            offset = 0.5 * h if stage < 2 else h
            for i in range(7):
                sum_x[i] += weight * d_x[i]
                mid_x[i] = x[i] + offset * d_x[i]
                for j in range(7):
                    sum_phi[i, j] += weight * d_phi[i, j]
                    mid_phi[i, j] = phi[i, j] + offset * d_phi[i, j]
        for i in range(7):
            x[i] += h / 6.0 * sum_x[i]
            for j in range(7):
                phi[i, j] += h / 6.0 * sum_phi[i, j]
    return x, phi


@njit(cache=True)
def time_to_ground_kernel(state: Vector, height_m: float, step_s: float) -> float:
    """Return seconds until a falling body passes `height_m` above the ellipsoid; nan if it does not.

    Only a downward pass counts, so a body that still climbs from below is followed over its apogee.
    Bounded by `FLIGHT_TIME_MAX_S`.
    """
    elapsed = 0.0
    current = state.copy()
    _, _, before = geodetic_from_ecef_kernel(current[0], current[1], current[2])
    while elapsed < FLIGHT_TIME_MAX_S:
        after_state = rk4_step_kernel(current, step_s)
        _, _, after = geodetic_from_ecef_kernel(after_state[0], after_state[1], after_state[2])
        if after <= height_m and after < before:
            low, high = 0.0, step_s
            for _ in range(40):
                middle = 0.5 * (low + high)
                there = rk4_step_kernel(current, middle)
                _, _, height = geodetic_from_ecef_kernel(there[0], there[1], there[2])
                if height > height_m:
                    low = middle
                else:
                    high = middle
            return elapsed + 0.5 * (low + high)
        current, before = after_state, after
        elapsed += step_s
    return math.nan

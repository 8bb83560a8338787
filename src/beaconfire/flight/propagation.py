"""Propagation of a free body: fourth-order Runge-Kutta, with or without the transition matrix.

Deterministic: the same state, interval and largest step give the same bits. The step is the interval
divided into equal parts no longer than `STEP_S` (or `step_s`), so a flight cut at other instants
differs by the truncation error only (below 1 cm over 20 minutes; see docs/studies).
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.dynamics import acceleration_of_kernel, acceleration_partials_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.frames.types import Vector

STEP_S: Final = 1.0
FLIGHT_TIME_MAX_S: Final = 7_200.0


@njit(cache=True)
def rk4_step_kernel(state: Vector, step_s: float) -> Vector:
    """Return the state of seven after one step."""
    inverse_beta = math.exp(state[6])
    half, sixth = 0.5 * step_s, step_s / 6.0
    p1 = (state[0], state[1], state[2])
    v1 = (state[3], state[4], state[5])
    a1 = acceleration_of_kernel(p1, v1, inverse_beta)
    v2 = (v1[0] + half * a1[0], v1[1] + half * a1[1], v1[2] + half * a1[2])
    p2 = (p1[0] + half * v1[0], p1[1] + half * v1[1], p1[2] + half * v1[2])
    a2 = acceleration_of_kernel(p2, v2, inverse_beta)
    v3 = (v1[0] + half * a2[0], v1[1] + half * a2[1], v1[2] + half * a2[2])
    p3 = (p1[0] + half * v2[0], p1[1] + half * v2[1], p1[2] + half * v2[2])
    a3 = acceleration_of_kernel(p3, v3, inverse_beta)
    v4 = (v1[0] + step_s * a3[0], v1[1] + step_s * a3[1], v1[2] + step_s * a3[2])
    p4 = (p1[0] + step_s * v3[0], p1[1] + step_s * v3[1], p1[2] + step_s * v3[2])
    a4 = acceleration_of_kernel(p4, v4, inverse_beta)
    out = np.empty(7)
    for i in range(3):
        out[i] = p1[i] + sixth * (v1[i] + 2.0 * v2[i] + 2.0 * v3[i] + v4[i])
        out[3 + i] = v1[i] + sixth * (a1[i] + 2.0 * a2[i] + 2.0 * a3[i] + a4[i])
    out[6] = state[6]
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

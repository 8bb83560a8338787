"""Extended Kalman filter, one plot at a time: for association, and for what is published during boost.

State of ten as in `tracking.batch`: with process noise on the acceleration it is the boost model, with zero
acceleration, its covariance zero and no noise it is the coast model.
Source: Y. Bar-Shalom, X. R. Li and T. Kirubarajan, Estimation with Applications to Tracking and Navigation
(2001), sections 5.4 and 10.3; Joseph form section 5.2.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.dynamics import approximate_height_kernel
from beaconfire.flight.propagation import STEP_S, propagate_with_transition_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.algebra import inverse_kernel, symmetric_kernel
from beaconfire.tracking.measurement import residual_kernel

FREED_SIGMA_M_S2: Final = 25.0
"""Sigma of an acceleration that nothing is known of any more."""
AIR_HEIGHT_M: Final = 60_000.0
AIR_STEP_S: Final = 0.25
"""Below this height drag changes by tens of m/s^2 in a second at 3 km/s: steps of 1 s err by 0.3 m/s."""


@njit(cache=True)
def integration_step_kernel(state: Vector) -> float:
    """Return the longest integration step that serves at a state, seconds."""
    return AIR_STEP_S if approximate_height_kernel(state[0], state[1], state[2]) < AIR_HEIGHT_M else STEP_S


@njit(cache=True)
def predict_kernel(
    state: Vector, covariance: Vector, interval_s: float, acceleration_noise: float
) -> tuple[Vector, Vector]:
    """Return state (10,) and covariance (10, 10) after `interval_s` (negative goes back).

    Args:
        state: state of ten.
        covariance: of it.
        interval_s: seconds.
        acceleration_noise: spectral density of the acceleration's random walk, m^2/s^5; 0 in coast.
    """
    out, spread = state.copy(), covariance.copy()
    if interval_s == 0.0:
        return out, spread
    parts = max(1, math.ceil(abs(interval_s) - 1e-9)) if acceleration_noise > 0.0 else 1
    step = interval_s / parts
    transition = np.zeros((10, 10))
    for _ in range(parts):
        moved, partials = propagate_with_transition_kernel(
            out[:7].copy(), np.eye(7), step, integration_step_kernel(out)
        )
        transition[:7, :7] = partials
        for i in range(3):
            out[i] = moved[i] + 0.5 * step * step * out[7 + i]
            out[3 + i] = moved[3 + i] + step * out[7 + i]
            transition[i, 7 + i] = 0.5 * step * step
            transition[3 + i, 7 + i] = step
            transition[7 + i, 7 + i] = 1.0
        spread = transition @ spread @ transition.T
        _add_noise(spread, abs(step), acceleration_noise)
    symmetric_kernel(spread)
    return out, spread


@njit(cache=True)
def _add_noise(spread: Vector, step_s: float, density: float) -> None:
    """Add the white-jerk noise of one step."""
    for i in range(3):
        spread[i, i] += density * step_s**5 / 20.0
        spread[3 + i, 3 + i] += density * step_s**3 / 3.0
        spread[7 + i, 7 + i] += density * step_s
        for low, high, share in (
            (i, 3 + i, step_s**4 / 8.0),
            (i, 7 + i, step_s**3 / 6.0),
            (3 + i, 7 + i, step_s**2 / 2.0),
        ):
            spread[low, high] += density * share
            spread[high, low] += density * share


@njit(cache=True)
def _innovation(
    row: Vector, sensors: Vector, state: Vector, covariance: Vector
) -> tuple[Vector, Vector, Vector]:
    """Return whitened innovation (m,), its covariance (m, m) and the partials (m, 10)."""
    residual, jacobian, offset = np.empty(4), np.zeros((4, 6)), np.empty((4, 4))
    size = residual_kernel(row, sensors, state, residual, jacobian, offset)
    partials = np.zeros((size, 10))
    partials[:, :6] = jacobian[:size]
    shift = offset[:size].copy()
    spread = partials @ covariance @ partials.T + shift @ shift.T
    for k in range(size):
        spread[k, k] += 1.0
    return residual[:size].copy(), spread, partials


@njit(cache=True)
def gate_kernel(
    row: Vector, sensors: Vector, state: Vector, covariance: Vector, allowance_m: float
) -> tuple[float, float, int]:
    """Return squared Mahalanobis distance of a row, logarithm of its spread's determinant, components.

    Args:
        row: detection at the time of `state`.
        sensors: sensor table.
        state: predicted state of ten.
        covariance: of it.
        allowance_m: extra sigma of each coordinate of the position, for what no model foresees.
    """
    wide = covariance
    if allowance_m > 0.0:
        wide = covariance.copy()
        for i in range(3):
            wide[i, i] += allowance_m * allowance_m
    residual, spread, _ = _innovation(row, sensors, state, wide)
    inverse = inverse_kernel(spread)
    distance = 0.0
    for i in range(residual.size):
        for j in range(residual.size):
            distance += residual[i] * inverse[i, j] * residual[j]
    return distance, math.log(max(np.linalg.det(spread), 1e-300)), residual.size


@njit(cache=True)
def update_kernel(
    row: Vector, sensors: Vector, state: Vector, covariance: Vector
) -> tuple[Vector, Vector, float]:
    """Return state (10,), covariance (10, 10) and squared normalised innovation after one row.

    Linearised twice, the second time at the first result (iterated filter).
    """
    out = state.copy()
    distance = 0.0
    gain, partials = np.zeros((10, 1)), np.zeros((1, 10))
    shift = np.zeros((1, 1))
    for turn in range(2):
        residual, spread, partials = _innovation(row, sensors, out, covariance)
        inverse = inverse_kernel(spread)
        gain = covariance @ partials.T @ inverse
        if turn == 0:
            distance = float(residual @ inverse @ residual)
        out = state + gain @ (residual - partials @ (state - out))
        shift = spread - partials @ covariance @ partials.T
    left = np.eye(10) - gain @ partials
    after = left @ covariance @ left.T + gain @ shift @ gain.T
    symmetric_kernel(after)
    return out, after, distance


def freed(covariance: Vector, gap_s: float) -> Vector:
    """Return a covariance (10, 10) with the acceleration freed over the last `gap_s` seconds."""
    out = covariance.copy()
    variance = FREED_SIGMA_M_S2**2
    for i in range(3):
        out[7 + i, 7 + i] += variance
        out[3 + i, 3 + i] += variance * gap_s**2
        out[i, i] += variance * gap_s**4 / 4.0
        for low, high, share in (
            (i, 3 + i, gap_s**3 / 2.0),
            (i, 7 + i, gap_s**2 / 2.0),
            (3 + i, 7 + i, gap_s),
        ):
            out[low, high] += variance * share
            out[high, low] += variance * share
    return out

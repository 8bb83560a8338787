"""All tracks of one nation against what one sensor saw at one instant: predicted and gated in one call.

The same arithmetic as `filter.predict_kernel` and `filter.gate_kernel`, pair by pair. What a track expects,
its spread and the spread's inverse are made once for a track and not once for a pair, and a plot that is out
of reach in range alone is passed over: no Mahalanobis distance is less than that of one of its components.
Source: S. Blackman and R. Popoli, Design and Analysis of Modern Tracking Systems (1999), section 6.3.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.frames.types import Vector
from beaconfire.tracking.algebra import inverse_kernel
from beaconfire.tracking.association import GATE
from beaconfire.tracking.filter import predict_kernel
from beaconfire.tracking.measurement import COMPONENTS, SIGMA, residual_kernel
from beaconfire.tracking.motion import Motion

GATES: Final = (math.inf, math.inf, GATE[2], GATE[3], GATE[4])
"""Gate by number of components."""
REACH_MARGIN: Final = 1.0 + 1e-9
"""Rounding may not turn away by range alone what the full distance lets in."""


class Predicted(NamedTuple):
    """Motions brought to one time.

    Attributes:
        states: of ten, ECEF, SI, shape (n, 10).
        covariances: of them, shape (n, 10, 10).
    """

    states: Vector
    covariances: Vector


@njit(cache=True)
def predict_all_kernel(
    states: Vector, covariances: Vector, intervals_s: Vector, noises: Vector
) -> tuple[Vector, Vector]:
    """Return states (n, 10) and covariances (n, 10, 10), each after its own interval.

    Args:
        states: of ten, shape (n, 10).
        covariances: of them, shape (n, 10, 10).
        intervals_s: shape (n,), seconds; negative goes back.
        noises: see `filter.predict_kernel`, shape (n,).
    """
    out, spread = np.empty_like(states), np.empty_like(covariances)
    for n in range(states.shape[0]):
        out[n], spread[n] = predict_kernel(states[n], covariances[n], intervals_s[n], noises[n])
    return out, spread


@njit(cache=True)
def _spread(jacobian: Vector, offset: Vector, covariance: Vector, room_m: float) -> Vector:
    """Return the covariance of a whitened innovation, shape (m, m): motion, room, offsets, noise."""
    size = jacobian.shape[0]
    wide = covariance[:6, :6].copy()
    for i in range(3):
        wide[i, i] += room_m * room_m
    spread = jacobian @ wide @ jacobian.T + offset @ offset.T
    for k in range(size):
        spread[k, k] += 1.0
    return spread


@njit(cache=True)
def _gate_track(
    rows: Vector, sensors: Vector, state: Vector, covariance: Vector, room_m: float, costs: Vector
) -> None:
    """Write the cost of each row for one track, shape (m,); infinite outside the gate."""
    residual, jacobian, offset = np.empty(4), np.zeros((4, 6)), np.empty((4, 4))
    inverse, constant, made = np.empty((1, 1)), 0.0, 0
    expected_m, reach_m = 0.0, math.inf
    for m in range(rows.shape[0]):
        if abs(rows[m, 2] - expected_m) > reach_m:
            costs[m] = math.inf
            continue
        size = residual_kernel(rows[m], sensors, state, residual, jacobian, offset)
        if size != made or size == 2:  # the partials of a sight line are of that line
            spread = _spread(jacobian[:size].copy(), offset[:size].copy(), covariance, room_m)
            inverse, made = inverse_kernel(spread), size
            constant = math.log(max(np.linalg.det(spread), 1e-300))
            if size > 2:  # the widest gate, so that a plot with a range rate is not passed over either
                sigma_m = sensors[int(rows[m, 1]), SIGMA]
                expected_m = rows[m, 2] - residual[0] * sigma_m
                reach_m = sigma_m * math.sqrt(GATES[COMPONENTS] * spread[0, 0]) * REACH_MARGIN
        costs[m] = math.inf
        distance = 0.0
        for i in range(size):
            for j in range(size):
                distance += residual[i] * inverse[i, j] * residual[j]
        if distance <= GATES[size]:
            costs[m] = distance + constant


@njit(cache=True)
def gate_all_kernel(
    rows: Vector, sensors: Vector, states: Vector, covariances: Vector, rooms_m: Vector
) -> Vector:
    """Return the cost of each pair of track and row, shape (n, m): infinite outside the gate.

    A cost is the squared Mahalanobis distance plus the logarithm of the spread's determinant.

    Args:
        rows: of one sensor and instant, shape (m, 9).
        sensors: sensor table.
        states: of ten at that instant, shape (n, 10).
        covariances: of them, shape (n, 10, 10).
        rooms_m: extra sigma of each coordinate of a track's position, shape (n,).
    """
    costs = np.empty((states.shape[0], rows.shape[0]))
    for n in range(states.shape[0]):
        _gate_track(rows, sensors, states[n], covariances[n], rooms_m[n], costs[n])
    return costs


def predicted(motions: Sequence[Motion], time_s: float) -> Predicted:
    """Return all motions at one time, each by its own model."""
    count = len(motions)
    states, covariances = np.empty((count, 10)), np.empty((count, 10, 10))
    intervals, noises = np.empty(count), np.empty(count)
    for n, motion in enumerate(motions):
        states[n], covariances[n] = motion.state, motion.covariance
        intervals[n], noises[n] = time_s - motion.time_s, motion.noise
    return Predicted(*predict_all_kernel(states, covariances, intervals, noises))


def gated(
    rows: Sequence[Vector], sensors: Vector, there: Predicted, rooms_m: Sequence[float]
) -> dict[tuple[int, int], float]:
    """Return the cost of each (motion, row) pair within its gate."""
    costs = gate_all_kernel(np.array(rows), sensors, *there, np.array(rooms_m, dtype=np.float64))
    near = np.argwhere(np.isfinite(costs))
    return {(int(n), int(m)): float(costs[n, m]) for n, m in near}

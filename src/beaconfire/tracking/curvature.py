"""What the batch leaves out by linearising: the range of a radar is curved across its line of sight.

Where bearings are coarse against range (10 m, 5 mrad), what is known of a body is no ellipsoid but a piece of
a shell about the radar. The fit finds where the shell is likeliest and how it lies there; its mean lies
nearer to the radar, and it is deeper than its tangent. Both follow, to the next order, from the curvature of
the ranges along the axes of what is known.

Source: L. Tierney and J. Kadane, J. Am. Stat. Assoc. 81 (1986) 82 (moments of a posterior beyond its
tangent); the terms as in J. Zinn-Justin, Quantum Field Theory and Critical Phenomena (2002), section 6.1
(one loop), without third derivatives of a single range.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.propagation import carry_kernel, room_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.algebra import axes_kernel
from beaconfire.tracking.batch import COAST, Solution, covariance_kernel
from beaconfire.tracking.filter import integration_step_kernel

FLAT: Final = 0.01
"""How far the shell bends within a sigma, in sigmas of range, below which nothing is made of it."""
STEEP: Final = 0.5
"""Largest share of a variance that one order may take away. Where it asks for more, it holds no longer, and
its size is taken for what is not known: so stated, normalised errors are 0.98 to 1.20 up to 20 mrad."""


@njit(cache=True, error_model="numpy")
def _bend_kernel(place: Vector, radar: Vector, axes: Vector, slope: Vector, bend: Vector) -> None:
    """Write first and second derivatives of a range along axes, in sigmas of the range.

    Args:
        place: of the body, ECEF, m.
        radar: its row of the sensor table.
        axes: change of the place for one sigma along each axis, shape (3, 7), m.
        slope: out, shape (7,).
        bend: out, shape (7, 7).
    """
    line = place - radar[1:4]
    distance = max(math.sqrt(line[0] ** 2 + line[1] ** 2 + line[2] ** 2), 1.0)
    line /= distance
    sigma_m = radar[13]
    for a in range(COAST):
        slope[a] = line[0] * axes[0, a] + line[1] * axes[1, a] + line[2] * axes[2, a]
    for a in range(COAST):
        for b in range(a, COAST):
            inner = axes[0, a] * axes[0, b] + axes[1, a] * axes[1, b] + axes[2, a] * axes[2, b]
            bend[a, b] = (inner - slope[a] * slope[b]) / (distance * sigma_m)
            bend[b, a] = bend[a, b]
    slope /= sigma_m


@njit(cache=True, error_model="numpy")
def _sums_kernel(
    solution: Solution, axes: Vector, reference_s: float, rows: Vector, sensors: Vector
) -> tuple[Vector, Vector]:
    """Return third (7, 7, 7) and fourth (7, 7; traced over two) derivatives of half the cost along axes."""
    cubic, quartic = np.zeros((COAST, COAST, COAST)), np.zeros((COAST, COAST))
    slope, bend, room = np.empty(COAST), np.empty((COAST, COAST)), room_kernel()
    current, transition, at_s = solution.state[:COAST].copy(), np.eye(COAST), reference_s
    for row in rows:
        radar = sensors[int(row[1])]
        if radar[0] == 1.0:
            continue
        if row[0] != at_s:
            carry_kernel(current, transition, row[0] - at_s, integration_step_kernel(current), room)
            at_s = row[0]
        _bend_kernel(current[:3].copy(), radar, transition[:3].copy() @ axes, slope, bend)
        quartic += np.trace(bend) * bend + 2.0 * (bend @ bend)
        for a in range(COAST):
            cubic[a] += slope[a] * bend
    return cubic + cubic.transpose(1, 2, 0) + cubic.transpose(2, 0, 1), quartic


@njit(cache=True, error_model="numpy")
def _is_flat(solution: Solution, axes: Vector, reference_s: float, rows: Vector, sensors: Vector) -> bool:
    """Return whether what is known is too small for its ranges to bend, at both ends of the arc."""
    slope, bend = np.empty(COAST), np.empty((COAST, COAST))
    state, least = solution.state, FLAT / math.sqrt(rows.shape[0])
    for row in (rows[0], rows[-1]):
        radar, elapsed_s = sensors[int(row[1])], row[0] - reference_s
        if radar[0] == 1.0:
            return False
        place, there = state[:3] + elapsed_s * state[3:6], axes[:3] + elapsed_s * axes[3:6]
        _bend_kernel(place, radar, there, slope, bend)
        if np.trace(bend) > least:
            return False
    return True


@njit(cache=True, error_model="numpy")
def posterior_kernel(
    solution: Solution, reference_s: float, rows: Vector, sensors: Vector
) -> tuple[Vector, Vector]:
    """Return mean (10,) and covariance (7, 7) of what a coast fit's rows tell, curvature of ranges counted.

    Args:
        solution: coast fit of the rows.
        reference_s: its time.
        rows: in order of time, at least one, shape (n, 9).
        sensors: sensor table.
    """
    mean, covariance = solution.state.copy(), covariance_kernel(solution, COAST)
    axes = axes_kernel(solution.information[:COAST, :COAST])
    if _is_flat(solution, axes, reference_s, rows, sensors):
        return mean, covariance
    cubic, quartic = _sums_kernel(solution, axes, reference_s, rows, sensors)
    shift = np.zeros(COAST)
    for a in range(COAST):
        shift[a] = -0.5 * np.trace(cubic[a])
    flat = cubic.reshape(COAST, COAST * COAST)
    change = 0.5 * (flat @ flat.T) - 0.5 * quartic
    for a in range(COAST):
        change -= shift[a] * cubic[a]
    if not np.isfinite(change).all():
        return mean, covariance
    values, vectors = np.linalg.eigh(change)
    turned = vectors * (values if values[0] >= -STEEP else np.abs(values))
    mean[:COAST] += axes @ shift
    return mean, covariance + axes @ (turned @ vectors.T) @ axes.T

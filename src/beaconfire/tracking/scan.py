"""One scan of one radar against many predicted tracks: sort by range, gate, assign.

The plots are sorted by range once; each track looks only at those its own spread lets come into question, so
the work grows with the pairs that are near, not with tracks times plots.
Source: S. Blackman and R. Popoli, Design and Analysis of Modern Tracking Systems (1999), 6.3 and 6.4.
"""

import math
from typing import Final, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from beaconfire.frames.types import Vector
from beaconfire.tracking.algebra import inverse_kernel
from beaconfire.tracking.association import GATE, assign
from beaconfire.tracking.lane_arithmetic import wrapped_kernel
from beaconfire.tracking.lanes import predicted_plot_kernel

Numbers: TypeAlias = NDArray[np.int64]

PLOT_GATE: Final = GATE[3]
MISSING: Final = 200.0
PAIRS_PER_TRACK_MAX: Final = 32
"""Nearest in range first; in a thicker crowd than this, the farthest plots of a gate are left out."""


@njit(cache=True)
def _expected(state: Vector, covariance: Vector, radar: Vector) -> tuple[Vector, Vector]:
    """Return the predicted plot (3,) and the covariance of what will be measured (3, 3)."""
    six = (state[0], state[1], state[2], state[3], state[4], state[5])
    plot, partials = predicted_plot_kernel(six, radar)
    spread = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            total = radar[12 + i] if i == j else 0.0
            for k in range(3):
                for m in range(3):
                    total += partials[i][k] * covariance[k, m] * partials[j][m]
            spread[i, j] = total
    return np.array(plot), spread


@njit(cache=True)
def _distance(plot: Vector, expected: Vector, inverse: Vector) -> float:
    """Return the squared Mahalanobis distance of a plot."""
    d0 = plot[0] - expected[0]
    d1, d2 = wrapped_kernel(plot[1] - expected[1]), plot[2] - expected[2]
    distance: float = (
        inverse[0, 0] * d0 * d0
        + inverse[1, 1] * d1 * d1
        + inverse[2, 2] * d2 * d2
        + 2.0 * (inverse[0, 1] * d0 * d1 + inverse[0, 2] * d0 * d2 + inverse[1, 2] * d1 * d2)
    )
    return distance


@njit(cache=True)
def gated_pairs_kernel(
    states: Vector, covariances: Vector, plots: Vector, radar: Vector, order: Numbers
) -> tuple[Numbers, Vector]:
    """Return the (track, plot) pairs within the gate, shape (k, 2), and their costs, shape (k,).

    A cost is the squared distance plus the logarithm of the determinant, so that a vague track does not
    take the plots of a sharp one.

    Args:
        states: predicted to the scan, position first, shape (n, 6 or more).
        covariances: of them, shape (n, 6 or more, 6 or more).
        plots: range (m), azimuth, elevation (rad), shape (m, 3).
        radar: that saw them, see `lanes.radar_numbers`.
        order: indices that sort the plots by range, shape (m,), int64.
    """
    limit = states.shape[0] * min(PAIRS_PER_TRACK_MAX, max(plots.shape[0], 1))
    pairs, costs = np.empty((limit, 2), np.int64), np.empty(limit)
    ranges = plots[order, 0].copy()
    count = 0
    for track in range(states.shape[0]):
        expected, spread = _expected(states[track], covariances[track], radar)
        reach = math.sqrt(PLOT_GATE * spread[0, 0])
        inverse = inverse_kernel(spread)
        size = math.log(max(np.linalg.det(spread), 1e-300))
        held = 0
        for place in range(np.searchsorted(ranges, expected[0] - reach), ranges.size):
            if ranges[place] > expected[0] + reach or held >= PAIRS_PER_TRACK_MAX:
                break
            distance = _distance(plots[order[place]], expected, inverse)
            if distance <= PLOT_GATE:
                pairs[count, 0], pairs[count, 1] = track, order[place]
                costs[count] = distance + size
                count += 1
                held += 1
    return pairs[:count], costs[:count]


def associate_scan(states: Vector, covariances: Vector, plots: Vector, radar: Vector) -> Numbers:
    """Return for each track the index of its plot, or -1, shape (n,), int64: global nearest neighbour.

    Args: see `gated_pairs_kernel`.
    """
    order = np.argsort(plots[:, 0], kind="stable").astype(np.int64)
    pairs, costs = gated_pairs_kernel(states, covariances, plots, radar, order)
    of_track = np.full(len(states), -1, dtype=np.int64)
    by_track = np.bincount(pairs[:, 0], minlength=len(states))
    by_plot = np.bincount(pairs[:, 1], minlength=len(plots))
    alone = (by_track[pairs[:, 0]] == 1) & (by_plot[pairs[:, 1]] == 1)
    of_track[pairs[alone, 0]] = pairs[alone, 1]
    shared = {
        (int(track), int(plot)): float(cost)
        for (track, plot), cost in zip(pairs[~alone], costs[~alone], strict=True)
    }
    for track, plot in assign(shared, _missing(costs)):
        of_track[track] = plot
    return of_track


def _missing(costs: Vector) -> float:
    """Return a cost of leaving a track out that no gated pair exceeds."""
    return float(max(MISSING, costs.max(initial=0.0) + 1.0))

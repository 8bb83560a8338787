"""How much of where a body may come down an ellipse holds, so that an area holds what it states.

The ballistic coefficient bends the distribution on the ground: it counts on a logarithmic scale, and where
drag is large the ground stops answering, so the curve has one long tail. An ellipse drawn by mean and
covariance as if all were normal holds too much at 50 % and the wrong share at 95 and 99 %. So its size is
found by counting: a fixed, even set of points of the distribution is laid out, and the ellipse is blown up
until it holds its share of them.
"""

import math
from statistics import NormalDist
from typing import Final

import numpy as np
from numba import njit

from beaconfire.frames.types import Vector

# Source: Abramowitz and Stegun, table 25.10, five-point Gauss-Hermite, for a unit normal weight.
HERMITE_NODES: Final = np.array([0.0, -1.355_626_18, 1.355_626_18, -2.856_970_01, 2.856_970_01])
HERMITE_WEIGHTS: Final = np.array([0.533_333_333, 0.222_075_922, 0.222_075_922, 0.011_257_411, 0.011_257_411])
POINTS: Final = 4_093
_GENERATOR: Final = 3_851
"""A lattice that tells shares to half a percent. Source: `docs/studies/area_content.py`."""
_BINS: Final = 1_024
_BINS_PER_SIGMA: Final = 128.0
"""Distances are counted to a hundredth of a sigma and divided within; all beyond 8 sigmas count as one."""


def lattice_normals(count: int, generator: int) -> Vector:
    """Return even points of a unit normal in three dimensions, shape (count, 3).

    A lattice of rank one in the unit cube; the second and third coordinates become a plane normal.
    Source: N. Korobov, Dokl. Akad. Nauk SSSR 124 (1959) 1207; G. Box and M. Muller, Ann. Math. Stat. 29
    (1958) 610.

    Args:
        count: prime.
        generator: of the lattice, below `count`.
    """
    steps = np.array([1, generator, generator * generator % count])
    uniform = (np.outer(np.arange(count), steps) % count + 0.5) / count
    first = np.vectorize(NormalDist().inv_cdf)(uniform[:, 0])
    radius, angle = np.sqrt(-2.0 * np.log(uniform[:, 1])), 2.0 * math.pi * uniform[:, 2]
    return np.column_stack((first, radius * np.cos(angle), radius * np.sin(angle)))


def interpolation_weights(at: Vector) -> Vector:
    """Return what values at the five nodes, and the slope at the first, count for between them, (n, 6).

    On each side of the first node one cubic through the values and with the slope, straight on beyond the
    last node: one polynomial over all nodes swings where much drag makes the ground curve straight again.

    Args:
        at: sigmas of the ballistic coefficient, shape (n,).
    """
    out = np.zeros((at.size, 6))
    for side, near, far in ((-1.0, 1, 3), (1.0, 2, 4)):
        first, second = abs(HERMITE_NODES[near]), abs(HERMITE_NODES[far])
        solved = np.linalg.inv(np.array([[first**2, first**3], [second**2, second**3]]))
        here = at < 0.0 if side < 0.0 else at >= 0.0
        beyond = np.maximum(np.abs(at[here]) - second, 0.0)
        x = np.abs(at[here]) - beyond
        bent = np.column_stack((x**2 + 2.0 * second * beyond, x**3 + 3.0 * second**2 * beyond)) @ solved
        out[here, near], out[here, far] = bent[:, 0], bent[:, 1]
        out[here, 0] = 1.0 - bent[:, 0] - bent[:, 1]
        out[here, 5] = side * (x + beyond - first * bent[:, 0] - second * bent[:, 1])
    return out


_SAMPLES: Final = lattice_normals(POINTS, _GENERATOR)
_ALONG: Final = interpolation_weights(_SAMPLES[:, 0])
_ACROSS: Final = np.ascontiguousarray(_SAMPLES[:, 1:])


@njit(cache=True)
def _root_kernel(square: Vector) -> Vector:
    """Return the lower triangle whose product with its transpose is a covariance in the plane, (2, 2)."""
    out = np.zeros((2, 2))
    out[0, 0] = math.sqrt(square[0, 0])
    out[1, 0] = square[1, 0] / out[0, 0]
    out[1, 1] = math.sqrt(max(square[1, 1] - out[1, 0] * out[1, 0], 1e-12 * square[1, 1]))
    return out


@njit(cache=True)
def content_scales_kernel(
    nodes: Vector, spread: Vector, rest: tuple[Vector, Vector, Vector], levels: tuple[float, ...]
) -> Vector:
    """Return how large the ellipse about the mean must be to hold each level, in standard deviations.

    Args:
        nodes: east and north (m) from the mean where the ballistic coefficient is at each of its nodes, and
            their slope with it at the first, shape (6, 2).
        spread: covariance of all, whose ellipse is blown up, shape (2, 2), positive definite.
        rest: at a given coefficient, the covariance, shape (2, 2), positive definite; the main axes of it,
            one in each column; and for each axis east and north (m) by which the map bends for a sigma
            squared, shape (2, 2).
        levels: probabilities, rising.
    """
    root = _root_kernel(spread)
    unit = np.zeros((2, 2))
    unit[0, 0], unit[1, 1] = 1.0 / root[0, 0], 1.0 / root[1, 1]
    unit[1, 0] = -root[1, 0] * unit[0, 0] * unit[1, 1]
    covariance, axes, bends = rest
    turned = np.ascontiguousarray(axes.T)
    across = unit @ axes @ _root_kernel(turned @ covariance @ axes)
    upright = np.ascontiguousarray(unit.T)
    curve, bend = nodes @ upright, bends @ upright
    counts = np.zeros(_BINS)
    for i in range(POINTS):
        u, v = _ACROSS[i, 0], _ACROSS[i, 1]
        x = across[0, 0] * u + across[0, 1] * v + bend[0, 0] * u * u + bend[1, 0] * v * v
        y = across[1, 0] * u + across[1, 1] * v + bend[0, 1] * u * u + bend[1, 1] * v * v
        for k in range(6):
            x += _ALONG[i, k] * curve[k, 0]
            y += _ALONG[i, k] * curve[k, 1]
        counts[min(int(_BINS_PER_SIGMA * math.sqrt(x * x + y * y)), _BINS - 1)] += 1.0
    return _quantiles_kernel(counts, levels)


@njit(cache=True)
def _quantiles_kernel(counts: Vector, levels: tuple[float, ...]) -> Vector:
    """Return within which distance each share of the counted points lies, in standard deviations."""
    out, bin_, held = np.empty(len(levels)), 0, 0.0
    for i in range(len(levels)):
        wanted = levels[i] * POINTS
        while bin_ < _BINS - 1 and held + counts[bin_] < wanted:
            held += counts[bin_]
            bin_ += 1
        out[i] = (bin_ + min((wanted - held) / max(counts[bin_], 1.0), 1.0)) / _BINS_PER_SIGMA
    return out

"""What is known of the ballistic coefficient: a broad prior of its logarithm, and the drag that was felt.

The prior is normal in ln(1/beta), drag goes with 1/beta itself. While a low flight begins to feel the air,
what is known of it is therefore neither, and leans to one side. It follows from the estimate, its sigma and
the prior, all of which a report states.
"""

import math
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.flight.content import HERMITE_NODES
from beaconfire.frames.types import Vector

CELLS: Final = 256
REACH: Final = 5.0
"""Sigmas of the prior, and at most 12 of the estimate, over which it is laid out to each side."""
FELT_LEAST: Final = 1e-3
"""Information of the drag, as a share of the prior's, below which the estimate is the prior and normal."""
WIDER, OFF = 1.25, 1.5
"""What is so much wider than the prior, or has its mean so many sigmas from the estimate, did not come of one
prior and one drag (a fusion that allowed for what is in common, a peer's own way): it is normal as stated."""
_SHARES: Final = np.array([NormalDist().cdf(node) for node in HERMITE_NODES.tolist()])
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)


class CoefficientPrior(NamedTuple):
    """Of ln(1/beta), normal.

    Attributes:
        mean: its mean.
        sigma: its standard deviation; 0 for no prior: what is known is normal as stated.
    """

    mean: float
    sigma: float


NO_PRIOR: Final = CoefficientPrior(0.0, 0.0)


@njit(cache=True, error_model="numpy")
def _weights_kernel(estimate: float, sigma: float, prior: CoefficientPrior) -> tuple[Vector, float, float]:
    """Return the shares of cells of ln(1/beta), where they begin from the estimate, and their width.

    The shares are empty where what is known is normal as stated.

    Source: own derivation. With d counted from the estimate, the prior costs what a normal distribution does;
    the drag is a quantity exp(d), measured with the information that the prior leaves of 1 / sigma^2, and its
    slope cancels the prior's at d = 0.
    """
    nothing = np.empty(0)
    if not prior.sigma > 0.0:
        return nothing, 0.0, 0.0
    least = 1.0 / (prior.sigma * prior.sigma)
    felt, pull = 1.0 / (sigma * sigma) - least, (estimate - prior.mean) * least
    if not felt > FELT_LEAST * least:
        return nothing, 0.0, 0.0
    low = max(prior.mean - estimate - REACH * prior.sigma, -12.0 * sigma)
    step = (min(prior.mean - estimate + REACH * prior.sigma, 12.0 * sigma) - low) / CELLS
    logs, middles = np.empty(CELLS), low + (np.arange(CELLS) + 0.5) * step
    for k in range(CELLS):
        grown, apart = math.exp(middles[k]) - 1.0, (estimate - prior.mean + middles[k]) / prior.sigma
        logs[k] = pull * grown - 0.5 * (apart * apart + felt * grown * grown)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    mean = weights @ middles
    deviation = math.sqrt(weights @ (middles - mean) ** 2)
    if not (step > 0.0 and deviation < WIDER * prior.sigma and abs(mean) < OFF * sigma):
        return nothing, 0.0, 0.0
    return weights, low, step


@njit(cache=True, error_model="numpy")
def coefficient_nodes_kernel(
    estimate: float, sigma: float, prior: CoefficientPrior
) -> tuple[Vector, Vector, float, float]:
    """Return how ln(1/beta) and drag differ from the estimate at each of `HERMITE_NODES`, and their slopes.

    Args:
        estimate: likeliest ln(1/beta).
        sigma: of it, from how the cost curves.
        prior: that it contains.

    Returns:
        ln(1/beta) below which as much lies as of a normal distribution below the node, shape (5,), from the
        estimate; by which share the drag is more there, shape (5,), linear where what is known is normal as
        stated; and how both change with the node at the first.
    """
    weights, low, step = _weights_kernel(estimate, sigma, prior)
    if weights.size == 0:
        return sigma * HERMITE_NODES, sigma * HERMITE_NODES, sigma, sigma
    offsets, slope = np.empty(HERMITE_NODES.size), 0.0
    for i in range(HERMITE_NODES.size):
        held, k = 0.0, 0
        while k < CELLS - 1 and held + weights[k] < _SHARES[i]:
            held += weights[k]
            k += 1
        offsets[i] = low + (k + min((_SHARES[i] - held) / weights[k], 1.0)) * step
        if i == 0:
            slope = _DENSITY * step / weights[k]
    return offsets, np.exp(offsets) - 1.0, slope, slope * math.exp(offsets[0])


@njit(cache=True, error_model="numpy")
def states_at_nodes_kernel(
    state: Vector, covariance: Vector, prior: CoefficientPrior
) -> tuple[Vector, Vector, Vector]:
    """Return states at the nodes (5, 7), their slope at the first (7,), and the covariance (7, 7) at each.

    All that hangs on drag moves with 1/beta, not with its logarithm.
    """
    sigma = math.sqrt(max(covariance[6, 6], 1e-12))
    along = covariance[:, 6] / sigma
    rest = covariance - np.outer(along, along)
    offsets, grown, slope, steep = coefficient_nodes_kernel(state[6], sigma, prior)
    nodes, change = np.empty((offsets.size, 7)), along * (steep / sigma)
    for i in range(offsets.size):
        nodes[i] = state + along * (grown[i] / sigma)
        nodes[i, 6] = state[6] + offsets[i]
    change[6] = slope
    return nodes, change, rest

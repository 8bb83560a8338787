"""What is known of the ballistic coefficient, held against the distribution it comes of."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from beaconfire.flight.coefficient import (
    NO_PRIOR,
    CoefficientPrior,
    coefficient_nodes_kernel,
    states_at_nodes_kernel,
)
from beaconfire.flight.content import HERMITE_NODES, HERMITE_WEIGHTS
from beaconfire.frames.types import Vector
from picture_world import covariance_of, state_at

PRIOR = CoefficientPrior(-8.0, 0.7)
GRID = np.linspace(-14.0, -2.0, 200_001)


def felt_drag(measured: float, sigma: float) -> tuple[float, float, Vector]:
    """Return estimate and sigma as a fit states them, and the density on the grid: the oracle.

    The prior's mean has a drag of 1; it was measured with an error of one sigma.
    """
    apart = (GRID - PRIOR.mean) / PRIOR.sigma
    logs = -0.5 * apart**2 - 0.5 * ((np.exp(GRID - PRIOR.mean) - measured) / sigma) ** 2
    density = np.exp(logs - logs.max())
    estimate = float(GRID[np.argmax(density)])
    drag = math.exp(estimate - PRIOR.mean)
    return estimate, (1.0 / PRIOR.sigma**2 + (drag / sigma) ** 2) ** -0.5, density / density.sum()


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("measured", [0.6, 1.0, 1.8])
def test_quantiles_are_those_of_a_normal_prior_and_a_measured_drag(measured: float, sigma: float) -> None:
    estimate, stated, density = felt_drag(measured, sigma)
    offsets, grown, slope, steep = coefficient_nodes_kernel(estimate, stated, PRIOR)
    below = np.cumsum(density)
    wanted = [GRID[np.searchsorted(below, NormalDist().cdf(node))] - estimate for node in HERMITE_NODES]
    assert np.abs(offsets - wanted).max() < 0.02 * stated
    assert grown == pytest.approx(np.exp(offsets) - 1.0)
    density_there = np.interp(wanted[0] + estimate, GRID, density) / (GRID[1] - GRID[0])
    assert slope == pytest.approx(1.0 / math.sqrt(2.0 * math.pi) / density_there, rel=0.02)
    assert steep == pytest.approx(slope * math.exp(offsets[0]))


def test_it_leans_where_drag_is_hardly_felt_and_a_normal_one_errs() -> None:
    estimate, stated, density = felt_drag(1.8, 1.0)
    offsets, _, _, _ = coefficient_nodes_kernel(estimate, stated, PRIOR)
    mean = float(density @ GRID) - estimate
    assert abs(mean) > 0.2 * stated
    assert float(HERMITE_WEIGHTS @ offsets) == pytest.approx(mean, abs=0.02 * stated)


@pytest.mark.parametrize(
    ("estimate", "sigma", "prior"),
    [
        (-8.0, 0.7, PRIOR),
        (-8.0, 0.9, PRIOR),
        (-8.1, 0.3, NO_PRIOR),
        (-2.0, 0.69, PRIOR),
        (-8.0, 0.3, CoefficientPrior(60.0, 0.7)),
        (-8.0, 1e-6, CoefficientPrior(-8.0, 1e-6)),
    ],
    ids=["nothing felt", "wider than the prior", "none stated", "far off", "absurd prior", "no room"],
)
def test_what_did_not_come_of_one_prior_and_one_drag_is_normal_as_stated(
    estimate: float, sigma: float, prior: CoefficientPrior
) -> None:
    offsets, grown, slope, steep = coefficient_nodes_kernel(estimate, sigma, prior)
    assert np.array_equal(offsets, sigma * HERMITE_NODES)
    assert np.array_equal(grown, offsets)
    assert slope == steep == sigma


def test_states_at_nodes_move_with_the_drag_and_leave_the_rest() -> None:
    state, covariance = state_at(), covariance_of(150.0, 3.0)
    state[6], covariance[6, 6] = PRIOR.mean + 0.3, 0.5**2
    covariance[3, 6] = covariance[6, 3] = 0.8 * 3.0 * 0.5
    nodes, change, rest = states_at_nodes_kernel(state, covariance, PRIOR)
    offsets, grown, slope, steep = coefficient_nodes_kernel(state[6], 0.5, PRIOR)
    assert nodes[:, 6] - state[6] == pytest.approx(offsets)
    assert nodes[:, 3] - state[3] == pytest.approx(0.8 * 3.0 / 0.5 * grown)
    assert change[[3, 6]] == pytest.approx([0.8 * 3.0 / 0.5 * steep, slope])
    assert np.abs(rest[6]).max() < 1e-9
    assert rest[3, 3] == pytest.approx(3.0**2 * (1.0 - 0.8**2))

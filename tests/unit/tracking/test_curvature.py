"""Mean and covariance of a bent posterior, held against weighted draws from the cost itself."""

import math

import numpy as np
import pytest

from beaconfire.analysis.coast_cases import Case, sensors_of, truth_at_burnout
from beaconfire.analysis.consistency import normalised_error_bounds
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.arc import Arc, stated
from beaconfire.tracking.batch import COAST, broad_prior_kernel, covariance_kernel, solve_kernel
from beaconfire.tracking.curvature import posterior_kernel

DRAWS = 40_000
FREEDOM = 8.0
"""Of the distribution that is drawn from: its tails are heavier than the posterior's."""


def arc_of(sigma_m: float, sigma_rad: float, seconds: int, seed: int) -> tuple[Arc, Vector, Vector]:
    """Return a solved arc of one radar and its rows and sensor table."""
    sensors = sensors_of(Case("", sigma_m=sigma_m, sigma_rad=sigma_rad))
    draw, truth = np.random.default_rng(seed), truth_at_burnout()
    place, rotation = sensors[0, 1:4], sensors[0, 4:13].reshape(3, 3)
    rows = np.zeros((seconds + 1, 9))
    for second in range(seconds + 1):
        east, north, up = rotation @ (propagate_kernel(truth, float(second), 0.25)[:3] - place)
        level = math.hypot(east, north)
        seen = np.array((math.hypot(level, up), math.atan2(east, north), math.atan2(up, level)))
        rows[second, 0], rows[second, 5] = second, math.nan
        rows[second, 2:5] = seen + draw.standard_normal(3) * sensors[0, 13:16]
    start = np.zeros(10)
    start[:7] = truth
    prior = broad_prior_kernel(1, start, 0.0, 0.0)
    solution = solve_kernel(start, 0.0, rows, sensors, prior, COAST)
    for _ in range(3):
        solution = solve_kernel(solution.state, 0.0, rows, sensors, prior, COAST)
    return Arc(0.0, prior, solution), rows, sensors


def drawn_moments(arc: Arc, rows: Vector, sensors: Vector) -> tuple[Vector, Vector, float]:
    """Return mean, covariance and effective number of weighted draws from exp(-cost / 2): the oracle.

    Source: J. Geweke, Econometrica 57 (1989) 1317, importance sampling from a multivariate Student's t.
    """
    mean, spread = stated(arc, rows, sensors)
    draw, root = np.random.default_rng(7), np.linalg.cholesky(spread[:7, :7])
    normal = draw.standard_normal((DRAWS, 7))
    stretch = draw.chisquare(FREEDOM, DRAWS) / FREEDOM
    units = normal / np.sqrt(stretch)[:, None]
    logs = np.empty(DRAWS)
    for number, unit in enumerate(units):
        state = mean.copy()
        state[:7] += root @ unit
        cost = solve_kernel(state, 0.0, rows, sensors, arc.prior, 0).cost
        logs[number] = -0.5 * cost + 0.5 * (FREEDOM + 7) * math.log1p(unit @ unit / FREEDOM)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    points = units @ root.T
    centre = weights @ points
    apart = points - centre
    return mean[:7] + centre, (apart * weights[:, None]).T @ apart, 1.0 / float(weights @ weights)


def divergence(mean: Vector, covariance: Vector, wanted: tuple[Vector, Vector]) -> float:
    """Return how far a normal distribution lies from the wanted one (Kullback-Leibler, nats)."""
    scale = np.sqrt(np.diag(wanted[1]))
    truth, mine = wanted[1] / np.outer(scale, scale), covariance / np.outer(scale, scale)
    apart = (mean - wanted[0]) / scale
    inverse = np.linalg.inv(mine)
    logs = np.linalg.slogdet(mine)[1] - np.linalg.slogdet(truth)[1]
    return float(0.5 * (np.trace(inverse @ truth) + apart @ inverse @ apart - 7.0 + logs))


@pytest.mark.parametrize(("seconds", "seed"), [(6, 1), (8, 2), (15, 3)])
def test_moments_are_those_of_the_cost_where_bearings_are_coarse(seconds: int, seed: int) -> None:
    arc, rows, sensors = arc_of(10.0, 5e-3, seconds, seed)
    *wanted, effective = drawn_moments(arc, rows, sensors)
    assert effective > 2_000
    mean, covariance = posterior_kernel(arc.solution, 0.0, rows, sensors)
    tangent = arc.solution.state[:7], covariance_kernel(arc.solution, COAST)
    assert divergence(mean[:7], covariance, (wanted[0], wanted[1])) < 0.02
    assert divergence(*tangent, (wanted[0], wanted[1])) > 0.1


def test_what_is_flat_is_left_as_it_was_solved() -> None:
    arc, rows, sensors = arc_of(30.0, 5e-4, 20, 4)
    mean, covariance = posterior_kernel(arc.solution, 0.0, rows, sensors)
    assert np.array_equal(mean, arc.solution.state)
    assert np.array_equal(covariance, covariance_kernel(arc.solution, COAST))


@pytest.mark.parametrize("sigma_rad", [1e-2, 3e-2, 0.3])
def test_where_the_order_does_not_hold_it_is_wide_and_still_a_covariance(sigma_rad: float) -> None:
    arc, rows, sensors = arc_of(10.0, sigma_rad, 5, 5)
    mean, covariance = posterior_kernel(arc.solution, 0.0, rows, sensors)
    scale = np.sqrt(np.diag(covariance))
    assert np.isfinite(mean).all()
    assert np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] > 0.0
    tangent = covariance_kernel(arc.solution, COAST)
    assert np.trace(np.linalg.solve(tangent, covariance)) > 7.0


def test_normalised_errors_of_many_runs_are_one_where_the_tangent_s_are_not() -> None:
    errors = []
    for seed in range(200):
        arc, rows, sensors = arc_of(10.0, 5e-3, 6, 100 + seed)
        mean, covariance = posterior_kernel(arc.solution, 0.0, rows, sensors)
        both = (mean, covariance), (arc.solution.state, covariance_kernel(arc.solution, COAST))
        errors.append([normalised(one[:6] - truth_at_burnout()[:6], spread[:6, :6]) for one, spread in both])
    bent, tangent = np.mean(errors, axis=0)
    low, high = normalised_error_bounds(200, 6, 0.999)
    assert low < bent < high < tangent


def normalised(error: Vector, covariance: Vector) -> float:
    scale = np.sqrt(np.diag(covariance))
    unit = error / scale
    return float(unit @ np.linalg.solve(covariance / np.outer(scale, scale), unit)) / error.size

"""Ellipses sized by counting hold what they state, also of a distribution with one long tail."""

import math

import numpy as np
import pytest

from beaconfire.flight.content import (
    HERMITE_NODES,
    HERMITE_WEIGHTS,
    POINTS,
    content_scales_kernel,
    interpolation_weights,
    lattice_normals,
)
from beaconfire.frames.types import Vector

LEVELS = (0.5, 0.95, 0.99)
ALLOWED = (0.006, 0.0035, 0.002)
"""The lattice is good to 0.003; the rest is of the reference's own 400,000 draws and the cubics."""
TURNED = np.array([[math.cos(0.7), -math.sin(0.7)], [math.sin(0.7), math.cos(0.7)]])
DRAWS = np.random.default_rng(3).standard_normal((400_000, 3))


def _curve(at: Vector, sigma: float) -> Vector:
    """A lognormal shift northward, straight where drag is large, shape (n, 2)."""
    moved = np.exp(sigma * np.minimum(at, 1.0)) * (1.0 + sigma * np.maximum(at - 1.0, 0.0))
    return np.column_stack((0.1 * moved, moved))


def _given(sigma: float, wide: float, bent: float) -> tuple[Vector, Vector, Vector, Vector]:
    """Return nodes from the mean, spread, covariance at rest, and bends of its axes (those of TURNED)."""
    rest = TURNED @ np.diag([wide**2, (0.3 * wide) ** 2]) @ TURNED.T
    bends = bent * wide * np.array([[0.2, -1.0], [0.0, 0.0]])
    nodes, step = _curve(HERMITE_NODES, sigma), 1e-4
    mean = HERMITE_WEIGHTS @ nodes + bends[0]
    apart = nodes - HERMITE_WEIGHTS @ nodes
    spread = apart.T @ (HERMITE_WEIGHTS[:, None] * apart) + rest + 2.0 * np.outer(bends[0], bends[0])
    slope = (_curve(np.array([step]), sigma) - _curve(np.array([-step]), sigma)) / (2.0 * step)
    return np.vstack((nodes - mean, slope)), spread, rest, bends


def _shares(sigma: float, case: tuple[Vector, Vector, Vector, Vector], scales: Vector) -> list[float]:
    nodes, spread, rest, bends = case
    mean = _curve(np.zeros(1), sigma)[0] - nodes[0]
    first = np.sqrt(np.diag(TURNED.T @ rest @ TURNED))
    points = _curve(DRAWS[:, 0], sigma) - mean + (DRAWS[:, 1:] * first) @ TURNED.T
    points += DRAWS[:, 1:] ** 2 @ bends
    squares = np.einsum("ni,ij,nj->n", points, np.linalg.inv(spread), points)
    return [float(np.mean(squares <= scale**2)) for scale in scales]


@pytest.mark.parametrize("sigma", [0.05, 0.35, 0.7])
@pytest.mark.parametrize("wide", [0.01, 0.2, 1.0, 5.0])
@pytest.mark.parametrize("bent", [0.0, 0.08])
def test_each_level_holds_its_share(sigma: float, wide: float, bent: float) -> None:
    case = _given(sigma, wide, bent)
    nodes, spread, rest, bends = case
    scales = content_scales_kernel(nodes, spread, (rest, TURNED.copy(), bends), LEVELS)
    for level, share, allowed in zip(LEVELS, _shares(sigma, case, scales), ALLOWED, strict=True):
        assert share == pytest.approx(level, abs=allowed)


def test_scales_of_a_normal_distribution_do_not_do_for_a_long_tail() -> None:
    case = _given(0.7, 0.01, 0.0)
    normal = np.sqrt(-2.0 * np.log(1.0 - np.array(LEVELS)))
    shares = _shares(0.7, case, normal)
    assert shares[0] > 0.54
    assert shares[2] < 0.985


def test_points_are_those_of_a_unit_normal() -> None:
    points = lattice_normals(POINTS, 3_851)
    assert points.mean(axis=0) == pytest.approx(np.zeros(3), abs=5e-3)
    assert np.cov(points.T) == pytest.approx(np.eye(3), abs=0.01)


def test_between_nodes_cubics_and_beyond_them_lines_are_met() -> None:
    at = np.linspace(-2.8, 2.8, 57)
    cubic = np.append(1.0 + 2.0 * HERMITE_NODES + 0.5 * HERMITE_NODES**2 - 0.1 * HERMITE_NODES**3, 2.0)
    expected = 1.0 + 2.0 * at + 0.5 * at**2 - 0.1 * at**3
    assert interpolation_weights(at) @ cubic == pytest.approx(expected, abs=1e-9)
    line = np.append(3.0 - HERMITE_NODES, -1.0)
    assert interpolation_weights(np.array([-5.0, 5.0])) @ line == pytest.approx([8.0, -2.0], abs=1e-9)

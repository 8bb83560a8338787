"""An arc carried through the air: all seven of what is stated hold the truth, their tangent does not."""

import math

import numpy as np
import pytest

from beaconfire.flight.coefficient import CoefficientPrior
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.batch import PRIOR_LOG_INVERSE_BETA, PRIOR_SIGMA_LOG_INVERSE_BETA
from beaconfire.tracking.drag import PRIOR, carried_kernel, through_air_kernel
from beaconfire.tracking.filter import predict_kernel
from beaconfire.tracking.unseen import AIR_HEIGHT_M

DRAWS = 4_000
SIGMAS = np.array([15.0] * 3 + [0.05] * 3)
TO_GROUND_S = 30.0


def height_m(state: Vector) -> float:
    return float(geodetic_from_ecef_kernel(*(float(x) for x in state[:3]))[2])


def falling() -> Vector:
    """Return a body that falls steeply at 5.8 km/s through 170 km, as after an apogee of 2,800 km."""
    direction = np.array([0.5, 0.6, math.sqrt(1.0 - 0.61)])
    across = np.array([-direction[1], direction[0], 0.0])
    velocity = -5_750.0 * direction + 600.0 * across
    return np.concatenate((6_540e3 * direction, velocity, [PRIOR_LOG_INVERSE_BETA]))


def unfelt() -> Vector:
    """Return the covariance of a body that has felt nothing: metres, and the prior."""
    return np.diag(np.concatenate((SIGMAS, [PRIOR_SIGMA_LOG_INVERSE_BETA])) ** 2)


def felt(sigma: float) -> Vector:
    """Return the covariance of one whose drag showed: ln(1/beta) is known, and where it is leans with it."""
    covariance = unfelt()
    lean = np.concatenate((np.full(3, 4.0), np.full(3, 0.01)))
    covariance[6, 6] = sigma**2
    covariance[:6, 6] = covariance[6, :6] = sigma * lean
    covariance[:6, :6] += np.outer(lean, lean)
    return covariance


def drawn(covariance: Vector, seconds: float, *, drag_is_normal: bool) -> Vector:
    """Return bodies that fell one by one in short steps, shape (DRAWS, 7): the oracle.

    Args:
        covariance: at the beginning.
        seconds: of the fall.
        drag_is_normal: that, and not its logarithm, is what the felt drag tells.
    """
    draw, state, sigma = np.random.default_rng(5), falling(), math.sqrt(covariance[6, 6])
    along = covariance[:6, 6] / sigma
    root = np.linalg.cholesky(covariance[:6, :6] - np.outer(along, along))
    out = np.empty((DRAWS, 7))
    for number in range(DRAWS):
        unit = draw.standard_normal()
        start = state.copy()
        start[:6] += root @ draw.standard_normal(6) + along * unit
        start[6] += math.log1p(sigma * unit) if drag_is_normal else sigma * unit
        out[number] = propagate_kernel(start, seconds, 0.1)
    return out


def shares(bodies: Vector, state: Vector, covariance: Vector) -> Vector:
    """Return the squared normalised distance of each body in seven dimensions, over seven."""
    scale = np.sqrt(np.diag(covariance))
    apart = (bodies - state) / scale
    inverse = np.linalg.inv(covariance / np.outer(scale, scale))
    out: Vector = np.einsum("ij,jk,ik->i", apart, inverse, apart) / 7.0
    return out


@pytest.mark.parametrize("seconds", [18.0, 20.0, 22.0, 23.5])
def test_bodies_that_felt_nothing_before_are_held_in_seven_dimensions(seconds: float) -> None:
    bodies = drawn(unfelt(), seconds, drag_is_normal=False)
    state, covariance = through_air_kernel(falling(), unfelt(), seconds, PRIOR)
    assert 20e3 < height_m(state) < 70e3
    held = shares(bodies, state, covariance)
    assert 0.7 < held.mean() < 1.3
    assert np.mean(held < 2.64) > 0.95  # chi-square of seven at 99 %, over seven


@pytest.mark.parametrize("sigma", [0.06, 0.15])
def test_bodies_whose_drag_showed_are_held_in_seven_dimensions(sigma: float) -> None:
    bodies = drawn(felt(sigma), 22.0, drag_is_normal=True)
    state, covariance = through_air_kernel(falling(), felt(sigma), 22.0, PRIOR)
    held = shares(bodies, state, covariance)
    assert 0.7 < held.mean() < 1.3
    assert np.mean(held < 2.64) > 0.95


def test_a_tangent_would_not_hold_them() -> None:
    bodies = drawn(unfelt(), 22.0, drag_is_normal=False)
    wide, ten = np.zeros((10, 10)), np.zeros(10)
    wide[:7, :7], ten[:7] = unfelt(), falling()
    state, covariance = predict_kernel(ten, wide, 22.0, 0.0)
    assert np.median(shares(bodies, state[:7], covariance[:7, :7])) > 100.0


@pytest.mark.parametrize("prior", [PRIOR, CoefficientPrior(PRIOR_LOG_INVERSE_BETA - 0.4, 0.7)])
def test_what_is_known_of_the_coefficient_and_the_likeliest_way_stay(prior: CoefficientPrior) -> None:
    state, covariance = through_air_kernel(falling(), felt(0.3), TO_GROUND_S - 7.0, prior)
    assert covariance[6, 6] == pytest.approx(0.09)
    assert state[6] == falling()[6]
    assert np.allclose(state[:3], propagate_kernel(falling(), TO_GROUND_S - 7.0, 0.1)[:3], atol=0.5)
    scale = np.sqrt(np.diag(covariance))
    assert np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] > 0.0


def test_outside_the_air_nothing_changes_and_within_it_the_spread_is_bent() -> None:
    wide, ten = np.zeros((10, 10)), np.zeros(10)
    wide[:7, :7], ten[:7] = unfelt(), falling()
    for seconds in (-30.0, 0.0, 3.0):
        state, covariance = carried_kernel(ten, wide, seconds)
        assert height_m(state) > AIR_HEIGHT_M
        for mine, tangent in zip((state, covariance), predict_kernel(ten, wide, seconds, 0.0), strict=True):
            assert np.array_equal(mine, tangent)
    state, covariance = carried_kernel(ten, wide, 20.0)
    bent = through_air_kernel(falling(), unfelt(), 20.0, PRIOR)
    assert np.array_equal(state[:7], bent[0])
    assert np.array_equal(covariance[:7, :7], bent[1])
    back, _ = carried_kernel(state, covariance, -20.0)
    assert np.allclose(back[:3], ten[:3], atol=5.0), "back out of the air as well"

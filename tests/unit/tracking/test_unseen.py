"""A body out of sight: the stated spread holds it through the air, which a linear one does not."""

import math

import numpy as np

from beaconfire.flight.propagation import rk4_step_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.tracking.filter import predict_kernel
from beaconfire.tracking.unseen import unseen_kernel
from tracking_truth import Array, flight

SIGMAS = np.array([150.0] * 3 + [3.0] * 3 + [0.7])


def _last_seen() -> Array:
    """Return the state of a flight as it comes down through about 150 km."""
    truth = flight(burn_s=110.0, speed_m_s=3_500.0, angle_rad=0.9)
    for second in range(200, int(truth.end_s)):
        state = truth.at(float(second))
        falls = float(state[:3] @ state[3:6]) < 0.0
        if falls and geodetic_from_ecef_kernel(*(float(x) for x in state[:3]))[2] < 150_000.0:
            return state
    raise AssertionError


def _flown(state: Array, seconds: float) -> Array:
    current = state.copy()
    for _ in range(round(seconds / 0.25)):
        if geodetic_from_ecef_kernel(*(float(x) for x in current[:3]))[2] < 0.0:
            break
        current = rk4_step_kernel(current, 0.25)
    return current


def _distances(covariance: Array, middle: Array, ends: list[Array]) -> Array:
    inverse = np.linalg.inv(covariance[:3, :3])
    return np.array([(end - middle)[:3] @ inverse @ (end - middle)[:3] for end in ends])


def test_spread_holds_bodies_of_all_kinds_down_to_the_ground() -> None:
    seen = _last_seen()
    random = np.random.default_rng(2)
    starts = [seen + SIGMAS * random.standard_normal(7) for _ in range(120)]
    for seconds in (30.0, 45.0, 60.0):
        middle, covariance = unseen_kernel(seen, np.diag(SIGMAS**2), seconds)
        distances = _distances(covariance, middle, [_flown(start, seconds) for start in starts])
        assert np.mean(distances < 7.815) > 0.88  # chi-square(3) at 95 %
        assert np.mean(distances) < 5.0


def test_it_grows_beyond_the_linear_one_and_stays_positive() -> None:
    seen, before = _last_seen(), 0.0
    for seconds in (1.0, 20.0, 40.0, 60.0, 200.0):
        middle, covariance = unseen_kernel(seen, np.diag(SIGMAS**2), seconds)
        assert np.isfinite(covariance).all()
        assert np.linalg.eigvalsh(covariance / np.outer(SIGMAS, SIGMAS))[0] > 0.0
        assert np.isfinite(middle).all()
        size = math.sqrt(float(np.trace(covariance[:3, :3])))
        assert size > before or seconds > 60.0
        before = size
    wide = np.zeros((10, 10))
    wide[:7, :7] = np.diag(SIGMAS**2)
    _, linear = predict_kernel(np.concatenate((seen, np.zeros(3))), wide, 60.0, 0.0)
    _, covariance = unseen_kernel(seen, np.diag(SIGMAS**2), 60.0)
    assert np.trace(covariance[:3, :3]) > np.trace(linear[:3, :3])


def test_in_vacuum_it_is_the_linear_one_with_wander() -> None:
    climbing = flight(burn_s=110.0, speed_m_s=3_500.0, angle_rad=0.9).at(300.0)
    small = np.diag([100.0] * 3 + [0.04] * 3 + [0.5])
    wide = np.zeros((10, 10))
    wide[:7, :7] = small
    wide[3:6, 3:6] += 0.25 * 50.0 * np.eye(3)
    state, linear = predict_kernel(np.concatenate((climbing, np.zeros(3))), wide, 50.0, 0.0)
    middle, covariance = unseen_kernel(climbing, small, 50.0)
    assert np.abs(middle[:3] - state[:3]).max() < 1.0
    assert np.abs(np.diag(covariance)[:6] / np.diag(linear)[:6] - 1.0).max() < 0.01

"""Batch least squares: unbiased, honest, indifferent to order, robust, and the same after rolling up."""

import math
from functools import cache

import numpy as np
import pytest

from beaconfire.messages.sensor import Radar
from beaconfire.tracking.batch import (
    COAST,
    PRIOR_LOG_INVERSE_BETA,
    Solution,
    broad_prior_kernel,
    covariance_kernel,
    extra_acceleration_kernel,
    roll_up_kernel,
    solve_kernel,
)
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from tracking_truth import EPOCH_US, Flight, flight, plot, radar

RADAR = radar()
START_S = 110.0


@cache
def _flight() -> Flight:
    return flight(beta=3_000.0)


def _rows(sensor: Radar, seed: int, count: int = 60, start_s: float = START_S) -> np.ndarray:
    random = np.random.default_rng(seed)
    rows = []
    for second in range(count):
        seen = plot(sensor, _flight().at(start_s + second), EPOCH_US + second * 1_000_000, random)
        assert seen is not None
        rows.append(row_from_detection(seen, 0, EPOCH_US))
    return np.array(rows)


def _start() -> np.ndarray:
    state = np.concatenate((_flight().at(START_S), np.zeros(3)))
    state[:6] += (3_000.0, -2_000.0, 1_000.0, 80.0, -50.0, 30.0)
    state[6] = PRIOR_LOG_INVERSE_BETA
    return state


def _solve(rows: np.ndarray, sensor: Radar = RADAR) -> tuple[Solution, np.ndarray]:
    table = sensor_table([sensor])
    start = _start()
    solution = solve_kernel(start, 0.0, rows, table, broad_prior_kernel(1, start, 0.0, 0.0), COAST)
    return solution, covariance_kernel(solution, COAST)


def _normalised(solution: Solution, covariance: np.ndarray) -> float:
    error = (solution.state[:7] - _flight().at(START_S))[:6]
    return float(error @ np.linalg.solve(covariance[:6, :6], error)) / 6.0


def test_normalised_error_is_one_over_many_runs() -> None:
    errors = [_normalised(*_solve(_rows(RADAR, seed))) for seed in range(150)]
    # 150 runs of 6: one sigma of the mean is sqrt(2 / 900) = 0.047
    assert np.mean(errors) == pytest.approx(1.0, abs=0.15)


def test_normalised_error_is_one_where_bearings_are_coarse() -> None:
    coarse = radar(sigma_range_m=10.0, sigma_azimuth_rad=5e-3, sigma_elevation_rad=5e-3)
    errors = [_normalised(*_solve(_rows(coarse, seed), coarse)) for seed in range(150)]
    assert np.mean(errors) == pytest.approx(1.0, abs=0.2)


def test_a_smaller_sigma_than_true_is_found_out() -> None:
    proud = radar(sigma_range_m=10.0, sigma_azimuth_rad=2e-4, sigma_elevation_rad=2e-4)
    errors = [_normalised(*_solve(_rows(RADAR, seed), proud)) for seed in range(20)]
    assert np.mean(errors) > 3.0


def test_reference_time_may_lie_anywhere() -> None:
    rows = _rows(RADAR, 1)
    whole, _ = _solve(rows)
    table, later = sensor_table([RADAR]), np.concatenate((_flight().at(START_S + 30.0), np.zeros(3)))
    middle = solve_kernel(later, 30.0, rows, table, broad_prior_kernel(1, later, 0.0, 0.0), COAST)
    rolled = roll_up_kernel(whole, 30.0)
    assert middle.state[:6] == pytest.approx(rolled.mean[:6], abs=0.05)


def test_rolling_up_loses_nothing() -> None:
    rows, table = _rows(RADAR, 2, 80), sensor_table([RADAR])
    whole, _ = _solve(rows)
    half, _ = _solve(rows[:40])
    prior = roll_up_kernel(half, 40.0)
    later = solve_kernel(prior.mean, 40.0, rows[40:], table, prior, COAST)
    expected = roll_up_kernel(whole, 40.0)
    sigma = np.sqrt(np.diag(covariance_kernel(later, COAST)))
    assert np.abs((later.state - expected.mean)[:6] / sigma[:6]).max() < 0.05
    assert later.information[:7, :7] == pytest.approx(expected.information[:7, :7], rel=0.02, abs=1e-3)


def test_one_wild_plot_moves_little() -> None:
    rows = _rows(RADAR, 3)
    clean, covariance = _solve(rows)
    rows[30, 2] += 3_000.0
    dirty, _ = _solve(rows)
    moved = (dirty.state - clean.state)[:6]
    assert float(moved @ np.linalg.solve(covariance[:6, :6], moved)) / 6.0 < 0.6


def test_offsets_widen_and_are_not_fitted() -> None:
    biased = radar(bias_sigma_range_m=100.0, bias_sigma_azimuth_rad=1e-3)
    rows = _rows(RADAR, 4)
    _, plain = _solve(rows)
    _, wide = _solve(rows, biased)
    assert np.trace(wide[:3, :3]) > 2.0 * np.trace(plain[:3, :3])
    shifted = rows.copy()
    shifted[:, 2] += 100.0
    moved = _solve(shifted, biased)[0].state[:6] - _solve(rows, biased)[0].state[:6]
    assert float(moved @ np.linalg.solve(wide[:6, :6], moved)) < 1.1


def test_left_over_acceleration_is_found() -> None:
    low = radar(minimum_elevation_rad=-0.2)
    rows, table = _rows(low, 5, 18, 60.0), sensor_table([low])
    start = np.concatenate((_flight().at(60.0), np.zeros(3)))
    boosting = solve_kernel(start, 0.0, rows, table, broad_prior_kernel(1, start, 0.0, 0.0), COAST)
    extra, _ = extra_acceleration_kernel(boosting)
    along = start[3:6] / np.linalg.norm(start[3:6])
    assert 15.0 < float(along @ extra) < 60.0
    coasting, _ = _solve(_rows(RADAR, 5))
    rest, covariance = extra_acceleration_kernel(coasting)
    assert math.sqrt(float(rest @ np.linalg.solve(covariance, rest))) < 4.0


def test_a_last_step_without_linearising_again_ends_where_one_with_it_does() -> None:
    """Started where it ended, the fit has nothing left to ask for."""
    for seed in range(4):
        rows, sensors = _rows(RADAR, seed), sensor_table([RADAR])
        prior = broad_prior_kernel(1, _start(), 0.0, 0.0)
        first = solve_kernel(_start(), 0.0, rows, sensors, prior, COAST)
        again = solve_kernel(first.state.copy(), 0.0, rows, sensors, prior, COAST)
        sigmas = np.sqrt(np.diag(covariance_kernel(first, COAST)))
        assert np.abs((again.state - first.state)[:7] / sigmas).max() < 0.01
        assert np.abs(again.gradient[:7] * sigmas).max() < 0.1

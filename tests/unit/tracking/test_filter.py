"""The filter: prediction, gate and update."""

import numpy as np
import pytest

from beaconfire.flight.propagation import propagate_kernel
from beaconfire.tracking.filter import gate_kernel, integration_step_kernel, predict_kernel, update_kernel
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from tracking_truth import EPOCH_US, flight, plot, radar

RADAR = radar()
TABLE = sensor_table([RADAR])
TRUTH = flight()
STATE = np.concatenate((TRUTH.at(120.0), np.zeros(3)))
COVARIANCE = np.diag([1e4] * 3 + [100.0] * 3 + [0.49] + [0.0] * 3)


def _row(seed: int | None = None) -> np.ndarray:
    random = None if seed is None else np.random.default_rng(seed)
    seen = plot(RADAR, TRUTH.at(120.0), EPOCH_US, random)
    assert seen is not None
    return row_from_detection(seen, 0, EPOCH_US)


def test_coast_prediction_is_free_flight() -> None:
    state, covariance = predict_kernel(STATE, COVARIANCE, 10.0, 0.0)
    assert state[:7] == pytest.approx(propagate_kernel(STATE[:7], 10.0, 1.0), rel=1e-12)
    assert covariance[7:, 7:] == pytest.approx(np.zeros((3, 3)))
    assert np.sqrt(covariance[0, 0]) == pytest.approx(np.sqrt(1e4 + 100.0 * 100.0), rel=0.02)


def test_prediction_there_and_back() -> None:
    ahead = predict_kernel(STATE, COVARIANCE, 40.0, 0.0)
    state, covariance = predict_kernel(*ahead, -40.0, 0.0)
    assert state == pytest.approx(STATE, abs=1e-3)
    assert covariance == pytest.approx(COVARIANCE, abs=1.0)


def test_acceleration_moves_the_boost_model() -> None:
    driven = STATE.copy()
    driven[7] = 20.0
    ahead, _ = predict_kernel(driven, COVARIANCE, 2.0, 9.0)
    plain, covariance = predict_kernel(STATE, COVARIANCE, 2.0, 9.0)
    assert ahead[0] - plain[0] == pytest.approx(40.0, abs=0.1)
    assert covariance[7, 7] == pytest.approx(18.0)


def test_steps_are_fine_in_air() -> None:
    low = TRUTH.at(TRUTH.end_s - 5.0)
    assert integration_step_kernel(low) < integration_step_kernel(TRUTH.at(TRUTH.end_s / 2.0))


def test_gate_and_update_of_a_true_plot() -> None:
    distances = []
    for seed in range(200):
        row = _row(seed)
        distances.append(gate_kernel(row, TABLE, STATE, np.zeros((10, 10)), 0.0)[0])
    assert np.mean(distances) == pytest.approx(3.0, abs=0.6)
    state, covariance, distance = update_kernel(_row(), TABLE, STATE, COVARIANCE)
    assert state[:6] == pytest.approx(STATE[:6], abs=1e-3)
    assert distance < 1e-6
    assert np.trace(covariance[:3, :3]) < 0.9 * np.trace(COVARIANCE[:3, :3])


def test_room_opens_the_gate() -> None:
    far = STATE.copy()
    far[:3] += 2_000.0
    small = np.diag([100.0] * 3 + [1.0] * 7)
    assert gate_kernel(_row(), TABLE, far, small, 0.0)[0] > 100.0
    assert gate_kernel(_row(), TABLE, far, small, 3_000.0)[0] < 10.0

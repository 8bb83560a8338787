"""The compiled filter beside FilterPy, over one minute of the same plots."""

import numpy as np
import pytest
from filterpy.kalman import ExtendedKalmanFilter

from beaconfire.flight.propagation import propagate_kernel
from beaconfire.tracking.filter import predict_kernel, update_kernel
from beaconfire.tracking.measurement import residual_kernel, row_from_detection, sensor_table
from tracking_truth import EPOCH_US, flight, plot, radar

RADAR = radar()
TABLE = sensor_table([RADAR])
TRUTH = flight()


def _partials(state: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    residual, jacobian, offset = np.empty(4), np.zeros((4, 6)), np.empty((4, 4))
    count = residual_kernel(row, TABLE, np.append(state, -8.0), residual, jacobian, offset)
    return residual[:count].copy(), jacobian[:count].copy()


def _transition(state: np.ndarray) -> np.ndarray:
    """Return the transition over one second by differences."""
    out = np.empty((6, 6))
    for i in range(6):
        step = np.zeros(7)
        step[i] = 1.0
        full = np.append(state, -8.0)
        out[:, i] = (propagate_kernel(full + step, 1.0, 1.0) - propagate_kernel(full - step, 1.0, 1.0))[
            :6
        ] / 2.0
    return out


def test_sixty_seconds_agree_with_filterpy() -> None:
    random = np.random.default_rng(9)
    state = np.concatenate((TRUTH.at(110.0), np.zeros(3)))
    state[:6] += (200.0, -150.0, 100.0, 5.0, -8.0, 3.0)
    state[6] = -8.0
    covariance = np.diag([4e4] * 3 + [100.0] * 3 + [1e-12] + [0.0] * 3)
    other = ExtendedKalmanFilter(dim_x=6, dim_z=3)
    other.x, other.P = state[:6].copy(), covariance[:6, :6].copy()
    other.R, other.Q = np.eye(3), np.zeros((6, 6))
    for second in range(1, 61):
        seen = plot(RADAR, TRUTH.at(110.0 + second), EPOCH_US + second * 10**6, random)
        assert seen is not None
        row = row_from_detection(seen, 0, EPOCH_US)
        state, covariance = predict_kernel(state, covariance, 1.0, 0.0)
        state, covariance, _ = update_kernel(row, TABLE, state, covariance)
        other.F = _transition(other.x)
        moved = propagate_kernel(np.append(other.x, -8.0), 1.0, 1.0)[:6]
        other.predict()
        other.x = moved
        residual, _ = _partials(other.x, row)
        other.update(
            residual,
            HJacobian=lambda x, row=row: _partials(x, row)[1],
            Hx=lambda _x: np.zeros(3),
        )
    sigma = np.sqrt(np.diag(other.P))
    assert np.abs(state[:6] - other.x) / sigma == pytest.approx(np.zeros(6), abs=0.1)
    assert np.sqrt(np.diag(covariance)[:6]) == pytest.approx(sigma, rel=0.02)

"""What a sensor would measure, against independent geodesy and against differences."""

import math

import numpy as np
import pymap3d
import pytest

from beaconfire.tracking.measurement import (
    plot_position_kernel,
    residual_kernel,
    row_from_detection,
    sensor_table,
)
from tracking_truth import EPOCH_US, INFRARED, flight, plot, radar, sight

RADAR = radar(sigma_range_rate_m_s=1.0, bias_sigma_range_m=10.0, bias_sigma_clock_s=0.01)
TABLE = sensor_table([RADAR, INFRARED])
STATE = flight().at(120.0)


def _measured(row: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    residual, jacobian, offset = np.empty(4), np.zeros((4, 6)), np.empty((4, 4))
    count = residual_kernel(row, TABLE, state, residual, jacobian, offset)
    return residual[:count].copy(), jacobian[:count].copy(), offset[:count].copy()


def _radar_row() -> np.ndarray:
    seen = plot(RADAR, STATE, EPOCH_US + 5_000_000, None)
    assert seen is not None
    return row_from_detection(seen, 0, EPOCH_US)


def _sight_row() -> np.ndarray:
    return row_from_detection(sight(INFRARED, STATE, EPOCH_US, np.random.default_rng(1)), 1, EPOCH_US)


def test_prediction_agrees_with_pymap3d() -> None:
    azimuth, elevation, distance = pymap3d.ecef2aer(
        *STATE[:3], math.degrees(RADAR.latitude_rad), math.degrees(RADAR.longitude_rad), RADAR.height_m
    )
    row = np.array((0.0, 0.0, distance, math.radians(azimuth), math.radians(elevation), math.nan, 0, 0, 0))
    residual, _, _ = _measured(row, STATE)
    assert residual == pytest.approx(np.zeros(3), abs=1e-4)
    assert plot_position_kernel(row, TABLE[0]) == pytest.approx(STATE[:3], abs=1e-3)


@pytest.mark.parametrize("row", [_radar_row(), _sight_row()], ids=["radar", "infrared"])
def test_partials_agree_with_differences(row: np.ndarray) -> None:
    _, jacobian, _ = _measured(row, STATE)
    for column in range(6):
        step = np.zeros(7)
        step[column] = 1.0
        ahead, _, _ = _measured(row, STATE + step)
        behind, _, _ = _measured(row, STATE - step)
        assert jacobian[:, column] == pytest.approx((behind - ahead) / 2.0, rel=2e-4, abs=2e-6)


def test_time_and_whitening() -> None:
    row = _radar_row()
    assert row[0] == 5.0
    row[2] += 2.0 * RADAR.sigma_range_m
    residual, _, _ = _measured(row, STATE)
    assert residual == pytest.approx([2.0, 0.0, 0.0, 0.0], abs=1e-5)


def test_azimuth_is_compared_across_north() -> None:
    row = _radar_row()
    turned = row.copy()
    turned[3] += 2.0 * math.pi
    assert _measured(turned, STATE)[0] == pytest.approx(_measured(row, STATE)[0], abs=1e-6)


def test_offsets_are_felt_where_they_act() -> None:
    _, jacobian, offset = _measured(_radar_row(), STATE)
    assert offset[0, 0] == pytest.approx(10.0 / 30.0)
    assert offset[1, 1] == 0.0
    assert offset[:, 3] == pytest.approx(0.01 * jacobian[:, :3] @ STATE[3:6])

"""All tracks and plots in one call say what each pair says alone, to the last pair."""

import math

import numpy as np
import pytest

from beaconfire.frames.types import Vector
from beaconfire.tracking.association import GATE
from beaconfire.tracking.filter import gate_kernel, predict_kernel
from beaconfire.tracking.gating import Predicted, gate_all_kernel, gated, predict_all_kernel
from beaconfire.tracking.measurement import SENSOR_COLUMNS, sensor_table
from tracking_truth import INFRARED, flight, radar

SENSORS = sensor_table([radar(), INFRARED])
COUNT = 12
Costs = dict[tuple[int, int], float]


def _states(draw: np.random.Generator) -> tuple[Vector, Vector]:
    """Return states near one another, each with a spread of its own, full and positive definite."""
    centre = np.zeros(10)
    centre[:7] = flight().at(150.0)[:7]
    states = centre + draw.standard_normal((COUNT, 10)) * np.repeat((800.0, 20.0, 0.1, 1.0), (3, 3, 1, 3))
    covariances = np.empty((COUNT, 10, 10))
    scale = np.repeat((60.0, 5.0, 0.5, 2.0), (3, 3, 1, 3))
    for covariance in covariances:
        half = draw.standard_normal((10, 10))
        covariance[:] = (half @ half.T + np.eye(10)) * np.outer(scale, scale)
    return states, covariances


def _plots(states: Vector, draw: np.random.Generator, *, rates: bool) -> list[Vector]:
    """Return a radar row near each state, some of them with a range rate."""
    place, rotation = SENSORS[0, 1:4], SENSORS[0, 4:13].reshape(3, 3)
    rows = []
    for n, state in enumerate(states):
        east, north, up = rotation @ (state[:3] + 100.0 * draw.standard_normal(3) - place)
        level = math.hypot(east, north)
        unit = (state[:3] - place) / np.linalg.norm(state[:3] - place)
        rate = float(unit @ state[3:6]) if rates and n % 2 else math.nan
        row = (0.0, 0.0, math.hypot(level, up), math.atan2(east, north), math.atan2(up, level), rate)
        rows.append(np.array((*row, 0.0, 0.0, 0.0)))
    return rows


def _alone(
    rows: list[Vector], states: Vector, covariances: Vector, rooms: list[float]
) -> dict[tuple[int, int], float]:
    costs = {}
    for n, (state, covariance) in enumerate(zip(states, covariances, strict=True)):
        for m, row in enumerate(rows):
            distance, size, count = gate_kernel(row, SENSORS, state, covariance, rooms[n])
            if distance <= GATE[count]:
                costs[n, m] = distance + size
    return costs


@pytest.mark.parametrize("rates", [False, True])
@pytest.mark.parametrize("room_m", [0.0, 700.0])
def test_pairs_and_costs_are_those_of_the_kernel_for_one_pair(room_m: float, rates: bool) -> None:  # noqa: FBT001
    sensors = SENSORS.copy()
    assert sensors.shape == (2, SENSOR_COLUMNS)
    for seed in range(20):
        draw = np.random.default_rng(seed)
        states, covariances = _states(draw)
        rows = _plots(states, draw, rates=rates)
        rooms = [room_m * (n % 3) for n in range(COUNT)]
        found = gated(rows, sensors, Predicted(states, covariances), rooms)
        wanted = _alone(rows, states, covariances, rooms)
        assert found.keys() == wanted.keys()
        assert found == pytest.approx(wanted, rel=1e-9)
        assert COUNT // 2 <= len(found) < COUNT * COUNT


def test_a_sight_line_is_gated_by_its_own_partials() -> None:
    draw = np.random.default_rng(3)
    states, covariances = _states(draw)
    rows = []
    origin = np.array((2.6e7, 3.3e7, 0.0))
    for state in states:
        line = state[:3] + 300.0 * draw.standard_normal(3) - origin
        rows.append(np.array((0.0, 1.0, *(line / np.linalg.norm(line)), 0.0, *origin)))
    found = gated(rows, SENSORS, Predicted(states, covariances), [0.0] * COUNT)
    assert found == pytest.approx(_alone(rows, states, covariances, [0.0] * COUNT), rel=1e-9)
    assert found


def test_all_are_predicted_as_each_is_alone() -> None:
    states, covariances = _states(np.random.default_rng(5))
    intervals, noises = np.linspace(-2.0, 9.0, COUNT), np.tile((0.0, 9.0), COUNT // 2)
    moved, spread = predict_all_kernel(states, covariances, intervals, noises)
    for n in range(COUNT):
        state, covariance = predict_kernel(states[n], covariances[n], intervals[n], noises[n])
        assert np.array_equal(moved[n], state)
        assert np.array_equal(spread[n], covariance)


def test_nothing_gives_nothing() -> None:
    states, covariances = np.empty((0, 10)), np.empty((0, 10, 10))
    assert gate_all_kernel(np.zeros((1, 9)), SENSORS, states, covariances, np.empty(0)).shape == (0, 1)

"""Tracks in lanes give what the one-track filter gives, whatever their number."""

import math

import numpy as np
import pytest

from beaconfire.flight.propagation import propagate_with_transition_kernel
from beaconfire.tracking import lanes
from beaconfire.tracking.lane_arithmetic import angle_kernel, arctangent_kernel, wrapped_kernel
from beaconfire.tracking.measurement import residual_kernel, sensor_table
from tracking_truth import Array, radar

TABLE = sensor_table([radar(maximum_range_m=3e6)])
RADAR = lanes.radar_numbers(TABLE[0])
START = np.array((-3.4e6, 4.2e6, 4.3e6, -3_000.0, -2_000.0, 2_500.0))
P0 = np.diag((1e6,) * 3 + (1e3,) * 3)


def _tracks(count: int) -> tuple[Array, Array, Array]:
    draw = np.random.default_rng(count)
    states = START + draw.standard_normal((count, 6)) * ((1e4,) * 3 + (10.0,) * 3)
    ahead = states.copy()
    ahead[:, :3] += ahead[:, 3:] + draw.standard_normal((count, 3)) * 500.0
    plots = np.array([lanes.predicted_plot_kernel(tuple(one), RADAR)[0] for one in ahead])
    return states, np.repeat(P0[None], count, axis=0), plots


def _one_by_one(state: Array, covariance: Array, plot: Array) -> tuple[Array, Array]:
    """Return state and covariance by the seven-state propagation and one whole update."""
    moved, partials = propagate_with_transition_kernel(np.append(state, -100.0), np.eye(7), 1.0, 1.0)
    f = partials[:6, :6]
    spread = f @ covariance @ f.T
    residual, jacobian, offset = np.empty(4), np.zeros((4, 6)), np.empty((4, 4))
    row = np.array((1.0, 0.0, *plot, math.nan, 0.0, 0.0, 0.0))
    size = residual_kernel(row, TABLE, moved, residual, jacobian, offset)
    h = jacobian[:size]
    gain = spread @ h.T @ np.linalg.inv(h @ spread @ h.T + np.eye(size))
    return moved[:6] + gain @ residual[:size], (np.eye(6) - gain @ h) @ spread


@pytest.mark.parametrize("count", [1, 15, 16, 17, 100])
def test_lanes_give_what_one_track_gives(count: int) -> None:
    states, covariances, plots = _tracks(count)
    before = (lanes.lanes_of_states(states), lanes.lanes_of_covariances(covariances))
    after = (np.zeros_like(before[0]), np.zeros_like(before[1]))
    lanes.update_lanes_kernel(before, lanes.lanes_of_states(plots), RADAR, (1.0, count), after)
    got = lanes.states_of_lanes(after[0], 6, count)
    spreads = lanes.covariances_of_lanes(after[1], count)
    for track in range(count):
        state, spread = _one_by_one(states[track], covariances[track], plots[track])
        sigma = np.sqrt(np.diag(spread))
        assert np.abs(got[track] - state) / sigma == pytest.approx(np.zeros(6), abs=1e-7)
        assert spreads[track] / np.outer(sigma, sigma) == pytest.approx(
            spread / np.outer(sigma, sigma), abs=1e-7
        )


def test_a_track_without_a_plot_is_only_predicted() -> None:
    states, covariances, plots = _tracks(3)
    plots[1] = 0.0
    before = (lanes.lanes_of_states(states), lanes.lanes_of_covariances(covariances))
    after = (np.zeros_like(before[0]), np.zeros_like(before[1]))
    lanes.update_lanes_kernel(before, lanes.lanes_of_states(plots), RADAR, (1.0, 3), after)
    moved, partials = propagate_with_transition_kernel(np.append(states[1], -100.0), np.eye(7), 1.0, 1.0)
    f = partials[:6, :6]
    assert lanes.states_of_lanes(after[0], 6, 3)[1] == pytest.approx(moved[:6], rel=1e-12)
    spread = f @ P0 @ f.T
    size = np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
    assert lanes.covariances_of_lanes(after[1], 3)[1] / size == pytest.approx(spread / size, abs=1e-7)


@pytest.mark.parametrize("count", [1, 16, 40])
def test_what_goes_into_lanes_comes_out(count: int) -> None:
    states, covariances, _ = _tracks(count)
    assert lanes.states_of_lanes(lanes.lanes_of_states(states), 6, count) == pytest.approx(states)
    held = lanes.lanes_of_covariances(covariances)
    assert lanes.covariances_of_lanes(held, count) == pytest.approx(covariances)


def test_angles_are_those_of_the_library() -> None:
    for tangent in (-1e6, -3.0, -1.0, -0.3, 0.0, 1e-9, 0.66, 0.7, 2.4, 2.5, 1e12):
        assert arctangent_kernel(tangent) == pytest.approx(math.atan(tangent), rel=1e-15, abs=1e-15)
    for bearing in np.linspace(-3.14, 3.14, 41):
        assert angle_kernel(math.sin(bearing), math.cos(bearing)) == pytest.approx(bearing, abs=1e-14)
    assert wrapped_kernel(6.0) == pytest.approx(6.0 - 2.0 * math.pi)
    assert wrapped_kernel(-6.0) == pytest.approx(2.0 * math.pi - 6.0)

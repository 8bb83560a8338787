"""One scan against many tracks: each plot goes to its own track, and crowds are settled as a whole."""

import numpy as np
import pytest

from beaconfire.tracking import lanes
from beaconfire.tracking.measurement import sensor_table
from beaconfire.tracking.scan import associate_scan
from tracking_truth import Array, radar

RADAR = lanes.radar_numbers(sensor_table([radar(maximum_range_m=3e6)])[0])
START = np.array((-3.4e6, 4.2e6, 4.3e6, -3_000.0, -2_000.0, 2_500.0))
P0 = np.diag((1e4,) * 3 + (400.0,) * 3)


def _plot(state: Array) -> Array:
    return np.array(lanes.predicted_plot_kernel(tuple(state), RADAR)[0])


def _grid(size: int, spacing_m: float) -> Array:
    states = np.repeat(START[None], size, axis=0)
    states[:, 1] += spacing_m * np.arange(size)
    return states


def test_each_plot_finds_its_track() -> None:
    draw = np.random.default_rng(1)
    states = _grid(200, 5_000.0)
    order = draw.permutation(200)
    plots = np.array([_plot(one) for one in states[order]])
    chosen = associate_scan(states, np.repeat(P0[None], 200, axis=0), plots, RADAR)
    assert order[chosen] == pytest.approx(np.arange(200))


def test_a_crowd_is_settled_as_a_whole() -> None:
    """The first track is nearest to the second one's plot; taking it would leave the second without."""
    states = _grid(2, 300.0)
    plots = np.array(
        [_plot(one) for one in (states[0] + (0, 160.0, 0, 0, 0, 0), states[1] + (0, 300.0, 0, 0, 0, 0))]
    )
    chosen = associate_scan(states, np.repeat(P0[None], 2, axis=0), plots, RADAR)
    assert list(chosen) == [0, 1]


def test_a_track_far_from_every_plot_has_none() -> None:
    states = _grid(2, 50_000.0)
    chosen = associate_scan(states, np.repeat(P0[None], 2, axis=0), _plot(states[0])[None], RADAR)
    assert list(chosen) == [0, -1]


def test_no_plots_at_all() -> None:
    assert (
        list(associate_scan(_grid(3, 1e3), np.repeat(P0[None], 3, axis=0), np.empty((0, 3)), RADAR))
        == [-1] * 3
    )

"""The table of whereabouts leaves out nothing that a close look would have taken."""

import math

import numpy as np
import pytest

from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, great_circle_distance_m
from beaconfire.fusion.correlation import ALONE_M, Signature, gate_ratio, separation
from beaconfire.fusion.neighbourhood import Neighbourhood
from beaconfire.fusion.source import Estimate
from beaconfire.messages.estimate import Ellipse, LaunchEstimate


def _estimate(draw: np.random.Generator, *, noise: bool) -> Estimate:
    place = Geodetic(
        math.radians(38.0 + draw.uniform(-0.5, 0.5)), math.radians(135.0), draw.uniform(2e5, 3e5)
    )
    state = np.array((*ecef_from_geodetic(place), *draw.normal(0.0, 3_000.0, 3), -8.0))
    sigma = np.array([10.0 ** draw.uniform(0.0, 4.5)] * 3 + [10.0 ** draw.uniform(-1.0, 2.5)] * 3 + [0.7])
    return Estimate(int(draw.uniform(0.0, 20e6)), state, np.diag(sigma**2), -8.0, 0.7, noise)


def _signature(estimate: Estimate) -> Signature:
    return Signature(estimate, None, None, estimate.epoch_us)


@pytest.mark.parametrize("noise", [False, True])
def test_nothing_that_fits_or_is_close_is_left_out(*, noise: bool) -> None:
    draw = np.random.default_rng(7)
    neighbourhood = Neighbourhood()
    there = {f"e{number}": _estimate(draw, noise=noise and number % 2 == 0) for number in range(150)}
    for event_id, estimate in there.items():
        neighbourhood.place(event_id, estimate)
    left_out = fitting = 0
    for _ in range(40):
        own = _estimate(draw, noise=noise)
        near = neighbourhood.near(own)
        for event_id, estimate in there.items():
            apart = separation(_signature(own), _signature(estimate))
            fits = gate_ratio(_signature(own), _signature(estimate)) <= 1.0
            close = apart is not None and apart[0] < ALONE_M
            fitting += fits or close
            left_out += event_id not in near
            assert event_id in near or not (fits or close), event_id
    assert fitting > 100
    assert left_out > 1_000


def _launch(draw: np.random.Generator) -> LaunchEstimate:
    sigma_m = 10.0 ** draw.uniform(2.5, 4.5)
    area = Ellipse(
        0.7 + draw.uniform(-0.01, 0.01),
        2.2 + draw.uniform(-0.01, 0.01),
        sigma_m,
        sigma_m * draw.uniform(0.1, 1.0),
        draw.uniform(0.0, 3.0),
        0.95,
    )
    return LaunchEstimate(int(draw.uniform(0.0, 200e6)), draw.uniform(0.5, 30.0), area)


def _place(launch: LaunchEstimate) -> tuple[float, float]:
    return launch.area.latitude_rad, launch.area.longitude_rad


def test_without_estimates_launches_are_judged_as_a_close_look_does() -> None:
    draw = np.random.default_rng(11)
    neighbourhood = Neighbourhood()
    there = {f"e{number}": _launch(draw) for number in range(200)}
    for event_id, launch in there.items():
        neighbourhood.place(event_id, None, launch)
    neighbourhood.place("unknown", None, None)
    kept = left_out = together = 0
    for _ in range(40):
        own = _launch(draw)
        near = neighbourhood.near(None, own)
        close = neighbourhood.launched_near(own, 30_000.0, 60.0)
        assert "unknown" in near
        assert "unknown" not in close
        for event_id, launch in there.items():
            fits = gate_ratio(Signature(None, own, None, 0), Signature(None, launch, None, 0)) <= 1.0
            assert fits is (event_id in near), event_id
            distance_m = great_circle_distance_m(*_place(own), *_place(launch))
            interval_s = abs(own.time_us - launch.time_us) / 1e6
            assert (distance_m <= 30_000.0 and interval_s <= 60.0) is (event_id in close), event_id
            kept, left_out, together = kept + fits, left_out + (not fits), together + (event_id in close)
    assert min(kept, left_out, together) > 300


def test_what_nobody_can_place_is_near_everything() -> None:
    draw = np.random.default_rng(3)
    neighbourhood = Neighbourhood()
    neighbourhood.place("unplaced", None)
    neighbourhood.place("placed", _estimate(draw, noise=False))
    assert neighbourhood.near(None) == {"placed", "unplaced"}
    assert "unplaced" in neighbourhood.near(_estimate(draw, noise=False))


def test_a_removed_event_is_near_nothing_and_its_row_is_used_again() -> None:
    draw = np.random.default_rng(5)
    neighbourhood = Neighbourhood()
    for number in range(200):
        neighbourhood.place(f"e{number}", _estimate(draw, noise=False))
        neighbourhood.remove(f"e{number - 3}")
    assert neighbourhood.near(None) == {"e197", "e198", "e199"}
    neighbourhood.remove("never there")
    assert neighbourhood.near(None) == {"e197", "e198", "e199"}

"""Launch point and time: the stated area holds the truth over ascents nobody told it of."""

import math

import numpy as np
import pytest

from beaconfire.frames.geodesy import great_circle_distance_m
from beaconfire.tracking.launch import GroundGuess, from_flight, from_sight, joined, launch_estimate
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from tracking_truth import EPOCH_US, INFRARED, flight, inside, sight

SMALL = np.diag([1e4] * 3 + [1.0] * 3 + [0.25])


def test_area_and_time_hold_the_truth_over_many_ascents() -> None:
    random = np.random.default_rng(11)
    placed, timed = [], []
    for _ in range(40):
        speed = random.uniform(1_300.0, 5_000.0)
        truth = flight(
            burn_s=speed / random.uniform(17.0, 38.0),
            speed_m_s=speed,
            angle_rad=random.uniform(0.6, 1.4),
            bearing_rad=random.uniform(0.0, 6.0),
        )
        seen_s = math.ceil(truth.burnout_s) + 2.0
        guess = from_flight(truth.at(seen_s), SMALL, seen_s, thrust_seen=False)
        estimate = launch_estimate(guess, EPOCH_US)
        placed.append(inside(estimate.area, truth.launch.latitude_rad, truth.launch.longitude_rad))
        timed.append(abs(estimate.time_us - EPOCH_US) / 1e6 < 1.96 * estimate.sigma_time_s)
    assert sum(placed) >= 36
    assert sum(timed) >= 36


def test_first_sight_line_holds_the_launch() -> None:
    truth, table = flight(), sensor_table([INFRARED])
    held = []
    for seed in range(40):
        row = row_from_detection(
            sight(INFRARED, truth.at(33.0), EPOCH_US + 33_000_000, np.random.default_rng(seed)), 0, EPOCH_US
        )
        guess = from_sight(row, table[0])
        assert guess is not None
        area = launch_estimate(guess, EPOCH_US).area
        held.append(inside(area, truth.launch.latitude_rad, truth.launch.longitude_rad))
        assert abs(guess.time_s) < 1.96 * guess.sigma_time_s
        assert area.semi_major_m < 40_000.0
    assert sum(held) >= 36


def test_joining_sharpens_what_agrees_and_widens_what_does_not() -> None:
    first = GroundGuess(0.7, 2.2, 0.0, np.diag([4e6, 4e6]), 20.0)
    near = GroundGuess(0.7001, 2.2001, 10.0, np.diag([4e6, 4e6]), 20.0)
    both = joined(first, near)
    assert np.trace(both.covariance) == pytest.approx(4e6)
    assert both.latitude_rad == pytest.approx(0.70005)
    assert both.time_s == pytest.approx(5.0)
    far = GroundGuess(0.72, 2.2, 0.0, np.diag([9e6, 9e6]), 20.0)
    apart = joined(first, far)
    assert apart.latitude_rad == first.latitude_rad
    assert np.trace(apart.covariance) > 3.0 * np.trace(first.covariance)


def test_ellipse_points_along_the_larger_spread() -> None:
    area = launch_estimate(GroundGuess(0.7, 2.2, 0.0, np.diag([9e6, 1e6]), 5.0), EPOCH_US).area
    assert area.bearing_rad == pytest.approx(math.pi / 2)
    assert area.semi_major_m == pytest.approx(3_000.0 * math.sqrt(5.991))
    assert great_circle_distance_m(0.7, 2.2, area.latitude_rad, area.longitude_rad) < 1.0

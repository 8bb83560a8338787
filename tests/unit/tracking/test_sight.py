"""Where sight lines meet a height, and lines of one source held together."""

import math

import numpy as np
import pytest

from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from beaconfire.tracking.sight import SightFilter, meeting_kernel, meeting_point
from tracking_truth import EPOCH_US, INFRARED, WATCH_ECEF_M, flight, sight

TABLE = sensor_table([INFRARED])


def test_meeting_is_on_the_line_at_the_height() -> None:
    target = flight().at(60.0)[:3]
    line = (target - WATCH_ECEF_M) / np.linalg.norm(target - WATCH_ECEF_M)
    point, distance = meeting_kernel(WATCH_ECEF_M, line, 30_000.0)
    assert geodetic_from_ecef_kernel(*point)[2] == pytest.approx(30_000.0, abs=1.0)
    assert point == pytest.approx(WATCH_ECEF_M + distance * line)


def test_a_line_past_the_earth_meets_nothing() -> None:
    across = np.cross(WATCH_ECEF_M, [0.0, 0.0, 1.0])
    assert math.isnan(meeting_kernel(WATCH_ECEF_M, across / np.linalg.norm(across), 0.0)[1])
    away = WATCH_ECEF_M / np.linalg.norm(WATCH_ECEF_M)
    row = np.array((0.0, 0.0, *away, 0.0, *WATCH_ECEF_M))
    assert meeting_point(row, TABLE[0]) is None


def test_lines_of_one_source_stay_inside_the_gate_and_others_outside() -> None:
    truth, other = flight(burn_s=120.0, speed_m_s=4_000.0, angle_rad=1.2), flight(longitude_deg=127.0)
    random, held = np.random.default_rng(2), None
    for second in range(30, 120):
        seen = sight(INFRARED, truth.at(second), EPOCH_US + second * 10**6, random)
        row = row_from_detection(seen, 0, EPOCH_US)
        found = meeting_point(row, TABLE[0])
        assert found is not None
        if held is None:
            held = SightFilter(row, found[1], found[0])
            continue
        assert held.distance(row, found[1], found[0])[0] < 25.0
        stranger = row_from_detection(
            sight(INFRARED, other.at(second), EPOCH_US + second * 10**6, random), 0, EPOCH_US
        )
        apart = meeting_point(stranger, TABLE[0])
        assert apart is not None
        if second > 35:
            assert held.distance(stranger, apart[1], apart[0])[0] > 25.0
        held.update(row, found[1], found[0])

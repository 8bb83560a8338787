"""The two-object scenario stands as it is published, and a run holds tracks of both."""

import math

import numpy as np
import pytest

from beaconfire.flight.fall import fall_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.sim.pair_trial import END, RADAR, SCANS, flight_of_least_energy, pair_run, scan_times_s
from beaconfire.sim.sensing import radar_view

START = flight_of_least_energy()
TIMES_S = scan_times_s(START)


def test_it_comes_down_where_it_should() -> None:
    landed = fall_kernel(START, 0.0)[1]
    latitude, longitude, _ = geodetic_from_ecef_kernel(landed[0], landed[1], landed[2])
    assert math.degrees(latitude) == pytest.approx(math.degrees(END.latitude_rad), abs=1e-3)
    assert math.degrees(longitude) == pytest.approx(math.degrees(END.longitude_rad), abs=1e-3)


def test_a_run_holds_both_objects() -> None:
    frames = pair_run(1, START, [float(one) for one in TIMES_S])
    assert len(frames) == SCANS
    truths = np.array([np.pad(frame.truths, ((0, 0), (0, 1))) for frame in frames])
    views = [radar_view(RADAR, one) for one in truths]
    assert all(view.visible.all() for view in views)
    assert views[SCANS // 2].range_m[1] - views[SCANS // 2].range_m[0] == pytest.approx(50.0, abs=0.1)
    assert max(len(frame.tracks) for frame in frames) == 2

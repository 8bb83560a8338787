import math

import numpy as np
import pytest

from beaconfire.flight.fall import apogee_height_m, fall_kernel, fall_path, fall_with_transition_kernel
from beaconfire.flight.impact import MATRIX_STRETCH
from beaconfire.flight.propagation import propagate_kernel, time_to_ground_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from picture_world import state_at


@pytest.mark.parametrize(("speed_m_s", "climb_deg"), [(1_500.0, 40.0), (3_500.0, 45.0), (7_000.0, 70.0)])
def test_fall_agrees_with_a_short_fixed_step(speed_m_s: float, climb_deg: float) -> None:
    state = state_at(speed_m_s=speed_m_s, climb_deg=climb_deg)
    elapsed, ground = fall_kernel(state, 0.0)
    assert elapsed == pytest.approx(time_to_ground_kernel(state, 0.0, 0.1), abs=0.01)
    fine = propagate_kernel(state, elapsed, 0.1)
    assert np.linalg.norm(fine[:3] - ground[:3]) < 5.0


@pytest.mark.parametrize("speed_m_s", [4_000.0, 5_500.0, 7_000.0])
def test_long_steps_do_not_leap_into_the_air_whatever_their_phase(speed_m_s: float) -> None:
    start = state_at(height_m=900e3, speed_m_s=speed_m_s, climb_deg=-75.0)
    start[6] = -math.log(750.0)
    for moved_s in np.arange(0.0, 20.0, 0.7):
        state = propagate_kernel(start, float(moved_s), 1.0)
        elapsed, ground = fall_kernel(state, 0.0)
        there, transition = fall_with_transition_kernel(state, elapsed, MATRIX_STRETCH)
        _, fine = fall_with_transition_kernel(state, elapsed, 0.25)
        assert np.linalg.norm(there[:3] - ground[:3]) < 300.0
        assert np.linalg.norm(transition[:3] - fine[:3]) < 0.05 * np.linalg.norm(fine[:3])


def test_what_does_not_come_down_has_no_time() -> None:
    orbit = state_at(height_m=400e3, speed_m_s=7_400.0, climb_deg=0.0, bearing_deg=90.0)
    assert math.isnan(fall_kernel(orbit, 0.0)[0])


def test_apogee_is_the_same_seen_from_both_sides() -> None:
    state = state_at(speed_m_s=3_500.0)
    highest = max(
        geodetic_from_ecef_kernel(*map(float, propagate_kernel(state, float(t), 1.0)[:3]))[2]
        for t in range(0, 500, 2)
    )
    assert apogee_height_m(state) == pytest.approx(highest, abs=30.0)
    assert apogee_height_m(propagate_kernel(state, 450.0, 1.0)) == pytest.approx(highest, abs=200.0)


def test_path_ends_on_the_ground_and_its_transition_is_that_of_the_flight() -> None:
    state = state_at(speed_m_s=2_500.0)
    path = fall_path(state, 10.0)
    assert path.height_m[-1] >= 0.0
    assert fall_kernel(state, 0.0)[0] - path.elapsed_s[-1] < 10.0
    moved = state.copy()
    moved[4] += 1.0
    there = propagate_kernel(moved, float(path.elapsed_s[20]), 1.0)
    change = there[:3] - path.states[20, :3]
    assert np.allclose(change, path.transitions[20][:, 4], rtol=2e-3, atol=0.5)

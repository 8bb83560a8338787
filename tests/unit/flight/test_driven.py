"""The compiled flight: a step without drive is free flight, a drive pushes where it points."""

import math

import numpy as np
import pytest

from beaconfire.flight.driven import DRIVE_SIZE, figures_kernel, height_kernel, step_kernel
from beaconfire.flight.propagation import rk4_step_kernel
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.frames.types import Vector

PLACE = Geodetic(math.radians(40.0), math.radians(127.0), 0.0)


def at(height_m: float, velocity_enu_m_s: tuple[float, float, float]) -> Vector:
    there = Geodetic(PLACE.latitude_rad, PLACE.longitude_rad, height_m)
    velocity = enu_from_ecef_rotation(*PLACE[:2]).T @ np.array(velocity_enu_m_s)
    return np.concatenate([ecef_from_geodetic(there), velocity, [-math.log(3_000.0)]])


def drive(burn_s: float = 0.0, acceleration_m_s2: float = 0.0, lift_below_m: float = 0.0) -> Vector:
    out = np.zeros(DRIVE_SIZE)
    out[0], out[1], out[2], out[3], out[16] = (
        burn_s,
        acceleration_m_s2,
        math.radians(30.0),
        1.3,
        0.65 * burn_s,
    )
    out[4:13] = enu_from_ecef_rotation(*PLACE[:2]).ravel()
    out[13], out[14], out[15] = lift_below_m, 0.3 * lift_below_m, -math.log(3_000.0)
    return out


@pytest.mark.parametrize("height_m", [5_000.0, 40_000.0, 400_000.0])
def test_a_step_without_drive_is_the_propagators_step(height_m: float) -> None:
    state = at(height_m, (900.0, 100.0, -300.0))
    assert np.allclose(
        step_kernel(0.0, state, 0.5, drive()), rk4_step_kernel(state, 0.5), rtol=1e-12, atol=1e-6
    )


def test_the_drive_starts_upward_and_ends_at_its_elevation_and_heading() -> None:
    state = at(300_000.0, (0.0, 0.0, 0.0))
    pushed = drive(burn_s=100.0, acceleration_m_s2=40.0)
    east = north = up = 0.0
    for elapsed_s, elevation_deg in ((0.0, 90.0), (90.0, 30.0)):
        change = step_kernel(elapsed_s, state, 0.1, pushed) - step_kernel(elapsed_s, state, 0.1, drive())
        east, north, up = enu_from_ecef_rotation(*PLACE[:2]) @ change[3:6]
        assert math.hypot(east, north, up) == pytest.approx(4.0, rel=1e-3)
        assert math.degrees(math.asin(up / math.hypot(east, north, up))) == pytest.approx(
            elevation_deg, abs=0.1
        )
    assert math.atan2(east, north) == pytest.approx(1.3, abs=1e-3)


def test_lift_acts_across_the_velocity_downward_flight_in_its_band_only() -> None:
    lifting, falling = drive(lift_below_m=30_000.0), at(20_000.0, (1_200.0, 0.0, -500.0))
    change = step_kernel(0.0, falling, 0.01, lifting) - step_kernel(0.0, falling, 0.01, drive())
    assert 0.1 < np.linalg.norm(change[3:6]) <= 0.61
    assert abs(np.dot(change[3:6], falling[3:6])) / np.linalg.norm(falling[3:6]) < 0.01
    for other in (
        at(35_000.0, (1_200.0, 0.0, -500.0)),
        at(5_000.0, (1_200.0, 0.0, -500.0)),
        at(20_000.0, (1_200.0, 0.0, 500.0)),
    ):
        assert np.array_equal(step_kernel(0.0, other, 0.01, lifting), step_kernel(0.0, other, 0.01, drive()))


def test_what_does_not_come_down_has_no_range() -> None:
    times, nodes = np.zeros(500), np.zeros((500, 7))
    apogee_m, range_m, bearing_rad = figures_kernel(
        at(0.0, (0.0, 0.0, 0.0)), drive(burn_s=100.0, acceleration_m_s2=200.0), times, nodes
    )
    assert apogee_m > 1e6
    assert math.isnan(range_m)
    assert math.isnan(bearing_rad)


def test_height_is_above_the_ellipsoid() -> None:
    assert height_kernel(at(1_234.0, (0.0, 0.0, 0.0))) == pytest.approx(1_234.0, abs=1e-3)

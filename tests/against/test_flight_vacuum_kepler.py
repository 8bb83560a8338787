"""Propagation and the vacuum arc held against scipy's integrator and Kepler's equation."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from beaconfire.flight.ascent import vacuum_arc
from beaconfire.flight.dynamics import acceleration_kernel, density_kernel
from beaconfire.flight.propagation import (
    propagate_kernel,
    propagate_with_transition_kernel,
    time_to_ground_kernel,
)
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.units import (
    EARTH_GM_M3_S2,
    EARTH_J2,
    EARTH_MEAN_RADIUS_M,
    EARTH_ROTATION_RAD_S,
    WGS84_SEMI_MAJOR_M,
)

Array = NDArray[np.float64]


def launch_state(height_m: float, speed_m_s: float, elevation_deg: float, beta: float) -> Array:
    place = Geodetic(math.radians(40.0), math.radians(127.0), height_m)
    rotation = enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad)
    elevation, heading = math.radians(elevation_deg), math.radians(75.0)
    across = speed_m_s * math.cos(elevation)
    enu = np.array([across * math.sin(heading), across * math.cos(heading), speed_m_s * math.sin(elevation)])
    return np.concatenate([ecef_from_geodetic(place), rotation.T @ enu, [-math.log(beta)]])


def inertial_derivative(_: float, y: Array) -> Array:
    """Gravity with J2 in inertial axes: the potential differentiated by hand, nothing of ours."""
    r = np.linalg.norm(y[:3])
    z2 = (y[2] / r) ** 2
    k = 1.5 * EARTH_J2 * (WGS84_SEMI_MAJOR_M / r) ** 2
    factor = np.array([1.0 + k * (1.0 - 5.0 * z2), 1.0 + k * (1.0 - 5.0 * z2), 1.0 + k * (3.0 - 5.0 * z2)])
    return np.concatenate([y[3:], -EARTH_GM_M3_S2 / r**3 * factor * y[:3]])


def turned(vector: Array, angle_rad: float) -> Array:
    cosine, sine = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]]) @ vector


@pytest.mark.parametrize("duration_s", [300.0, 1_100.0])
def test_coast_above_the_air_is_the_inertial_flight_seen_from_turning_axes(duration_s: float) -> None:
    state = launch_state(210_000.0, 6_000.0, 35.0, 3_000.0)
    spin = np.array([0.0, 0.0, EARTH_ROTATION_RAD_S])
    start = np.concatenate([state[:3], state[3:6] + np.cross(spin, state[:3])])
    solved = solve_ivp(inertial_derivative, (0.0, duration_s), start, method="DOP853", rtol=1e-12, atol=1e-6)
    angle = EARTH_ROTATION_RAD_S * duration_s
    position = turned(solved.y[:3, -1], -angle)
    velocity = turned(solved.y[3:, -1], -angle) - np.cross(spin, position)
    ours = propagate_kernel(state, duration_s, 1.0)
    assert np.linalg.norm(ours[:3] - position) < 0.01
    assert np.linalg.norm(ours[3:6] - velocity) < 1e-4


def rotating_derivative(_: float, y: Array) -> Array:
    acceleration = np.empty(3)
    acceleration_kernel(y, acceleration)
    return np.concatenate([y[3:6], acceleration, [0.0]])


def test_reentry_through_the_air_agrees_with_an_adaptive_integrator() -> None:
    state = launch_state(120_000.0, 5_000.0, -35.0, 3_000.0)
    duration_s = time_to_ground_kernel(state, 0.0, 1.0)
    solved = solve_ivp(rotating_derivative, (0.0, duration_s), state, method="DOP853", rtol=1e-10, atol=1e-5)
    ours = propagate_kernel(state, duration_s, 1.0)
    assert np.linalg.norm(ours[:3] - solved.y[:3, -1]) < 10.0
    assert np.linalg.norm(ours[3:6] - solved.y[3:6, -1]) < 1.0


def test_the_transition_matrix_is_the_slope_of_the_flow() -> None:
    state = launch_state(60_000.0, 3_000.0, 20.0, 2_000.0)
    _, transition = propagate_with_transition_kernel(state, np.eye(7), 60.0, 1.0)
    steps = np.array([1.0, 1.0, 1.0, 1e-2, 1e-2, 1e-2, 1e-4])
    columns = []
    for k in range(7):
        shift = np.zeros(7)
        shift[k] = steps[k]
        ahead, behind = propagate_kernel(state + shift, 60.0, 1.0), propagate_kernel(state - shift, 60.0, 1.0)
        columns.append((ahead - behind) / (2.0 * steps[k]))
    numeric = np.array(columns).T
    scale = np.array([1.0, 1.0, 1.0, 60.0, 60.0, 60.0, np.abs(numeric[:6, 6]).max()])
    assert np.abs((transition - numeric) / scale)[:3].max() < 0.02


def test_going_back_undoes_going_forth() -> None:
    state = launch_state(250_000.0, 5_000.0, 30.0, 3_000.0)
    there_and_back = propagate_kernel(propagate_kernel(state, 400.0, 1.0), -400.0, 1.0)
    assert np.linalg.norm((there_and_back - state)[:3]) < 0.01


@pytest.mark.parametrize(
    ("height_m", "density"), [(0.0, 1.225), (10e3, 0.41351), (30e3, 0.018410), (80e3, 1.8458e-5)]
)
def test_density_at_the_table_heights_is_the_standard_atmosphere(height_m: float, density: float) -> None:
    assert density_kernel(height_m)[0] == pytest.approx(density, rel=1e-3)


@pytest.mark.parametrize(
    ("height_m", "density"),
    [(2_000.0, 1.0066), (18_000.0, 0.12165), (35_000.0, 8.4634e-3), (65_000.0, 1.6321e-4)],
)
def test_density_between_them_is_within_six_per_cent(height_m: float, density: float) -> None:
    # U.S. Standard Atmosphere 1976, table I.
    assert density_kernel(height_m)[0] == pytest.approx(density, rel=0.06)


@pytest.mark.parametrize(("apogee_m", "range_m"), [(50e3, 350e3), (970e3, 4_500e3), (6_248e3, 1_090e3)])
def test_the_vacuum_arc_is_what_an_integrator_flies(apogee_m: float, range_m: float) -> None:
    arc = vacuum_arc(apogee_m, range_m)
    start = [EARTH_MEAN_RADIUS_M, 0.0]
    start += [arc.speed_m_s * math.sin(arc.elevation_rad), arc.speed_m_s * math.cos(arc.elevation_rad)]

    def derivative(_: float, y: Array) -> list[float]:
        pull = -EARTH_GM_M3_S2 / math.hypot(y[0], y[1]) ** 3
        return [y[2], y[3], pull * y[0], pull * y[1]]

    times = np.linspace(0.0, arc.duration_s, 2_001)
    y = solve_ivp(derivative, (0.0, arc.duration_s), start, rtol=1e-11, atol=1e-4, t_eval=times).y
    heights = np.hypot(y[0], y[1]) - EARTH_MEAN_RADIUS_M
    assert heights.max() == pytest.approx(apogee_m, rel=1e-5)
    assert heights[-1] == pytest.approx(0.0, abs=100.0)
    assert EARTH_MEAN_RADIUS_M * math.atan2(y[1, -1], y[0, -1]) == pytest.approx(range_m, rel=1e-4)

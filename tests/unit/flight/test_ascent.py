"""The generic flight meets its figures, is the same each time, and joins boost and free flight smoothly."""

import math

import numpy as np
import pytest

from beaconfire.flight.ascent import (
    AscentError,
    FlightFigures,
    Trajectory,
    build_trajectory,
    generic_burn_time_s,
    vacuum_arc,
)
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.geodesy import Geodetic, geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.messages.words import Phase
from beaconfire.units import EARTH_GM_M3_S2, EARTH_MEAN_RADIUS_M

SITE = Geodetic(math.radians(40.0), math.radians(126.0), 0.0)
LONG = FlightFigures(SITE, math.radians(80.0), 970_000.0, 4_500_000.0)
LOFTED = FlightFigures(SITE, math.radians(72.0), 6_248_000.0, 1_090_000.0)
SHORT = FlightFigures(SITE, math.radians(64.0), 50_000.0, 350_000.0)
PULL_UP = FlightFigures(SITE, math.radians(71.0), 60_000.0, 600_000.0, pull_up=True)
START_US = 1_664_835_720_000_000


@pytest.fixture(
    scope="module", params=[LONG, LOFTED, SHORT, PULL_UP], ids=["long", "lofted", "short", "pull-up"]
)
def flight(request: pytest.FixtureRequest) -> Trajectory:
    figures: FlightFigures = request.param
    return build_trajectory(figures, START_US)


def heights_m(trajectory: Trajectory, elapsed_s: np.ndarray) -> np.ndarray:
    return np.array([geodetic_from_ecef_kernel(*state[:3])[2] for state in trajectory.states(elapsed_s)])


def test_apogee_range_and_bearing_are_met(flight: Trajectory) -> None:
    figures = flight.figures
    distance_m, bearing_rad = great_circle_kernel(*figures.site[:2], *flight.impact[:2])
    assert distance_m == pytest.approx(figures.range_m, rel=0.002)
    assert bearing_rad == pytest.approx(figures.bearing_rad, abs=0.002)
    highest_m = heights_m(flight, np.arange(0.0, flight.impact_s, 0.25)).max()
    assert highest_m == pytest.approx(figures.apogee_m, rel=0.002)


def test_flight_time_lies_between_the_vacuum_arc_and_five_minutes_more(flight: Trajectory) -> None:
    arc = vacuum_arc(flight.figures.apogee_m, flight.figures.range_m)
    assert arc.duration_s <= flight.impact_s <= arc.duration_s + 300.0


def test_it_starts_at_rest_at_the_site_and_ends_on_the_ground(flight: Trajectory) -> None:
    first, last = flight.states(np.array([0.0, flight.impact_s]))
    assert np.allclose(first[3:6], 0.0)
    assert np.allclose(geodetic_from_ecef_kernel(*first[:3]), flight.figures.site, atol=1e-6)
    assert abs(geodetic_from_ecef_kernel(*last[:3])[2]) < 1.0
    assert np.allclose(flight.state_at(flight.impact_at_us + 10_000_000), last)


def test_speed_is_the_slope_of_position_throughout(flight: Trajectory) -> None:
    middle_s = np.arange(1.0, flight.impact_s - 1.0, 3.7)
    step_s = 0.01
    before, here, after = (flight.states(middle_s + shift) for shift in (-step_s, 0.0, step_s))
    slope = (after[:, :3] - before[:, :3]) / (2.0 * step_s)
    assert np.abs(slope - here[:, 3:6]).max() < 0.1


def test_it_rises_from_the_vertical() -> None:
    trajectory = build_trajectory(LONG, START_US)
    _, _, height_m = geodetic_from_ecef_kernel(*trajectory.states(np.array([5.0]))[0, :3])
    travelled_m = np.linalg.norm(trajectory.states(np.array([5.0]))[0, :3] - trajectory.nodes[0, :3])
    assert height_m / travelled_m > 0.999


def test_after_burnout_it_is_the_free_flight_of_the_propagator() -> None:
    trajectory = build_trajectory(LONG, START_US)
    burnout = trajectory.states(np.array([trajectory.burnout_s]))[0]
    later = propagate_kernel(burnout, 600.0, 1.0)
    assert np.allclose(
        later, trajectory.states(np.array([trajectory.burnout_s + 600.0]))[0], rtol=0, atol=1e-2
    )


def test_phases_follow_one_another(flight: Trajectory) -> None:
    phases = [flight.phase(elapsed_s) for elapsed_s in np.arange(0.0, flight.impact_s, 1.0)]
    order = [Phase.BOOST, Phase.COAST, Phase.REENTRY]
    assert [phase for phase in order if phase in phases] == order
    assert phases == sorted(phases, key=order.index)


def test_a_pull_up_leaves_the_ballistic_path() -> None:
    trajectory = build_trajectory(PULL_UP, START_US)
    top = trajectory.states(np.array([trajectory.apogee_s]))[0]
    ballistic = propagate_kernel(top, 120.0, 1.0)
    flown = trajectory.states(np.array([trajectory.apogee_s + 120.0]))[0]
    assert np.linalg.norm(ballistic[:3] - flown[:3]) > 5_000.0


def test_the_same_figures_give_the_same_bits() -> None:
    one, two = build_trajectory(LONG, START_US), build_trajectory(LONG, START_US)
    assert one.nodes.tobytes() == two.nodes.tobytes()
    assert one.impact == two.impact


def test_states_do_not_depend_on_what_else_is_asked() -> None:
    trajectory = build_trajectory(SHORT, START_US)
    wanted_s = np.array([1.23, 70.0, 200.5])
    alone = np.array([trajectory.states(np.array([when]))[0] for when in wanted_s])
    assert np.array_equal(alone, trajectory.states(wanted_s))


def test_burn_time_is_a_minute_for_short_ranges_and_five_for_intercontinental_ones() -> None:
    assert 55.0 < generic_burn_time_s(vacuum_arc(50_000.0, 300_000.0)) < 80.0
    assert 250.0 < generic_burn_time_s(vacuum_arc(6_000_000.0, 1_000_000.0)) < 320.0


def test_figures_nothing_could_fly_are_refused() -> None:
    with pytest.raises(AscentError, match="no generic flight"):
        build_trajectory(FlightFigures(SITE, 1.0, 2_000.0, 3_000_000.0), START_US)


def test_the_vacuum_arc_of_a_flat_throw_is_the_parabola() -> None:
    arc = vacuum_arc(2_500.0, 10_000.0)
    gravity_m_s2 = EARTH_GM_M3_S2 / EARTH_MEAN_RADIUS_M**2
    assert arc.elevation_rad == pytest.approx(math.radians(45.0), abs=2e-3)
    assert arc.speed_m_s == pytest.approx(math.sqrt(10_000.0 * gravity_m_s2), rel=2e-3)
    assert arc.duration_s == pytest.approx(math.sqrt(8.0 * 2_500.0 / gravity_m_s2), rel=2e-3)

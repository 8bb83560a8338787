"""Several hypotheses of the impact: each with its weight and areas, and together they hold the truth."""

import math
from itertools import pairwise

import numpy as np
import pytest

from beaconfire.flight.fall import fall_kernel
from beaconfire.formats.flights import shipped_flights
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.frames.geodesy import Geodetic, geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.fusion.assembly import manoeuvre_outlooks
from beaconfire.fusion.outlook import Outlook, falling, kepler_landings, stated, thrusting
from beaconfire.fusion.source import Estimate
from beaconfire.messages.estimate import Ellipse, ImpactEstimate
from beaconfire.messages.words import Hypothesis
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.world import build_world
from picture_world import PRIOR_MEAN, PRIOR_SIGMA, T0_US, covariance_of, state_at


def estimate_of(state: np.ndarray, at_us: int = T0_US, *, process_noise: bool = False) -> Estimate:
    covariance = covariance_of(300.0, 60.0 if process_noise else 2.0)
    return Estimate(at_us, state, covariance, PRIOR_MEAN, PRIOR_SIGMA, process_noise)


def holds(outlook: Outlook, truth: Geodetic, level: int = 1) -> bool:
    area = outlook.areas.ellipses[level]
    distance, bearing = great_circle_kernel(area.latitude_rad, area.longitude_rad, truth[0], truth[1])
    turned = bearing - area.bearing_rad
    along, across = distance * math.cos(turned), distance * math.sin(turned)
    return math.hypot(along / area.semi_major_m, across / area.semi_minor_m) <= 1.0


def test_a_free_flight_has_one_hypothesis_with_three_areas_and_a_window() -> None:
    found = falling(estimate_of(state_at()))
    assert found is not None
    assert (found.impact.weight, found.areas.hypothesis) == (1.0, Hypothesis.FREE_FLIGHT)
    assert [one.probability for one in found.areas.ellipses] == [0.5, 0.95, 0.99]
    assert found.areas.ellipses[1] == found.impact.area
    assert all(a.semi_major_m < b.semi_major_m for a, b in pairwise(found.areas.ellipses))
    width_s = (found.areas.latest_us - found.areas.earliest_us) / 1e6
    assert width_s == pytest.approx(2 * 1.96 * found.impact.sigma_time_s, rel=1e-3)


def test_under_thrust_it_ends_now_or_later_and_the_two_hold_the_truth() -> None:
    """Every flight of the catalogue, at a third, a half and nearly all of its thrust."""
    held, count = 0, 0
    for launch in shipped_flights():
        if launch.manoeuvre != "ballistic":
            continue
        truth = build_world([flight_of_launch(launch)], shipped_sensors()[:1], 1).truths[0]
        for share in (0.35, 0.55, 0.95):
            at_us = truth.launched_at_us + round(share * truth.burnout_s * 1e6)
            both = thrusting(
                estimate_of(truth.state_at(at_us), at_us, process_noise=True), truth.launched_at_us
            )
            if not both:
                continue
            later, now = both
            assert (later.areas.hypothesis, now.areas.hypothesis) == (
                Hypothesis.BURNOUT_LATER,
                Hypothesis.BURNOUT_NOW,
            )
            assert later.impact.weight + now.impact.weight == pytest.approx(1.0)
            assert later.impact.area.semi_major_m > now.impact.area.semi_major_m
            count += 1
            held += holds(later, truth.impact) or holds(now, truth.impact)
    assert count >= 20
    assert held / count >= 0.95


@pytest.mark.parametrize(("speed_m_s", "climb_deg"), [(2_000.0, 40.0), (5_000.0, 60.0), (6_500.0, 30.0)])
def test_kepler_comes_down_where_the_flight_does(speed_m_s: float, climb_deg: float) -> None:
    state = state_at(speed_m_s=speed_m_s, climb_deg=climb_deg)
    elapsed_s, ground = fall_kernel(state, 0.0)
    start = geodetic_from_ecef_kernel(*(float(x) for x in state[:3]))
    end = geodetic_from_ecef_kernel(*(float(x) for x in ground[:3]))
    latitude, longitude, seconds = kepler_landings(state[None])[0].tolist()
    range_m, _ = great_circle_kernel(start[0], start[1], end[0], end[1])
    miss_m, _ = great_circle_kernel(latitude, longitude, end[0], end[1])
    assert miss_m < 0.02 * range_m + 10_000.0
    assert seconds == pytest.approx(elapsed_s, rel=0.05)


def test_nothing_is_said_under_thrust_of_what_could_go_into_orbit() -> None:
    fast = state_at(speed_m_s=7_200.0, climb_deg=5.0)
    assert thrusting(estimate_of(fast, process_noise=True), T0_US - 100_000_000) == ()


def test_a_pull_up_may_go_on_or_fall_freely() -> None:
    estimate = estimate_of(state_at(), process_noise=True)
    wide, free = manoeuvre_outlooks(estimate, estimate)
    assert (wide.areas.hypothesis, free.areas.hypothesis) == (Hypothesis.MANOEUVRE, Hypothesis.FREE_FLIGHT)
    assert wide.impact.weight + free.impact.weight == pytest.approx(1.0)
    assert wide.impact.area.semi_major_m > free.impact.area.semi_major_m
    assert wide.areas.latest_us - wide.areas.earliest_us > free.areas.latest_us - free.areas.earliest_us
    assert [one.areas.hypothesis for one in manoeuvre_outlooks(estimate, None)] == [Hypothesis.MANOEUVRE]


def test_what_a_nation_stated_itself_has_that_one_area() -> None:
    area = Ellipse(0.6, 2.3, 40_000.0, 3_000.0, 1.0, 0.9)
    found = stated(ImpactEstimate(1.0, T0_US, 10.0, area))
    assert (found.areas.hypothesis, found.areas.ellipses) == (Hypothesis.STATED, (area,))
    assert found.areas.earliest_us == T0_US - 19_600_000

"""Whatever a sensor reports, a tracker answers with covariances that are ones, or says nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beaconfire.flight.propagation import rk4_step_kernel
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.messages.detection import Detection, Plot
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Status
from beaconfire.tracking.tracker import Tracker
from tracking_truth import EPOCH_US, KOR, Array, covariance_of, flight, plot, radar, scans, state_of

SECOND_US = 1_000_000
Feed = list[tuple[int, list[Detection]]]


def _say(radars: list[Radar], feed: Feed) -> list[Report]:
    tracker = Tracker(radars, KOR, b"s" * 32)
    said: list[Report] = []
    for now_us, detections in [*feed, *((feed[-1][0] + k * SECOND_US, []) for k in range(1, 30))]:
        tracker.add(detections, now_us)
        said.extend(tracker.step(now_us))
    return said


def _hold(said: list[Report]) -> None:
    for report in said:
        if report.trajectory is None:
            continue
        state, covariance = state_of(report), covariance_of(report)
        assert np.isfinite(state).all()
        assert np.isfinite(covariance).all()
        assert (covariance == covariance.T).all()
        scale = 1.0 / np.sqrt(np.diag(covariance))
        assert np.linalg.eigvalsh(covariance * np.outer(scale, scale))[0] > -1e-9
        launch = report.launch_point
        assert launch is None or math.isfinite(launch.area.semi_major_m + launch.sigma_time_s)


def _fall(state: Array, radars: list[Radar], seconds: int) -> Feed:
    """Return the feed of a free body from a state of seven, once a second."""
    random, feed, current = np.random.default_rng(1), Feed(), state
    for second in range(seconds):
        at_us = EPOCH_US + second * SECOND_US
        seen = [plot(one, current, at_us, random) for one in radars]
        feed.append((at_us, [one for one in seen if one is not None]))
        for _ in range(4):
            current = rk4_step_kernel(current, 0.25)
    return feed


def _start(one: Radar, east_m: float, up_m: float, velocity_enu_m_s: tuple[float, float, float]) -> Array:
    rotation = np.asarray(enu_from_ecef_rotation(one.latitude_rad, one.longitude_rad))
    origin = np.asarray(ecef_from_geodetic(Geodetic(one.latitude_rad, one.longitude_rad, one.height_m)))
    position = origin + rotation.T @ (east_m, 30_000.0, up_m)
    return np.concatenate((position, rotation.T @ velocity_enu_m_s, [-math.log(3_000.0)]))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 8),
            st.floats(1.0, 2.0e6),
            st.floats(-6.4, 6.4),
            st.floats(-0.3, math.pi / 2),
        ),
        min_size=1,
        max_size=16,
    )
)
def test_any_plots_at_all(plots: list[tuple[int, float, float, float]]) -> None:
    """One plot, plots in a line, plots of one instant, plots below the horizon."""
    feed: Feed = [
        (EPOCH_US + second * SECOND_US, [Plot("kor-1", EPOCH_US + second * SECOND_US, *values)])
        for second, *values in sorted(plots)
    ]
    _hold(_say([radar(minimum_elevation_rad=-0.4)], feed))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 20), st.floats(0.0, 500.0), st.floats(0.0, 0.05))
def test_plots_in_a_line_at_even_steps(count: int, step_m: float, step_rad: float) -> None:
    feed: Feed = [
        (
            EPOCH_US + k * SECOND_US,
            [Plot("kor-1", EPOCH_US + k * SECOND_US, 4e5 + k * step_m, 1.0 + k * step_rad, 0.4)],
        )
        for k in range(count + 1)
    ]
    _hold(_say([radar()], feed))


@pytest.mark.parametrize(
    ("range_m", "angle_rad"), [(0.0, 0.0), (1e-6, 1e-12), (1e7, 3.0), (30.0, 3.0), (1e7, 5e-4)]
)
def test_any_stated_noise(range_m: float, angle_rad: float) -> None:
    stated = radar(sigma_range_m=range_m, sigma_azimuth_rad=angle_rad, sigma_elevation_rad=angle_rad)
    _hold(_say([stated], scans(flight(), [radar()], until_s=140.0)))


def test_the_same_plots_twice_are_used_once() -> None:
    feed = scans(flight(), [radar()], until_s=140.0)
    once, twice = _say([radar()], feed), _say([radar()], [(at, [*seen, *seen]) for at, seen in feed])
    _hold(twice)
    assert len({report.track for report in once}) == 1
    names = {report.track for report in twice if report.classification is not None}
    confirmed = {
        report.track
        for report in twice
        if report.classification is not None and report.classification.status is Status.CONFIRMED
    }
    assert len(confirmed) == 1, names


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg"),
    [(90.0, 0.0), (-90.0, 45.0), (89.9999, 180.0), (0.0, 180.0), (50.0, -180.0)],
)
def test_a_sensor_anywhere_on_earth(latitude_deg: float, longitude_deg: float) -> None:
    """At a pole, and a flight that crosses the antimeridian."""
    one = radar(latitude_rad=math.radians(latitude_deg), longitude_rad=math.radians(longitude_deg))
    feed = _fall(_start(one, -60_000.0, 90_000.0, (2_000.0, 100.0, 1_500.0)), [one], 60)
    said = _say([one], feed)
    _hold(said)
    confirmed = [one for one in said if one.classification and one.classification.status is Status.CONFIRMED]
    assert confirmed
    assert len({report.track for report in confirmed}) == 1


def test_near_vertical_flight_to_seven_thousand_kilometres() -> None:
    one = radar(maximum_range_m=2.0e7)
    feed = _fall(_start(one, 10_000.0, 300_000.0, (60.0, 20.0, 8_050.0)), [one], 200)
    said = _say([one], feed)
    _hold(said)
    confirmed = [one for one in said if one.classification and one.classification.status is Status.CONFIRMED]
    assert confirmed
    assert np.sqrt(np.trace(covariance_of(confirmed[-1])[:3, :3])) < 20_000.0

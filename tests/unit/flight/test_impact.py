import math

import numpy as np
import pytest

from beaconfire.flight.fall import fall_kernel
from beaconfire.flight.impact import (
    LEFT_OUT_HEIGHT_M,
    LEFT_OUT_M,
    LEVELS,
    covariance_from_ellipse,
    ellipse_from_covariance,
    ellipses_of_landing,
    landing_of,
    predict_impact,
    spread_of_samples,
)
from beaconfire.frames.geodesy import (
    ecef_from_geodetic_kernel,
    enu_from_ecef_rotation,
    geodetic_from_ecef_kernel,
)
from beaconfire.frames.types import Vector
from beaconfire.messages.estimate import Ellipse
from picture_world import T0_US, covariance_of, state_at


def _is_inside(area: Ellipse, ground: Vector) -> bool:
    """Judge by local east and north of the centre, a way that the code under test does not use."""
    axes = enu_from_ecef_rotation(area.latitude_rad, area.longitude_rad)
    centre = np.array(ecef_from_geodetic_kernel(area.latitude_rad, area.longitude_rad, 0.0))
    east, north, _ = axes @ (ground[:3] - centre)
    sine, cosine = math.sin(area.bearing_rad), math.cos(area.bearing_rad)
    along, across = east * sine + north * cosine, east * cosine - north * sine
    return bool((along / area.semi_major_m) ** 2 + (across / area.semi_minor_m) ** 2 <= 1.0)


# Name, state, covariance: short and long, narrow and wide, with beta broad, correlated axes.
SKEW = np.eye(7)
SKEW[0, 4] = SKEW[3, 1] = 0.9
CASES = {
    "short": (state_at(speed_m_s=1_500.0), covariance_of(150.0, 3.0)),
    "medium": (state_at(speed_m_s=3_500.0), covariance_of(150.0, 3.0)),
    "long": (state_at(speed_m_s=6_500.0, climb_deg=35.0), covariance_of(150.0, 3.0)),
    "lofted": (state_at(speed_m_s=6_500.0, climb_deg=80.0), covariance_of(300.0, 10.0)),
    "wide": (state_at(speed_m_s=5_500.0), covariance_of(1_000.0, 150.0)),
    "bent": (state_at(speed_m_s=6_500.0, climb_deg=20.0), covariance_of(1_000.0, 150.0)),
    "skew": (state_at(speed_m_s=3_500.0), SKEW @ covariance_of(400.0, 400.0) @ SKEW.T / 100.0),
    "falling": (
        state_at(height_m=60e3, speed_m_s=3_000.0, climb_deg=-40.0),
        covariance_of(50.0, 2.0),
    ),
}


COUNT = 3_000


def _landed(state: Vector, rng: np.random.Generator) -> tuple[float, Vector]:
    """Let a state fall on ground and in wind as areas allow for: seconds, and where, ECEF, shape (3,)."""
    elapsed, ground = fall_kernel(state, LEFT_OUT_HEIGHT_M * rng.standard_normal())
    place = ground[:3]
    if not math.isnan(elapsed):
        latitude, longitude, _ = geodetic_from_ecef_kernel(*(float(x) for x in place))
        axes = enu_from_ecef_rotation(latitude, longitude)
        place = place + LEFT_OUT_M * rng.standard_normal(2) @ axes[:2]
    return elapsed, place


@pytest.mark.parametrize("name", CASES)
def test_stated_areas_and_time_hold_the_truth_as_often_as_they_say(name: str) -> None:
    state, covariance = CASES[name]
    stated, landing = predict_impact(state, covariance, T0_US), landing_of(state, covariance)
    assert stated is not None
    assert landing is not None
    areas = ellipses_of_landing(landing)
    assert stated.area == areas[1]
    rng = np.random.default_rng(20)
    root = np.linalg.cholesky(covariance)
    inside, in_time = np.zeros(3), 0
    for _ in range(COUNT):
        elapsed, ground = _landed(state + root @ rng.standard_normal(7), rng)
        if math.isnan(elapsed):
            continue
        inside += [_is_inside(area, ground) for area in areas]
        in_time += abs(T0_US / 1e6 + elapsed - stated.time_us / 1e6) < 1.96 * stated.sigma_time_s
    for level, held in zip(LEVELS, inside, strict=True):
        chance = 2.58 * math.sqrt(level * (1.0 - level) / COUNT)
        # Where the map bends, 64 samples set the size, on the wide side.
        slack = 0.09 if landing.is_bent else 0.004
        assert level - chance - 0.004 < held / COUNT < level + chance + slack
    assert 0.92 < in_time / COUNT < 0.99


def test_area_is_no_wider_than_the_scatter_it_stands_for() -> None:
    state, covariance = CASES["medium"]
    stated = predict_impact(state, covariance, T0_US)
    assert stated is not None
    assert 1_000.0 < stated.area.semi_major_m < 15_000.0
    assert stated.area.semi_minor_m <= stated.area.semi_major_m


def test_nothing_is_stated_for_what_does_not_come_down_or_could_be_anywhere() -> None:
    orbit = state_at(height_m=400e3, speed_m_s=7_400.0, climb_deg=0.0, bearing_deg=90.0)
    assert predict_impact(orbit, covariance_of(100.0, 1.0), T0_US) is None
    state = state_at()
    assert predict_impact(state, covariance_of(1e5, 4_000.0), T0_US) is None
    state[0] = math.nan
    assert predict_impact(state, covariance_of(100.0, 1.0), T0_US) is None


def test_impact_point_is_where_the_body_falls() -> None:
    state = state_at(speed_m_s=3_500.0)
    stated = predict_impact(state, covariance_of(1.0, 0.01, 0.01), T0_US)
    elapsed, ground = fall_kernel(state, 0.0)
    latitude, longitude, height = geodetic_from_ecef_kernel(*map(float, ground[:3]))
    assert stated is not None
    assert abs(height) < 0.1
    assert stated.area.latitude_rad == pytest.approx(latitude, abs=1e-6)
    assert stated.area.longitude_rad == pytest.approx(longitude, abs=1e-6)
    assert stated.time_us == pytest.approx(T0_US + elapsed * 1e6, abs=100_000)


@pytest.mark.parametrize("bearing_deg", [0.0, 30.0, 90.0, 170.0])
def test_ellipse_and_covariance_are_each_others_inverse(bearing_deg: float) -> None:
    area = Ellipse(0.6, 2.3, 40_000.0, 3_000.0, math.radians(bearing_deg), 0.95)
    back = ellipse_from_covariance(0.6, 2.3, covariance_from_ellipse(area))
    assert back.semi_major_m == pytest.approx(40_000.0)
    assert back.semi_minor_m == pytest.approx(3_000.0)
    assert math.sin(back.bearing_rad - area.bearing_rad) == pytest.approx(0.0, abs=1e-9)


def test_samples_on_a_line_make_an_area_and_no_error() -> None:
    along = 2.0**30 * np.arange(-32.0, 32.0)
    _, spread, scales = spread_of_samples(np.column_stack((along, along, np.zeros(64))))
    assert np.isfinite(spread).all()
    assert all(np.isfinite(scales))

"""The constants agree with independent libraries and the conversions with each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymap3d import Ellipsoid
from scipy import constants

from beaconfire import units


def test_wgs84_is_that_of_pymap3d() -> None:
    ellipsoid = Ellipsoid.from_name("wgs84")
    assert ellipsoid.semimajor_axis == units.WGS84_SEMI_MAJOR_M
    assert ellipsoid.semiminor_axis == pytest.approx(units.WGS84_SEMI_MINOR_M, abs=1e-6)
    assert ellipsoid.flattening == pytest.approx(units.WGS84_FLATTENING, rel=1e-12)


def test_eccentricity_follows_from_the_axes() -> None:
    ratio = units.WGS84_SEMI_MINOR_M / units.WGS84_SEMI_MAJOR_M
    assert pytest.approx(1.0 - ratio**2, rel=1e-12) == units.WGS84_ECCENTRICITY_SQUARED


def test_standard_gravity_and_degrees_are_those_of_codata() -> None:
    assert constants.g == units.STANDARD_GRAVITY_M_S2
    assert constants.degree == units.RADIANS_PER_DEGREE
    assert pytest.approx(1.0, rel=1e-15) == units.RADIANS_PER_DEGREE * units.DEGREES_PER_RADIAN


def test_the_earth_turns_once_in_a_sidereal_day() -> None:
    sidereal_day_s = 2.0 * math.pi / units.EARTH_ROTATION_RAD_S
    assert sidereal_day_s == pytest.approx(86_164.1, abs=0.1)


def test_gravity_at_the_equator_is_the_normal_gravity() -> None:
    """Attraction with J2 and J4 less the turning is what WGS-84 states for the equator.

    Source: NIMA TR8350.2, table 3.4 (9.7803253359 m/s^2) and section 3.3 (J4 of the normal field).
    """
    radius_m, normal_j4 = units.WGS84_SEMI_MAJOR_M, -2.370_912e-6
    zonal = 1.0 + 1.5 * units.EARTH_J2 - 15.0 / 8.0 * normal_j4
    turning = units.EARTH_ROTATION_RAD_S**2 * radius_m
    assert units.EARTH_GM_M3_S2 / radius_m**2 * zonal - turning == pytest.approx(9.780_325_335_9, abs=1e-6)


@given(st.integers(-(2**52), 2**52))
def test_microseconds_survive_seconds(interval_us: int) -> None:
    there_and_back = units.microseconds_from_seconds(units.seconds_from_microseconds(interval_us))
    assert abs(there_and_back - interval_us) <= max(1, abs(interval_us) * 2**-52)


@pytest.mark.parametrize(
    ("interval_s", "interval_us"), [(1.0, 1_000_000), (4e-7, 0), (6e-7, 1), (-1.5, -1_500_000)]
)
def test_seconds_round_to_the_nearest_microsecond(interval_s: float, interval_us: int) -> None:
    assert units.microseconds_from_seconds(interval_s) == interval_us


def test_todays_times_fit_a_browsers_integers() -> None:
    in_the_year_2200_us = 7_258_118_400 * units.MICROSECONDS_PER_SECOND
    assert in_the_year_2200_us < 2**53

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beaconfire.messages.estimate import Ellipse
from beaconfire.messages.report import SensorUse, Timing
from beaconfire.messages.words import Group, Phase
from beaconfire.release.grid import snap, snap_ellipse, step_time
from beaconfire.release.obligations import Obligations
from beaconfire.release.sanitise import (
    opaque_sensors,
    sanitise,
    with_boost_until_burnout,
)
from beaconfire.units import EARTH_MEAN_RADIUS_M
from release_world import report

GRID_M = 10_000.0
GRID = Obligations(grid_m=GRID_M)
latitudes = st.floats(-1.4, 1.4)
longitudes = st.floats(-3.1, 3.1)


def offset_m(place: Ellipse, latitude_rad: float, longitude_rad: float) -> tuple[float, float]:
    """Return east and north of the centre of an area, metres, on the mean sphere."""
    east = (longitude_rad - place.longitude_rad + math.pi) % (2 * math.pi) - math.pi
    return (
        east * math.cos(place.latitude_rad) * EARTH_MEAN_RADIUS_M,
        (latitude_rad - place.latitude_rad) * EARTH_MEAN_RADIUS_M,
    )


def is_inside(area: Ellipse, east_m: float, north_m: float) -> bool:
    sine, cosine = math.sin(area.bearing_rad), math.cos(area.bearing_rad)
    along, across = east_m * sine + north_m * cosine, east_m * cosine - north_m * sine
    return (along / area.semi_major_m) ** 2 + (across / area.semi_minor_m) ** 2 <= 1.0


@given(
    st.floats(-1.1, 1.1),
    longitudes,
    st.floats(10.0, 40_000.0),
    st.floats(0.02, 1.0),
    st.floats(0.0, math.pi),
)
def test_whole_old_area_lies_inside_the_new(
    latitude: float, longitude: float, major_m: float, ratio: float, bearing: float
) -> None:
    old = Ellipse(latitude, longitude, major_m, major_m * ratio, bearing, 0.95)
    new = snap_ellipse(old, 10_000.0)
    east, north = offset_m(new, latitude, longitude)
    for step in range(24):
        angle = step * math.pi / 12
        along, across = old.semi_major_m * math.cos(angle), old.semi_minor_m * math.sin(angle)
        sine, cosine = math.sin(bearing), math.cos(bearing)
        edge = (east + along * sine + across * cosine, north + along * cosine - across * sine)
        assert is_inside(new, *edge)
    assert new.probability == old.probability


@given(latitudes, longitudes)
def test_snap_is_to_a_fixed_cell_no_further_than_it_says(latitude: float, longitude: float) -> None:
    centre_latitude, centre_longitude, reach_m = snap(latitude, longitude, 10_000.0)
    centre = Ellipse(centre_latitude, centre_longitude, 1.0, 1.0, 0.0, 0.5)
    assert math.hypot(*offset_m(centre, latitude, longitude)) <= reach_m
    again = snap(centre_latitude, centre_longitude, 10_000.0)
    assert again == pytest.approx((centre_latitude, centre_longitude, reach_m), abs=1e-9)


@given(st.lists(st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)), min_size=2, max_size=30))
def test_averaging_revisions_within_a_cell_tells_nothing_of_the_place_in_it(
    moves: list[tuple[float, float]],
) -> None:
    latitude, longitude, _ = snap(0.66, 2.22, 10_000.0)
    half_rad = 10_000.0 / EARTH_MEAN_RADIUS_M
    seen = {
        snap_ellipse(
            Ellipse(latitude + n * half_rad, longitude + e * half_rad, 3_000.0, 2_000.0, 0.0, 0.95), 10_000.0
        )
        for n, e in moves
    }
    assert len(seen) == 1


@given(
    st.floats(-1.5, 1.5),
    longitudes,
    st.lists(st.tuples(*4 * [st.floats(0.01, 0.99)]), min_size=2, max_size=6),
    st.tuples(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0)),
)
def test_whether_a_centre_stays_follows_from_the_cell_and_not_from_the_place_in_it(
    latitude: float, longitude: float, places: list[tuple[float, ...]], off: tuple[float, float]
) -> None:
    row_rad = GRID_M / EARTH_MEAN_RADIUS_M
    south = math.floor(latitude / row_rad) * row_rad
    columns = math.floor(2.0 * math.pi * math.cos(south + row_rad / 2.0) / row_rad)
    width_rad = 2.0 * math.pi / columns
    west = math.floor(longitude / width_rad) * width_rad
    held = snap(latitude + off[0] * row_rad, longitude + off[1] * width_rad, GRID_M)[:2]
    seen = {
        snap_ellipse(
            Ellipse(
                south + north * row_rad,
                west + east * width_rad,
                2_000.0 + 1_000.0 * major,
                1_000.0 + 1_000.0 * minor,
                0.3,
                0.95,
            ),
            GRID_M,
            [held],
        )
        for north, east, major, minor in places
    }
    assert len(seen) == 1


def near_cell(centre: tuple[float, float], north: float, east: float) -> Ellipse:
    """Return a small area so many sizes of a cell from a centre."""
    row_rad = GRID_M / EARTH_MEAN_RADIUS_M
    longitude_rad = centre[1] + east * row_rad / math.cos(centre[0])
    return Ellipse(centre[0] + north * row_rad, longitude_rad, 900.0, 700.0, 0.4, 0.95)


@given(st.floats(-1.5, 1.5), longitudes, st.floats(-0.51, 0.51), st.floats(-0.51, 0.51))
def test_a_centre_stays_in_every_cell_that_touches_its_own(
    latitude: float, longitude: float, north: float, east: float
) -> None:
    held = snap(latitude, longitude, GRID_M)[:2]
    given_now = snap_ellipse(near_cell(held, north, east), GRID_M, [held])
    assert (given_now.latitude_rad, given_now.longitude_rad) == held


@given(st.floats(-1.5, 1.5), longitudes, st.floats(-2.5, 2.5), st.floats(-2.5, 2.5))
def test_an_area_holds_what_is_there_wherever_its_centre_stays(
    latitude: float, longitude: float, north: float, east: float
) -> None:
    held = snap(latitude, longitude, GRID_M)[:2]
    old = near_cell(held, north, east)
    new = snap_ellipse(old, GRID_M, [held])
    east_m, north_m = offset_m(new, old.latitude_rad, old.longitude_rad)
    reach_m = math.hypot(east_m, north_m) + old.semi_major_m
    assert reach_m <= min(new.semi_major_m, new.semi_minor_m)


def test_nothing_of_a_boost_passes_where_only_the_coast_may() -> None:
    coast_only = Obligations(coast_only=True)
    boosted, coasting = report(phase=Phase.BOOST), report(phase=Phase.COAST)
    for group in (Group.TRAJECTORY, Group.COVARIANCE):
        assert sanitise(boosted, group, coast_only, b"k").value is None
        assert sanitise(coasting, group, coast_only, b"k").value == getattr(coasting, group)


def test_state_before_the_stated_burnout_does_not_pass_though_it_says_coast() -> None:
    one = report(phase=Phase.COAST)
    assert one.timing is not None
    late = Timing(one.timing.first_detected_at_us, one.timing.observed_at_us, one.stated_at_us + 1)
    early = msgspec.structs.replace(one, timing=late)
    assert sanitise(early, Group.TRAJECTORY, Obligations(coast_only=True), b"k").value is None


def test_state_before_the_stated_burnout_is_in_boost_even_where_timing_is_withheld() -> None:
    one = report(phase=Phase.COAST)
    assert one.timing is not None
    late = Timing(one.timing.first_detected_at_us, one.timing.observed_at_us, one.stated_at_us + 1)
    stated = with_boost_until_burnout(msgspec.structs.replace(one, timing=late))
    assert stated.trajectory is not None
    assert stated.trajectory.phase is Phase.BOOST
    assert with_boost_until_burnout(one) == one


def test_covariance_without_its_state_does_not_pass() -> None:
    bare = msgspec.structs.replace(report(), trajectory=None)
    assert sanitise(bare, Group.COVARIANCE, Obligations(coast_only=True), b"k").value is None


def test_what_was_done_is_said() -> None:
    assert sanitise(report(), Group.LAUNCH_POINT, GRID, b"k").transform == "grid 10000 m"
    assert sanitise(report(), Group.LAUNCH_POINT, Obligations(), b"k").transform == ""
    assert sanitise(report(), Group.LAUNCH_POINT, Obligations(drop=True), b"k").value is None


def test_times_are_rounded_and_their_sigma_grows() -> None:
    assert step_time(1_499_999, 0.2, 1.0) == (1_000_000, 1.2)
    assert step_time(1_500_000, 0.2, 1.0) == (2_000_000, 1.2)
    assert step_time(1_499_999, 0.2, 0.0) == (1_499_999, 0.2)


def test_a_time_that_was_given_stays_while_it_may_be_there() -> None:
    assert step_time(2_300_000, 0.2, 1.0, [1_000_000])[0] == 1_000_000
    assert step_time(2_500_000, 0.2, 1.0, [1_000_000])[0] == 3_000_000


@given(
    st.integers(-(10**6), 10**6),
    st.lists(st.tuples(st.floats(0.0, 0.999), st.floats(0.01, 0.99)), min_size=2, max_size=6),
    st.sampled_from([-1, 1]),
    st.integers(0, 40),
)
def test_whether_a_time_stays_follows_from_what_it_is_rounded_to(
    step: int, places: list[tuple[float, float]], side: int, tenth: int
) -> None:
    farthest = round((10.0 + 2.0 * (tenth + 1)) / 10.0)  # steps: about as far off as it may be and stay
    held = 10_000_000 * (step + side * farthest)
    seen = {
        step_time(10_000_000 * step + int(1e7 * (share - 0.5)), tenth + below, 10.0, [held])
        for share, below in places
    }
    assert len(seen) == 1


def test_sensor_names_are_opaque_steady_and_differ_by_recipient() -> None:
    use = SensorUse(("kor-1", "kor-2"), ("radar",), 11)
    first, again, other = (opaque_sensors(use, "KOR", secret) for secret in (b"a", b"a", b"b"))
    assert first == again
    assert not set(first.sensors) & set(other.sensors)
    assert not any("kor" in name.lower() for name in first.sensors)
    assert first.detections == 8

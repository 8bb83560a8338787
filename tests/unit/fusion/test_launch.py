import math

import pytest

from beaconfire.frames.geodesy import destination, great_circle_distance_m
from beaconfire.fusion.launch import combine_launches, launch_gate_ratio
from beaconfire.messages.estimate import Ellipse, LaunchEstimate
from picture_world import T0_US


def launch(
    east_m: float = 0.0, *, after_s: float = 0.0, major_m: float = 8_000.0, minor_m: float = 8_000.0
) -> LaunchEstimate:
    latitude, longitude = destination(0.69, 2.2, math.radians(90.0), east_m)
    area = Ellipse(latitude, longitude, major_m, minor_m, 0.4, 0.95)
    return LaunchEstimate(T0_US + round(after_s * 1e6), 3.0, area)


def test_none_and_one_are_what_they_are() -> None:
    assert combine_launches([]) is None
    assert combine_launches([launch()]) == launch()


def test_two_that_may_share_errors_are_never_sharper_than_the_sharper_along_an_axis() -> None:
    both = combine_launches([launch(major_m=8_000.0), launch(2_000.0, major_m=20_000.0, minor_m=20_000.0)])
    assert both is not None
    assert both.area.probability == 0.95
    assert both.area.semi_major_m == pytest.approx(8_000.0, rel=0.01)
    again = combine_launches([launch(), launch()])
    assert again is not None
    assert again.area.semi_minor_m == pytest.approx(8_000.0, rel=0.01)


def test_two_that_disagree_are_both_covered() -> None:
    one, other = launch(), launch(60_000.0, after_s=90.0)
    both = combine_launches([one, other])
    assert both is not None
    for each in (one, other):
        distance = great_circle_distance_m(
            both.area.latitude_rad, both.area.longitude_rad, each.area.latitude_rad, each.area.longitude_rad
        )
        assert distance < both.area.semi_major_m
    assert both.sigma_time_s >= 45.0


def test_gate_tells_two_sites_apart() -> None:
    assert launch_gate_ratio(launch(), launch(3_000.0, after_s=4.0)) < 1.0
    assert launch_gate_ratio(launch(), launch(40_000.0)) > 1.0
    assert launch_gate_ratio(launch(), launch(after_s=60.0)) > 1.0


def test_the_wider_area_counts_in_the_gate() -> None:
    wide = launch(40_000.0, major_m=90_000.0, minor_m=90_000.0)
    assert launch_gate_ratio(launch(), wide) < 1.0

import math

import numpy as np
import pytest

from beaconfire.alerting.places import (
    disk_probability_kernel,
    impact_probabilities,
    places_of_event,
    with_passed,
)
from beaconfire.flight.fall import fall_kernel
from beaconfire.frames.geodesy import destination, geodetic_from_ecef_kernel
from beaconfire.fusion.picture import Picture
from beaconfire.fusion.source import Source
from beaconfire.messages.event import Event, Place, PlaceTime
from beaconfire.messages.words import Mode, PlaceKind
from picture_world import JPN, KOR, T0_US, Flight, covariance_of, state_at

FLIGHT = Flight(state_at())


def event(position_m: float = 100.0, velocity_m_s: float = 2.0) -> Event:
    held = Picture(JPN, Mode.SIMULATED, secret=b"s", sharing=None, places_of=lambda *_: ())
    report = FLIGHT.report(KOR, 110.0, covariance=covariance_of(position_m, velocity_m_s))
    (revised,) = held.accept(Source(report, (), report.stated_at_us), report.stated_at_us)
    return revised.event


def place(name: str, latitude_rad: float, longitude_rad: float, radius_m: float = 30_000.0) -> Place:
    return Place(name, JPN, latitude_rad, longitude_rad, radius_m)


def under(after_s: float) -> tuple[float, float]:
    x, y, z = (float(value) for value in FLIGHT.at(after_s)[:3])
    latitude, longitude, _ = geodetic_from_ecef_kernel(x, y, z)
    return latitude, longitude


@pytest.mark.parametrize(
    "case",
    [(0.0, 0.0, 5e3, 2e3, 8e3), (6e3, -3e3, 5e3, 2e3, 4e3), (0.0, 30e3, 90e3, 20e3, 25e3)],
)
def test_disk_probability_is_that_of_drawn_points(case: tuple[float, float, float, float, float]) -> None:
    along, across, sigma_along, sigma_across, radius = case
    rng = np.random.default_rng(2)
    drawn = rng.standard_normal((200_000, 2)) * (sigma_along, sigma_across) - (along, across)
    share = np.mean(np.hypot(drawn[:, 0], drawn[:, 1]) < radius)
    assert disk_probability_kernel(*case) == pytest.approx(share, abs=0.004)


@pytest.mark.parametrize("radius_m", [10.0, 1e5])
def test_disk_probability_holds_for_very_small_and_very_large_places(radius_m: float) -> None:
    found = disk_probability_kernel(0.0, 0.0, 1_000.0, 1_000.0, radius_m)
    assert found == pytest.approx(1.0 - math.exp(-0.5 * (radius_m / 1_000.0) ** 2), rel=1e-3)


def test_where_it_comes_down_is_an_impact_and_not_an_overflight() -> None:
    now = event()
    _, ground = fall_kernel(FLIGHT.burnout, 0.0)
    latitude, longitude, _ = geodetic_from_ecef_kernel(*map(float, ground[:3]))
    (found,) = places_of_event(now, [place("there", latitude, longitude)])
    assert found.kind is PlaceKind.IMPACT
    assert found.probability > 0.9
    assert found.earliest_us < now.impact[0].time_us
    assert found.probability == pytest.approx(
        impact_probabilities(now.impact[0], [place("there", latitude, longitude)])[0]
    )


def test_what_is_passed_over_is_an_overflight_at_the_right_moment() -> None:
    now = event()
    latitude, longitude = under(400.0)
    (found,) = places_of_event(now, [place("below", latitude, longitude, 20_000.0)])
    assert found.kind is PlaceKind.OVERFLIGHT
    assert found.probability > 0.99
    assert now.state is not None
    after_s = (found.earliest_us - T0_US) / 1e6
    assert 380.0 < after_s < 400.0  # it enters the area some 10 s before it passes over the centre


def test_a_place_beside_the_track_or_beyond_the_impact_is_not_concerned() -> None:
    now = event()
    latitude, longitude = under(400.0)
    aside = destination(latitude, longitude, 0.0, 150_000.0)
    _, ground = fall_kernel(FLIGHT.burnout, 0.0)
    end = geodetic_from_ecef_kernel(*map(float, ground[:3]))
    beyond = destination(end[0], end[1], math.radians(95.0), 300_000.0)
    behind = destination(*under(110.0), math.radians(265.0), 150_000.0)
    places = [place(str(i), *where) for i, where in enumerate((aside, beyond, behind))]
    assert places_of_event(now, places) == ()


def test_a_wide_estimate_concerns_more_places_with_less_probability() -> None:
    latitude, longitude = under(400.0)
    aside = place("aside", *destination(latitude, longitude, 0.0, 60_000.0))
    (found,) = places_of_event(event(10_000.0, 150.0), [aside])
    assert 0.05 < found.probability < 0.9


def test_earliest_comes_first_and_overflights_that_are_over_stay() -> None:
    now = event()
    places = [place("late", *under(600.0)), place("early", *under(300.0))]
    found = places_of_event(now, places)
    assert [one.place for one in found] == ["early", "late"]
    kept = with_passed(found[1:], found, found[0].earliest_us + 1)
    assert kept == found
    assert with_passed(found[1:], found, found[0].earliest_us - 1) == found[1:]


def test_an_overflight_that_has_begun_keeps_the_moment_it_began() -> None:
    told = PlaceTime("below", PlaceKind.OVERFLIGHT, T0_US, 0.9)
    inside = PlaceTime("below", PlaceKind.OVERFLIGHT, T0_US + 5_000_000, 1.0)
    assert with_passed((inside,), (told,), T0_US + 5_000_000) == (told,)
    assert with_passed((inside,), (told,), T0_US + 4_000_000) == (inside,)


def test_an_event_without_an_impact_concerns_nobody() -> None:
    held = Picture(JPN, Mode.SIMULATED, secret=b"s", sharing=None, places_of=lambda *_: ())
    (revised,) = held.accept(Source(FLIGHT.sighting(KOR, 30.0), (), T0_US), T0_US)
    assert places_of_event(revised.event, [place("near", *under(110.0))]) == ()

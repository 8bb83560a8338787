"""One object one event, whoever sees it, in whatever order; and the life of an event."""

import itertools
from collections.abc import Iterable

import msgspec
import numpy as np
import pytest

from beaconfire.flight.fall import fall_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel, great_circle_distance_m
from beaconfire.fusion.live import Revised
from beaconfire.fusion.picture import Picture
from beaconfire.fusion.source import Source
from beaconfire.messages.event import Event
from beaconfire.messages.report import Report
from beaconfire.messages.words import Mode, Nation, Status
from picture_world import JPN, KOR, T0_US, USA, Flight, covariance_of, state_at

FLIGHT = Flight(state_at())


def picture() -> Picture:
    return Picture(JPN, Mode.SIMULATED, secret=b"s" * 32, sharing=None, places_of=lambda *_: ())


def take(held: Picture, reports: Iterable[Report]) -> list[Revised]:
    found: list[Revised] = []
    for report in reports:
        source = Source(report, () if report.originator == JPN else ("trilateral",), report.stated_at_us)
        found += held.accept(source, report.stated_at_us)
    return found


def live(held: Picture) -> list[Event]:
    return [event for event in held.events if event.status is not Status.WITHDRAWN]


@pytest.mark.parametrize("order", list(itertools.permutations((JPN, KOR, USA))))
def test_one_object_seen_by_three_nations_is_one_event(order: tuple[Nation, ...]) -> None:
    rng, held = np.random.default_rng(3), picture()
    reports = [
        FLIGHT.report(nation, after_s + 0.2 * i, rng)
        for after_s in range(110, 140, 5)
        for i, nation in enumerate(order)
    ]
    take(held, reports)
    (event,) = live(held)
    assert event.contributors == (JPN, KOR, USA)
    assert event.status is Status.CONFIRMED
    assert event.revision == len(reports)
    assert event.state is not None
    assert len(event.covariance) == 21
    assert event.apogee_m is not None


def test_two_objects_five_seconds_and_twenty_kilometres_apart_stay_two() -> None:
    rng, held = np.random.default_rng(4), picture()
    second = Flight(state_at(longitude_deg=130.0 + 20.0 / 84.5), T0_US + 5_000_000)
    for after_s in range(110, 150, 4):
        for nation in (KOR, USA, JPN):
            take(held, [FLIGHT.report(nation, after_s + 5.0, rng, track=f"{nation}-A")])
            take(held, [second.report(nation, float(after_s), rng, track=f"{nation}-B")])
    events = live(held)
    assert len(events) == 2
    for event in events:
        assert len({reference[-1] for reference in event.references}) == 1
        assert event.contributors == (JPN, KOR, USA)
    assert events[0].raid_id is not None
    assert events[0].raid_id == events[1].raid_id


def test_two_of_one_site_seen_by_one_nation_each_first_stay_two() -> None:
    """Ten seconds apart on one path: KOR sees both, then USA sees both in the other order."""
    rng, held = np.random.default_rng(6), picture()
    second = Flight(state_at(), T0_US + 10_000_000)
    take(held, [FLIGHT.report(KOR, 130.0, rng, track="KOR-A")])
    take(held, [second.report(KOR, 120.0, rng, track="KOR-B")])
    take(held, [second.report(USA, 121.0, rng, track="USA-B")])
    take(held, [FLIGHT.report(USA, 131.0, rng, track="USA-A")])
    references = sorted(tuple(event.references) for event in live(held))
    assert references == [("KOR-A", "USA-A"), ("KOR-B", "USA-B")]


def test_infrared_alone_is_tentative_and_claims_no_impact() -> None:
    held = picture()
    take(held, [FLIGHT.sighting(USA, 30.0)])
    (event,) = live(held)
    assert event.status is Status.TENTATIVE
    assert event.impact == ()
    assert event.launch is not None
    assert event.thrust_possible
    take(held, [FLIGHT.report(KOR, 110.0)])
    (event,) = live(held)
    assert event.status is Status.CONFIRMED
    assert event.contributors == (KOR, USA)
    assert len(event.impact) == 1


def test_a_report_without_covariance_or_trajectory_still_counts_as_seen() -> None:
    held = picture()
    bare = msgspec.structs.replace(FLIGHT.report(KOR, 111.0), trajectory=None, covariance=None)
    take(held, [FLIGHT.report(JPN, 110.0), bare])
    (event,) = live(held)
    assert event.contributors == (JPN, KOR)


def test_impact_area_holds_the_truth_and_shrinks_with_a_partner() -> None:
    rng = np.random.default_rng(11)
    _, ground = fall_kernel(FLIGHT.burnout, 0.0)
    latitude, longitude, _ = geodetic_from_ecef_kernel(*map(float, ground[:3]))
    wide = covariance_of(400.0, 12.0)
    held = picture()
    take(held, [FLIGHT.report(JPN, 120.0, rng, covariance=wide)])
    alone = live(held)[0].impact[0].area
    take(held, [FLIGHT.report(KOR, 120.4, rng), FLIGHT.report(USA, 120.8, rng)])
    shared = live(held)[0].impact[0].area
    assert shared.semi_major_m < 0.5 * alone.semi_major_m
    distance = great_circle_distance_m(latitude, longitude, shared.latitude_rad, shared.longitude_rad)
    assert distance < 2.0 * shared.semi_major_m


def test_same_content_makes_no_revision_and_an_older_report_none() -> None:
    held = picture()
    newer, older = FLIGHT.report(KOR, 120.0), FLIGHT.report(KOR, 115.0)
    assert len(take(held, [newer])) == 1
    assert take(held, [newer, older]) == []
    assert held.stale == 1, "the newest told again is not late"


def test_a_lost_event_grows_and_ends_once_it_must_be_down() -> None:
    held = picture()
    take(held, [FLIGHT.report(KOR, after_s) for after_s in (110.0, 115.0, 120.0)])
    seen = live(held)[0]
    start_us = seen.as_of_us
    assert held.tick(start_us + 5_000_000) == []
    found = [one.event for after_s in range(10, 900, 5) for one in held.tick(start_us + after_s * 1_000_000)]
    lost = [event for event in found if event.status is Status.LOST]
    assert lost[-1].impact[0].area.semi_major_m > lost[0].impact[0].area.semi_major_m
    assert [event.revision for event in found] == list(range(4, 4 + len(found)))
    assert found[-1].status is Status.ENDED
    assert found[-1].as_of_us > seen.impact[0].time_us
    assert held.tick(start_us + 1_000_000_000) == []


def test_a_lost_event_that_is_seen_again_is_confirmed() -> None:
    held = picture()
    take(held, [FLIGHT.report(KOR, 110.0), FLIGHT.report(KOR, 140.0, status=Status.LOST, seen_until_s=111.0)])
    assert live(held)[0].status is Status.LOST
    take(held, [FLIGHT.report(KOR, 145.0)])
    assert live(held)[0].status is Status.CONFIRMED


def test_an_event_whose_only_track_is_taken_back_is_withdrawn() -> None:
    held = picture()
    take(held, [FLIGHT.report(KOR, 110.0), FLIGHT.report(KOR, 112.0, status=Status.WITHDRAWN)])
    (event,) = held.events
    assert event.status is Status.WITHDRAWN
    assert event.impact == ()


def test_a_biased_partner_is_told_of_and_covered() -> None:
    held = picture()
    burnout = FLIGHT.burnout.copy()
    burnout[1] += 2_500.0
    biased = Flight(burnout)
    found = take(held, [FLIGHT.report(JPN, 120.0), biased.report(KOR, 120.5)])
    assert len(live(held)) == 1
    assert [key.track for one in found for key in one.disagreeing] == ["KOR-7F3A"]
    sharp = live(held)[0].covariance
    assert sharp[6] ** 0.5 > 1_000.0  # sigma of y now covers both


def test_ids_are_keyed_and_go_on_after_a_restart() -> None:
    held = picture()
    reports = [FLIGHT.report(KOR, 110.0), FLIGHT.report(JPN, 111.0)]
    take(held, reports)
    (event,) = held.events
    saved = held.saved(event.event_id)
    assert saved is not None
    again = picture()
    again.restore([Source(one, (), one.stated_at_us) for one in reports], [saved])
    assert take(again, reports) == []
    (revised,) = take(again, [FLIGHT.report(KOR, 114.0)])
    assert revised.event.event_id == event.event_id
    assert revised.event.revision == event.revision + 1
    other = Picture(JPN, Mode.SIMULATED, secret=b"t" * 32, sharing=None, places_of=lambda *_: ())
    take(other, reports)
    assert other.events[0].event_id != event.event_id


def test_two_events_that_turn_out_to_be_one_become_one() -> None:
    """The infrared nation's launch is a minute off at first, then right."""
    held = picture()
    off = FLIGHT.sighting(USA, 30.0)
    assert off.launch_point is not None
    moved = msgspec.structs.replace(off.launch_point, time_us=T0_US - 90_000_000)
    take(held, [msgspec.structs.replace(off, launch_point=moved), FLIGHT.report(KOR, 110.0)])
    assert len(live(held)) == 2
    take(held, [FLIGHT.sighting(USA, 111.0), FLIGHT.report(KOR, 112.0), FLIGHT.sighting(USA, 113.0)])
    (event,) = live(held)
    assert event.contributors == (KOR, USA)
    assert sum(one.status is Status.WITHDRAWN for one in held.events) == 1

"""The summary: what each column says, when it says never, and the sign of what is gained."""

import json

import msgspec
import pytest

from beaconfire.analysis.summary import (
    Counts,
    Moments,
    Setting,
    by_sharing,
    format_summary,
    gains,
    has_area,
    link_latencies_ms,
    moments,
    percentile,
    semi_major_at,
    summarise,
)
from beaconfire.messages.estimate import Ellipse, ImpactEstimate
from beaconfire.messages.event import Contribution, Event, PlaceTime
from beaconfire.messages.words import Mode, Nation, PlaceKind, Sharing, Status

LAUNCH_US = 1_664_835_720_000_000
JPN, KOR, USA = Nation("JPN"), Nation("KOR"), Nation("USA")


def _area(semi_major_m: float, probability: float = 0.95) -> ImpactEstimate:
    area = Ellipse(0.7, 2.5, semi_major_m, 1_000.0, 0.0, probability)
    return ImpactEstimate(1.0, LAUNCH_US + 900_000_000, 3.0, area)


def _event(
    after_s: float,
    status: Status = Status.TENTATIVE,
    impact: tuple[ImpactEstimate, ...] = (),
    places: tuple[float, ...] = (),
    delay_s: float = 0.0,
    sharing: Sharing | None = None,
) -> Event:
    at_us = LAUNCH_US + round(after_s * 1e6)
    return Event(
        nation=JPN,
        event_id="a",
        revision=1,
        as_of_us=at_us + round(delay_s * 1e6),
        observed_at_us=at_us,
        mode=Mode.SIMULATED,
        status=status,
        sharing=sharing,
        contributors=(JPN,),
        references=(),
        contributions=(),
        manoeuvring=False,
        thrust_possible=False,
        raid_id=None,
        apogee_m=None,
        launch=None,
        state=None,
        covariance=(),
        impact=impact,
        places=tuple(
            PlaceTime("x", PlaceKind.OVERFLIGHT, LAUNCH_US + round(place * 1e6), 0.9) for place in places
        ),
    )


SETTING = Setting("trilateral", LAUNCH_US)


def test_moments_are_the_first_of_each() -> None:
    events = [
        _event(30.0),
        _event(60.0, Status.CONFIRMED, (_area(300_000.0),), (400.0,)),
        _event(90.0, Status.CONFIRMED, (_area(99_000.0),), (500.0, 420.0)),
        _event(120.0, Status.CONFIRMED, (_area(9_000.0),), (410.0,)),
    ]
    assert moments(events, SETTING) == Moments(30.0, 60.0, 90.0, 330.0)


def test_never_is_none_and_withdrawn_counts_for_nothing() -> None:
    assert moments([], SETTING) == Moments()
    assert moments([_event(10.0, Status.WITHDRAWN), _event(20.0)], SETTING) == Moments(20.0)
    without_places = moments([_event(20.0, Status.CONFIRMED, (_area(5.0),))], SETTING)
    assert without_places == Moments(20.0, 20.0, 20.0, None)


def test_a_warning_left_may_be_negative() -> None:
    assert moments([_event(50.0, Status.CONFIRMED, (_area(5.0),), (40.0,))], SETTING).warning_left_s == -10.0


def test_every_hypothesis_must_be_under_the_limit_and_at_95_percent() -> None:
    assert has_area(_event(0.0, impact=(_area(99_999.0),)))
    assert not has_area(_event(0.0, impact=(_area(100_000.0),)))
    assert not has_area(_event(0.0, impact=(_area(10.0), _area(200_000.0))))
    assert not has_area(_event(0.0))
    assert not has_area(_event(0.0, impact=(_area(60_000.0, probability=0.5),)))
    assert semi_major_at(1.0, 0.5) == pytest.approx(2.4477 / 1.1774, rel=1e-4)


def test_handling_time_is_wall_time_under_speed() -> None:
    fast = Setting("trilateral", LAUNCH_US, speed=20.0)
    events = [_event(100.0, delay_s=4.0)]
    assert moments(events, fast).first_detection_s == pytest.approx(100.2)
    assert moments(events, SETTING).first_detection_s == pytest.approx(104.0)


def test_gained_is_bilateral_minus_trilateral_and_none_unless_both_are_known() -> None:
    gained = gains(Moments(92.0, 96.0, None, None), Moments(44.7, 98.5, 50.0, None))
    assert (gained.first_detection, gained.confirmed, gained.area_100km) == (47.3, -2.5, None)


def test_streams_side_by_side_are_told_apart() -> None:
    events = [_event(1.0), _event(2.0, sharing=Sharing.ALONE), _event(3.0, sharing=Sharing.BILATERAL)]
    runs = by_sharing(events, Sharing.TRILATERAL)
    assert [len(runs[sharing]) for sharing in Sharing] == [1, 1, 1]
    assert runs[Sharing.TRILATERAL][0].sharing is None


def test_a_picture_tells_nothing_of_a_sharing_that_would_give_it_more() -> None:
    shadow = msgspec.structs.replace(_event(1.0), sharing=Sharing.BILATERAL)
    runs = by_sharing([_event(1.0), shadow], Sharing.BILATERAL)
    assert {sharing: len(events) for sharing, events in runs.items()} == {
        Sharing.ALONE: 0,
        Sharing.BILATERAL: 1,
    }
    summary = summarise({JPN: runs}, SETTING, Counts(), [])
    assert summary.not_run == (Sharing.TRILATERAL,)
    assert summary.nations[JPN].trilateral.first_detection_s is None


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([], 0.5, None), ([3.0], 0.99, 3.0), ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0)]
)
def test_percentile(values: list[float], share: float, expected: float | None) -> None:
    assert percentile(values, share) == expected
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0


def test_latency_is_the_age_of_each_partner_estimate_when_it_came() -> None:
    def part(nation: Nation, observed_us: int, received_us: int) -> Contribution:
        return Contribution(nation, f"{nation}-1", None, observed_us, received_us, (), ())

    first = msgspec.structs.replace(
        _event(1.0), contributions=(part(JPN, 1_000, 1_000), part(KOR, 1_000, 201_000))
    )
    again = msgspec.structs.replace(first, contributions=(*first.contributions, part(USA, 2_000, 402_000)))
    assert link_latencies_ms([first, again]) == [200.0, 400.0]
    assert link_latencies_ms([first], speed=2.0) == [100.0]


# Copied from the page of interfaces.
PAGE = """{"sharing":"trilateral","basis":"notional",
 "nations":{"JPN":{"alone":0,"bilateral":0,"trilateral":0,"gained_s":{"first_detection":0,"confirmed":0,"area_100km":0}}},
 "latency_ms":{"p50":0,"p99":0},"released":0,"refused":0,"lost":0,"doubled":0}"""


def test_json_has_the_fields_of_the_interfaces_page() -> None:
    runs = {JPN: {Sharing.ALONE: [_event(1.0)], Sharing.TRILATERAL: [_event(0.5)]}}
    text = format_summary(summarise(runs, SETTING, Counts(1, 2, 3, 4), [200.0]))
    written, page = json.loads(text), json.loads(PAGE)
    assert set(page) <= set(written)
    nation = written["nations"]["JPN"]
    assert list(nation) == list(page["nations"]["JPN"])
    assert list(nation["alone"]) == ["first_detection_s", "confirmed_s", "area_100km_s", "warning_left_s"]
    assert list(nation["gained_s"]) == list(page["nations"]["JPN"]["gained_s"])
    assert nation["bilateral"]["first_detection_s"] is None
    assert (written["released"], written["doubled"], written["latency_ms"]["p50"]) == (1, 4, 200.0)

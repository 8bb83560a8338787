"""events.jsonl: exactly the page of interfaces, the same bytes each time, and back."""

import json
import math
from typing import Any

import msgspec
import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.events import event_from_line, event_to_json, format_event, parse_event_line
from beaconfire.messages.estimate import Ellipse, ImpactEstimate, Kinematics, LaunchEstimate
from beaconfire.messages.event import Contour, Event, ImpactAreas, PlaceTime
from beaconfire.messages.words import Hypothesis, Mode, Nation, Phase, PlaceKind, Status

AREA = Ellipse(math.radians(40.5), math.radians(-170.25), 12_000.0, 3_000.0, math.radians(65.0), 0.95)
EVENT = Event(
    nation=Nation("JPN"),
    event_id="4f",
    revision=7,
    as_of_us=1_664_835_900_200_000,
    observed_at_us=1_664_835_900_000_000,
    mode=Mode.SIMULATED,
    status=Status.CONFIRMED,
    sharing=None,
    contributors=(Nation("JPN"), Nation("KOR")),
    references=("JPN-01", "KOR-7F3A"),
    contributions=(),
    manoeuvring=False,
    thrust_possible=False,
    raid_id=None,
    apogee_m=970_000.0,
    launch=LaunchEstimate(1_664_835_700_000_000, 3.5, AREA),
    state=Kinematics(1_664_835_900_000_000, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), -8.0, Phase.COAST),
    covariance=tuple(float(number) for number in range(21)),
    impact=(ImpactEstimate(1.0, 1_664_836_900_000_000, 2.0, AREA),),
    places=(PlaceTime("a", PlaceKind.OVERFLIGHT, 1_664_836_200_000_000, 0.99),),
    areas=(
        ImpactAreas(
            Hypothesis.FREE_FLIGHT,
            1_664_836_896_000_000,
            1_664_836_904_000_000,
            (AREA,),
            (Contour(0.95, ((0.7, -2.9), (0.71, -2.9), (0.71, -2.91))),),
        ),
    ),
)

# Copied from the page of interfaces.
KEYS: dict[str, Any] = {
    "": "nation event_id revision as_of_us mode status contributors references manoeuvring raid_id apogee_m "
    "launch state impact places thrust_possible",
    "launch": "time_us sigma_time_s latitude_deg longitude_deg semi_major_m semi_minor_m bearing_deg "
    "probability",
    "state": "epoch_us position_ecef_m velocity_ecef_m_s covariance phase",
    "impact": "weight time_us sigma_time_s latitude_deg longitude_deg semi_major_m semi_minor_m bearing_deg "
    "probability hypothesis earliest_us latest_us ellipses contours",
    "places": "place kind earliest_us probability",
}


def test_keys_and_their_order_are_those_of_the_interfaces_page() -> None:
    line = json.loads(format_event(EVENT))
    assert list(line) == KEYS[""].split()
    assert list(line["launch"]) == KEYS["launch"].split()
    assert list(line["state"]) == KEYS["state"].split()
    assert list(line["impact"][0]) == KEYS["impact"].split()
    assert list(line["places"][0]) == KEYS["places"].split()
    assert len(line["state"]["covariance"]) == 21


def test_degrees_outside() -> None:
    line = event_to_json(EVENT)
    assert line["launch"]["latitude_deg"] == pytest.approx(40.5)
    assert line["impact"][0]["longitude_deg"] == pytest.approx(-170.25)
    assert line["impact"][0]["bearing_deg"] == pytest.approx(65.0)


def test_line_and_plain_object_say_the_same() -> None:
    assert json.loads(format_event(EVENT)) == json.loads(json.dumps(event_to_json(EVENT)))


def test_further_areas_stand_beside_the_impact_and_come_back() -> None:
    impact = json.loads(format_event(EVENT))["impact"][0]
    assert impact["hypothesis"] == "FREE_FLIGHT"
    assert impact["ellipses"] == [{"probability": 0.95, "semi_major_m": 12_000.0, "semi_minor_m": 3_000.0}]
    assert impact["contours"][0]["points_deg"][0] == [40.107, -166.1578]
    again = event_from_line(parse_event_line(format_event(EVENT)))
    assert again.areas[0].hypothesis is Hypothesis.FREE_FLIGHT
    assert again.areas[0].earliest_us == EVENT.areas[0].earliest_us
    assert again.areas[0].contours[0].points_rad[0] == pytest.approx((0.7, -2.9), abs=1e-6)


def test_a_line_from_before_there_were_further_areas_is_read() -> None:
    old = json.loads(format_event(EVENT))
    del old["thrust_possible"]
    for key in ("hypothesis", "earliest_us", "latest_us", "ellipses", "contours"):
        del old["impact"][0][key]
    again = event_from_line(parse_event_line(json.dumps(old).encode()))
    assert (again.impact[0].weight, again.areas, again.thrust_possible) == (1.0, (), False)


def test_nothing_stated_is_null_or_empty() -> None:
    bare = msgspec.structs.replace(EVENT, launch=None, state=None, covariance=(), impact=(), apogee_m=None)
    line = json.loads(format_event(bare))
    assert (line["launch"], line["state"], line["impact"], line["apogee_m"]) == (None, None, [], None)


def test_there_and_back_gives_the_same_line() -> None:
    line = format_event(EVENT)
    again = event_from_line(parse_event_line(line))
    assert again.impact[0].area.latitude_rad == pytest.approx(AREA.latitude_rad)
    assert format_event(event_from_line(parse_event_line(format_event(again)))) == format_event(again)


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[1]", format_event(EVENT).replace(b'"revision":7', b'"revision":"7"'), b"x" * 2_000_000],
)
def test_a_line_that_is_none(line: bytes) -> None:
    with pytest.raises(UsageError):
        parse_event_line(line)

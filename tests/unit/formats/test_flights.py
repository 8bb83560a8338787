"""The flights file and the catalogue that ships: complete facts, ids that follow from the time."""

import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.flights import parse_flights, shipped_flights
from beaconfire.formats.launches import korean_date

FLIGHT = """
[[flight]]
id = "2022-10-04"
launched_utc = "2022-10-03T22:22Z"
missile = "New"
manoeuvre = "ballistic"
site = "Somewhere"
latitude_deg = 40.6
longitude_deg = 126.4
bearing_deg = 80.0
apogee_km = 970.0
range_km = 4500.0
outcome = "success"
source = "own"
"""


def test_a_flight_is_read_and_complete() -> None:
    (flight,) = parse_flights(FLIGHT, "mine.toml")
    assert flight.complete_ballistic
    assert flight.flight_time_s is None


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("apogee_km = 970.0", "", "apogee_km: missing field"),
        ('"2022-10-03T22:22Z"', '"yesterday"', "launched_utc"),
        ('"ballistic"', '"straight"', "manoeuvre"),
        ("range_km = 4500.0", "range_km = 45000.0", "range_km"),
        ('source = "own"', "", "source: missing field"),
    ],
)
def test_a_fault_names_file_and_field(old: str, new: str, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_flights(FLIGHT.replace(old, new), "mine.toml")
    assert str(caught.value).startswith("mine.toml: flight 1")
    assert named in str(caught.value)


def test_ids_of_what_ships_follow_from_the_times() -> None:
    for launch in shipped_flights():
        assert launch.launched_at_us is not None
        assert launch.launch_id[:10] == korean_date(launch.launched_at_us)
        assert launch.source


def test_what_ships_spans_2016_to_2022_and_holds_the_flights_that_are_asked_for() -> None:
    launches = {launch.launch_id: launch for launch in shipped_flights()}
    assert len(launches) >= 15
    assert {name[:4] for name in launches} >= {"2016", "2017", "2022"}
    assert {"2017-08-29", "2017-11-29", "2022-03-24", "2022-10-04", "2022-11-18"} <= launches.keys()
    assert any(launch.manoeuvre == "pullup" for launch in launches.values())
    assert any(
        launch.complete_ballistic and (launch.range_m or 0.0) < 500_000.0 for launch in launches.values()
    )
    assert list(launches.values()) == sorted(launches.values(), key=lambda launch: launch.launched_at_us or 0)

"""The CSV of public launches: ids by Korean date, what counts as complete, clear errors."""

import math
from pathlib import Path

import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.launches import flight_ids, korean_date, parse_launches_csv, read_launches_csv, utc_us

HEAD = (
    "row,launch_utc,missile,type,maneuver,facility,lat,lon,"
    "apogee_km,distance_km,bearing_deg,bearing_is_default,outcome\n"
)
GOOD = "0,2022-10-03T22:22Z,New,IRBM,ballistic,Somewhere,40.6,126.4,970.0,4500.0,80,False,success\n"


def test_a_row_becomes_si_and_radians() -> None:
    (launch,) = parse_launches_csv(HEAD + GOOD, "a.csv")
    assert launch.launch_id == "2022-10-04"
    assert launch.apogee_m == 970_000.0
    assert launch.range_m == 4_500_000.0
    assert launch.bearing_rad == pytest.approx(math.radians(80.0))
    assert launch.site.latitude_rad == pytest.approx(math.radians(40.6))
    assert launch.complete_ballistic


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2022-10-03T22:22Z", "2022-10-03"),
        ("2022-10-03T22:22Z", "2022-10"),
        ("970.0", ""),
        ("4500.0", ""),
        ("False", "True"),
        ("ballistic", "pullup"),
    ],
)
def test_what_is_missing_or_manoeuvres_is_not_complete_ballistic(old: str, new: str) -> None:
    (launch,) = parse_launches_csv(HEAD + GOOD.replace(old, new), "a.csv")
    assert not launch.complete_ballistic
    assert launch.complete == (new == "pullup")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("970.0", "high", "line 2: apogee_km"),
        ("970.0", "-5", "apogee_km"),
        ("970.0", "nan", "apogee_km"),
        ("40.6", "", "lat: missing value"),
        ("40.6", "140.6", "lat"),
        ("ballistic", "wobbly", "maneuver"),
        ("False", "maybe", "bearing_is_default"),
        ("2022-10-03T22:22Z", "3 October", "launch_utc"),
        ("2022-10-03T22:22Z", "2022-13-03T22:22Z", "launch_utc"),
        (",success", "", "wrong number of fields"),
        (",success", ",success,more", "wrong number of fields"),
    ],
)
def test_a_fault_names_file_line_and_column(old: str, new: str, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_launches_csv(HEAD + GOOD.replace(old, new), "a.csv")
    assert str(caught.value).startswith("a.csv: line 2")
    assert named in str(caught.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UsageError, match=r"a\.csv: apogee_km: missing column"):
        parse_launches_csv(HEAD.replace("apogee_km", "apogee") + GOOD, "a.csv")


def test_ids_are_korean_dates_with_letters_in_order_of_time_where_a_day_had_several() -> None:
    late, early, other = (
        utc_us(text, "") for text in ("2022-09-29T11:57Z", "2022-09-28T15:01Z", "2022-10-03T22:22Z")
    )
    assert flight_ids([late, None, early, other]) == ["2022-09-29b", "row-1", "2022-09-29a", "2022-10-04"]
    assert korean_date(utc_us("2022-09-29T14:59Z", "")) == "2022-09-29"
    assert korean_date(utc_us("2022-09-29T15:00Z", "")) == "2022-09-30"


def test_the_recorded_table_has_its_stated_numbers(recorded_data: Path) -> None:
    launches = read_launches_csv(recorded_data / "launches" / "launches_1984_2022.csv")
    assert len(launches) == 229
    assert sum(launch.complete for launch in launches) == 105
    assert sum(launch.complete_ballistic for launch in launches) == 72
    assert len({launch.launch_id for launch in launches}) == 229

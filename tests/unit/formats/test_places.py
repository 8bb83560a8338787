"""The places file: named areas, checked like the sensors."""

import math
from pathlib import Path

import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.places import parse_places, read_places, shipped_places

PLACE = """
[[place]]
name = "Aomori"
nation = "JPN"
latitude_deg = 40.82
longitude_deg = 140.74
radius_m = 30_000
"""


def test_a_place_is_read_into_radians() -> None:
    (place,) = parse_places(PLACE, "places.toml")
    assert place.name == "Aomori"
    assert place.latitude_rad == pytest.approx(math.radians(40.82))
    assert place.radius_m == 30_000.0


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("radius_m = 30_000", "radius_m = 0", "radius_m"),
        ("radius_m = 30_000", "", "radius_m: missing field"),
        ('name = "Aomori"', "", "place 1: name"),
        ("latitude_deg = 40.82", "latitude_deg = -91", "latitude_deg"),
        ('nation = "JPN"', 'nation = "JP"', "nation"),
        ('nation = "JPN"', 'nation = "JPN"\npopulation = 5', "population: unknown field"),
    ],
)
def test_a_fault_names_file_and_field(old: str, new: str, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_places(PLACE.replace(old, new), "places.toml")
    assert str(caught.value).startswith("places.toml")
    assert named in str(caught.value)


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="stands twice"):
        parse_places(PLACE + PLACE, "places.toml")


def test_each_nation_has_places_and_the_folder_shows_what_ships(root: Path) -> None:
    places = shipped_places()
    assert {place.nation for place in places} == {"JPN", "KOR", "USA"}
    assert read_places(root / "places" / "notional.toml") == places

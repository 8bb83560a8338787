"""The public database's JSON: its shape as published, and clear errors where it is not that."""

import json
from typing import Any

import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.launch_database import DatabaseTexts, parse_launches_json

FACILITIES = {"facilities": {"here": {"name": "Here", "lat": 40.6, "lon": 126.4}}}
MISSILES = {
    "glider": {"name": "Glider", "type": "MRBM", "maneuver": "glide"},
    "plain": {"name": "Plain", "type": "SRBM"},
}


def entry(**changed: object) -> dict[str, object]:
    whole: dict[str, object] = {
        "date": "2022-10-03", "time": "22:22 (UTC)", "missile": "plain", "facility": "here", "landing": "na",
        "apogee": "970", "distance": 4500, "bearing": 80, "outcome": "success", "description": "words",
    }  # fmt: skip
    return whole | changed


def texts(*entries: object, missiles: Any = MISSILES) -> DatabaseTexts:
    document = {"timeBins": [{"data": list(entries), "year": 2022}]}
    return DatabaseTexts(json.dumps(document), json.dumps(FACILITIES), json.dumps(missiles))


def test_numbers_may_be_texts_and_manoeuvre_comes_from_the_missile() -> None:
    plain, glider = parse_launches_json(texts(entry(), entry(missile="glider", date="2022-01-04")), "db")
    assert plain.launch_id == "2022-10-04"
    assert (plain.missile, plain.apogee_m, plain.range_m) == ("Plain", 970_000.0, 4_500_000.0)
    assert plain.complete_ballistic
    assert glider.manoeuvre == "glide"


@pytest.mark.parametrize(
    "changed",
    [
        {"time": "unknown"},
        {"apogee": "unknown"},
        {"distance": "unknown"},
        {"bearing": 90},
        {"date": "2022-10"},
    ],
)
def test_what_the_database_does_not_know_is_none(changed: dict[str, object]) -> None:
    date_only = {"time": "unknown"} if "date" in changed else {}
    (launch,) = parse_launches_json(texts(entry(**changed, **date_only)), "db")
    assert not launch.complete


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (entry(facility="nowhere"), "timeBins[0].data[0]: facility: nowhere"),
        (entry(apogee="tall"), "apogee_km"),
        ({"date": "2022-10-03"}, "facility: missing field"),
        ("a word", "not a list of objects"),
    ],
)
def test_a_fault_names_where_it_stands(broken: object, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_launches_json(texts(broken), "db")
    assert named in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"timeBins": 3}', '{"timeBins": [3]}', "[" * 100_000])
def test_what_is_not_the_database_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_launches_json(DatabaseTexts(text, json.dumps(FACILITIES)), "db")

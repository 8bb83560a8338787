"""CZML of a picture: against the published schemas, against czml3, and what a reader would take from it."""

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import czml3
import jsonschema  # type: ignore[import-untyped]
import pytest
from pydantic import ValidationError
from referencing import Registry, Resource

from beaconfire.formats.czml import czml_document, iso_time
from beaconfire.messages.words import Mode
from browser.flight import JPN, SENSORS, Flight, event

LAUNCH_US = 1_664_835_700_000_000
FLIGHT = Flight(LAUNCH_US)
SECONDS = (60.0, 160.0, 180.0, 199.0)
HISTORY = tuple(event(FLIGHT, second, revision) for revision, second in enumerate(SECONDS, 1))


@pytest.fixture(scope="module")
def document() -> list[dict[str, Any]]:
    plain = czml_document([HISTORY], SENSORS, JPN, Mode.SIMULATED)
    return json.loads(json.dumps(plain))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def validator(recorded_data: Path) -> jsonschema.Draft7Validator:
    folder = recorded_data / "czml" / "Schema"
    schemas = [
        json.loads(path.read_text()) for path in folder.rglob("*.json") if "Examples" not in path.parts
    ]
    found = [(schema["$id"], Resource.from_contents(schema)) for schema in schemas if "$id" in schema]
    whole = next(schema for schema in schemas if schema.get("title") == "Document")
    return jsonschema.Draft7Validator(whole, registry=Registry().with_resources(found))


def test_it_meets_the_published_schemas(
    document: list[dict[str, Any]], validator: jsonschema.Draft7Validator
) -> None:
    validator.validate(document)


def test_the_schemas_find_what_is_wrong(validator: jsonschema.Draft7Validator) -> None:
    broken = [{"id": "document", "version": "1.0"}, {"id": "x", "ellipse": {"semiMajorAxis": "wide"}}]
    assert list(validator.iter_errors(broken))


def test_another_library_takes_every_packet(document: list[dict[str, Any]]) -> None:
    for packet in document:
        czml3.Packet.model_validate(packet)
    with pytest.raises(ValidationError):
        czml3.Packet.model_validate({"id": "x", "ellipse": {"semiMajorAxis": "wide", "semiMinorAxis": 1}})


def test_the_marking_stands_in_the_name_of_the_document_and_of_every_event(
    document: list[dict[str, Any]],
) -> None:
    assert document[0]["name"].startswith("SIMULATED // REL TO JPN // beaconfire, notional, unaffiliated")
    named = [packet["name"] for packet in document if packet["id"].startswith("E-")]
    assert len(named) == 3
    assert all(name.startswith("SIMULATED: ") for name in named)


def test_a_track_passes_through_the_states(document: list[dict[str, Any]]) -> None:
    position = next(packet for packet in document if packet["id"].endswith("/track"))["position"]
    numbers = position["cartesian"]
    samples = [tuple(numbers[start : start + 4]) for start in range(0, len(numbers), 4)]
    states = [one.state for one in HISTORY if one.state is not None]
    first_us = states[0].epoch_us
    assert samples == [((one.epoch_us - first_us) / 1e6, *one.position_ecef_m) for one in states]
    assert datetime.fromisoformat(position["epoch"]).timestamp() == pytest.approx(first_us / 1e6)


def test_an_area_is_that_of_its_revision_until_the_next(document: list[dict[str, Any]]) -> None:
    packet = next(packet for packet in document if packet["id"].endswith("/impact"))
    with_area = [one for one in HISTORY if one.impact]
    axes = packet["ellipse"]["semiMajorAxis"]
    assert [one["number"] for one in axes] == [one.impact[0].area.semi_major_m for one in with_area]
    assert [one["interval"].split("/")[0] for one in axes] == [iso_time(one.as_of_us) for one in with_area]
    ends = [one["interval"].split("/")[1] for one in axes]
    assert ends[:-1] == [iso_time(one.as_of_us) for one in with_area[1:]]
    # counter-clockwise from north there, clockwise from north here
    bearing_rad = with_area[0].impact[0].area.bearing_rad
    assert packet["ellipse"]["rotation"][0]["number"] == -bearing_rad
    latitude_rad = packet["position"][0]["cartographicRadians"][1]
    assert math.degrees(latitude_rad) == pytest.approx(math.degrees(with_area[0].impact[0].area.latitude_rad))


def test_no_event_is_a_document_too(validator: jsonschema.Draft7Validator) -> None:
    validator.validate(czml_document([], (), JPN, Mode.EXERCISE))

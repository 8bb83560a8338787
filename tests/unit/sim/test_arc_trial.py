"""A recorded stage is foretold and its burn noticed; a burn that was none is not."""

from dataclasses import replace
from pathlib import Path

from beaconfire.formats.webcast import StageFlight, read_stage_flight
from beaconfire.sim.arc_trial import fly_arc

NAME = "BulgariaSat-1"


def _flight(folder: Path) -> StageFlight:
    files = [folder / "telemetry" / f"{NAME}__{kind}.json" for kind in ("analysed", "events")]
    return read_stage_flight(NAME, *files)


def test_a_stage_is_foretold_and_its_burn_noticed(recorded_data: Path) -> None:
    found = fly_arc(_flight(recorded_data), 1)
    assert abs(found.apogee_error_m) < 2_000.0
    assert found.tracks == 1
    assert found.burns == (("entry", True),)
    assert not found.false_alarm


def test_a_burn_that_was_none_is_not_noticed(recorded_data: Path) -> None:
    flight = _flight(recorded_data)
    planted = replace(flight, burns=(("planted", 240.0, 280.0), *flight.burns))
    assert fly_arc(planted, 1).burns == (("planted", False), ("entry", True))

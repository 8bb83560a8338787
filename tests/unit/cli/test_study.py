"""The studies from the command line: what they print, and that bad options are refused in one line."""

import json

import pytest

from beaconfire.cli.main import main
from beaconfire.cli.study_flights import FlightTrial, progress_line
from beaconfire.messages.words import Nation
from beaconfire.sim.trial import NationTrial


@pytest.mark.parametrize(
    "words",
    [
        ["accuracy", "--runs", "1"],
        ["accuracy", "--jobs", "0"],
        ["time", "--only", "1999"],
        ["time", "--jobs", "65"],
        ["flights", "--launches", "nowhere.csv"],
    ],
)
def test_bad_options_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("beaconfire: ")
    assert said.count("\n") == 1


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["study", "guesses"])
    assert end.value.code == 2
    assert "guesses" in capsys.readouterr().err


def test_accuracy_of_one_case_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["study", "accuracy", "--only", "coast", "--case", "two radars", "--runs", "12", "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"]
    assert [one["time_s"] for one in found["coast"]] == [5.0, 15.0, 30.0, 60.0, 120.0, 300.0]


@pytest.mark.parametrize(
    ("only", "word"), [("pair", "two objects"), ("phases", "BOOST"), ("reentry", "published")]
)
def test_accuracy_of_each_scenario_as_text(only: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "accuracy", "--short", "--runs", "10", "--only", only]) in {0, 1}
    assert word in capsys.readouterr().out


@pytest.mark.timeout(400)
def test_time_of_one_flight(capsys: pytest.CaptureFixture[str]) -> None:
    main(["study", "time", "--only", "2022-09-29b", "--json"])
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert len(lines) == 9
    korea = next(one for one in lines if one["nation"] == "KOR" and one["sharing"] == "alone")
    japan = next(one for one in lines if one["nation"] == "JPN" and one["sharing"] == "alone")
    assert korea["times"]["detection_by"] == "radar"
    assert korea["times"]["areas_s"][0] > korea["soonest_s"][0] > korea["burnout_s"]
    assert japan["times"]["areas_s"] == [None, None]


def test_each_flight_has_a_line_as_soon_as_it_is_flown() -> None:
    seen = NationTrial(Nation("JPN"), 40, True, 1, 1_250.0, 9_000.0, True)
    flown = FlightTrial("2022-10-04", 4.6e6, 9.7e5, 12.34, (seen,))
    assert progress_line(flown, 3, 57) == "3/57 2022-10-04: impact off by 1.2 km, area holds it, 12.3 s"
    assert progress_line(FlightTrial("a", 1.0, 1.0, 0.0, (), "no flight"), 1, 1) == "1/1 a: no flight, 0.0 s"
    assert "not seen" in progress_line(FlightTrial("a", 1.0, 1.0, 0.0, ()), 1, 1)

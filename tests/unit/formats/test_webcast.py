"""Recorded telemetry is read as it was shown; what can't be used is refused in one line."""

import json
from pathlib import Path

import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.webcast import StageFlight, read_stage_flight

SHOWN = {
    "time": list(range(40)),
    "altitude": [0.1 * n for n in range(40)],
    "downrange_distance": [0.05 * n for n in range(40)],
    "q": [1.0],
}
EVENTS = {"meco": 20, "boostback_start": 24, "boostback_end": 30, "entry_start": None, "entry_end": None}


def _read(folder: Path, shown: object, events: object) -> StageFlight:
    (folder / "x__analysed.json").write_text(json.dumps(shown))
    (folder / "x__events.json").write_text(json.dumps(events))
    return read_stage_flight("x", folder / "x__analysed.json", folder / "x__events.json")


def test_a_flight_is_in_metres_with_its_burns(tmp_path: Path) -> None:
    flight = _read(tmp_path, SHOWN, EVENTS)
    assert flight.height_m[10] == pytest.approx(1_000.0)
    assert flight.downrange_m[10] == pytest.approx(500.0)
    assert flight.burns == (("boostback", 24.0, 30.0),)
    assert flight.free_from_s == 30.0


def test_without_a_burn_back_it_is_free_from_burnout(tmp_path: Path) -> None:
    events = {"meco": 20, "entry_start": 30, "entry_end": 35}
    assert _read(tmp_path, SHOWN, events).free_from_s == 20.0


@pytest.mark.parametrize(
    ("shown", "events"),
    [
        ({**SHOWN, "altitude": [1.0] * 39}, EVENTS),
        ({**SHOWN, "time": [0.0] * 40}, EVENTS),
        ({**SHOWN, "time": []}, EVENTS),
        ({**SHOWN, "altitude": ["high"] * 40}, EVENTS),
        (SHOWN, {"meco": None}),
        (SHOWN, []),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path: Path, shown: object, events: object) -> None:
    with pytest.raises(UsageError):
        _read(tmp_path, shown, events)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read_stage_flight("y", tmp_path / "y", tmp_path / "y")

"""The sandbox: what it takes, what it refuses, and what it never offers."""

import asyncio
import json
from typing import Any

import pytest

from beaconfire.cli.sandbox import SENSORS_MAX, describe, read_trial, run_trial
from beaconfire.errors import UsageError

RADAR = {
    "id": "a",
    "nation": "KOR",
    "kind": "radar",
    "latitude_deg": 36.5,
    "longitude_deg": 128.0,
    "height_m": 300.0,
    "sigma_range_m": 30.0,
    "sigma_azimuth_deg": 0.03,
    "sigma_elevation_deg": 0.03,
    "minimum_elevation_deg": 2.0,
    "maximum_range_m": 1_000_000.0,
}


def body(**changes: Any) -> bytes:
    return json.dumps({"flight": "2022-10-04", "sensors": [RADAR]} | changes).encode()


def test_a_trial_is_one_flight_of_the_catalogue_past_placed_sensors() -> None:
    trial, (sensor,) = read_trial(body())
    assert (trial.flight, sensor.sensor, sensor.nation) == ("2022-10-04", "a", "KOR")
    offered = describe()
    assert "2022-10-04" in {one["id"] for one in offered["flights"]}
    assert set(offered) == {"flights", "nations", "sensors_max"}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (b"x" * 70_000, "too long"),
        (b"[]", "not a trial"),
        (body(sensors=[]), "0 sensors"),
        (body(sensors=[RADAR | {"id": str(n)} for n in range(SENSORS_MAX + 1)]), "13 sensors"),
        (body(sensors=[RADAR | {"latitude_deg": 91.0}]), "latitude_deg"),
        (body(sensors=[RADAR | {"nation": "XXX"}]), "nation XXX"),
        (body(sensors=[RADAR | {"x = 1\n[[sensor]]\nid": "b"}]), "field"),
        (body(sensors=[RADAR | {"id": 'a"\n[x]'}]), "id"),
        (body(azimuths=[0, 90]), "azimuths"),
        (body(sites="all"), "sites"),
    ],
)
def test_anything_else_is_refused_before_a_process_starts(
    given: bytes, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(asyncio, "create_subprocess_exec", never)
    with pytest.raises(UsageError, match=fault):
        asyncio.run(run_trial(given))


@pytest.mark.real
def test_a_flight_that_is_not_there_is_told_by_the_process() -> None:
    with pytest.raises(UsageError, match="no flight '1900-01-01'"):
        asyncio.run(run_trial(body(flight="1900-01-01")))

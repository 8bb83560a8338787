"""Real satellites and real aircraft before notional radars: no place and no impact area comes of them.

Satellites are flown by sgp4 from published elements; aircraft are recorded flights, moved into view.
"""

import gzip
import json
import math
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sgp4.api import Satrec, jday

from beaconfire.alerting.places import places_of_event
from beaconfire.formats.places import shipped_places
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic
from beaconfire.fusion.picture import Picture
from beaconfire.fusion.source import Source
from beaconfire.messages.event import Event, PlaceTime
from beaconfire.messages.words import Mode, Status
from beaconfire.tracking.tracker import Tracker
from tracking_truth import EPOCH_US, KOR, Array, flight, plot, radar

RADARS = [
    radar(maximum_range_m=2.5e6),
    radar("kor-2", latitude_rad=0.654, longitude_rad=2.243, maximum_range_m=2.5e6),
]
PASS_S = 150
FLIGHT_S = 300
ROTATION_RAD_S = 7.292115e-5


def _places(event: Event, before: tuple[PlaceTime, ...]) -> tuple[PlaceTime, ...]:
    del before
    return places_of_event(event, shipped_places())


def _events(seconds: list[list[Array]]) -> list[Event]:
    """Return every revision of a picture that sees these states of seven, second by second."""
    random, tracker = np.random.default_rng(1), Tracker(RADARS, KOR, b"s" * 32)
    picture = Picture(KOR, Mode.SIMULATED, secret=b"x" * 32, sharing=None, places_of=_places)
    events: list[Event] = []
    for second, states in enumerate(seconds):
        at_us = EPOCH_US + second * 1_000_000
        seen = [plot(one, state, at_us, random) for one in RADARS for state in states]
        tracker.add([one for one in seen if one is not None and random.random() < 0.95], at_us)
        for report in tracker.step(at_us):
            events += [one.event for one in picture.accept(Source(report, (), at_us), at_us)]
    return events


def _earth_fixed(satellite: Satrec, day: float, fraction: float) -> Array:
    """Return a satellite's state of seven; the mean sidereal angle stands for all of the Earth's rotation."""
    error, position, velocity = satellite.sgp4(day, fraction)
    assert error == 0
    angle = math.radians((280.46061837 + 360.98564736629 * (day + fraction - 2451545.0)) % 360.0)
    turn = np.array(
        [[math.cos(angle), math.sin(angle), 0.0], [-math.sin(angle), math.cos(angle), 0.0], [0.0, 0.0, 1.0]]
    )
    place, speed = 1e3 * turn @ np.array(position), 1e3 * turn @ np.array(velocity)
    return np.concatenate((place, speed - np.cross((0.0, 0.0, ROTATION_RAD_S), place), [-8.0]))


def _passes(folder: Path) -> list[list[list[Array]]]:
    """Return the first pass of each of six satellites through the field of view of the first radar."""
    lines = (folder / "tle" / "stations.tle").read_text().splitlines()
    satellites = [Satrec.twoline2rv(lines[i + 1], lines[i + 2]) for i in range(0, len(lines) - 2, 3)]
    moment = datetime(2024, 5, 9, 9)  # noqa: DTZ001 - UTC, as the elements are
    day, fraction = jday(moment.year, moment.month, moment.day, moment.hour, 0, 0.0)
    found = []
    for satellite in satellites[::4]:
        for minute in range(1440):
            start = fraction + minute / 1440.0
            if plot(RADARS[0], _earth_fixed(satellite, day, start), EPOCH_US, None) is not None:
                times = (start + second / 86_400.0 for second in range(-20, PASS_S))
                found.append([[_earth_fixed(satellite, day, at)] for at in times])
                break
    return found


def _flown(folder: Path, name: str, from_s: float) -> list[list[Array]]:
    """Return recorded aircraft, second by second, moved to before the radars."""
    rows = json.loads(gzip.decompress((folder / "aircraft" / f"{name}.json.gz").read_bytes()))
    rows = [row for row in rows if None not in (row["latitude"], row["longitude"], row["altitude"])]
    middle = [float(np.mean([row[key] for row in rows])) for key in ("latitude", "longitude")]
    values = np.array(
        [[row["timestamp"] / 1e3, row["latitude"], row["longitude"], row["altitude"]] for row in rows]
    )
    _, first = np.unique(values[:, 0], return_index=True)
    values = values[first]
    seconds: list[list[Array]] = []
    for second in range(FLIGHT_S):
        at = values[0, 0] + from_s + second
        latitude, longitude, feet = (float(np.interp(at, values[:, 0], values[:, i])) for i in (1, 2, 3))
        place = Geodetic(
            math.radians(latitude - middle[0] + 37.5),
            math.radians(longitude - middle[1] + 128.5),
            0.3048 * feet,
        )
        seconds.append([np.concatenate((ecef_from_geodetic(place), np.zeros(4)))])
    return seconds


def test_satellites_become_no_warning(recorded_data: Path) -> None:
    passes = _passes(recorded_data)
    assert len(passes) >= 5
    for seconds in passes:
        events = _events(seconds)
        assert events, "none was seen, so nothing is shown"
        assert all(event.places == () and event.impact == () and event.launch is None for event in events)
        assert events[-1].status is Status.WITHDRAWN


@pytest.mark.parametrize("name", ["bornholm", "inflight_refuelling", "noisy_landing"])
def test_aircraft_become_no_warning(recorded_data: Path, name: str) -> None:
    for event in _events(_flown(recorded_data, name, 600.0)):
        assert event.places == ()
        assert event.impact == ()


def test_a_missile_among_them_becomes_one(recorded_data: Path) -> None:
    """The same picture must warn of what is none of them."""
    truth, aircraft = flight(), _flown(recorded_data, "bornholm", 600.0)
    seconds = [[truth.at(float(second)), *aircraft[second]] for second in range(160)]
    events = _events(seconds)
    assert {event.event_id for event in events if event.status is not Status.TENTATIVE} == {
        events[-1].event_id
    }
    assert events[-1].impact

"""Real suborbital arcs, seen by notional radars: apogee foretold soon, burns afterwards noticed.

Webcast telemetry of three Falcon 9 first stages (Shahar Trifon, Telemetry-Data), put on a notional site and
bearing. Altitude and downrange distance are rounded as they were shown, so they are smoothed.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import make_smoothing_spline

from beaconfire.flight.fall import apogee_height_m
from beaconfire.formats.webcast import read_stage_flight
from beaconfire.frames.geodesy import Geodetic, destination, ecef_from_geodetic
from beaconfire.messages.report import Report
from beaconfire.sim.arc_trial import fly_arc
from beaconfire.tracking.tracker import Tracker
from tracking_truth import EPOCH_US, KOR, plot, radar, state_of

SITE_RAD, BEARING_RAD = (math.radians(38.5), math.radians(125.0)), math.radians(100.0)
RADARS = [radar(), radar("kor-2", latitude_rad=0.654, longitude_rad=2.243)]
APOGEE_LIMIT_M = 2_000.0
FREE_S = 20.0


def _followed(folder: Path, name: str) -> tuple[dict[str, float], float, list[tuple[int, Report]]]:
    """Return event times, true apogee (m) and what a tracker said, second by second."""
    shown = json.loads((folder / f"{name}__analysed.json").read_text())
    events = json.loads((folder / f"{name}__events.json").read_text())
    times = np.array(shown["time"])
    height = make_smoothing_spline(times, 1e3 * np.array(shown["altitude"]), lam=5.0)
    downrange = make_smoothing_spline(times, 1e3 * np.array(shown["downrange_distance"]), lam=5.0)
    random, tracker = np.random.default_rng(1), Tracker(RADARS, KOR, b"s" * 32)
    said: list[tuple[int, Report]] = []
    for second in range(20, int(times[-1])):
        latitude, longitude = destination(*SITE_RAD, BEARING_RAD, float(downrange(second)))
        place = ecef_from_geodetic(Geodetic(latitude, longitude, float(height(second))))
        state = np.concatenate((place, np.zeros(4)))
        at_us = EPOCH_US + second * 1_000_000
        seen = [found for one in RADARS if (found := plot(one, state, at_us, random)) is not None]
        tracker.add(seen, at_us)
        said += [(second, report) for report in tracker.step(at_us)]
    return events, 1e3 * max(shown["altitude"]), said


def _is_manoeuvring(report: Report) -> bool:
    return report.classification is not None and report.classification.manoeuvring


def _foretold_m(said: list[tuple[int, Report]], second: float) -> float:
    newest = [report for at, report in said if at <= second][-1]
    assert newest.covariance is not None
    assert not newest.covariance.process_noise, "no free flight is fitted"
    apogee_m = apogee_height_m(state_of(newest))
    assert apogee_m is not None
    return apogee_m


@pytest.mark.parametrize(
    ("name", "burns"),
    [
        ("BulgariaSat-1", ["entry"]),
        ("Iridium_NEXT_3", ["boostback", "entry"]),
        ("SpaceX_CRS-11", ["boostback", "entry"]),
    ],
)
def test_apogee_is_foretold_and_burns_are_manoeuvres(
    recorded_data: Path, name: str, burns: list[str]
) -> None:
    events, apogee_m, said = _followed(recorded_data / "telemetry", name)
    assert len({report.track for _, report in said}) == 1
    last = events["boostback_end"] if "boostback" in burns else events["meco"]
    assert abs(_foretold_m(said, last + FREE_S) - apogee_m) < APOGEE_LIMIT_M
    assert not any(_is_manoeuvring(report) for at, report in said if at <= events["meco"] + 10.0)
    for burn in burns:
        start_s, end_s = events[f"{burn}_start"], events[f"{burn}_end"]
        during = [report for at, report in said if start_s + 12.0 <= at <= end_s]
        assert during
        assert all(_is_manoeuvring(report) for report in during)
        assert all(report.covariance and report.covariance.process_noise for report in during)


@pytest.mark.parametrize("seed", [1, 7, 11])
def test_a_burn_before_burnout_was_sure_is_a_manoeuvre_too(recorded_data: Path, seed: int) -> None:
    """In these draws the ascent was still taken to go on when the stage turned back."""
    folder, name = recorded_data / "telemetry", "SpaceX_CRS-11"
    flight = read_stage_flight(name, folder / f"{name}__analysed.json", folder / f"{name}__events.json")
    found = fly_arc(flight, seed)
    assert dict(found.burns) == {"boostback": True, "entry": True}
    assert not found.false_alarm

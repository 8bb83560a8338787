"""What two nations' own tracks make together, beside one tracker that has the plots of all their radars."""

import math

import numpy as np
import pytest

from beaconfire.formats.sensors import shipped_sensors
from beaconfire.fusion.picture import Picture
from beaconfire.fusion.source import Source, check_source
from beaconfire.messages.event import Event
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Mode, Nation
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.world import build_world
from beaconfire.tracking.tracker import Tracker

JPN, KOR = Nation("JPN"), Nation("KOR")
RADARS = tuple(one for one in shipped_sensors() if isinstance(one, Radar) and one.nation in {JPN, KOR})
AFTER_BURNOUT_S = 60
SECOND_US = 1_000_000


def _picture() -> Picture:
    return Picture(JPN, Mode.SIMULATED, secret=b"p" * 32, sharing=None, places_of=lambda _event, _before: ())


def _give(picture: Picture, reports: list[Report], now_us: int) -> None:
    for report in reports:
        source = Source(report, (), now_us)
        check_source(source, JPN, Mode.SIMULATED, own=report.originator == JPN)
        picture.accept(source, now_us)


def _fused_and_central(seed: int) -> tuple[Event, Event]:
    world = build_world([flight_of_launch(find_launch("2022-10-04"))], RADARS, seed)
    truth = world.truths[0]
    owner = {radar.sensor: radar.nation for radar in RADARS}
    nations = {n: Tracker([r for r in RADARS if r.nation == n], n, b"s" * 32) for n in (JPN, KOR)}
    everything = Tracker(RADARS, JPN, b"c" * 32)
    fused, central = _picture(), _picture()
    start_us, end_us = truth.launched_at_us, truth.burnout_at_us + AFTER_BURNOUT_S * SECOND_US
    for now_us in range(start_us, end_us, SECOND_US):
        new = [one for one in world.detections if now_us - SECOND_US < one.measured_at_us <= now_us]
        for nation, tracker in nations.items():
            tracker.add([one for one in new if owner[one.sensor] == nation], now_us)
            _give(fused, tracker.step(now_us), now_us)
        everything.add(new, now_us)
        _give(central, everything.step(now_us), now_us)
    (one,), (other,) = fused.events, central.events
    assert one.contributors == (JPN, KOR)
    return one, other


def _sigma_m(event: Event) -> float:
    """Return the stated one standard deviation of position."""
    full = np.zeros((6, 6))
    full[np.triu_indices(6)] = event.covariance
    return math.sqrt(float(np.trace(full[:3, :3])))


@pytest.mark.timeout(300)
def test_fused_is_as_sure_as_central_within_one_percent() -> None:
    pairs = [_fused_and_central(seed) for seed in (1, 2, 3)]
    sigmas = [_sigma_m(fused) / _sigma_m(central) for fused, central in pairs]
    areas = [
        fused.impact[0].area.semi_major_m / central.impact[0].area.semi_major_m for fused, central in pairs
    ]
    assert float(np.mean(sigmas)) == pytest.approx(1.0, abs=0.01)
    assert float(np.mean(areas)) == pytest.approx(1.0, abs=0.01)

"""Many objects at once stay as many: salvos of one site, two that separate, clutter and missed plots.

Every feed is plain detections in order of time; which object a plot came from is known to the test alone.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from beaconfire.flight.ascent import Trajectory
from beaconfire.flight.propagation import rk4_step_kernel
from beaconfire.formats.flights import shipped_flights
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.frames.geodesy import great_circle_distance_m
from beaconfire.fusion.picture import Picture
from beaconfire.fusion.source import Source
from beaconfire.messages.detection import Detection, Plot
from beaconfire.messages.event import Event
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Mode, Nation, Status
from beaconfire.sim.flights import Flight, flight_of_launch, trajectory_of
from beaconfire.sim.sensing import Sensing, simulate_detections
from beaconfire.tracking.tracker import Tracker
from tracking_truth import EPOCH_US, KOR, flight, plot, radar

SHORT_RANGE = "2022-09-29a"


def _salvo(count: int, gap_s: float) -> list[Trajectory]:
    """Return flights of one site, started some seconds apart, their ends within 20 km."""
    random = np.random.default_rng(3)
    launch = next(one for one in shipped_flights() if one.launch_id == SHORT_RANGE)
    first, flights = flight_of_launch(launch), []
    for index in range(count):
        figures = first.figures
        site = figures.site._replace(latitude_rad=figures.site.latitude_rad + random.uniform(-3e-5, 3e-5))
        changed = replace(
            figures,
            site=site,
            range_m=figures.range_m + random.uniform(-2e4, 2e4),
            bearing_rad=figures.bearing_rad + random.uniform(-0.03, 0.03),
        )
        flights.append(
            trajectory_of(Flight(f"{index}", changed, first.launched_at_us + round(index * gap_s * 1e6)))
        )
    return flights


def _run(
    detections: list[Detection], sensors: list[Radar], nation: Nation
) -> tuple[list[Report], list[Event]]:
    """Return what the tracker and then the picture of one nation say, second by second."""
    tracker = Tracker(sensors, nation, b"s" * 32)
    picture = Picture(nation, Mode.SIMULATED, secret=b"x" * 32, sharing=None, places_of=lambda *_: ())
    said: list[Report] = []
    events: list[Event] = []
    index, now_us = 0, detections[0].measured_at_us
    while now_us < detections[-1].measured_at_us + 20_000_000:
        until = index
        while until < len(detections) and detections[until].measured_at_us <= now_us:
            until += 1
        tracker.add(detections[index:until], now_us)
        index = until
        for report in tracker.step(now_us):
            said.append(report)
            events += [one.event for one in picture.accept(Source(report, (), now_us), now_us)]
        now_us += 1_000_000
    return said, events


def _standing(events: list[Event]) -> list[Event]:
    """Return the newest revision of each event that was not taken back."""
    newest = {event.event_id: event for event in events}
    return [event for event in newest.values() if event.status is not Status.WITHDRAWN]


def _swaps(said: list[Report], truths: list[Trajectory]) -> int:
    """Return how often the true object nearest to a track became another one and stayed it."""
    swaps = 0
    for name in sorted({report.track for report in said}):
        held: list[int] = []
        for report in said:
            kind = report.classification
            if (
                report.track != name
                or report.trajectory is None
                or kind is None
                or kind.status is Status.LOST
            ):
                continue
            place = np.array(report.trajectory.position_ecef_m)
            apart = [np.linalg.norm(one.state_at(report.trajectory.epoch_us)[:3] - place) for one in truths]
            held.append(int(np.argmin(apart)))
        swaps += sum(held[i - 1] != held[i] == held[i + 1] == held[i + 2] for i in range(1, len(held) - 2))
    return swaps


@pytest.mark.parametrize(("count", "gap_s"), [(18, 3.3), (12, 2.0)])
def test_a_salvo_of_one_site_stays_as_many_events(count: int, gap_s: float) -> None:
    truths = _salvo(count, gap_s)
    sensors = [one for one in shipped_sensors() if one.nation == KOR and isinstance(one, Radar)]
    said, events = _run(list(simulate_detections(truths, sensors, 1, Sensing())), sensors, KOR)
    standing = _standing(events)
    assert len(standing) == count
    assert len({event.raid_id for event in standing}) == 1
    assert standing[0].raid_id is not None
    nearest = set()
    for event in standing:
        area = event.impact[0].area
        apart = [
            great_circle_distance_m(area.latitude_rad, area.longitude_rad, *one.impact[:2]) for one in truths
        ]
        nearest.add(int(np.argmin(apart)))
        assert min(apart) < 5_000.0
    assert len(nearest) == count
    assert _swaps(said, truths) <= count // 3


SEPARATED_S, APART_M_S = 110, 20.0


def test_two_objects_after_separation_are_two_tracks_that_do_not_change_places() -> None:
    """One falls back at 20 m/s and with more drag: first one track, then two, each with one object."""
    radars = [radar(), radar("kor-2", latitude_rad=0.654, longitude_rad=2.243)]
    truth, random = flight(burn_s=95.0, speed_m_s=3_200.0, angle_rad=1.1), np.random.default_rng(7)
    second = truth.at(float(SEPARATED_S)).copy()
    second[3:6] *= 1.0 - APART_M_S / float(np.linalg.norm(second[3:6]))
    second[6] = -math.log(500.0)
    tracker, held = Tracker(radars, KOR, b"s" * 32), dict[str, list[bool]]()
    for elapsed_s in range(40, 300):
        states = [truth.at(float(elapsed_s))]
        if elapsed_s > SEPARATED_S:
            for _ in range(4):
                second = rk4_step_kernel(second, 0.25)
            states.append(second)
        at_us = EPOCH_US + elapsed_s * 1_000_000
        seen = [plot(one, state, at_us, random) for one in radars for state in states]
        tracker.add([one for one in seen if one is not None], at_us)
        for report in tracker.step(at_us):
            if elapsed_s > SEPARATED_S + 90 and report.trajectory is not None:
                place = np.array(report.trajectory.position_ecef_m)
                first_m, second_m = (float(np.linalg.norm(state[:3] - place)) for state in states)
                held.setdefault(report.track, []).append(first_m < second_m)
    assert len(held) == 2
    assert all(len(set(which)) == 1 for which in held.values())
    assert {which[0] for which in held.values()} == {True, False}


def _false_plots(one: Radar, at_us: int, count: int, random: np.random.Generator) -> list[Detection]:
    """Return false plots anywhere in a sector of 60 degrees, out to 400 km."""
    return [
        Plot(
            one.sensor,
            at_us,
            float(random.uniform(2e4, 4e5)),
            float(random.uniform(0.0, math.pi / 3.0)),
            float(random.uniform(one.minimum_elevation_rad, 1.0)),
        )
        for _ in range(count)
    ]


def test_clutter_and_missed_plots_make_no_false_event() -> None:
    """Five false plots a scan and radar, three plots of ten missed: the one true event is confirmed."""
    radars = [radar(), radar("kor-2", latitude_rad=0.654, longitude_rad=2.243)]
    truth, random, feed = flight(), np.random.default_rng(9), list[Detection]()
    for elapsed_s in range(30, 330):
        at_us = EPOCH_US + elapsed_s * 1_000_000
        for one in radars:
            seen = plot(one, truth.at(float(elapsed_s)), at_us, random) if elapsed_s < truth.end_s else None
            feed += [seen] if seen is not None and random.random() < 0.7 else []
            feed += _false_plots(one, at_us, int(random.poisson(5.0)), random)
    said, events = _run(feed, radars, KOR)
    confirmed = {event.event_id for event in events if event.status is Status.CONFIRMED}
    assert len(confirmed) == 1
    last = next(event for event in reversed(events) if event.impact)
    apart = great_circle_distance_m(
        last.impact[0].area.latitude_rad, last.impact[0].area.longitude_rad, *truth.impact()
    )
    assert apart < 5_000.0
    assert len({report.track for report in said}) <= 6

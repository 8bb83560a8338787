"""The tracker as a whole: one object is one track, and what it says holds the truth."""

from itertools import pairwise

import numpy as np
import pytest

from beaconfire.messages.codec import decode, encode
from beaconfire.messages.detection import Detection, Plot
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import InfraredSensor, Radar
from beaconfire.messages.words import Phase, Status
from beaconfire.tracking import tracker as limits
from beaconfire.tracking.tracker import Tracker
from tracking_truth import (
    EPOCH_US,
    INFRARED,
    KOR,
    Flight,
    covariance_of,
    flight,
    inside,
    radar,
    scans,
    state_of,
)

RADAR, SECOND = radar(), radar("kor-2", latitude_rad=0.654, longitude_rad=2.243)
Scans = list[tuple[int, list[Detection]]]


def _run(feed: Scans, sensors: list[Radar | InfraredSensor], after_s: int = 90) -> list[Report]:
    tracker = Tracker(sensors, KOR, b"s" * 32)
    said: list[Report] = []
    quiet: Scans = [(feed[-1][0] + 1_000_000 * k, []) for k in range(1, after_s)]
    for now_us, detections in feed + quiet:
        tracker.add(detections, now_us)
        said.extend(tracker.step(now_us))
    return said


def _names(said: list[Report]) -> set[str]:
    """Return the tracks that were not taken back."""
    newest = {report.track: report for report in said}
    return {name for name, report in newest.items() if _status(report) is not Status.WITHDRAWN}


def _status(report: Report) -> Status:
    assert report.classification is not None
    return report.classification.status


def _normalised(report: Report, truth: Flight) -> float:
    assert report.trajectory is not None
    error = (state_of(report) - truth.at((report.trajectory.epoch_us - EPOCH_US) / 1e6))[:6]
    return float(error @ np.linalg.solve(covariance_of(report)[:6, :6], error)) / 6.0


def test_one_flight_is_one_track_from_first_line_to_the_end() -> None:
    truth = flight()
    sensors: list[Radar | InfraredSensor] = [RADAR, SECOND, INFRARED]
    said = _run(scans(truth, sensors), sensors)
    assert len({report.track for report in said}) == 1
    order = [
        status for i, status in enumerate(map(_status, said)) if i == 0 or status is not _status(said[i - 1])
    ]
    assert order == [Status.TENTATIVE, Status.CONFIRMED, Status.LOST, Status.ENDED]
    assert said[0].trajectory is None
    assert said[0].launch_point is not None
    burnt = next(r for r in said if r.timing is not None and r.timing.burnout_at_us is not None)
    assert burnt.timing is not None
    assert burnt.timing.burnout_at_us is not None
    assert abs((burnt.timing.burnout_at_us - EPOCH_US) / 1e6 - truth.burnout_s) < 8.0
    assert (burnt.stated_at_us - EPOCH_US) / 1e6 < truth.burnout_s + 25.0
    launch = said[-1].launch_point
    assert launch is not None
    assert inside(launch.area, truth.launch.latitude_rad, truth.launch.longitude_rad)
    phases = [r.trajectory.phase for r in said if r.trajectory is not None]
    assert list(dict.fromkeys(phases)) == [Phase.BOOST, Phase.COAST, Phase.REENTRY]


def test_reports_chain_round_trip_and_keep_their_rate() -> None:
    said = _run(scans(flight(), [RADAR]), [RADAR])
    for before, after in pairwise(said):
        assert after.supersedes == before.report_id
    assert len({report.report_id for report in said}) == len(said)
    assert len(said) < (said[-1].stated_at_us - said[0].stated_at_us) / 1e6 + 10
    assert all(decode(encode(report)) == report for report in said)
    assert all(report.impact is None and report.raw_measurement is None for report in said)


@pytest.mark.parametrize(
    ("burn_s", "speed_m_s", "angle_rad", "beta"),
    [(60.0, 1_900.0, 1.0, 2_000.0), (95.0, 3_200.0, 1.1, 6_000.0), (150.0, 4_600.0, 1.3, 3_000.0)],
)
def test_coast_statements_are_honest(burn_s: float, speed_m_s: float, angle_rad: float, beta: float) -> None:
    truth = flight(burn_s=burn_s, speed_m_s=speed_m_s, angle_rad=angle_rad, beta=beta, latitude_deg=38.6)
    errors = []
    for seed in range(4):
        said = _run(scans(truth, [RADAR], seed, until_s=burn_s + 160.0), [RADAR], 1)
        assert len({report.track for report in said}) == 1
        coast = [r for r in said if r.provenance is not None and r.provenance.transform == "coast-batch"]
        errors += [_normalised(report, truth) for report in coast[::10]]
        assert all(report.covariance is not None and not report.covariance.process_noise for report in coast)
    assert 0.4 < float(np.mean(errors)) < 1.8


def test_thrust_is_possible_until_burnout() -> None:
    truth = flight(burn_s=120.0, speed_m_s=3_500.0, angle_rad=1.2)
    for report in _run(scans(truth, [RADAR, SECOND], until_s=119.0), [RADAR, SECOND], 1):
        assert report.classification is not None
        assert report.classification.thrust_possible
        assert report.covariance is not None
        assert report.covariance.process_noise


def test_salvo_of_six_stays_six() -> None:
    truths = [flight(longitude_deg=126.0 + 0.01 * i, bearing_rad=1.5 + 0.02 * i) for i in range(6)]
    sensors: list[Radar | InfraredSensor] = [RADAR, SECOND, INFRARED]
    merged: dict[int, list[Detection]] = {}
    for i, truth in enumerate(truths):
        for at_us, seen in scans(truth, sensors, i, launch_us=EPOCH_US + 7_000_000 * i, until_s=200.0):
            merged.setdefault(at_us, []).extend(seen)
    said = _run(sorted(merged.items()), sensors, 3)
    assert len(_names(said)) == 6


def test_a_pull_up_is_a_manoeuvre_of_the_same_track() -> None:
    truth = flight(burn_s=60.0, speed_m_s=1_800.0, angle_rad=0.6, lift_m_s2=40.0, latitude_deg=38.6)
    said = _run(scans(truth, [RADAR, SECOND]), [RADAR, SECOND])
    assert len(_names(said)) == 1
    last = said[-1]
    assert last.classification is not None
    assert last.classification.manoeuvring
    assert last.covariance is not None
    assert last.covariance.process_noise
    free = flight(burn_s=60.0, speed_m_s=1_800.0, angle_rad=0.6, latitude_deg=38.6)
    plain = _run(scans(free, [RADAR, SECOND]), [RADAR, SECOND])
    assert len(plain) > 50
    assert not any(r.classification is not None and r.classification.manoeuvring for r in plain)


def test_false_plots_make_no_track() -> None:
    random = np.random.default_rng(4)
    feed: Scans = []
    for second in range(120):
        at_us = EPOCH_US + second * 1_000_000
        count = int(random.poisson(0.5))
        feed.append(
            (
                at_us,
                [
                    Plot(
                        "kor-1",
                        at_us,
                        float(random.uniform(5e4, 9e5)),
                        float(random.uniform(0.0, 6.28)),
                        float(random.uniform(0.03, 1.0)),
                    )
                    for _ in range(count)
                ],
            )
        )
    confirmed = [report for report in _run(feed, [RADAR]) if _status(report) is Status.CONFIRMED]
    assert confirmed == []


def test_order_of_arrival_within_a_second_changes_nothing() -> None:
    sensors: list[Radar | InfraredSensor] = [RADAR, SECOND, INFRARED]
    feed = scans(flight(), sensors, until_s=150.0)
    turned: Scans = [(at_us, seen[::-1]) for at_us, seen in feed]
    assert [encode(r) for r in _run(feed, sensors)] == [encode(r) for r in _run(turned, sensors)]


def test_late_plots_are_used_at_their_own_time() -> None:
    truth = flight()
    feed = scans(truth, [RADAR, SECOND], until_s=180.0)
    late: Scans = []
    for i, (at_us, seen) in enumerate(feed):
        held = [one for one in feed[i - 4][1] if one.sensor == "kor-2"] if i >= 4 else []
        late.append((at_us, [one for one in seen if one.sensor == "kor-1"] + held))
    said = _run(late, [RADAR, SECOND], 1)
    assert len(_names(said)) == 1
    assert _normalised(said[-1], truth) < 3.0
    alone = _run(scans(truth, [RADAR], until_s=180.0), [RADAR], 1)
    assert np.trace(covariance_of(said[-1])[:3, :3]) < 0.7 * np.trace(covariance_of(alone[-1])[:3, :3])


def test_a_lost_track_grows_and_is_found_again() -> None:
    truth = flight(burn_s=95.0, speed_m_s=3_200.0, angle_rad=1.1)
    feed = scans(truth, [RADAR], until_s=320.0)
    gap: Scans = [(at, [] if 180 < (at - EPOCH_US) / 1e6 < 260 else seen) for at, seen in feed]
    said = _run(gap, [RADAR], 1)
    assert len({report.track for report in said}) == 1
    lost = [report for report in said if _status(report) is Status.LOST]
    assert np.trace(covariance_of(lost[-1])) > np.trace(covariance_of(lost[0]))
    assert lost[-1].trajectory is not None
    assert (lost[-1].trajectory.epoch_us - EPOCH_US) / 1e6 > 240.0
    assert _status(said[-1]) is Status.CONFIRMED


def test_one_lost_under_thrust_is_not_carried_far() -> None:
    truth = flight(burn_s=120.0, speed_m_s=4_000.0, angle_rad=0.9)
    said = _run(scans(truth, [RADAR], until_s=100.0), [RADAR], 300)
    lost = [report for report in said if _status(report) is Status.LOST]
    assert len(lost) > 10
    assert lost[-1].trajectory is not None
    assert 120.0 < (lost[-1].trajectory.epoch_us - EPOCH_US) / 1e6 < 135.0
    assert np.linalg.norm(state_of(lost[-1])[3:6]) < 6_000.0


def test_names_differ_by_secret_and_by_start() -> None:
    feed = scans(flight(), [RADAR], until_s=90.0)
    names = set()
    for secret, skip in ((b"a" * 32, 0), (b"b" * 32, 0), (b"a" * 32, 80)):
        tracker = Tracker([RADAR], KOR, secret)
        for now_us, detections in feed[skip:]:
            tracker.add(detections, now_us)
            names |= {report.track for report in tracker.step(now_us)}
    assert len(names) == 3
    assert all(name.startswith("KOR-") for name in names)


def test_bounds_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING_MAX", 10)
    tracker = Tracker([RADAR], KOR, b"s" * 32)
    seen = [one for _, detections in scans(flight(), [RADAR]) for one in detections]
    tracker.add(seen, EPOCH_US)
    assert tracker.overflowed == len(seen) - 10

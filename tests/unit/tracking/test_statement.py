"""Names are keyed and differ; a track becomes a report."""

import numpy as np

from beaconfire.messages.detection import Plot
from beaconfire.messages.words import Mode, Status
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from beaconfire.tracking.statement import NAMES_MAX, Names, Speaker, statement
from beaconfire.tracking.track import Track
from tracking_truth import EPOCH_US, INFRARED, KOR, WATCH_ECEF_M, flight, sight

PLOT = Plot("kor-1", EPOCH_US, 5e5, 1.0, 0.2)


def test_names_are_keyed_and_never_twice() -> None:
    names, other = Names(KOR, b"a" * 32), Names(KOR, b"b" * 32)
    first = names.track(PLOT)
    assert first == Names(KOR, b"a" * 32).track(PLOT)
    assert first != other.track(PLOT)
    assert names.track(PLOT) != first


def test_used_names_are_bounded() -> None:
    names = Names(KOR, b"a" * 32)
    for i in range(NAMES_MAX + 10):
        names.track(Plot("kor-1", EPOCH_US + i, 5e5, 1.0, 0.2))
    assert len(names._used) == NAMES_MAX


def test_digest_keeps_its_parts_apart() -> None:
    names = Names(KOR, b"a" * 32)
    assert names.digest(b"ab", b"c") != names.digest(b"a", b"bc")


def test_lines_alone_state_a_launch_and_no_motion() -> None:
    table = sensor_table([INFRARED])
    line = sight(INFRARED, flight().at(33.0), EPOCH_US, np.random.default_rng(1))
    track = Track("KOR-000001", line, EPOCH_US)
    row = row_from_detection(line, 0, EPOCH_US)
    track.keep_sight(row)
    track.note(row, table)
    speaker = Speaker(KOR, Mode.SIMULATED, "test", (INFRARED,))
    report = statement(track, speaker, Names(KOR, b"a" * 32), EPOCH_US + 5)
    assert report.trajectory is None
    assert report.covariance is None
    assert report.launch_point is not None
    assert report.classification is not None
    assert report.classification.status is Status.TENTATIVE
    assert report.classification.thrust_possible
    assert report.sensor is not None
    assert report.sensor.kinds == ("ir",)
    assert report.stated_at_us == EPOCH_US + 5
    assert len(report.report_id) == 32
    assert np.linalg.norm(WATCH_ECEF_M) > 4e7

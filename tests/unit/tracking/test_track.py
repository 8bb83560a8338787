"""The life of a track."""

import numpy as np
import pytest

from beaconfire.messages.words import Status
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from beaconfire.tracking.track import SIGHTS_MAX, Track
from tracking_truth import EPOCH_US, INFRARED, flight, sight

TABLE = sensor_table([INFRARED])


def _track(lines: int) -> Track:
    random = np.random.default_rng(1)
    seen = [sight(INFRARED, flight().at(30.0), EPOCH_US + i * 10**6, random) for i in range(lines)]
    track = Track("KOR-000001", seen[0], EPOCH_US)
    for one in seen:
        row = row_from_detection(one, 0, EPOCH_US)
        track.keep_sight(row)
        track.note(row, TABLE)
    return track


@pytest.mark.parametrize(
    ("lines", "quiet_s", "status"),
    [
        (1, 1, Status.TENTATIVE),
        (1, 20, Status.WITHDRAWN),
        (5, 1, Status.TENTATIVE),
        (5, 20, Status.LOST),
        (5, 2_000, Status.ENDED),
    ],
)
def test_status_of_lines_alone(lines: int, quiet_s: int, status: Status) -> None:
    track = _track(lines)
    track.judge(track.observed_at_us() + quiet_s * 10**6)
    assert track.status is status


def test_lines_are_bounded_and_the_first_stays() -> None:
    track = _track(SIGHTS_MAX + 20)
    assert len(track.sights) == SIGHTS_MAX
    assert track.sights[0][0] == 0.0
    assert track.detections == SIGHTS_MAX + 20


def test_one_line_is_not_yet_said() -> None:
    assert not _track(1).speakable()
    assert _track(2).speakable()
    assert _track(2).thrust_possible()
    assert _track(2).impact_s() == float("inf")

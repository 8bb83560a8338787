"""Two parts of one flight are joined, parts of two are not."""

import math

import numpy as np

from beaconfire.messages.words import Status
from beaconfire.tracking.initiation import fit_triple
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from beaconfire.tracking.motion import Motion
from beaconfire.tracking.stitch import (
    freely,
    joint_cost,
    may_join,
    same_flight,
    same_source,
    stalled,
    within_reach,
)
from beaconfire.tracking.track import Track
from tracking_truth import EPOCH_US, INFRARED, Flight, flight, plot, radar, sight

RADAR = radar(minimum_elevation_rad=-0.2)
TABLE = sensor_table([RADAR, INFRARED])
TRUTH = flight()
OTHER = flight(longitude_deg=127.5, bearing_rad=1.9)


def _motion(truth: Flight, start_s: int, end_s: int) -> Motion:
    random, rows = np.random.default_rng(8), []
    for second in range(start_s, end_s):
        seen = plot(RADAR, truth.at(float(second)), EPOCH_US + second * 10**6, random)
        assert seen is not None
        rows.append(row_from_detection(seen, 0, EPOCH_US))
    fitted = fit_triple(tuple(rows[:3]), TABLE)
    assert fitted is not None
    motion = Motion(fitted[1], TABLE)
    for row in rows[3:]:
        motion.take(row)
        motion.solve()
    return motion


def _lines(truth: Flight, start_s: int, end_s: int) -> list[np.ndarray]:
    random = np.random.default_rng(6)
    return [
        row_from_detection(sight(INFRARED, truth.at(float(s)), EPOCH_US + s * 10**6, random), 1, EPOCH_US)
        for s in range(start_s, end_s)
    ]


def test_lines_belong_to_the_flight_they_came_from() -> None:
    later = _motion(TRUTH, 90, 115)
    assert same_source(_lines(TRUTH, 40, 80), later) is not None
    assert same_source(_lines(OTHER, 40, 80), later) is None


def test_coast_goes_on_after_a_gap() -> None:
    old = _motion(TRUTH, 90, 125)
    assert same_flight(old, _motion(TRUTH, 200, 215), doubled=False) is not None
    assert same_flight(old, _motion(OTHER, 200, 215), doubled=False) is None


def test_coast_goes_back_to_a_track_lost_in_boost() -> None:
    old = _motion(TRUTH, 50, 75)
    assert old.burnout_s is None
    own = same_flight(old, _motion(TRUTH, 150, 190), doubled=False)
    far = same_flight(old, _motion(OTHER, 150, 190), doubled=False)
    assert own is not None
    assert own < 12.0
    assert far is None or far > 2.0 * own


def test_double_and_stall() -> None:
    old = _motion(TRUTH, 90, 125)
    assert same_flight(old, _motion(TRUTH, 121, 125), doubled=True) is not None
    assert same_flight(old, _motion(OTHER, 121, 125), doubled=True) is None
    assert stalled(old, _motion(TRUTH, 126, 130))
    assert not stalled(old, _motion(TRUTH, 121, 124))
    assert freely(old, _motion(TRUTH, 126, 130), 0.0)


def _track(name: str, motion: Motion, first_s: int) -> Track:
    seen = plot(RADAR, TRUTH.at(float(first_s)), EPOCH_US + first_s * 10**6, np.random.default_rng(1))
    assert seen is not None
    track = Track(name, seen, EPOCH_US)
    track.motion = motion
    track.newest_s = motion.newest_s
    return track


def test_what_was_seen_side_by_side_is_never_asked_about() -> None:
    old, beside, after = (_motion(TRUTH, *span) for span in ((90, 125), (100, 130), (200, 215)))
    tracks = [_track("a", old, 90), _track("b", beside, 100), _track("c", after, 200)]
    may = may_join(tracks)
    assert np.argwhere(may).tolist() == [[0, 2], [1, 2]]
    assert joint_cost(tracks[0], tracks[1]) is None
    assert joint_cost(tracks[0], tracks[2]) is not None
    # An arc that begins late does not make the track one that began late.
    beside.rows = [row for row in beside.rows if row[0] >= 124.0]
    assert not may_join(tracks)[0, 1]
    assert joint_cost(tracks[0], tracks[1]) is None


def test_what_may_not_be_asked_has_no_cost() -> None:
    motions = [_motion(TRUTH, *span) for span in ((90, 115), (112, 130), (150, 170))]
    tracks = [_track(str(n), motion, round(motion.began_s)) for n, motion in enumerate(motions)]
    tracks[2].status = Status.WITHDRAWN
    may = may_join(tracks)
    for a, old in enumerate(tracks):
        for b, new in enumerate(tracks):
            if a != b and not may[a, b]:
                assert joint_cost(old, new) is None
    assert not may[:, 2].any()
    assert not may[2].any()


def test_none_is_passed_over_that_could_be_joined() -> None:
    """Side by side from touching to far apart: what `within_reach` leaves out has no cost."""
    olds = []
    for number, aside_m in enumerate((0.0, 300.0, 3e3, 2e4, 1e5, 1e6)):
        motion = _motion(flight(), 60, 75)
        motion.state = motion.state.copy()
        motion.state[:3] += aside_m / math.sqrt(3.0)
        olds.append(_track(f"KOR-{number}", motion, 60))
    new = _track("KOR-9", _motion(flight(), 80, 92), 80)
    kept = within_reach(olds, new)
    assert all(joint_cost(old, new) is None for old in olds if old not in kept)
    assert olds[0] in kept
    assert len(kept) < len(olds)


def test_a_covariance_beyond_all_bounds_is_compared_all_the_same() -> None:
    old, new = _motion(TRUTH, 60, 75), _motion(TRUTH, 80, 92)
    for size in (1e60, 1e160):
        old.covariance = np.full((10, 10), size)
        costs = (same_flight(old, new, doubled=False), same_flight(old, new, doubled=True))
        assert all(cost is None or math.isfinite(cost) for cost in costs)

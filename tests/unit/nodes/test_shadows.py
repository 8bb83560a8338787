"""Pictures for comparison: twenty reports a second at most, the newest of each track, in turn."""

import msgspec
import pytest

from beaconfire.fusion.source import Source
from beaconfire.nodes.shadows import AT_ONCE, BEHIND_MAX, PERIOD_US, SAVED_UP_US, Behind
from release_world import report

SECOND_US = 1_000_000
MANY = 60


def source(track: int, number: int = 0) -> Source:
    return Source(msgspec.structs.replace(report(number), track=f"KOR-{track:04X}"), (), 0)


def drained(behind: Behind, monotonic_us: int) -> list[str]:
    """Return the tracks that are taken at a time, as often as the node is called then."""
    taken: list[str] = []
    while group := behind.take(monotonic_us):
        assert len(group) <= AT_ONCE
        taken += [one.report.track for one in group]
    return taken


@pytest.mark.parametrize(("tracks", "speed", "each"), [(20, 1.0, 1), (MANY, 1.0, 3), (MANY, 3.0, 1)])
def test_each_track_has_its_turn(tracks: int, speed: float, each: int) -> None:
    behind, counts = Behind(speed), dict.fromkeys((f"KOR-{one:04X}" for one in range(tracks)), 0)
    seconds = 30
    for second in range(seconds):
        for number in range(tracks):
            behind.put(source(number, second))
        for moment_us in range(0, SECOND_US, PERIOD_US // 4):
            for track in drained(behind, second * SECOND_US + moment_us):
                counts[track] += 1
    assert set(counts.values()) <= {seconds // each, seconds // each - 1, seconds // each + 1}


def test_the_newest_of_a_track_waits_in_its_place() -> None:
    behind = Behind()
    for one in (source(1, 1), source(2, 1), source(1, 2)):
        behind.put(one)
    assert behind.take(SECOND_US) == [source(1, 2), source(2, 1)]
    assert behind.due_us() is None


def test_what_was_not_taken_is_saved_up_for_a_second_and_no_longer() -> None:
    behind = Behind()
    for track in range(MANY):
        behind.put(source(track))
    start_us = 100 * SECOND_US
    assert len(drained(behind, start_us)) == SAVED_UP_US // PERIOD_US
    assert behind.due_us() == start_us + PERIOD_US
    assert drained(behind, start_us + PERIOD_US - 1) == []
    assert len(drained(behind, start_us + PERIOD_US)) == 1


def test_what_waits_is_bounded() -> None:
    behind = Behind()
    for track in range(BEHIND_MAX + 1):
        behind.put(source(track))
    assert len(behind) == BEHIND_MAX
    assert behind.take(SECOND_US)[0].report.track == "KOR-0001", "the one that waited longest is left out"

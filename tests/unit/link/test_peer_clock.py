import pytest
from hypothesis import given
from hypothesis import strategies as st

from beaconfire.link.peer_clock import EXCHANGES, FLAGGED_US, PeerClock
from beaconfire.messages.words import ClockQuality

T0_US = 1_664_835_785_000_000
DAY_US = 24 * 3_600 * 1_000_000


def exchange(clock: PeerClock, off_us: int, there_us: int, back_us: int, at_us: int = T0_US) -> None:
    clock.take(at_us, at_us + there_us + off_us, at_us + there_us + back_us)


def test_nothing_is_said_before_the_first_answer() -> None:
    clock = PeerClock()
    assert clock.offset_us is None
    assert clock.offset_ms is None
    assert clock.changed() is None


@given(st.integers(-DAY_US, DAY_US), st.integers(0, 500_000), st.integers(0, 500_000))
def test_the_offset_is_right_to_half_the_delay_and_never_surely_more_than_it_is(
    off_us: int, there_us: int, back_us: int
) -> None:
    clock = PeerClock()
    exchange(clock, off_us, there_us, back_us)
    assert clock.offset_us is not None
    assert abs(clock.offset_us - off_us) <= (there_us + back_us) // 2 + 1
    assert clock.surely_off_us <= abs(off_us) + 1


def test_of_several_the_one_of_least_delay_counts_and_old_ones_go() -> None:
    clock = PeerClock()
    exchange(clock, 5_000, 300_000, 1_000)
    exchange(clock, 5_000, 1_000, 1_000)
    exchange(clock, 5_000, 1_000, 300_000)
    assert clock.offset_ms == 5.0
    for _ in range(EXCHANGES):
        exchange(clock, 7_000, 10_000, 10_000)
    assert clock.offset_ms == 7.0


def test_it_is_flagged_once_over_the_limit_and_once_when_it_is_well_again() -> None:
    clock = PeerClock()
    exchange(clock, FLAGGED_US + 2_000, 500, 500)
    assert clock.changed() is True
    assert clock.changed() is None
    for _ in range(EXCHANGES):
        exchange(clock, 10_000, 400, 400)
    assert clock.changed() is False


def test_a_slow_way_alone_flags_nothing() -> None:
    clock = PeerClock()
    exchange(clock, 0, 2_000_000, 0)
    assert clock.changed() is None


@pytest.mark.parametrize(
    ("one_us", "other_us", "quality"),
    [
        (0, 50_000, ClockQuality.GOOD),
        (-60_000, 60_000, ClockQuality.FLAGGED),
        (900_000, -50_000, ClockQuality.FLAGGED),
        (900_000, -200_000, ClockQuality.BARRED),
        (DAY_US, 0, ClockQuality.BARRED),
        (0, -DAY_US, ClockQuality.BARRED),
        (DAY_US, DAY_US, ClockQuality.GOOD),
    ],
)
def test_two_peers_are_held_against_each_other(one_us: int, other_us: int, quality: ClockQuality) -> None:
    one, other = PeerClock(), PeerClock()
    assert one.apart_from(other) is ClockQuality.UNKNOWN
    exchange(one, one_us, 2_000, 3_000)
    assert one.apart_from(other) is ClockQuality.UNKNOWN
    exchange(other, other_us, 1_000, 1_000)
    assert one.apart_from(other) is quality
    assert other.apart_from(one) is quality


def test_a_slow_way_bars_nobody() -> None:
    one, other = PeerClock(), PeerClock()
    exchange(one, 0, 1_900_000, 0)
    exchange(other, 0, 0, 1_900_000)
    assert one.apart_from(other) is ClockQuality.GOOD


def test_a_clock_that_was_set_is_known_at_the_next_answer() -> None:
    one, other = PeerClock(), PeerClock()
    exchange(other, 0, 1_000, 1_000)
    exchange(one, 0, 500, 500)
    for _ in range(3):
        exchange(one, 5_000_000, 3_000, 3_000)
        assert one.apart_from(other) is ClockQuality.BARRED
    exchange(one, 0, 3_000, 3_000)
    assert one.apart_from(other) is ClockQuality.GOOD

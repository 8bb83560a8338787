import msgspec

from beaconfire.link.liveness import ANSWER_WAIT_US, OUTSTANDING_MAX, PROBE_PERIOD_US, Liveness
from beaconfire.messages.transfer import Probe
from beaconfire.messages.words import HUB, Lane


def pair() -> tuple[Liveness, Liveness]:
    return Liveness("KOR", HUB), Liveness(HUB, "KOR")


def answered(asker: Liveness, other: Liveness, at_us: int, after_us: int = 4_000) -> list[Lane]:
    lanes = []
    for probe in asker.probes(at_us):
        echo = other.answer(probe, utc_us=0)
        assert echo is not None
        if asker.echoed(echo, lane=echo.lane, monotonic_us=at_us + after_us):
            lanes.append(echo.lane)
    return lanes


def test_each_lane_is_asked_once_a_second() -> None:
    own, _ = pair()
    assert [probe.lane for probe in own.probes(0)] == list(Lane)
    assert own.probes(PROBE_PERIOD_US - 1) == ()
    assert [probe.number for probe in own.probes(PROBE_PERIOD_US)] == [2, 2]


def test_a_lane_is_down_until_an_answer_comes_and_once_answers_stay_away() -> None:
    own, other = pair()
    assert not own.any_up(0)
    assert answered(own, other, 0) == list(Lane)
    assert own.up(Lane.FLASH, ANSWER_WAIT_US)
    assert own.up(Lane.FLASH, 4_000 + ANSWER_WAIT_US)
    assert not own.up(Lane.FLASH, 4_001 + ANSWER_WAIT_US)


def test_changes_are_told_once() -> None:
    own, other = pair()
    assert own.changes(0) == ()
    answered(own, other, 0)
    assert [(one.lane, one.up) for one in own.changes(10_000)] == [(lane, True) for lane in Lane]
    assert own.changes(20_000) == ()
    assert [one.up for one in own.changes(10**8)] == [False, False]


def test_health_says_round_trip_silence_and_queue() -> None:
    own, other = pair()
    flash, routine = own.health({}, 0)
    assert (flash.up, flash.round_trip_ms, flash.silent_for_s, flash.queued) == (False, None, None, 0)
    answered(own, other, 0, after_us=7_000)
    own.heard(Lane.FLASH, 7_000)
    flash, routine = own.health({Lane.FLASH: 3}, 1_007_000)
    assert (flash.up, flash.round_trip_ms, flash.silent_for_s, flash.queued) == (True, 7.0, 1.0, 3)
    assert routine.silent_for_s is None


def test_only_the_answer_to_an_open_question_counts() -> None:
    own, other = pair()
    probe = own.probes(0)[0]
    echo = other.answer(probe, utc_us=1)
    assert echo is not None
    wrong = (
        probe,
        msgspec.structs.replace(echo, number=77),
        msgspec.structs.replace(echo, sender="JPN"),
        msgspec.structs.replace(echo, recipient="JPN"),
        msgspec.structs.replace(echo, lane=Lane.ROUTINE),
    )
    assert not any(own.echoed(one, lane=Lane.FLASH, monotonic_us=5) for one in wrong)
    assert not own.echoed(echo, lane=Lane.ROUTINE, monotonic_us=5)
    assert own.echoed(echo, lane=Lane.FLASH, monotonic_us=5)
    assert not own.echoed(echo, lane=Lane.FLASH, monotonic_us=6)


def test_questions_of_others_and_echoes_are_not_answered() -> None:
    own, other = pair()
    stranger = Probe("JPN", HUB, Lane.FLASH, 1, 0, echo=False)
    assert other.answer(stranger, utc_us=0) is None
    echo = other.answer(own.probes(0)[0], utc_us=0)
    assert echo is not None
    assert own.answer(echo, utc_us=0) is None


def test_a_forged_clock_in_the_echo_does_not_change_the_round_trip() -> None:
    own, other = pair()
    echo = other.answer(own.probes(1_000)[0], utc_us=0)
    assert echo is not None
    own.echoed(
        msgspec.structs.replace(echo, sent_monotonic_us=-(10**15)), lane=Lane.FLASH, monotonic_us=3_000
    )
    assert own.health({}, 3_000)[0].round_trip_ms == 2.0


def test_open_questions_are_bounded() -> None:
    own, other = pair()
    first = own.probes(0)[0]
    for second in range(1, OUTSTANDING_MAX + 1):
        own.probes(second * PROBE_PERIOD_US)
    echo = other.answer(first, utc_us=0)
    assert echo is not None
    assert not own.echoed(echo, lane=Lane.FLASH, monotonic_us=10**8)

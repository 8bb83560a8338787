from beaconfire.nodes.repetition import CODES_MAX, NOTICE_PERIOD_US, Repetition


def test_the_first_is_said_and_one_a_period_stands_for_the_rest() -> None:
    repetition = Repetition()
    assert [repetition.count_to_say("gap", at_us) for at_us in (0, 1, 2, NOTICE_PERIOD_US - 1)] == [
        1,
        0,
        0,
        0,
    ]
    assert repetition.count_to_say("gap", NOTICE_PERIOD_US) == 4
    assert repetition.count_to_say("gap", 2 * NOTICE_PERIOD_US) == 1


def test_codes_do_not_hold_each_other_back_and_too_many_are_all_said() -> None:
    repetition = Repetition()
    assert all(repetition.count_to_say(f"code {n}", 0) == 1 for n in range(CODES_MAX))
    assert [repetition.count_to_say("one more", 0) for _ in range(3)] == [1, 1, 1]

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


def test_what_was_held_back_last_is_said_once_its_period_is_over() -> None:
    repetition = Repetition()
    assert repetition.left_to_say("gap", 0) == 0, "never said"
    assert repetition.count_to_say("gap", 0) == 1
    assert repetition.left_to_say("gap", NOTICE_PERIOD_US) == 0, "nothing was held back"
    assert [repetition.count_to_say("gap", at_us) for at_us in (1, 2)] == [0, 0]
    assert repetition.left_to_say("gap", NOTICE_PERIOD_US - 1) == 0
    assert repetition.left_to_say("gap", NOTICE_PERIOD_US) == 2
    assert repetition.count_to_say("gap", NOTICE_PERIOD_US + 1) == 0, "that was said, too"

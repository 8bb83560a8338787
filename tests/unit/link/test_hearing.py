from beaconfire.link.hearing import ALONE_AGAIN_US, SILENT_US, Hearing
from beaconfire.messages.words import HUB, HUB_INSTANCES, Lane

ONE, TWO = HUB_INSTANCES
NONE: frozenset[str] = frozenset()


def test_it_is_too_early_to_say_before_the_limit() -> None:
    hearing = Hearing([HUB])
    assert hearing.look(0) is None
    assert hearing.look(SILENT_US) is None
    assert hearing.look(SILENT_US + 1) == (True, NONE)


def test_the_first_word_is_told_and_silence_after_it() -> None:
    hearing = Hearing([HUB])
    hearing.look(0)
    hearing.hear(HUB, Lane.FLASH, 10)
    assert hearing.look(10) == (False, NONE)
    assert hearing.look(20) is None
    assert hearing.look(SILENT_US + 11) == (True, NONE)
    assert hearing.look(SILENT_US + 12) is None
    assert hearing.look(SILENT_US + 11 + ALONE_AGAIN_US) == (True, NONE)


def test_one_of_two_is_enough_and_the_other_is_named() -> None:
    hearing = Hearing(HUB_INSTANCES)
    hearing.look(0)
    hearing.hear(ONE, Lane.FLASH, 0)
    hearing.hear(TWO, Lane.ROUTINE, 0)
    assert hearing.look(0) == (False, NONE)
    hearing.hear(ONE, Lane.FLASH, SILENT_US)
    assert hearing.look(SILENT_US + 1) == (None, frozenset({TWO}))
    assert hearing.look(2 * SILENT_US + 1) == (True, NONE)
    hearing.hear(TWO, Lane.FLASH, 2 * SILENT_US + 2)
    assert hearing.look(2 * SILENT_US + 2) == (False, frozenset({ONE}))
    hearing.hear(ONE, Lane.FLASH, 2 * SILENT_US + 3)
    assert hearing.look(2 * SILENT_US + 3) == (None, NONE)


def test_each_lane_of_each_instance_has_its_state() -> None:
    hearing = Hearing(HUB_INSTANCES)
    hearing.hear(ONE, Lane.FLASH, 5)
    health = hearing.health(1_000_005)
    assert [(one.peer, one.lane, one.up, one.silent_for_s) for one in health if one.up] == [
        (ONE, Lane.FLASH, True, 1.0)
    ]
    assert len(health) == 4

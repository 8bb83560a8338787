from beaconfire.link.restart import ANSWER_PERIOD_US, ASK_PERIOD_US, ASKED_MOST, Answering, Asking
from beaconfire.messages.transfer import Restarted
from beaconfire.messages.words import HUB_INSTANCES

ONE, TWO = HUB_INSTANCES


def test_each_peer_is_asked_once_a_period_when_it_is_heard_until_it_answers() -> None:
    asking = Asking("JPN", HUB_INSTANCES)
    word = Restarted("JPN", ONE)
    assert asking.heard(ONE, 5) == (word,)
    assert asking.heard(ONE, 5 + ASK_PERIOD_US - 1) == ()
    assert asking.heard(ONE, 5 + ASK_PERIOD_US) == (word,)
    asking.answered(ONE)
    assert asking.heard(ONE, 99 * ASK_PERIOD_US) == ()
    assert asking.heard(TWO, 99 * ASK_PERIOD_US) == (Restarted("JPN", TWO),), "one answers for no other"
    assert asking.heard("USA", 0) == ()


def test_a_peer_that_never_answers_is_not_asked_for_ever() -> None:
    asking = Asking("JPN", HUB_INSTANCES)
    said = [asking.heard(ONE, turn * ASK_PERIOD_US) for turn in range(2 * ASKED_MOST)]
    assert sum(map(bool, said)) == ASKED_MOST


def test_a_peer_that_asks_all_the_time_is_answered_now_and_then() -> None:
    answering = Answering()
    answered = [answering.may(at_us) for at_us in range(0, 2 * ANSWER_PERIOD_US, ANSWER_PERIOD_US // 10)]
    assert sum(answered) == 2

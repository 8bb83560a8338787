from beaconfire.link.restart import ANSWER_PERIOD_US, ASKED_TIMES, Answering, Asking
from beaconfire.messages.transfer import Restarted
from beaconfire.messages.words import HUB_INSTANCES

ONE, TWO = HUB_INSTANCES


def test_each_peer_is_asked_a_few_times_when_it_is_heard_and_no_more() -> None:
    asking = Asking("JPN", HUB_INSTANCES)
    assert asking.heard(ONE) == (Restarted("JPN", ONE),)
    said = [asking.heard(ONE) for _ in range(5)]
    assert sum(map(bool, said)) == ASKED_TIMES - 1
    assert asking.heard(TWO) == (Restarted("JPN", TWO),)
    assert asking.heard("USA") == ()


def test_a_peer_that_asks_all_the_time_is_answered_now_and_then() -> None:
    answering = Answering()
    answered = [answering.may(at_us) for at_us in range(0, 2 * ANSWER_PERIOD_US, ANSWER_PERIOD_US // 10)]
    assert sum(answered) == 2

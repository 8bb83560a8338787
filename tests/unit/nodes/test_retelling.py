"""What is told within a nation is told again, later and later, within bounds, and at once after a start."""

from beaconfire.messages.event import Event
from beaconfire.messages.words import Status
from beaconfire.nodes.commands import Now
from beaconfire.nodes.retelling import FIRST_US, FOR_US, HEARD_MAX, KEYS_MAX, LastHeard, Retelling
from picture_world import bare_event

LONGEST_US = 4 * FIRST_US


def event(event_id: str = "e1", revision: int = 1) -> Event:
    return bare_event(event_id=event_id, revision=revision, status=Status.ENDED)


def at(us: int) -> Now:
    return Now(us, us)


def times(retelling: Retelling[Event], until_us: int) -> list[int]:
    return [us for us in range(0, until_us, FIRST_US // 2) if retelling.due(at(us))]


def test_the_last_word_is_told_again_less_and_less_often_and_for_a_time() -> None:
    retelling: Retelling[Event] = Retelling(LONGEST_US)
    retelling.tell(event(), at(0), for_us=20 * FIRST_US)
    assert times(retelling, 30 * FIRST_US) == [FIRST_US * n for n in (1, 2, 4, 8, 12, 16)]


def test_a_newer_word_stands_for_it() -> None:
    retelling: Retelling[Event] = Retelling(LONGEST_US)
    for second in range(20):
        assert retelling.due(at(second * 1_000_000)) == []
        retelling.tell(event(revision=second), at(second * 1_000_000))
    assert retelling.due(at(19_000_000 + FIRST_US)) == [event(revision=19)]
    retelling.forget(["e1"])
    assert retelling.due(at(60 * FIRST_US)) == []


def test_what_stands_until_something_else_is_said_is_told_without_end() -> None:
    retelling: Retelling[Event] = Retelling(FIRST_US)
    retelling.tell(event(), at(0), for_us=None)
    assert len(times(retelling, 2 * FOR_US)) == 2 * FOR_US // FIRST_US - 1


def test_what_was_held_at_the_start_is_told_at_once_unless_it_is_old_or_something_newer_was_said() -> None:
    start = Now(FOR_US + 10, 5)
    held = [(event("old"), 10), (event("new"), 11), (event("said"), FOR_US)]
    retelling: Retelling[Event] = Retelling(LONGEST_US, held)
    retelling.tell(event("said", 2), start)
    assert retelling.due(start) == [event("new")]
    assert retelling.due(Now(start.utc_us, start.monotonic_us + FIRST_US)) == [event("said", 2), event("new")]


def test_it_is_bounded_and_the_longest_unsaid_goes() -> None:
    retelling: Retelling[Event] = Retelling(LONGEST_US)
    for number in range(KEYS_MAX):
        retelling.tell(event(str(number)), at(0))
    retelling.tell(event("0", 2), at(1))
    retelling.tell(event("one more"), at(1))
    told = [one.event_id for one in retelling.due(at(FIRST_US + 1))]
    assert len(told) == KEYS_MAX
    assert "1" not in told
    assert {"0", "one more"} <= set(told)


def test_a_listener_knows_the_last_of_each_again_and_nothing_older() -> None:
    heard = LastHeard()
    assert [heard.is_told_again("a", mark) for mark in (1, 1, 2, 1)] == [False, True, False, False]
    assert not heard.is_told_again("b", 1)
    for number in range(HEARD_MAX):
        heard.is_told_again(str(number), 0)
    assert not heard.is_told_again("b", 1), "the one unheard of for longest is forgotten"

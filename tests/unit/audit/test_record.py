import pytest

from beaconfire.audit.record import AuditLog, Outcome, Passed, Subject, decode_record, flaw_in_log
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.words import Group, Lane

PASSED = Passed(groups=(Group.TIMING, Group.LAUNCH_POINT), degraded=(), basis=("a",), rules=("a/1",))


def log_of(size: int) -> tuple[AuditLog, list[bytes]]:
    log = AuditLog("gave/KOR")
    bodies = []
    for number in range(size):
        subject = Subject("KOR", "JPN", f"id{number}", Lane.FLASH, b"bytes")
        decided = Withheld(Reason.EXPIRED, "expiry", "late") if number % 3 == 0 else PASSED
        bodies.append(log.add(subject, decided, 1_000 + number))
    return log, bodies


def test_each_decision_is_one_record_that_says_what_and_why() -> None:
    _, bodies = log_of(2)
    refused, released = map(decode_record, bodies)
    assert (refused.outcome, refused.reason, refused.rule) == (Outcome.REFUSED, Reason.EXPIRED, "expiry")
    assert (released.outcome, released.reason, released.rule) == (Outcome.RELEASED, None, "a/1")
    assert released.groups == PASSED.groups


def test_a_log_goes_on_where_its_records_end() -> None:
    log, bodies = log_of(5)
    restored = AuditLog("gave/KOR", bodies)
    subject = Subject("KOR", "JPN", "next", Lane.FLASH, b"")
    assert restored.add(subject, PASSED, 9) == log.add(subject, PASSED, 9)


def test_whole_log_has_no_flaw() -> None:
    assert flaw_in_log(log_of(9)[1]) == ""


@pytest.mark.parametrize("index", range(8))
def test_altered_missing_or_reordered_record_is_found(index: int) -> None:
    _, bodies = log_of(9)
    subject = Subject("KOR", "USA", "other", Lane.FLASH, b"")
    altered = AuditLog("x", bodies[:index]).add(subject, PASSED, 5)
    assert flaw_in_log([*bodies[:index], altered, *bodies[index + 1 :]])
    assert flaw_in_log([*bodies[:index], *bodies[index + 1 :]])
    assert flaw_in_log([*bodies[:index], bodies[index + 1], bodies[index], *bodies[index + 2 :]])
    assert flaw_in_log([*bodies[:index], bodies[index][:-1], *bodies[index + 1 :]])

"""What journals say together: lost, doubled, replaced and missing are told apart."""

from collections import Counter

from beaconfire.adapters.reconciliation import Journals, Ways, _gather, reconciled, ways_of
from beaconfire.audit.record import AuditRecord, Outcome
from beaconfire.messages.refusal import Reason
from beaconfire.messages.words import HUB, Lane, Nation

JPN, KOR, USA = Nation("JPN"), Nation("KOR"), Nation("USA")
TRACKS = {"one": (KOR, "KOR-7F3A"), "two": (KOR, "KOR-7F3A"), "other": (KOR, "KOR-0001")}


def record(
    report_id: str,
    recipient: str,
    lane: Lane = Lane.FLASH,
    outcome: Outcome = Outcome.RELEASED,
    reason: Reason | None = None,
) -> AuditRecord:
    return AuditRecord(
        index=0,
        root_before=b"",
        at_us=0,
        outcome=outcome,
        originator=KOR,
        recipient=recipient,
        report_id=report_id,
        lane=lane,
        reason=reason,
        rule="",
        detail="",
        groups=(),
        degraded=(),
        basis=(),
        digest=b"",
    )


def journals(
    *records: AuditRecord, jpn: tuple[str, ...] = (), usa: tuple[str, ...] = (), waiting: tuple[str, ...] = ()
) -> Journals:
    held: dict[tuple[str, str, str], AuditRecord] = {}
    _gather(held, records)
    taken = {JPN: Counter(jpn), KOR: Counter[str](), USA: Counter(usa)}
    return Journals(held, [one.encode() for one in waiting], taken, {})


def both(report_id: str, lane: Lane = Lane.FLASH) -> tuple[AuditRecord, AuditRecord]:
    return record(report_id, JPN, lane), record(report_id, USA, lane)


def test_a_routine_report_is_replaced_once_a_newer_of_its_track_was_taken_there() -> None:
    """A guard that was down never got the report between: the next looks like the last, and goes ROUTINE."""
    held = journals(*both("one", Lane.ROUTINE), *both("two"), jpn=("two",), usa=("one", "two"))
    assert ways_of(held, TRACKS) == Ways(0, 1, ())
    assert reconciled(held).lost == 0


def test_what_could_not_be_read_is_of_no_report() -> None:
    unread = record("", Nation("HUB"), outcome=Outcome.REFUSED, reason=Reason.SCHEMA)
    held = journals(*both("one"), unread, jpn=("one",), usa=("one",))
    assert reconciled(held).acknowledged == 1
    assert reconciled(held).refused == 0


def test_a_flash_report_is_never_replaced() -> None:
    held = journals(*both("one"), *both("two"), jpn=("two",), usa=("one", "two"))
    assert ways_of(held, TRACKS) == Ways(0, 0, (("one", JPN),))
    assert reconciled(held).lost == 1


def test_what_one_instance_sent_flash_is_not_replaced_since_another_sent_it_routine() -> None:
    held = journals(
        *both("one", Lane.ROUTINE), record("one", JPN), *both("two"), jpn=("two",), usa=("one", "two")
    )
    assert ways_of(held, TRACKS).missing == (("one", JPN),)
    assert reconciled(held).lost == 1


def test_nothing_newer_or_only_an_older_or_one_of_another_track_replaces_nothing() -> None:
    held = journals(*both("two", Lane.ROUTINE), usa=("two",))
    assert ways_of(held, TRACKS).missing == (("two", JPN),)
    held = journals(*both("one"), *both("two", Lane.ROUTINE), jpn=("one", "other"), usa=("one", "two"))
    assert ways_of(held, TRACKS).missing == (("two", JPN),)


def test_what_waits_in_an_outbox_is_neither_lost_nor_missing() -> None:
    held = journals(*both("one"), usa=("one",), waiting=("a row with one in it",))
    assert ways_of(held, TRACKS) == Ways(1, 0, ())
    assert reconciled(held).lost == 0


def test_a_refusal_is_missing_but_for_one_of_an_older_report_than_was_taken() -> None:
    refused = record("one", JPN, outcome=Outcome.REFUSED, reason=Reason.REPLAYED)
    held = journals(refused, record("one", USA), *both("two"), jpn=("two",), usa=("one", "two"))
    assert ways_of(held, TRACKS) == Ways(0, 1, ())
    refused = record("one", JPN, outcome=Outcome.REFUSED, reason=Reason.SECOND_CHECK)
    held = journals(refused, record("one", USA), *both("two"), jpn=("two",), usa=("one", "two"))
    assert ways_of(held, TRACKS).missing == (("one", JPN),)


def test_a_report_without_a_decision_towards_a_nation_is_missing() -> None:
    held = journals(record("one", USA), *both("two"), jpn=("two",), usa=("one", "two"))
    assert ways_of(held, TRACKS).missing == (("one", JPN),)


def test_what_was_refused_on_arrival_was_not_acknowledged() -> None:
    """Such as a message that could not be read: it names no report."""
    unread = record("", HUB, outcome=Outcome.REFUSED, reason=Reason.SCHEMA)
    held = journals(unread, *both("one"), jpn=("one",), usa=("one",))
    assert reconciled(held).acknowledged == 1
    assert ways_of(held, TRACKS) == Ways(0, 0, ())


def test_one_taken_twice_is_doubled() -> None:
    assert reconciled(journals(*both("one"), jpn=("one", "one"), usa=("one",))).doubled == 1

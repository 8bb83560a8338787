from collections.abc import Iterable

import msgspec

from beaconfire.link.parallel import ParallelOutbox
from beaconfire.messages.codec import decode
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import HUB, HUB_INSTANCES, Lane
from beaconfire.release import decide
from beaconfire.release.decide import Outgoing, Released

HOUR_US = 3_600_000_000
ONE, TWO = HUB_INSTANCES


def released(report: str, lane: Lane = Lane.FLASH, *, expires_us: int = HOUR_US) -> Released[Outgoing]:
    outgoing = Outgoing(
        report_id=report,
        originator="KOR",
        track=report,
        lane=lane,
        sent_at_us=0,
        stated_at_us=0,
        expires_at_us=expires_us,
        hops=0,
        sealed=b"sealed " + report.encode(),
        basis=(),
        groups=(),
        degraded=(),
        rules=(),
    )
    return Released(outgoing, HUB, decide._TOKEN)


def receipt(hub: str, *numbers: int) -> Receipt:
    return Receipt(hub, "KOR", Lane.FLASH, numbers, (), "", b"")


def made(rows: Iterable[tuple[str, bytes]] = ()) -> ParallelOutbox:
    return ParallelOutbox("KOR", HUB_INSTANCES, rows)


def put(box: ParallelOutbox, one: Released[Outgoing]) -> dict[str, bytes]:
    posted = box.put(one, utc_us=0, monotonic_us=0)
    assert not posted.refused
    return {row.key: row.body for each in posted.puts.values() for row in each.keep}


def test_each_instance_gets_the_same_bytes_under_a_number_of_its_own() -> None:
    box = made()
    put(box, released("a"))
    box.receipt(receipt(ONE, 1))
    posted = box.put(released("b"), utc_us=0, monotonic_us=0)
    found: dict[str, Delivery] = {}
    for hub, each in posted.puts.items():
        assert each.parcel is not None
        message = decode(each.parcel.body)
        assert isinstance(message, Delivery)
        found[hub] = message
    assert {hub: (one.recipient, one.sequence, one.oldest_open) for hub, one in found.items()} == {
        ONE: (ONE, 2, 2),
        TWO: (TWO, 2, 1),
    }
    assert len({one.sealed for one in found.values()}) == 1


def test_a_report_is_delivered_once_however_many_receipt_it() -> None:
    box = made()
    put(box, released("a"))
    assert box.receipt(receipt(ONE, 1)).delivered == ("a",)
    assert box.queued(TWO) == {Lane.FLASH: 1, Lane.ROUTINE: 0}
    second = box.receipt(receipt(TWO, 1))
    assert second.delivered == ()
    assert len(second.forget) == 1
    assert box.receipt(receipt("HUB-9", 1)).forget == ()


def test_one_instance_that_never_receipts_loses_nothing_and_no_instance_at_all_does() -> None:
    box = made()
    put(box, released("taken", expires_us=10))
    put(box, released("alone", expires_us=10))
    box.receipt(receipt(ONE, 1))
    assert box.due(utc_us=20, monotonic_us=0).lost == ("alone",)
    assert box.next_due_us() is None


def test_after_a_restart_what_one_instance_had_receipted_is_known() -> None:
    box = made()
    rows = {**put(box, released("taken", expires_us=10)), **put(box, released("alone", expires_us=10))}
    for key in box.receipt(receipt(ONE, 1)).forget:
        del rows[key]
    again = made(rows.items())
    assert again.queued(ONE)[Lane.FLASH] == 1
    assert again.queued(TWO)[Lane.FLASH] == 2
    assert again.due(utc_us=20, monotonic_us=0).lost == ("alone",)


def test_a_routine_report_that_expired_with_no_instance_is_lost_after_a_restart_too() -> None:
    box = made()
    rows = {
        **put(box, released("taken", Lane.ROUTINE, expires_us=10)),
        **put(box, released("alone", Lane.ROUTINE, expires_us=10)),
    }
    settled = box.receipt(msgspec.structs.replace(receipt(ONE, 1), lane=Lane.ROUTINE))
    for key in settled.forget:
        del rows[key]
    for one in (box, made(rows.items())):
        pending = one.due(utc_us=20, monotonic_us=0)
        assert (pending.lost, pending.lost_routine) == ((), ("alone",))


def test_refused_by_all_is_refused() -> None:
    assert made().put(released("a", expires_us=0), utc_us=5, monotonic_us=0).refused == "expired"


def test_a_link_that_is_back_makes_due_what_is_open_towards_it_alone() -> None:
    box = made()
    put(box, released("a"))
    assert not any(due.parcels for due in box.due(utc_us=0, monotonic_us=1).dues.values())
    box.link_up(TWO, Lane.FLASH)
    dues = box.due(utc_us=0, monotonic_us=1).dues
    assert [len(dues[hub].parcels) for hub in HUB_INSTANCES] == [0, 1]
    assert box.unreceipted_since_us(ONE) == 0

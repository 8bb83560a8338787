import msgspec
import pytest

from beaconfire.link import lane_queue
from beaconfire.link import outbox as module
from beaconfire.link.lane_queue import FIRST_RESEND_US
from beaconfire.link.outbox import (
    LAST_RESEND_US,
    RESEND_WINDOW,
    RESTART_SKIP,
    SEALED_BYTES_MAX,
    Outbox,
    Parcel,
    Put,
)
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES, decode
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import HUB, Lane
from beaconfire.release import decide
from beaconfire.release.decide import Outgoing, Released

HOUR_US = 3_600_000_000


def released(
    report: str,
    lane: Lane = Lane.ROUTINE,
    *,
    track: str = "",
    recipient: str = HUB,
    sent_us: int = 0,
    stated_us: int = 0,
    expires_us: int = HOUR_US,
    size: int = 0,
) -> Released[Outgoing]:
    outgoing = Outgoing(
        report_id=report,
        originator="KOR",
        track=track or f"track of {report}",
        lane=lane,
        sent_at_us=sent_us,
        stated_at_us=stated_us,
        expires_at_us=expires_us,
        hops=0,
        sealed=b"sealed " + report.encode() if size == 0 else bytes(size),
        basis=(),
        groups=(),
        degraded=(),
        rules=(),
    )
    return Released(outgoing, recipient, decide._TOKEN)


class Disk:
    """Applies what an outbox says to a table, as a journal would."""

    def __init__(self) -> None:
        self.table: dict[str, bytes] = {}

    def apply(self, put: Put) -> Put:
        for row in put.keep:
            self.table[row.key] = row.body
        self.forget(put.forget)
        return put

    def forget(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            self.table.pop(key, None)

    def restored(self, sender: str = "KOR", recipient: str = HUB) -> Outbox:
        return Outbox(sender, recipient, self.table.items())


def delivery(parcel: Parcel | None) -> Delivery:
    assert parcel is not None
    message = decode(parcel.body)
    assert isinstance(message, Delivery)
    return message


def receipt(*numbers: int, lane: Lane = Lane.ROUTINE, refused: tuple[int, ...] = ()) -> Receipt:
    return Receipt(HUB, "KOR", lane, numbers, refused, "", b"")


def sequences(box: Outbox, utc_us: int = 0, monotonic_us: int = 0) -> list[tuple[Lane, int]]:
    due = box.due(utc_us=utc_us, monotonic_us=monotonic_us)
    return [(parcel.lane, delivery(parcel).sequence) for parcel in due.parcels]


def put(box: Outbox, one: Released[Outgoing], disk: Disk | None = None, at_us: int = 0) -> Put:
    return (disk or Disk()).apply(box.put(one, utc_us=0, monotonic_us=at_us))


def test_sequences_run_per_lane_and_a_put_is_published_at_once() -> None:
    box = Outbox("KOR", HUB, [])
    first = delivery(put(box, released("a")).parcel)
    second = delivery(put(box, released("b")).parcel)
    flash = delivery(put(box, released("c", Lane.FLASH)).parcel)
    assert (first.sequence, second.sequence, flash.sequence) == (1, 2, 1)
    assert (first.oldest_open, second.oldest_open, flash.oldest_open) == (1, 1, 1)
    assert (first.sender, first.recipient, first.sealed) == ("KOR", HUB, b"sealed a")


def test_a_sequence_is_never_given_twice_even_after_every_row_has_gone() -> None:
    disk = Disk()
    box = Outbox("KOR", HUB, [])
    put(box, released("a"), disk)
    put(box, released("b"), disk)
    disk.forget(box.receipt(receipt(1, 2)).forget)
    assert delivery(put(disk.restored(), released("c")).parcel).sequence == 3 + RESTART_SKIP


def test_what_was_open_is_due_at_once_after_a_restart() -> None:
    disk = Disk()
    box = Outbox("KOR", HUB, [])
    for name in ("a", "b", "c"):
        put(box, released(name), disk, at_us=10**9)
    put(box, released("w", Lane.FLASH), disk, at_us=10**9)
    disk.forget(box.receipt(receipt(2)).forget)
    again = disk.restored()
    assert sequences(again) == [(Lane.FLASH, 1), (Lane.ROUTINE, 3), (Lane.ROUTINE, 1)]


def test_rows_of_another_link_are_passed_over() -> None:
    disk = Disk()
    put(Outbox("KOR", HUB, []), released("a"), disk)
    assert disk.restored("KOR", "JPN").queued(Lane.ROUTINE) == 0
    assert disk.restored("JPN", HUB).queued(Lane.ROUTINE) == 0


def test_a_report_replaces_the_routine_one_of_its_track_and_never_a_flash_one() -> None:
    disk = Disk()
    box = Outbox("KOR", HUB, [])
    put(box, released("f", Lane.FLASH, track="t"), disk)
    put(box, released("a", track="t"), disk)
    put(box, released("b", track="t"), disk)
    put(box, released("other", track="u"), disk)
    assert sequences(disk.restored()) == [(Lane.FLASH, 1), (Lane.ROUTINE, 3), (Lane.ROUTINE, 2)]
    put(box, released("g", Lane.FLASH, track="t"), disk)
    assert sequences(disk.restored()) == [(Lane.FLASH, 1), (Lane.FLASH, 2), (Lane.ROUTINE, 3)]


def test_of_two_sealed_at_one_time_the_one_stated_first_replaces_nothing() -> None:
    disk = Disk()
    box = disk.restored()
    put(box, released("new", track="t", sent_us=7, stated_us=2), disk)
    assert put(box, released("overtaken", track="t", sent_us=7, stated_us=1), disk).forget == ()
    assert sequences(disk.restored()) == [(Lane.ROUTINE, 2), (Lane.ROUTINE, 1)]
    put(box, released("newest", track="t", sent_us=7, stated_us=3), disk)
    assert len(sequences(disk.restored())) == 2


def test_a_late_flash_replaces_no_newer_routine_report_of_its_track() -> None:
    disk = Disk()
    box = disk.restored()
    disk.apply(box.put(released("new", track="a", sent_us=2), utc_us=0, monotonic_us=0))
    late = released("late", Lane.FLASH, track="a", sent_us=1)
    assert disk.apply(box.put(late, utc_us=0, monotonic_us=0)).forget == ()
    assert box.queued(Lane.ROUTINE) == box.queued(Lane.FLASH) == 1
    newer = released("newer", Lane.FLASH, track="a", sent_us=3)
    disk.apply(disk.restored().put(newer, utc_us=0, monotonic_us=0))
    assert disk.restored().queued(Lane.ROUTINE) == 0


def test_oldest_open_tells_what_is_settled() -> None:
    box = Outbox("KOR", HUB, [])
    for name in ("a", "b", "c"):
        put(box, released(name))
    box.receipt(receipt(1))
    assert delivery(put(box, released("d")).parcel).oldest_open == 2
    box.receipt(receipt(2, 3, 4))
    assert delivery(put(box, released("e")).parcel).oldest_open == 5


def test_a_receipt_settles_what_it_names_once_and_tells_refusals_apart() -> None:
    box = Outbox("KOR", HUB, [])
    for name in ("a", "b", "c"):
        put(box, released(name))
    settled = box.receipt(receipt(1, 99, refused=(2,)))
    assert (settled.delivered, settled.refused) == (("a",), ("b",))
    assert len(settled.forget) == 2
    assert box.receipt(receipt(1, refused=(2,))).forget == ()
    assert box.queued(Lane.ROUTINE) == 1


@pytest.mark.parametrize(("sender", "recipient"), [("JPN", "KOR"), (HUB, "JPN"), ("KOR", HUB)])
def test_a_receipt_between_others_settles_nothing(sender: str, recipient: str) -> None:
    box = Outbox("KOR", HUB, [])
    put(box, released("a"))
    false = msgspec.structs.replace(receipt(1), sender=sender, recipient=recipient)
    assert box.receipt(false).forget == ()


def test_a_receipt_of_one_lane_does_not_settle_the_other() -> None:
    box = Outbox("KOR", HUB, [])
    put(box, released("a", Lane.FLASH))
    box.receipt(receipt(1, lane=Lane.ROUTINE))
    assert box.queued(Lane.FLASH) == 1


@pytest.mark.parametrize("lane", list(Lane))
def test_resends_back_off_to_a_limit_and_start_anew_when_the_link_is_back(lane: Lane) -> None:
    box = Outbox("KOR", HUB, [])
    put(box, released("a", lane))
    now_us = 0
    waits = []
    for _ in range(6):
        next_us = box.next_due_us()
        assert next_us is not None
        assert sequences(box, monotonic_us=next_us - 1) == []
        waits.append(next_us - now_us)
        now_us = next_us
        assert sequences(box, monotonic_us=now_us) == [(lane, 1)]
    first_us = FIRST_RESEND_US[lane]
    assert waits[:3] == [first_us, 2 * first_us, min(4 * first_us, LAST_RESEND_US)]
    assert waits[-1] == LAST_RESEND_US
    box.link_up(lane)
    assert sequences(box, monotonic_us=now_us) == [(lane, 1)]


def test_while_the_link_is_down_routine_rests_and_flash_does_not() -> None:
    box = Outbox("KOR", HUB, [])
    for number in range(3):
        put(box, released(f"r{number}"))
        put(box, released(f"f{number}", Lane.FLASH))
    for lane in Lane:
        box.link_down(lane)
    late_us = 100 * LAST_RESEND_US
    assert sequences(box, monotonic_us=late_us) == [(Lane.FLASH, number) for number in (1, 2, 3)]
    assert (box.next_due_us() or 0) > late_us, "what rests wakes nobody"
    box.link_up(Lane.ROUTINE)
    assert sequences(box, monotonic_us=late_us) == [(Lane.ROUTINE, number) for number in (3, 2, 1)]


def test_flash_is_resent_oldest_first_and_routine_newest_first_a_window_at_a_time() -> None:
    disk = Disk()
    box = Outbox("KOR", HUB, [])
    for number in range(RESEND_WINDOW + 10):
        put(box, released(f"r{number}"), disk)
        put(box, released(f"f{number}", Lane.FLASH), disk)
    due = sequences(disk.restored())
    flash = [number for lane, number in due if lane is Lane.FLASH]
    routine = [number for lane, number in due if lane is Lane.ROUTINE]
    assert flash == list(range(1, RESEND_WINDOW + 1))
    assert routine == list(range(RESEND_WINDOW + 10, 10, -1))


def test_expired_rows_go_and_a_lost_flash_is_said() -> None:
    disk = Disk()
    box = Outbox("KOR", HUB, [])
    put(box, released("r", expires_us=50), disk)
    put(box, released("f", Lane.FLASH, expires_us=100), disk)
    early = box.due(utc_us=60, monotonic_us=0)
    assert (early.expired_flash, early.expired_routine, len(early.forget)) == ((), ("r",), 1)
    late = box.due(utc_us=100, monotonic_us=0)
    assert late.expired_flash == ("f",)
    disk.forget(early.forget + late.forget)
    assert [key for key in disk.table if not key.endswith("next")] == []


def test_a_full_routine_lane_drops_its_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROUTINE_ROWS_MAX", 3)
    disk = Disk()
    box = Outbox("KOR", HUB, [])
    for name in "abcde":
        put(box, released(name), disk)
    assert box.queued(Lane.ROUTINE) == 3
    assert sequences(disk.restored()) == [(Lane.ROUTINE, 5), (Lane.ROUTINE, 4), (Lane.ROUTINE, 3)]


def test_a_full_flash_lane_refuses_at_the_door_and_drops_nothing_that_has_not_expired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FLASH_ROWS_MAX", 2)
    box = Outbox("KOR", HUB, [])
    put(box, released("a", Lane.FLASH, expires_us=100))
    put(box, released("b", Lane.FLASH))
    refused = box.put(released("c", Lane.FLASH), utc_us=0, monotonic_us=0)
    assert (refused.refused, refused.parcel, refused.keep) == ("full", None, ())
    assert box.queued(Lane.FLASH) == 2
    taken = box.put(released("d", Lane.FLASH), utc_us=100, monotonic_us=0)
    assert taken.refused == ""
    assert len(taken.forget) == 1


def test_the_bound_of_one_lane_is_not_filled_by_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLASH_ROWS_MAX", 1)
    monkeypatch.setattr(module, "ROUTINE_ROWS_MAX", 1)
    box = Outbox("KOR", HUB, [])
    put(box, released("a"))
    assert put(box, released("b", Lane.FLASH)).refused == ""


def test_what_has_expired_or_is_too_large_is_refused() -> None:
    box = Outbox("KOR", HUB, [])
    assert box.put(released("a", expires_us=5), utc_us=5, monotonic_us=0).refused == "expired"
    assert put(box, released("b", size=SEALED_BYTES_MAX + 1)).refused == "oversize"
    parcel = put(box, released("b", size=SEALED_BYTES_MAX)).parcel
    assert parcel is not None
    assert len(parcel.body) <= MAXIMUM_MESSAGE_BYTES


def test_what_was_released_to_another_is_not_taken() -> None:
    box = Outbox(HUB, "JPN", [])
    with pytest.raises(ValueError, match="released to USA"):
        put(box, released("a", recipient="USA"))


def test_an_unreadable_row_is_passed_over() -> None:
    disk = Disk()
    box = Outbox("KOR", HUB, [])
    put(box, released("a"), disk)
    put(box, released("b"), disk)
    key = min(key for key in disk.table if not key.endswith("next"))
    disk.table[key] = b"\x00"
    again = disk.restored()
    assert sequences(again) == [(Lane.ROUTINE, 2)]
    assert delivery(put(again, released("c")).parcel).sequence == 3 + RESTART_SKIP


def test_a_receipt_from_before_a_restart_settles_nothing_of_after_it() -> None:
    """The disk was full when "a" left as number 2: a restart knows nothing of it, and its receipt comes."""
    disk = Disk()
    before = Outbox("KOR", HUB, [])
    put(before, released("written"), disk)
    assert delivery(before.put(released("a"), utc_us=0, monotonic_us=0).parcel).sequence == 2
    after = disk.restored()
    put(after, released("b"))
    assert after.receipt(receipt(2)).delivered == ()
    assert after.queued(Lane.ROUTINE) == 2


def test_since_when_the_oldest_flash_waits_is_known() -> None:
    box = Outbox("KOR", HUB, [])
    put(box, released("r"), at_us=5)
    assert box.unreceipted_since_us() is None
    put(box, released("f", Lane.FLASH), at_us=7)
    put(box, released("g", Lane.FLASH), at_us=9)
    assert box.unreceipted_since_us() == 7
    box.receipt(receipt(1, lane=Lane.FLASH))
    assert box.unreceipted_since_us() == 9
    assert box.open_ids(Lane.FLASH) == ["g"]


def test_an_expired_flash_that_made_room_is_still_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLASH_ROWS_MAX", 1)
    box = Outbox("KOR", HUB, [])
    put(box, released("old", Lane.FLASH, expires_us=10))
    assert not box.put(released("new", Lane.FLASH), utc_us=20, monotonic_us=0).refused
    assert box.due(utc_us=20, monotonic_us=0).expired_flash == ("old",)
    assert box.due(utc_us=20, monotonic_us=0).expired_flash == ()


def test_a_receiver_that_was_started_again_is_sent_what_it_had_receipted() -> None:
    disk = Disk()
    box = Outbox("KOR", HUB, [])
    for name, lane in (("f", Lane.FLASH), ("r", Lane.ROUTINE), ("g", Lane.FLASH)):
        put(box, released(name, lane), disk)
    disk.forget(box.receipt(receipt(1, 2, lane=Lane.FLASH)).forget)
    disk.forget(box.receipt(receipt(1)).forget)
    put(box, released("h", Lane.FLASH), disk)
    rows = box.reopen(utc_us=0)
    assert [row.key for row in rows] == [
        "KOR>HUB/FLASH/0000000000000001",
        "KOR>HUB/FLASH/0000000000000002",
        "KOR>HUB/ROUTINE/0000000000000001",
    ]
    assert sequences(box) == [*((Lane.FLASH, number) for number in (1, 2, 3)), (Lane.ROUTINE, 1)], "h too"
    assert delivery(put(box, released("i", Lane.FLASH)).parcel).oldest_open == 1
    assert box.reopen(utc_us=0) == ()
    assert box.receipt(receipt(1, 2, lane=Lane.FLASH)).delivered == ("f", "g")


def test_what_is_opened_again_is_neither_older_than_what_is_open_nor_expired_nor_lost() -> None:
    box = Outbox("KOR", HUB, [])
    put(box, released("old", track="t"))
    put(box, released("short", Lane.FLASH, expires_us=10))
    put(box, released("long", Lane.FLASH, expires_us=30))
    box.receipt(receipt(1))
    box.receipt(receipt(1, 2, lane=Lane.FLASH))
    put(box, released("new", track="t"))
    assert [row.key for row in box.reopen(utc_us=20)] == ["KOR>HUB/FLASH/0000000000000002"]
    assert box.due(utc_us=40, monotonic_us=0).expired_flash == ()


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_queue, "RETAINED_MAX", 3)
    box = Outbox("KOR", HUB, [])
    for number in range(1, 9):
        put(box, released(f"f{number}", Lane.FLASH))
        box.receipt(receipt(number, lane=Lane.FLASH))
    assert [row.key[-1] for row in box.reopen(utc_us=0)] == ["6", "7", "8"]

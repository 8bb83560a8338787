import msgspec
import pytest

from beaconfire.errors import PeerError
from beaconfire.link import intake as module
from beaconfire.link.intake import GAP_WAIT_US, ROUTINE_RECEIPT_WAIT_US, Intake
from beaconfire.link.journal import Row
from beaconfire.link.outbox import RESTART_SKIP
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import HUB, Lane


def delivery(sequence: int, *, oldest: int = 1, lane: Lane = Lane.ROUTINE, report: str = "") -> Delivery:
    return Delivery(HUB, "JPN", lane, sequence, oldest, 1, report or f"report {sequence}", b"sealed")


def unsigned(receipt: Receipt) -> Receipt:
    return receipt


class Recipient:
    """An intake with the table its node keeps for it."""

    def __init__(self, table: dict[str, bytes] | None = None) -> None:
        self.table = {} if table is None else table
        self.intake = Intake("JPN", HUB, self.table.items())

    def take(self, one: Delivery, at_us: int = 0, *, refused: bool = False) -> bool:
        new = self.intake.is_new(one, lane=one.lane, monotonic_us=at_us)
        if new:
            row: Row = self.intake.settle(one, refused=refused, monotonic_us=at_us)
            self.table[row.key] = row.body
        return new

    def receipts(self, at_us: int = 10**9) -> list[tuple[Lane, tuple[int, ...], tuple[int, ...]]]:
        made = self.intake.receipts(unsigned, monotonic_us=at_us)
        return [(one.lane, one.sequences, one.refused) for one in made]

    def missing(self, at_us: int) -> list[int]:
        return [n for gap in self.intake.gaps(monotonic_us=at_us) for n in gap.sequences]


def test_a_report_is_taken_once_and_receipted_each_time() -> None:
    recipient = Recipient()
    assert recipient.take(delivery(1))
    assert recipient.receipts() == [(Lane.ROUTINE, (1,), ())]
    assert not recipient.take(delivery(1))
    assert recipient.receipts() == [(Lane.ROUTINE, (1,), ())]
    assert recipient.receipts() == []


def test_a_double_under_another_number_is_a_double_and_both_numbers_are_receipted() -> None:
    recipient = Recipient()
    recipient.take(delivery(1, report="same"))
    assert not recipient.take(delivery(2, report="same"))
    assert recipient.receipts() == [(Lane.ROUTINE, (1, 2), ())]


def test_a_number_used_again_for_another_report_is_taken() -> None:
    recipient = Recipient()
    recipient.take(delivery(1, report="before its sender lost its journal"))
    assert recipient.take(delivery(1, report="after"))


def test_what_was_settled_is_still_known_after_a_restart() -> None:
    recipient = Recipient()
    recipient.take(delivery(1))
    recipient.take(delivery(2), refused=True)
    again = Recipient(recipient.table)
    assert not again.take(delivery(1))
    assert not again.take(delivery(2))
    assert again.receipts() == [(Lane.ROUTINE, (1,), (2,))]


def test_a_refusal_under_the_number_of_what_was_taken_makes_it_not_forgotten() -> None:
    """A copy out of another exercise bears the same numbers; found by tests/attack/test_copies.py."""
    recipient = Recipient()
    recipient.take(delivery(1))
    recipient.take(delivery(1, report="of another exercise"), refused=True)
    assert not Recipient(recipient.table).take(delivery(1))


def test_a_copy_on_the_other_lane_is_a_double() -> None:
    recipient = Recipient()
    recipient.take(delivery(1))
    assert not recipient.take(delivery(1, lane=Lane.FLASH, report="report 1"))


def test_any_number_of_refusals_make_nothing_forgotten_that_was_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_MAX", 8)
    recipient = Recipient()
    recipient.take(delivery(1))
    for number in range(2, 50):
        recipient.take(delivery(number), refused=True)
    assert len(recipient.table) == 9
    assert not Recipient(recipient.table).take(delivery(1))


def test_what_came_before_its_sender_was_restarted_is_still_known_after_an_own_restart() -> None:
    """A restart of the sender passes 2**20 numbers over, a multiple of what the journal keeps."""
    assert RESTART_SKIP % module.REMEMBERED_MAX == 0, "so that rows kept by number would meet"
    recipient = Recipient()
    for number in (1, 2, 3):
        recipient.take(delivery(number, report=f"before {number}"))
    for number in (1, 2):
        recipient.take(delivery(RESTART_SKIP + number, report=f"after {number}"))
    again = Recipient(recipient.table)
    for number in (1, 2, 3):
        assert not again.take(delivery(RESTART_SKIP + 10 + number, report=f"before {number}")), "a double"


def test_of_rows_of_before_there_were_numbers_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_MAX", 4)
    rows = {
        f"HUB>JPN/ROUTINE/{n % 4:05d}": msgspec.msgpack.encode((n, f"old {n}", False)) for n in range(5, 9)
    }
    recipient = Recipient(rows)
    assert recipient.take(delivery(9, report="new"))
    again = Recipient(recipient.table)
    assert [again.take(delivery(20 + n, report=f"old {n}")) for n in (6, 7, 8)] == [False] * 3
    assert len(recipient.table) == 4


def test_nothing_is_receipted_before_it_is_settled() -> None:
    recipient = Recipient()
    assert recipient.intake.is_new(delivery(1), lane=Lane.ROUTINE, monotonic_us=0)
    assert recipient.receipts() == []


def test_flash_is_receipted_at_once_and_routine_gathered() -> None:
    recipient = Recipient()
    recipient.take(delivery(1, lane=Lane.FLASH), at_us=100)
    recipient.take(delivery(1), at_us=100)
    recipient.take(delivery(2), at_us=150)
    assert recipient.receipts(100) == [(Lane.FLASH, (1,), ())]
    assert recipient.intake.next_due_us() == 100 + ROUTINE_RECEIPT_WAIT_US
    assert recipient.receipts(99 + ROUTINE_RECEIPT_WAIT_US) == []
    assert recipient.receipts(100 + ROUTINE_RECEIPT_WAIT_US) == [(Lane.ROUTINE, (1, 2), ())]


def test_a_receipt_names_at_most_a_thousand() -> None:
    recipient = Recipient()
    for number in range(1, 1_502):
        recipient.take(delivery(number))
    assert [len(one[1]) for one in recipient.receipts()] == [1_000, 501]


def test_a_gap_is_told_once_after_its_time_out() -> None:
    recipient = Recipient()
    recipient.take(delivery(1))
    recipient.take(delivery(4), at_us=1_000)
    assert recipient.missing(GAP_WAIT_US) == []
    assert recipient.missing(GAP_WAIT_US + 1_000) == [2, 3]
    assert recipient.missing(GAP_WAIT_US + 2_000) == []


def test_what_comes_late_or_was_settled_by_the_sender_is_no_gap() -> None:
    recipient = Recipient()
    recipient.take(delivery(1))
    recipient.take(delivery(5))
    recipient.take(delivery(4))
    recipient.take(delivery(6, oldest=3))
    assert recipient.missing(10 * GAP_WAIT_US) == [3]


def test_a_new_recipient_does_not_miss_what_was_before_it() -> None:
    recipient = Recipient()
    recipient.take(delivery(500, oldest=498))
    assert recipient.missing(10 * GAP_WAIT_US) == []


def test_a_restarted_recipient_misses_what_came_while_it_was_down() -> None:
    recipient = Recipient()
    recipient.take(delivery(1))
    again = Recipient(recipient.table)
    again.take(delivery(3), at_us=0)
    assert again.missing(GAP_WAIT_US) == [2]


def test_memory_is_bounded_and_so_is_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_MAX", 8)
    monkeypatch.setattr(module, "GAPS_MAX", 4)
    recipient = Recipient()
    for number in range(1, 101):
        recipient.take(delivery(number, lane=Lane.FLASH))
        recipient.receipts()
    assert len(recipient.table) == 8
    assert not recipient.take(delivery(93, lane=Lane.FLASH))
    recipient.take(delivery(10_000, lane=Lane.FLASH))
    assert recipient.missing(10 * GAP_WAIT_US) == [9_996, 9_997, 9_998, 9_999]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sender": "KOR"}, "wrong-party"),
        ({"recipient": "USA"}, "wrong-party"),
        ({"lane": Lane.FLASH}, "wrong-lane"),
        ({"sequence": 0}, "bad-sequence"),
        ({"sequence": -3, "oldest_open": -3}, "bad-sequence"),
        ({"oldest_open": 9}, "bad-sequence"),
        ({"sequence": 2**60}, "bad-sequence"),
    ],
)
def test_a_delivery_that_cannot_be_is_refused(changes: dict[str, object], code: str) -> None:
    one = msgspec.structs.replace(delivery(8), **changes)
    with pytest.raises(PeerError) as caught:
        Recipient().intake.is_new(one, lane=Lane.ROUTINE, monotonic_us=0)
    assert caught.value.code == code


def test_unreadable_rows_and_rows_of_others_are_passed_over() -> None:
    table = {"HUB>JPN/FLASH/00001": b"\x00", "HUB>JPN/NONE/00001": b"\x00", "HUB>USA/FLASH/00001": b"\x93"}
    assert Recipient(table).take(delivery(1, lane=Lane.FLASH))


def test_an_unsigned_receipt_names_both_parties() -> None:
    recipient = Recipient()
    recipient.take(delivery(1))
    (receipt,) = recipient.intake.receipts(unsigned, monotonic_us=10**9)
    assert (receipt.sender, receipt.recipient, receipt.signature) == ("JPN", HUB, b"")


def test_a_restarted_sender_that_passes_numbers_over_leaves_no_gap() -> None:
    recipient = Recipient()
    recipient.take(delivery(3))
    recipient.take(delivery(4 + module.RENUMBERED, oldest=3))
    assert recipient.missing(10 * GAP_WAIT_US) == []
    recipient.take(delivery(6 + module.RENUMBERED, oldest=3))
    assert recipient.missing(20 * GAP_WAIT_US) == [5 + module.RENUMBERED]


def test_what_was_taken_is_known_by_its_report_and_what_was_refused_is_not() -> None:
    recipient = Recipient()
    recipient.take(delivery(1, report="taken"))
    recipient.take(delivery(2, report="refused"), refused=True)
    for one in (recipient.intake, Recipient(recipient.table).intake):
        assert one.has_taken("taken")
        assert not one.has_taken("refused")
        assert not one.has_taken("never came")

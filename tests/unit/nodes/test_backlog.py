import pytest

from beaconfire.messages.transfer import Receipt
from beaconfire.messages.words import HUB, Lane
from beaconfire.nodes import backlog as module
from beaconfire.nodes.backlog import Backlog, JournalCommand
from beaconfire.nodes.commands import Append, Channel, Forget, Keep, Send, Table

RECEIPT = Send(Channel.TO_HUB, HUB, Lane.FLASH, Receipt("KOR", HUB, Lane.FLASH, (1,), (), "", b""))


def test_the_newest_of_each_row_stands_and_every_record_stays_in_order() -> None:
    backlog = Backlog()
    first: list[JournalCommand] = [
        Keep(Table.OUTBOX, "a", b"1"),
        Append("log", b"1"),
        Keep(Table.INTAKE, "a", b"2"),
    ]
    backlog.add(first)
    backlog.add([Forget(Table.OUTBOX, "a"), Append("log", b"2")])
    assert backlog.waiting() == [
        Append("log", b"1"),
        Append("log", b"2"),
        Keep(Table.INTAKE, "a", b"2"),
        Forget(Table.OUTBOX, "a"),
    ]
    assert len(backlog) == 4


def test_receipts_leave_once_all_is_written() -> None:
    backlog = Backlog()
    backlog.add([Append("log", b"1")])
    backlog.hold(RECEIPT)
    assert backlog.written() == [RECEIPT]
    assert len(backlog) == 0
    assert backlog.written() == []


def test_receipts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECEIPTS_MAX", 2)
    backlog = Backlog()
    for _ in range(5):
        backlog.hold(RECEIPT)
    assert len(backlog.written()) == 2

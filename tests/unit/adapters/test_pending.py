from beaconfire.adapters.journal import InputKind, RecordedInput
from beaconfire.adapters.pending import PENDING_MAX, WAIT_US, Pending
from beaconfire.nodes.commands import Append, Forget, Keep, Table

ROW = Keep(Table.OUTBOX, "a", b"row")
GONE = Forget(Table.OUTBOX, "a")
TICK = RecordedInput(InputKind.TICK, 1, 1)


def test_what_nothing_rests_on_waits_for_its_time_alone() -> None:
    pending = Pending()
    assert not pending.is_due(10**9)
    pending.add([GONE], [TICK], 5)
    pending.add([], [TICK], 5 + WAIT_US // 2)
    assert not pending.is_due(5 + WAIT_US - 1)
    assert pending.is_due(5 + WAIT_US)
    assert pending.take() == ([GONE], [TICK, TICK])
    assert len(pending) == 0
    pending.add([], [TICK], 10**6)
    assert not pending.is_due(10**6 + WAIT_US - 1)


def test_what_a_receipt_may_rest_on_is_due_at_once_behind_what_waits() -> None:
    for pressing in (ROW, Append("audit", b"record")):
        pending = Pending()
        pending.add([GONE], [TICK], 5)
        pending.add([pressing, GONE], [], 6)
        assert pending.is_due(6)
        assert pending.take() == ([GONE, pressing, GONE], [TICK])


def test_it_is_bounded() -> None:
    pending = Pending()
    pending.add([GONE] * PENDING_MAX, [], 5)
    assert not pending.is_due(5)
    pending.add([], [TICK], 5)
    assert pending.is_due(5)

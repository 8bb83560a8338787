"""What waits elsewhere than in outbox, intake and loop has its bound too: connections, disks, memory."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from beaconfire.adapters import bus as bus_module
from beaconfire.adapters import loop as loop_module
from beaconfire.adapters.bus import Bus, Endpoint, _Connection
from beaconfire.adapters.clock import Clock
from beaconfire.adapters.journal import InputKind, Journal, RecordedInput
from beaconfire.adapters.loop import Loop, LoopOptions
from beaconfire.adapters.wiring import Heard, Line, Server
from beaconfire.errors import EnvironmentFault, PeerError
from beaconfire.link import lane_queue, outbox, parallel
from beaconfire.link.outbox import Outbox
from beaconfire.link.parallel import ParallelOutbox
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES, decode, encode
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import HUB, HUB_INSTANCES, Lane, Nation
from beaconfire.nodes import backlog as backlog_module
from beaconfire.nodes.backlog import Backlog, JournalCommand
from beaconfire.nodes.commands import Append, Channel, Command, Forget, Inbound, Keep, Node, Now, Send, Table
from beaconfire.nodes.hub import waiting as waiting_module
from beaconfire.nodes.hub.waiting import WaitingRoom
from beaconfire.release.decide import Later
from unit.link.test_outbox import released

BOUND = 5
LANES = st.sampled_from(list(Lane))
NOW = Now(10**15, 10**6)


@pytest.fixture(scope="module", autouse=True)
def _small_bounds() -> object:
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            (bus_module, "OUTGOING_MAX"),
            (loop_module, "BACKLOG_MAX"),
            (loop_module, "INPUTS_MAX"),
            (backlog_module, "RECEIPTS_MAX"),
            (lane_queue, "RETAINED_MAX"),
            (outbox, "RESEND_WINDOW"),
            (parallel, "RECEIPTED_MAX"),
            (waiting_module, "WAITING_MAX"),
        ):
            assert getattr(module, name) > BOUND
            patch.setattr(module, name, BOUND)
        yield


@given(LANES, st.integers(0, 30))
def test_a_connection_keeps_the_oldest_flash_and_the_newest_routine(lane: Lane, count: int) -> None:
    connection = _Connection(Endpoint(Line(Server.HUB, HUB, lane), "nats://127.0.0.1:1", Path("x")), "x")
    connection.loop = cast(
        "asyncio.AbstractEventLoop", SimpleNamespace(call_soon_threadsafe=lambda _call: None)
    )
    connection.client = cast("Client", SimpleNamespace(is_connected=True))
    offered = [str(number).encode() for number in range(count)]
    taken = [connection.put("subject", one) for one in offered]
    kept = [body for _, body in connection.outgoing]
    assert kept == (offered[:BOUND] if lane is Lane.FLASH else offered[-BOUND:])
    assert connection.dropped == max(0, count - BOUND)
    assert taken.count(False) == (max(0, count - BOUND) if lane is Lane.FLASH else 0)


class Asking:
    """A node that wants to write one more record for everything it is given."""

    def __init__(self) -> None:
        self.given = 0

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        del inbound, now
        self.given += 1
        receipt = Receipt(HUB, "KOR", Lane.FLASH, (self.given,), (), "", b"")
        return [Append("log", b"x"), Send(Channel.TO_NATION, Nation("KOR"), Lane.FLASH, receipt)]

    def tick(self, now: Now) -> list[Command]:
        del now
        return []


class Full:
    """A journal on a full disk."""

    damage = ()

    def commit(self, *_: object) -> None:
        raise EnvironmentFault("the disk is full")


def _on_a_full_disk(node: Node) -> tuple[Loop, list[object]]:
    sent: list[object] = []
    silent = SimpleNamespace(publish=lambda *words: sent.append(words), counts=dict, recent_errors=list)
    options = LoopOptions("KOR", "x", record=True)
    loop = Loop(node, cast("Bus", silent), cast("Journal", Full()), Clock(), options)
    return loop, sent


@given(st.integers(0, 40))
def test_on_a_full_disk_what_waits_is_bounded_and_deliveries_are_left_to_their_senders(count: int) -> None:
    node = Asking()
    loop, _ = _on_a_full_disk(cast("Node", node))
    heard = Heard("to-hub.delivery", Channel.TO_HUB, "KOR", Lane.FLASH)
    for number in range(count):
        loop.accept(heard, encode(Delivery("KOR", HUB, Lane.FLASH, number + 1, 1, 0, f"r{number}", b"")))
        loop._receive(Lane.FLASH)
    assert node.given == min(count, BOUND)
    assert len(loop._backlog) == min(count, BOUND)
    assert loop.counters["left_to_sender"] == max(0, count - BOUND)
    assert len(loop._unrecorded) <= BOUND
    assert len(loop._backlog.written()) <= BOUND, "receipts that wait"


def test_a_process_whose_disk_stays_full_ends_before_memory_does() -> None:
    loop, _ = _on_a_full_disk(cast("Node", Asking()))
    for number in range(2 * BOUND):
        loop._commit([Append("log", b"x")], [], Now(NOW.utc_us, NOW.monotonic_us + number * 10**6))
    with pytest.raises(EnvironmentFault, match="full"):
        loop._commit([Append("log", b"x")], [], Now(NOW.utc_us, NOW.monotonic_us + 10**9))


@given(st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=40))
def test_of_rows_that_wait_for_the_disk_only_the_newest_stands(writes: list[tuple[int, bool]]) -> None:
    backlog = Backlog()
    newest: dict[str, JournalCommand] = {}
    for number, (key, forget) in enumerate(writes):
        name = f"k{key}"
        newest[name] = Forget(Table.STATE, name) if forget else Keep(Table.STATE, name, bytes([number]))
        backlog.add([newest[name]])
        backlog.hold(
            Send(
                Channel.TO_NATION,
                Nation("KOR"),
                Lane.FLASH,
                Receipt(HUB, "KOR", Lane.FLASH, (number,), (), "", b""),
            )
        )
    assert {one.key: one for one in backlog.waiting() if not isinstance(one, Append)} == newest
    assert len(backlog.written()) == min(len(writes), BOUND)


@given(st.integers(0, 40))
def test_a_recording_that_waits_for_the_disk_has_a_hole_and_says_so(count: int) -> None:
    loop, _ = _on_a_full_disk(cast("Node", Asking()))
    inputs = [RecordedInput(InputKind.TICK, number, number) for number in range(count)]
    for one in inputs:
        loop._gather([], [one])
    assert loop._unrecorded == inputs[:BOUND]
    assert loop.counters["unrecorded"] == max(0, count - BOUND)


@given(st.lists(LANES, min_size=1, max_size=40))
def test_what_was_receipted_is_remembered_up_to_its_bound_and_resent_a_window_at_a_time(
    lanes: list[Lane],
) -> None:
    box = Outbox("KOR", HUB, ())
    for number, lane in enumerate(lanes):
        box.put(released(f"r{number}", lane, track=f"t{number}", sent_us=number), utc_us=0, monotonic_us=0)
    for lane in Lane:
        due = box.due(utc_us=0, monotonic_us=10**9)
        assert sum(one.lane is lane for one in due.parcels) == min(BOUND, lanes.count(lane))
        box.link_up(lane)
        numbers = tuple(range(1, lanes.count(lane) + 1))
        box.receipt(Receipt(HUB, "KOR", lane, numbers, (), "", b""))
        box.link_up(Lane.ROUTINE)
    rows = box.reopen(utc_us=0)
    assert len(rows) == sum(min(BOUND, lanes.count(lane)) for lane in Lane)


@given(st.integers(0, 30))
def test_what_some_instance_receipted_is_remembered_up_to_its_bound(count: int) -> None:
    box = ParallelOutbox("KOR", HUB_INSTANCES, ())
    for number in range(count):
        box._remember([f"r{number}"])
    assert list(box._receipted) == [f"r{number}" for number in range(count)][-BOUND:]


@given(st.integers(0, 30))
def test_of_reports_that_an_arrangement_delays_the_oldest_gives_way(count: int) -> None:
    room = WaitingRoom(Nation("JPN"), ())
    gone = []
    for number in range(count):
        one = Delivery("KOR", HUB, Lane.ROUTINE, number + 1, 1, 0, f"r{number}", b"")
        _, oldest = room.add(Nation("KOR"), one, Later(10**6, ()), NOW)
        gone += [oldest.delivery.report_id] if oldest else []
        assert len(room) <= BOUND
    assert gone == [f"r{number}" for number in range(max(0, count - BOUND))]


@given(st.integers(1, 200))
def test_a_message_over_its_bound_is_refused_unread(over: int) -> None:
    with pytest.raises(PeerError):
        decode(b"\x80" * (MAXIMUM_MESSAGE_BYTES + over))

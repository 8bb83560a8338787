import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

import msgspec
import pytest

from beaconfire.adapters import loop as module
from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import Clock
from beaconfire.adapters.journal import InputKind, Journal, RecordedInput, recorded_inputs
from beaconfire.adapters.loop import Loop, LoopOptions
from beaconfire.adapters.wiring import Heard
from beaconfire.errors import EnvironmentFault
from beaconfire.messages.codec import Message, decode, encode
from beaconfire.messages.event import Warning
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.transfer import Delivery, Probe, Receipt, Speaking
from beaconfire.messages.words import HUB, LINK_SCHEMA, LINK_SCHEMA_BEFORE, Lane, Mode, Nation, Severity
from beaconfire.nodes.backlog import JournalCommand
from beaconfire.nodes.commands import (
    SET_BACK_MAX_US,
    Append,
    Channel,
    Command,
    Deliver,
    Forget,
    Inbound,
    Keep,
    Now,
    Send,
    Table,
    WakeAt,
)


class Wire:
    """Takes what a loop publishes, and looks into the journal at that moment."""

    party = "KOR"

    def __init__(self) -> None:
        self.said: list[tuple[Channel, Lane, Message]] = []
        self.look: Callable[[], object] = lambda: None
        self.seen: list[object] = []

    def publish(self, channel: Channel, recipient: str, lane: Lane, message: tuple[str, bytes]) -> bool:
        assert recipient
        self.seen.append(self.look())
        self.said.append((channel, lane, decode(message[1])))
        return True

    def counts(self) -> dict[str, int]:
        return {"bus_errors": 0}

    def of(self, kind: type) -> list[Message]:
        return [message for _, _, message in self.said if isinstance(message, kind)]


class Node:
    """Answers each message and tick with what it was told to."""

    def __init__(self, answer: Callable[[Inbound, Now], list[Command]] = lambda _i, _n: []) -> None:
        self.answer = answer
        self.received: list[Inbound] = []
        self.ticks: list[Now] = []
        self.on_tick: Callable[[Now], list[Command]] = lambda _: []

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        self.received.append(inbound)
        return self.answer(inbound, now)

    def tick(self, now: Now) -> list[Command]:
        self.ticks.append(now)
        return self.on_tick(now)


def heard(lane: Lane = Lane.FLASH) -> Heard:
    return Heard("to-nation.probe", Channel.TO_NATION, HUB, lane)


def probe(number: int, lane: Lane = Lane.FLASH) -> bytes:
    return encode(Probe(HUB, "KOR", lane, number, 0, echo=False))


def number_of(inbound: Inbound) -> int:
    assert isinstance(inbound.message, Probe)
    return inbound.message.number


def receipt() -> Receipt:
    return Receipt("KOR", HUB, Lane.FLASH, (1,), (), "", b"")


def warning() -> Warning:
    return Warning("w", "e", Nation("KOR"), "issue", 1, Mode.SIMULATED, 0, True, (), (), "text")


def send(channel: Channel, message: Message) -> Send:
    return Send(channel, "KOR" if channel is not Channel.TO_HUB else HUB, Lane.FLASH, message)


class Bench:
    """A loop on a recording wire and a real journal."""

    def __init__(
        self,
        path: Path,
        node: Node,
        *,
        record: bool = False,
        threaded: bool = False,
        schema: int = LINK_SCHEMA,
    ) -> None:
        self.wire = Wire()
        self.journal = Journal(path)
        options = LoopOptions("KOR", "guard/KOR", record=record, threaded=threaded, schema=schema)
        self.loop = Loop(node, cast("Bus", self.wire), self.journal, Clock(), options)

    async def until(self, condition: Callable[[], bool]) -> None:
        running = asyncio.create_task(self.loop.run())
        async with asyncio.timeout(20):
            while not condition() and not running.done():  # noqa: ASYNC110 - polls the loop beside it
                await asyncio.sleep(0.005)
        self.loop.stop()
        await running

    def fill_disk(self) -> None:
        pages = self.journal._connection.execute("PRAGMA page_count").fetchone()[0]
        self.journal._connection.execute(f"PRAGMA max_page_count = {pages}")

    def make_room(self) -> None:
        self.journal._connection.execute("PRAGMA max_page_count = 1000000")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.journal"


@pytest.mark.parametrize("threaded", [False, True])
def test_what_is_kept_is_on_the_disk_before_anything_of_its_group_is_sent(
    path: Path, *, threaded: bool
) -> None:
    def answer(inbound: Inbound, now: Now) -> list[Command]:
        del now
        key = str(number_of(inbound))
        return [
            send(Channel.TO_HUB, receipt()),
            Keep(Table.INTAKE, key, b"row"),
            Append("audit", key.encode()),
        ]

    async def scenario() -> None:
        bench = Bench(path, Node(answer), threaded=threaded)
        bench.wire.look = lambda: len(bench.journal.rows(Table.INTAKE))
        for number in range(5):
            bench.loop.accept(heard(), probe(number))
        await bench.until(lambda: len(bench.wire.said) == 5)
        assert bench.wire.seen == [5] * 5
        assert bench.journal.log("audit") == [b"0", b"1", b"2", b"3", b"4"]

    asyncio.run(scenario())


def test_flash_goes_before_routine_and_each_lane_keeps_its_order(path: Path) -> None:
    async def scenario() -> None:
        node = Node()
        bench = Bench(path, node)
        for number in range(300):
            bench.loop.accept(heard(Lane.ROUTINE), probe(number, Lane.ROUTINE))
        for number in range(300, 310):
            bench.loop.accept(heard(), probe(number))
        await bench.until(lambda: len(node.received) == 310)
        assert [number_of(one) for one in node.received] == [*range(300, 310), *range(300)]

    asyncio.run(scenario())


def test_routine_is_taken_in_groups_and_a_flash_meanwhile_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GATHER_US", 300_000)
    at_us: dict[int, int] = {}

    def answer(inbound: Inbound, now: Now) -> list[Command]:
        at_us[number_of(inbound)] = now.monotonic_us
        return []

    async def scenario() -> None:
        node = Node(answer)
        bench = Bench(path, node)
        bench.loop.accept(heard(Lane.ROUTINE), probe(0, Lane.ROUTINE))
        running = asyncio.create_task(bench.until(lambda: len(node.received) == 5))
        while not node.received:  # noqa: ASYNC110 - polls the loop beside it
            await asyncio.sleep(0.002)
        for number in (1, 2, 3):
            bench.loop.accept(heard(Lane.ROUTINE), probe(number, Lane.ROUTINE))
            await asyncio.sleep(0.005)
        bench.loop.accept(heard(), probe(9))
        await running
        assert [number_of(one) for one in node.received] == [0, 9, 1, 2, 3]
        assert at_us[1] == at_us[2] == at_us[3] >= at_us[0] + 300_000

    asyncio.run(scenario())


def test_a_group_of_routine_stops_for_a_flash(path: Path) -> None:
    async def scenario() -> None:
        node = Node()
        bench = Bench(path, node)

        def answer(inbound: Inbound, now: Now) -> list[Command]:
            del now
            if number_of(inbound) == 0:
                bench.loop.accept(heard(), probe(9))
            return []

        node.answer = answer
        for number in range(4):
            bench.loop.accept(heard(Lane.ROUTINE), probe(number, Lane.ROUTINE))
        await bench.until(lambda: len(node.received) == 5)
        assert [number_of(one) for one in node.received] == [0, 9, 1, 2, 3]

    asyncio.run(scenario())


def test_between_two_groups_the_connections_get_their_turns(path: Path) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def scenario() -> None:
        node = Node()
        bench = Bench(path, node)

        def answer(inbound: Inbound, now: Now) -> list[Command]:
            del now
            bench.loop.accept(heard(), probe(number_of(inbound) + 1))
            return []

        node.answer = answer
        bench.loop.accept(heard(), probe(0))
        counting = asyncio.create_task(count())
        await bench.until(lambda: len(node.received) >= 100)
        counting.cancel()
        assert turns >= (module.TURNS - 1) * (len(node.received) - 2)

    asyncio.run(scenario())


def test_the_queues_are_bounded_routine_loses_its_oldest_flash_refuses_the_newest(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_MAX", {Lane.FLASH: 3, Lane.ROUTINE: 2})

    async def scenario() -> None:
        node = Node()
        bench = Bench(path, node)
        for number in range(5):
            bench.loop.accept(heard(), probe(number))
            bench.loop.accept(heard(Lane.ROUTINE), probe(10 + number, Lane.ROUTINE))
        await bench.until(lambda: len(node.received) == 5)
        assert [number_of(one) for one in node.received] == [0, 1, 2, 13, 14]
        assert bench.loop.counters["overflow"] == 5

    asyncio.run(scenario())


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x80", bytes(70_000), probe(1)[:-1], probe(1) + b"x"])
def test_what_can_not_be_decoded_is_counted_and_the_next_is_taken(path: Path, body: bytes) -> None:
    async def scenario() -> None:
        node = Node()
        bench = Bench(path, node)
        bench.loop.accept(heard(), body)
        bench.loop.accept(heard(), probe(2))
        await bench.until(lambda: len(node.received) == 1)
        assert bench.loop.counters["undecodable"] == 1
        assert number_of(node.received[0]) == 2

    asyncio.run(scenario())


def test_the_node_is_told_who_the_bus_vouches_for(path: Path) -> None:
    async def scenario() -> None:
        node = Node()
        bench = Bench(path, node)
        bench.loop.accept(heard(), probe(1))
        await bench.until(lambda: bool(node.received))
        (inbound,) = node.received
        assert (inbound.channel, inbound.sender, inbound.lane) == (Channel.TO_NATION, HUB, Lane.FLASH)
        assert inbound.size == len(probe(1))

    asyncio.run(scenario())


def test_time_passes_without_messages_and_never_runs_back(path: Path) -> None:
    async def scenario() -> None:
        node = Node()
        bench = Bench(path, node)
        await bench.until(lambda: len(node.ticks) >= 4)
        for before, after in zip(node.ticks, node.ticks[1:], strict=False):
            assert before.utc_us <= after.utc_us
            assert after.monotonic_us - before.monotonic_us > 0

    asyncio.run(scenario())


def test_a_node_is_woken_when_it_asked_for(path: Path) -> None:
    async def scenario() -> None:
        node = Node()
        node.on_tick = lambda now: [WakeAt(now.monotonic_us + 20_000), WakeAt(now.monotonic_us + 5_000)]
        bench = Bench(path, node)
        await bench.until(lambda: len(node.ticks) >= 20)
        gaps = sorted(
            after.monotonic_us - before.monotonic_us
            for before, after in zip(node.ticks, node.ticks[1:], strict=False)
        )
        assert gaps[0] >= 5_000
        assert gaps[len(gaps) // 2] < module.TICK_US

    asyncio.run(scenario())


def test_health_carries_the_counts_of_the_loop_and_of_the_bus(path: Path) -> None:
    async def scenario() -> None:
        node = Node()
        said = Health("guard/KOR", 0, (), {"released": 3})
        node.on_tick = lambda _: [send(Channel.HEALTH, said)]
        bench = Bench(path, node)
        bench.loop.accept(heard(), b"nonsense")
        await bench.until(lambda: bool(bench.wire.of(Health)))
        (health, *_) = bench.wire.of(Health)
        assert isinstance(health, Health)
        assert health.counters["released"] == 3
        assert health.counters["loop_undecodable"] == 1
        assert health.counters["bus_errors"] == 0

    asyncio.run(scenario())


def test_a_recording_holds_the_start_and_every_input_byte_for_byte(path: Path) -> None:
    async def scenario() -> None:
        node = Node()
        bench = Bench(path, node, record=True)
        bodies = [probe(number) for number in range(3)]
        for body in bodies:
            bench.loop.accept(heard(), body)
        await bench.until(lambda: len(node.received) == 3 and len(node.ticks) >= 2)
        bench.journal.close()
        inputs = list(recorded_inputs(path))
        assert inputs[0].kind is InputKind.START
        assert [one.body for one in inputs if one.kind is InputKind.RECEIVE] == bodies
        ticks = [one.now for one in inputs if one.kind is InputKind.TICK]
        assert ticks == node.ticks

    asyncio.run(scenario())


def test_rows_that_may_go_and_inputs_alone_are_written_together_and_none_is_left(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        node = Node()
        bench = Bench(path, node, record=True)
        bench.journal.commit([Keep(Table.OUTBOX, str(number), b"row") for number in range(20)])
        written: list[int] = []
        commit = bench.journal.commit

        def counting(commands: Iterable[JournalCommand], inputs: Iterable[RecordedInput] = ()) -> None:
            commands = list(commands)
            written.append(len(commands))
            commit(commands, inputs)

        def answer(inbound: Inbound, now: Now) -> list[Command]:
            del now
            if number_of(inbound) < 19:
                bench.loop.accept(heard(), probe(number_of(inbound) + 1))
            return [Forget(Table.OUTBOX, str(number_of(inbound))), send(Channel.TO_HUB, receipt())]

        monkeypatch.setattr(bench.journal, "commit", counting)
        node.answer = answer
        bench.loop.accept(heard(), probe(0))
        await bench.until(lambda: len(bench.wire.of(Receipt)) == 20)
        assert sum(written) == 20
        assert sum(map(bool, written)) < 20
        assert bench.journal.rows(Table.OUTBOX) == []
        bench.journal.close()
        received = [one.body for one in recorded_inputs(path) if one.kind is InputKind.RECEIVE]
        assert received == [probe(number) for number in range(20)]

    asyncio.run(scenario())


def test_while_the_disk_is_full_warnings_flow_nothing_is_receipted_and_all_recovers(path: Path) -> None:
    def answer(inbound: Inbound, now: Now) -> list[Command]:
        del now
        return [
            Keep(Table.INTAKE, str(number_of(inbound)), bytes(20_000)),
            Append("audit", b"record"),
            send(Channel.TO_HUB, receipt()),
            send(Channel.WARNING, warning()),
            Deliver(Channel.TO_NATION, "JPN", Lane.FLASH, encode(delivery())),
        ]

    async def scenario() -> None:
        node = Node(answer)
        bench = Bench(path, node)
        bench.fill_disk()
        said: list[Notice] = []
        bench.loop.on_notice = said.append
        for number in range(3):
            bench.loop.accept(heard(), probe(number))

        def full() -> bool:
            return len(bench.wire.of(Warning)) == 3

        running = asyncio.create_task(bench.until(lambda: len(bench.wire.of(Receipt)) == 3))
        async with asyncio.timeout(20):
            while not full():  # noqa: ASYNC110 - polls the loop beside it
                await asyncio.sleep(0.005)
        assert bench.wire.of(Receipt) == []
        assert len(bench.wire.of(Delivery)) == 3
        assert [one.code for one in said] == ["journal-unwritable"]
        assert bench.journal.rows(Table.INTAKE) == []
        bench.make_room()
        await running
        assert len(bench.journal.rows(Table.INTAKE)) == 3
        assert bench.journal.log("audit") == [b"record"] * 3
        assert [one.code for one in said] == ["journal-unwritable", "journal-written-again"]

    asyncio.run(scenario())


def delivery() -> Delivery:
    return Delivery(HUB, "JPN", Lane.FLASH, 1, 1, 1, "r", b"sealed")


def test_a_disk_full_for_too_long_leaves_deliveries_to_their_sender_and_then_ends_the_process(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKLOG_MAX", 5)

    def answer(inbound: Inbound, now: Now) -> list[Command]:
        del now
        return [Append("audit", bytes(20_000))] if isinstance(inbound.message, Probe) else []

    async def scenario() -> None:
        node = Node(answer)
        bench = Bench(path, node)
        bench.fill_disk()
        for number in range(6):
            bench.loop.accept(heard(), probe(number))
        running = asyncio.create_task(bench.loop.run())
        async with asyncio.timeout(20):
            while len(node.received) < 6:  # noqa: ASYNC110 - polls the loop beside it
                await asyncio.sleep(0.005)
            bench.loop.accept(heard(), encode(delivery()))
            while not bench.loop.counters["left_to_sender"]:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)
            for number in range(20):
                bench.loop.accept(heard(), probe(number))
            with pytest.raises(EnvironmentFault, match="full"):
                await running

    asyncio.run(scenario())


def test_a_node_that_takes_long_does_not_stop_the_connections_beside_it(path: Path) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        entered, leave = asyncio.Event(), asyncio.Event()

        def answer(inbound: Inbound, now: Now) -> list[Command]:
            del inbound, now
            loop.call_soon_threadsafe(entered.set)
            asyncio.run_coroutine_threadsafe(leave.wait(), loop).result(20)
            return []

        node = Node(answer)
        bench = Bench(path, node, threaded=True)
        bench.loop.accept(heard(), probe(1))
        running = asyncio.create_task(bench.until(lambda: len(node.received) == 2))
        await asyncio.wait_for(entered.wait(), 20)
        bench.loop.accept(heard(), probe(2))
        leave.set()
        await running
        assert len(node.received) == 2

    asyncio.run(scenario())


def test_a_loop_without_a_journal_sends_at_once() -> None:
    async def scenario() -> None:
        wire = Wire()
        node = Node(lambda _i, _n: [Keep(Table.STATE, "k", b"v"), send(Channel.TO_HUB, receipt())])
        loop = Loop(node, cast("Bus", wire), None, Clock(), LoopOptions("KOR", "x"))
        loop.accept(heard(), probe(1))
        running = asyncio.create_task(loop.run())
        async with asyncio.timeout(20):
            while not wire.said:  # noqa: ASYNC110 - polls the loop beside it
                await asyncio.sleep(0.005)
        loop.stop()
        await running
        assert len(wire.of(Receipt)) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("schema", [LINK_SCHEMA, LINK_SCHEMA_BEFORE])
def test_what_a_node_at_the_schema_before_says_lacks_what_came_later_and_no_notice_is_lost(
    path: Path, schema: int
) -> None:
    told = Notice("gap", Severity.CAUTION, "2 are missing", 1, "guard/KOR", {"party": "HUB-1", "count": 2})
    later = Speaking("KOR", HUB, LINK_SCHEMA)

    def answer(inbound: Inbound, now: Now) -> list[Command]:
        del inbound, now
        return [send(Channel.TO_HUB, later), send(Channel.NOTICE, told), send(Channel.WARNING, warning())]

    async def scenario() -> None:
        bench = Bench(path, Node(answer), schema=schema)
        bench.loop.accept(heard(), probe(1))
        await bench.until(lambda: bool(bench.wire.of(Warning)))
        newest = schema == LINK_SCHEMA
        assert bench.wire.of(Speaking) == ([later] if newest else [])
        assert bench.wire.of(Notice) == [told if newest else msgspec.structs.replace(told, arguments=None)]

    asyncio.run(scenario())


@pytest.mark.parametrize(("by_us", "ends"), [(SET_BACK_MAX_US - 200_000, False), (3_600_000_000, True)])
def test_a_process_whose_clock_was_set_back_far_keeps_what_it_has_says_so_and_ends(
    path: Path, monkeypatch: pytest.MonkeyPatch, by_us: int, *, ends: bool
) -> None:
    off_ns, true_ns = 0, time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: true_ns() + off_ns)

    async def scenario() -> None:
        nonlocal off_ns
        node = Node(lambda inbound, _: [Keep(Table.INTAKE, str(number_of(inbound)), b"row")])
        bench = Bench(path, node)
        running = asyncio.create_task(bench.loop.run())
        async with asyncio.timeout(20):
            while not node.ticks:  # noqa: ASYNC110 - polls the loop beside it
                await asyncio.sleep(0.005)
            bench.loop.accept(heard(), probe(1))
            off_ns = -by_us * 1_000
            ticks = len(node.ticks)
            while not running.done() and len(node.ticks) < ticks + 3:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert running.done() is ends
        bench.loop.stop()
        if ends:
            with pytest.raises(EnvironmentFault, match=r"set back by 3,[56]\d\d,\d{3} ms"):
                await running
            (notice,) = (one for one in bench.wire.of(Notice) if isinstance(one, Notice))
            assert (notice.code, notice.severity) == ("clock-set-back", Severity.CAUTION)
        else:
            await running
            assert not bench.wire.of(Notice)
        assert [key for key, _ in bench.journal.rows(Table.INTAKE)] == ["1"], "nothing is lost"

    asyncio.run(scenario())

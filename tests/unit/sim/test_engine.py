"""The engine: committed before sent, restored after a crash, one caller, time that never runs back."""

from beaconfire.messages.codec import Message
from beaconfire.messages.transfer import Probe
from beaconfire.messages.words import HUB, Lane
from beaconfire.nodes.commands import (
    SET_BACK_MAX_US,
    Append,
    Channel,
    Command,
    Inbound,
    Keep,
    Now,
    Rows,
    Send,
    Table,
    WakeAt,
)
from beaconfire.sim.chance import Chance
from beaconfire.sim.disk import SimDisk
from beaconfire.sim.engine import Engine
from beaconfire.sim.network import Address, Letter, SimNetwork, Weather

START_US = 1_000_000_000


class Asker:
    """Asks the hub once a second, keeping the number of the question."""

    def __init__(self, rows: Rows) -> None:
        kept = dict(rows.rows(Table.STATE))
        self.number = int(kept.get("number", b"0"))
        self.answers: list[int] = []

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:  # noqa: ARG002
        assert isinstance(inbound.message, Probe)
        self.answers.append(inbound.message.number)
        return []

    def tick(self, now: Now) -> list[Command]:
        self.number += 1
        probe = Probe("JPN", HUB, Lane.FLASH, self.number, now.monotonic_us, echo=False)
        return [
            Send(Channel.TO_HUB, HUB, Lane.FLASH, probe),
            Keep(Table.STATE, "number", str(self.number).encode()),
            WakeAt(now.monotonic_us + 1_000_000),
            WakeAt(now.monotonic_us + 5_000_000),
        ]


class Answerer:
    """Answers each question and writes it down."""

    def __init__(self, rows: Rows) -> None:
        self.heard = len(rows.log("heard"))

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:  # noqa: ARG002
        assert isinstance(inbound.message, Probe)
        answer = Probe(HUB, "JPN", inbound.lane, inbound.message.number, 0, echo=True)
        return [
            Append("heard", b"%d" % inbound.message.number),
            Send(Channel.TO_NATION, "JPN", inbound.lane, answer),
        ]

    def tick(self, now: Now) -> list[Command]:  # noqa: ARG002
        return []


class Watcher:
    """Checks that whatever leaves was committed before, and keeps what went where and when."""

    def __init__(self) -> None:
        self.disk_numbers: list[int] = []
        self.sent_numbers: list[int] = []
        self.arrivals: list[tuple[str, int, int]] = []
        self.calls: list[tuple[Address, Now]] = []

    def called(self, address: Address, now: Now, commands: list[Command]) -> None:  # noqa: ARG002
        self.calls.append((address, now))

    def committed(self, address: Address, disk: SimDisk, commands: list[Command]) -> None:  # noqa: ARG002
        if address.role == "guard":
            self.disk_numbers.append(int(dict(disk.rows(Table.STATE)).get("number", b"0")))

    def sent(self, letter: Letter, message: Message) -> None:
        assert isinstance(message, Probe)
        if letter.source.role == "guard":
            assert self.disk_numbers[-1] == message.number
            self.sent_numbers.append(message.number)

    def received(self, letter: Letter, message: Message, at_us: int) -> None:
        assert isinstance(message, Probe)
        self.arrivals.append((letter.destination.party, message.number, at_us - START_US))

    def died(self, address: Address) -> None:
        pass

    def wiped(self, address: Address) -> None:
        pass


GUARD = Address("JPN", "guard")
HUB_NODE = Address(HUB, "hub")


def _run(weather: Weather, seconds: int, seed: int = 1, crash: float = 0.0) -> tuple[Engine, Watcher]:
    watcher = Watcher()
    engine = Engine(START_US, SimNetwork(weather, seed), [watcher])
    if crash:
        engine.crash_between_commit_and_send(Chance(seed, "crash"), crash)
    engine.host(HUB_NODE, Answerer)
    engine.host(GUARD, Asker)
    engine.run_until(START_US + seconds * 1_000_000)
    return engine, watcher


def test_question_and_answer_take_the_delays_and_the_earliest_wake_wins() -> None:
    engine, watcher = _run(Weather(control_us=(50_000, 50_000)), 2)
    assert watcher.arrivals == [
        (HUB, 1, 50_000),
        ("JPN", 1, 100_000),
        (HUB, 2, 1_050_000),
        ("JPN", 2, 1_100_000),
    ]
    assert engine.hosted[HUB_NODE].disk.log("heard") == [b"1", b"2"]


def test_a_crash_loses_what_was_not_committed_and_nothing_else() -> None:
    engine, watcher = _run(Weather(), 3)
    engine.crash(GUARD, 500_000)
    assert engine.hosted[GUARD].node is None
    engine.run_until(START_US + 4_000_000)
    node = engine.hosted[GUARD].node
    assert isinstance(node, Asker)
    assert node.number == 5
    assert watcher.sent_numbers == [1, 2, 3, 4, 5]


def test_crash_between_commit_and_send_leaves_a_gap_and_no_double() -> None:
    engine, watcher = _run(Weather(), 200, crash=0.2)
    assert engine.hosted[GUARD].crashes > 10
    assert watcher.sent_numbers == sorted(set(watcher.sent_numbers))
    assert len(watcher.sent_numbers) < watcher.disk_numbers[-1]


def test_weather_loses_doubles_and_reorders_and_the_same_seed_does_so_again() -> None:
    stormy = Weather(control_us=(10_000, 90_000), loss=0.2, duplicate=0.2, reorder=0.3, reorder_us=3_000_000)
    _, one = _run(stormy, 300, seed=5)
    _, again = _run(stormy, 300, seed=5)
    _, other = _run(stormy, 300, seed=6)
    assert one.arrivals == again.arrivals
    assert one.arrivals != other.arrivals
    at_hub = [number for party, number, _ in one.arrivals if party == HUB]
    assert len(set(at_hub)) < 300
    assert len(at_hub) > len(set(at_hub))
    assert at_hub != sorted(at_hub)


def test_partition_and_flipped_bits() -> None:
    engine, watcher = _run(Weather(), 2)
    engine.network.cut.add(("", "JPN"))
    engine.network.cut.add(("JPN", ""))
    engine.run_until(START_US + 5_000_000)
    assert len(watcher.arrivals) == 5  # the question of second 2 was under way
    engine.network.cut.clear()
    engine.network.weather = Weather(corrupt=1.0)
    engine.run_until(START_US + 30_000_000)
    assert engine.rejected > 0


def test_clock_error_moves_utc_and_leaves_the_monotonic_clock() -> None:
    watcher = Watcher()
    engine = Engine(START_US, SimNetwork(Weather(), 1), [watcher])
    engine.step_clock("JPN", 250_000)
    engine.host(GUARD, Asker)
    assert watcher.calls[0][1] == Now(START_US + 250_000, START_US)


def test_a_clock_that_is_set_back_stands_still_or_its_node_is_started_anew() -> None:
    engine, watcher = _run(Weather(), 3)
    engine.step_clock("JPN", -SET_BACK_MAX_US)
    assert engine.hosted[GUARD].crashes == 0
    engine.step_clock("JPN", -1)
    assert engine.hosted[GUARD].node is None
    assert engine.hosted[HUB_NODE].node is not None, "its own clock is right"
    engine.run_until(START_US + 10_000_000)
    assert engine.hosted[GUARD].crashes == 1
    last = next(now for address, now in reversed(watcher.calls) if address == GUARD)
    assert last.utc_us == last.monotonic_us - SET_BACK_MAX_US - 1, "the time is as it is"

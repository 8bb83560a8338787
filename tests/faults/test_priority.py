"""A warning passes a backlog of 4,000 track reports on a slow link, since it has a connection of its own."""

import asyncio
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beaconfire.adapters.arena import Arena, addresses_of, why_not
from beaconfire.adapters.bus import Bus
from beaconfire.adapters.configuration import read_config
from beaconfire.adapters.installation import Installation, Options, make_installation
from beaconfire.adapters.wiring import Heard, Role
from beaconfire.messages.words import HUB, Lane, Nation
from beaconfire.nodes.commands import Channel

NATIONS = (Nation("JPN"), Nation("KOR"), Nation("USA"))
BACKLOG = 4_000
SIZE = 1_300
WARNINGS = 20
RATE, QUEUE = "250kbps", "40ms"
WITHIN_S = 60.0

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(200),
    pytest.mark.skipif(bool(why_not()), reason=f"NOT SHOWN HERE: priority on a slow link ({why_not()})"),
]


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[tuple[Installation, Arena]]:
    options = Options(hubs=(HUB,), addresses=addresses_of((HUB, *NATIONS)))
    made = make_installation(tmp_path / "here", nations=NATIONS, options=options)
    held = Arena(made, frozenset())
    try:
        held.open()
        yield made, held
    finally:
        held.close()


class Link:
    """Korea's guard and the hub, each in its namespace, with the slow link between them."""

    def __init__(self, made: Installation, arena: Arena) -> None:
        self.made, self.arena = made, arena
        self.arrived: list[tuple[float, bytes]] = []
        self.ready, self.stop = threading.Event(), threading.Event()
        self.sent_s: dict[int, float] = {}

    def bus(self, role: Role, party: str) -> Bus:
        entry = next(one for one in self.made.processes if (one.role, one.party) == (role, party))
        return Bus(party, role, read_config(entry.config).endpoints())

    def listen(self) -> None:
        async def scenario() -> None:
            bus = self.bus(Role.HUB, HUB)
            await bus.open(self.hear, within_s=WITHIN_S)
            self.ready.set()
            await asyncio.to_thread(self.stop.wait)
            await bus.close()

        asyncio.run(scenario())

    def hear(self, heard: Heard, body: bytes) -> None:
        del heard
        self.arrived.append((time.monotonic(), body[:12]))

    def send(self, lane_of_warning: Lane, backlog: int) -> None:
        async def scenario() -> None:
            bus = self.bus(Role.GUARD, "KOR")
            await bus.open(lambda _heard, _body: None, within_s=WITHIN_S)
            self.arena.slow("KOR", RATE, QUEUE)
            for number in range(backlog):
                bus.publish(Channel.TO_HUB, HUB, Lane.ROUTINE, ("delivery", b"%-12d" % number + bytes(SIZE)))
            for number in range(WARNINGS):
                await asyncio.sleep(0.25)
                self.sent_s[number] = time.monotonic()
                bus.publish(Channel.TO_HUB, HUB, lane_of_warning, ("delivery", b"warning %-4d" % number))
            await asyncio.to_thread(self.until, lambda: len(self.warnings()) == WARNINGS)
            self.arena.slow("KOR", "")
            await bus.close()

        asyncio.run(scenario())

    def warnings(self) -> list[tuple[float, int]]:
        found = [(at_s, body) for at_s, body in list(self.arrived) if body.startswith(b"warning")]
        return [(at_s, int(body.split()[1])) for at_s, body in found]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while not condition() and time.monotonic() < deadline_s:
            time.sleep(0.02)

    def run(self, lane_of_warning: Lane, backlog: int) -> tuple[float, float]:
        """Return the median wait of a warning, ms, and the median of reports that passed it meanwhile."""
        listening = self.arena.inside(HUB, self.listen)
        assert self.ready.wait(WITHIN_S)
        sending = self.arena.inside("KOR", lambda: self.send(lane_of_warning, backlog))
        sending.join(WITHIN_S * 2)
        self.stop.set()
        listening.join(WITHIN_S)
        waits, before = [], []
        for at_s, number in self.warnings():
            waits.append(1_000 * (at_s - self.sent_s[number]))
            reports = [at for at, body in self.arrived if body[:1].isdigit()]
            before.append(sum(self.sent_s[number] < one < at_s for one in reports))
        assert len(waits) == WARNINGS
        return statistics.median(waits), statistics.median(before)


def test_a_warning_does_not_wait_for_the_backlog(arena: tuple[Installation, Arena]) -> None:
    wait_ms, before = Link(*arena).run(Lane.FLASH, BACKLOG)
    print(
        f"warning past {BACKLOG} reports at {RATE}: median {wait_ms:.0f} ms, {before:.0f} reports before it"
    )
    assert before < BACKLOG / 50


def test_on_the_connection_of_the_backlog_it_would_wait_and_this_would_be_seen(
    arena: tuple[Installation, Arena],
) -> None:
    """Known bad: one connection for both."""
    wait_ms, before = Link(*arena).run(Lane.ROUTINE, BACKLOG // 4)
    print(f"on one connection: median {wait_ms:.0f} ms, {before:.0f} reports before it")
    assert before > BACKLOG / 50

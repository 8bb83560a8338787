"""Processes of an installation run inside a test, on real buses and journals, so that it can look at them."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from beaconfire.adapters.building import build_node
from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import Clock
from beaconfire.adapters.configuration import LoadedConfig, read_config
from beaconfire.adapters.installation import Installation
from beaconfire.adapters.journal import Journal
from beaconfire.adapters.loop import Loop, LoopOptions
from beaconfire.adapters.wiring import Heard, Role
from beaconfire.messages.health import Notice

WITHIN_S = 40.0


def config_of(made: Installation, role: Role, party: str) -> LoadedConfig:
    entry = next(one for one in made.processes if (one.role, one.party) == (role, party))
    return read_config(entry.config)


def bus_of(made: Installation, role: Role, party: str) -> Bus:
    return Bus(party, role, config_of(made, role, party).endpoints())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110 - what is awaited happens elsewhere
            await asyncio.sleep(0.02)


class Process:
    """One process of the installation, run in this one, and what it has given notice of."""

    def __init__(self, made: Installation, role: Role, party: str, journal: Path) -> None:
        loaded = config_of(made, role, party)
        self.journal = Journal(journal)
        self.bus = Bus(party, role, loaded.endpoints())
        node = build_node(loaded, self.journal)
        options = LoopOptions(party, f"{role.value}/{party}")
        self.loop = Loop(node, self.bus, self.journal, Clock(), options)
        self.heard: list[tuple[Heard, bytes]] = []
        self.notices: list[tuple[float, Notice]] = []
        self.loop.on_notice = lambda notice: self.notices.append((time.monotonic(), notice))
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.bus.open(self._hear, within_s=WITHIN_S)
        self.task = asyncio.create_task(self.loop.run())

    def _hear(self, heard: Heard, body: bytes) -> None:
        self.heard.append((heard, body))
        self.loop.accept(heard, body)

    async def stop(self) -> None:
        self.loop.stop()
        if self.task is not None:
            await self.task
        await self.bus.close()
        self.journal.close()

    def codes(self) -> set[str]:
        return {notice.code for _, notice in self.notices}

    def said_s(self, code: str) -> float:
        return next(at_s for at_s, notice in self.notices if notice.code == code)

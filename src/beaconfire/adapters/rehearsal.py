"""The main job on one machine: an installation run for real while simulated sensors see a flight.

What is measured comes from what the nodes said and journalled; of the truth it knows the launch time and
the end, and tells them to nobody but the summary.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.clock import Clock, read_clock
from beaconfire.adapters.installation import Installation
from beaconfire.adapters.observer import Observer
from beaconfire.adapters.players import Players
from beaconfire.adapters.supervisor import Supervisor
from beaconfire.messages.health import Health
from beaconfire.messages.words import Nation, TimeUs
from beaconfire.nodes.display import DisplayFacts, DisplaySnapshot
from beaconfire.units import microseconds_from_seconds

LOOK_S: Final = 0.2
CONNECT_WITHIN_S: Final = 15.0
SETTLE_WALL_S: Final = 2.0
SETTLE_EVENT_S: Final = 20.0
CATCH_UP_WALL_S: Final = 60.0
"""How long a machine too slow for the speed asked for is given, after the flight, to take what was sent."""

Look = Callable[[Nation, DisplaySnapshot], None]
"""Given each nation's newest snapshot, a few times a second."""


class Flown(msgspec.Struct, frozen=True):
    """What is to be flown past the sensors.

    Attributes:
        feeds: file of detections in order of time, by nation.
        launch_us: true launch of the first object.
        end_us: true end of the last.
    """

    feeds: Mapping[Nation, Path]
    launch_us: TimeUs
    end_us: TimeUs


class Outcome(msgspec.Struct, frozen=True):
    """What was left when it was over.

    Attributes:
        health: the last word of every node, by source such as "hub" or "picture/JPN".
        restarts: how often each child was started again, those that were not left out.
    """

    health: Mapping[str, Health]
    restarts: Mapping[str, int]


class Rehearsal:
    """One installation, its supervisor, its observer and its players."""

    def __init__(self, installation: Installation, supervisor: Supervisor) -> None:
        """Take what `make_installation` made and who runs it."""
        self._installation = installation
        self._supervisor = supervisor
        self._players = Players()
        self._observer: Observer | None = None

    async def begin(self, facts: Mapping[Nation, DisplayFacts]) -> Observer:
        """Start servers and processes, then the event clock, and listen; returns who listens.

        Raises:
            UsageError: a port is taken.
            EnvironmentFault: something did not start.
        """
        await self._supervisor.start()
        assert self._installation.clock is not None
        observer = Observer(self._installation, read_clock(self._installation.clock), facts)
        await observer.open(within_s=CONNECT_WITHIN_S)
        self._observer = observer
        return observer

    async def fly(self, flown: Flown, look: Look, stop: asyncio.Event) -> Outcome:
        """Play the detections and look until all is over or `stop` is set; returns what was left."""
        assert self._observer is not None
        assert self._installation.clock is not None
        for nation, feed in flown.feeds.items():
            await self._players.start(feed, self._installation.feed_ports[nation], self._installation.clock)
        clock = read_clock(self._installation.clock)
        await self._look_until(_end_of(flown, clock), clock, look, stop)
        await self._catch_up(clock, look, stop)
        return self._outcome(self._observer)

    async def look_on(self, look: Look, stop: asyncio.Event) -> None:
        """Go on looking until `stop` is set."""
        assert self._installation.clock is not None
        await self._look_until(None, read_clock(self._installation.clock), look, stop)

    async def end(self) -> None:
        """End players, observer and all children."""
        await self._players.stop()
        if self._observer is not None:
            await self._observer.close()
        await self._supervisor.stop()

    async def _look_until(self, end_us: TimeUs | None, clock: Clock, look: Look, stop: asyncio.Event) -> None:
        assert self._observer is not None
        while not stop.is_set() and (end_us is None or clock.now().utc_us < end_us):
            for nation in self._installation.nations:
                look(nation, self._observer.snapshot(nation))
            try:
                await asyncio.wait_for(stop.wait(), LOOK_S)
            except TimeoutError:
                continue

    async def _catch_up(self, clock: Clock, look: Look, stop: asyncio.Event) -> None:
        """Look on until every node has said that nothing waits with it, or `CATCH_UP_WALL_S` are over."""
        assert self._observer is not None
        began_us = clock.now().monotonic_us
        deadline_us = began_us + microseconds_from_seconds(CATCH_UP_WALL_S)
        while not stop.is_set() and clock.now().monotonic_us < deadline_us:
            if not self._observer.behind(began_us):
                return
            for nation in self._installation.nations:
                look(nation, self._observer.snapshot(nation))
            await asyncio.sleep(LOOK_S)

    def _outcome(self, observer: Observer) -> Outcome:
        restarts = {name: self._supervisor.restarts(name) for name in self._supervisor.names()}
        return Outcome(dict(observer.health), {name: count for name, count in restarts.items() if count})


def _end_of(flown: Flown, clock: Clock) -> TimeUs:
    """Return the event time at which the last words have been said."""
    settle_s = max(SETTLE_EVENT_S, SETTLE_WALL_S * clock.speed)
    return flown.end_us + microseconds_from_seconds(settle_s)

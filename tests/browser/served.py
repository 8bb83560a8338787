"""A display served for real in a thread of the test process, fed by synthetic messages."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Self, TypeVar

from beaconfire.adapters.web.api import Attached, Sandbox
from beaconfire.adapters.web.server import WebOptions, WebServer
from beaconfire.adapters.web.shapes import Audit
from beaconfire.messages.codec import Message
from beaconfire.messages.event import Acknowledgement, Event, Warning
from beaconfire.messages.health import Health
from beaconfire.messages.words import Lane, Nation
from beaconfire.nodes.commands import Channel, Inbound, Now
from beaconfire.nodes.display import DisplayFacts, DisplayNode

Result = TypeVar("Result")


class EventClock:
    """Wall time, and an event time that runs `speed` times as fast from a chosen start."""

    def __init__(self, start_us: int, speed: float) -> None:
        """Start the event time now."""
        self.speed = speed
        self._start_us = start_us
        self._begun_ns = time.monotonic_ns()

    def __call__(self) -> Now:
        """Return both times."""
        wall_ns = time.monotonic_ns()
        gone_us = (wall_ns - self._begun_ns) // 1_000
        return Now(self._start_us + int(gone_us * self.speed), wall_ns // 1_000)


def _channel(message: Message) -> Channel:
    if isinstance(message, Event):
        return Channel.EVENT
    if isinstance(message, Warning):
        return Channel.WARNING
    return Channel.HEALTH if isinstance(message, Health) else Channel.NOTICE


class Served:
    """A display and its server, running until closed."""

    def __init__(
        self,
        nation: Nation,
        facts: DisplayFacts,
        clock: EventClock,
        port: int = 0,
        *,
        audit: Audit | None = None,
        options: WebOptions | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        """Serve in a thread of its own."""
        self.node = DisplayNode(nation, facts)
        self.clock = clock
        self._loop = asyncio.new_event_loop()
        self.acknowledgements: list[Acknowledgement] = []
        attached = Attached(audit=audit, acknowledge=self._acknowledge, sandbox=sandbox)
        self.server = WebServer(
            self.node, clock, options or WebOptions(port=port, speed=clock.speed), attached
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _acknowledge(self, said: Acknowledgement) -> None:
        self.acknowledgements.append(said)
        inbound = Inbound(Channel.ACKNOWLEDGEMENT, self.node.nation, Lane.FLASH, said, 100)
        self.node.receive(inbound, self.clock())

    def _run(self) -> None:
        self._loop.run_until_complete(self.server.serve())
        self._loop.close()

    def call(self, what: Callable[[], Result]) -> Result:
        """Run something in the loop of the display and return its result."""

        async def inside() -> Result:
            return what()

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(10)

    def feed(self, *messages: Message) -> None:
        """Hand messages to the display as its own nation's bus would."""
        for message in messages:
            inbound = Inbound(_channel(message), self.node.nation, Lane.FLASH, message, 100)
            self.call(lambda inbound=inbound: self.node.receive(inbound, self.clock()))  # type: ignore[misc]

    def close(self) -> None:
        """Stop and wait for the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.server.stop)
            self._thread.join(10)

    def __enter__(self) -> Self:
        """Return itself, running."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

"""The bus: core NATS client connections of one process, one for each line of its wiring.

Nothing here is durable: what can't be published now is dropped and counted, and the outbox sends it
again. So a writer never waits for a peer, and what is newest goes first once a link is back.
"""

import asyncio
import random
import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from beaconfire.adapters.identity import Identity, client_context
from beaconfire.adapters.wiring import Heard, Line, Role, Server, heard_on, line_for, subject_for
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES
from beaconfire.messages.words import Lane
from beaconfire.nodes.commands import Channel

RECONNECT_S: Final = 0.25
RECONNECT_JITTER_S: Final = 0.1
PING_S: Final = 2
PINGS_MAX: Final = 2
OUTGOING_MAX: Final = 4_096
"""Messages waiting for one connection; over it FLASH refuses the newest, ROUTINE drops the oldest."""
CLIENT_BUFFER_BYTES: Final = 262_144
PENDING_MESSAGES_MAX: Final = 16_384
CLOSE_WITHIN_S: Final = 1.0
SETTLE_WITHIN_S: Final = 5
JOIN_WITHIN_S: Final = 0.25
"""A connection that is just being made is let finish before it is closed."""

Handler = Callable[[Heard, bytes], None]


class Endpoint(msgspec.Struct, frozen=True):
    """Where a line leads and as whom.

    Attributes:
        line: what it is for.
        url: of the server, such as nats://127.0.0.1:40001.
        seed_file: file with the nkey seed of the user.
        identity: for mutual TLS; None for none, on loopback alone.
        also: the other servers of the same cluster.
    """

    line: Line
    url: str
    seed_file: Path
    identity: Identity | None = None
    also: tuple[str, ...] = ()


class _Connection:
    """One client connection, its outgoing queue and its counts."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.endpoint = endpoint
        self.name = name
        self.client = Client()
        self.outgoing: deque[tuple[str, bytes]] = deque()
        self.ready = asyncio.Event()
        self.errors: deque[str] = deque(maxlen=16)
        self.error_count = 0
        self.dropped = 0
        self.reconnects = 0
        self.asked = False
        self.writer: asyncio.Task[None] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = 0

    async def open(self) -> None:
        self.loop, self.thread = asyncio.get_running_loop(), threading.get_ident()
        tls = client_context(self.endpoint.identity) if self.endpoint.identity else None
        self.asked = True
        jitter_s = RECONNECT_JITTER_S * random.random()  # noqa: S311 - spreads reconnecting clients, no secret
        await self.client.connect(
            servers=[self.endpoint.url, *self.endpoint.also],
            name=self.name,
            nkeys_seed_str=_read_seed(self.endpoint.seed_file),
            inbox_prefix=f"_INBOX_{self.name.replace('/', '_')}",
            connect_timeout=2,
            reconnect_time_wait=RECONNECT_S + jitter_s,  # type: ignore[arg-type]  # a float is slept as well
            max_reconnect_attempts=-1,
            ping_interval=PING_S,
            max_outstanding_pings=PINGS_MAX,
            pending_size=CLIENT_BUFFER_BYTES,
            no_echo=True,
            tls=tls,
            error_cb=self._on_error,
            reconnected_cb=self._on_reconnect,
        )
        self.writer = asyncio.create_task(self._write())

    async def _on_error(self, error: Exception) -> None:
        self.error_count += 1
        self.errors.append(f"{type(error).__name__}: {error}")

    async def _on_reconnect(self) -> None:
        self.reconnects += 1

    def put(self, subject: str, body: bytes) -> bool:
        if self.loop is None or not self.client.is_connected:
            self.dropped += 1
            return False
        if len(self.outgoing) >= OUTGOING_MAX:
            self.dropped += 1
            if self.endpoint.line.lane is Lane.FLASH:
                return False
            self.outgoing.popleft()
        self.outgoing.append((subject, body))
        if threading.get_ident() == self.thread:
            self.ready.set()
        else:
            self.loop.call_soon_threadsafe(self.ready.set)
        return True

    async def _write(self) -> None:
        while True:
            await self.ready.wait()
            self.ready.clear()
            while self.outgoing:
                subject, body = self.outgoing.popleft()
                try:
                    await self.client.publish(subject, body)
                except (nats.errors.Error, OSError) as error:
                    self.dropped += 1
                    await self._on_error(error)

    async def flush(self) -> None:
        for _ in range(100):
            if not self.outgoing or not self.client.is_connected:
                break
            await asyncio.sleep(0.002)
        if self.client.is_connected:
            await self.settle()

    async def settle(self) -> None:
        """Wait until the server has dealt with all that was handed to the client.

        Twice: the client writes what asks for the answer ahead of what it has gathered to write.
        """
        for _ in range(2):
            await self.client.flush(timeout=SETTLE_WITHIN_S)

    async def close(self) -> None:
        if not self.asked:
            return
        try:
            await asyncio.wait_for(self.flush(), CLOSE_WITHIN_S)
        except (TimeoutError, nats.errors.Error, OSError):
            self.dropped += len(self.outgoing)
        if self.writer is not None:
            self.writer.cancel()
        try:
            await asyncio.wait_for(self.client.close(), CLOSE_WITHIN_S)
        except (TimeoutError, nats.errors.Error, OSError):
            return


def _read_seed(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read a key: {error}", str(path), "an nkey seed") from error


class Bus:
    """All connections of one process. Used within one asyncio loop."""

    def __init__(self, party: str, role: Role, endpoints: Iterable[Endpoint]) -> None:
        """Take the wiring of one process; nothing is opened yet.

        Args:
            party: own nation, or HUB.
            role: of the process.
            endpoints: one for each of its lines.
        """
        self.party = party
        self.role = role
        self._connections = {
            one.line: _Connection(one, f"{role.value}/{party}/{_name(one.line)}") for one in endpoints
        }
        self._joining: list[asyncio.Task[None]] = []

    async def open(
        self, handler: Handler, *, within_s: float | None = None, await_links: bool = True
    ) -> None:
        """Connect and subscribe to all that the role hears; servers that are down are awaited.

        Args:
            handler: called with each message, in this loop, and must return at once.
            within_s: give up after this; None waits without end.
            await_links: also wait for the hub's servers; otherwise they are joined whenever they are there,
                since a nation goes on with one of them, or none.

        Raises:
            EnvironmentFault: a server could not be reached, or refused the key, within the time.
            UsageError: a key file can't be read.
        """
        awaited = []
        for connection in self._connections.values():
            if await_links or connection.endpoint.line.server is Server.HOME:
                awaited.append(self._open(connection, handler))
            else:
                self._joining.append(asyncio.create_task(self._open(connection, handler)))
        try:
            async with asyncio.timeout(within_s):
                await asyncio.gather(*awaited)
        except TimeoutError as error:
            problems = [f"{c.endpoint.url}: {c.errors[-1]}" for c in self._connections.values() if c.errors]
            what = problems[0] if problems else "no answer"
            raise EnvironmentFault(f"message server {what}", "start it, or check url and key") from error
        except nats.errors.Error as error:
            raise EnvironmentFault(f"message server: {error}", "check url and key") from error

    async def _open(self, connection: _Connection, handler: Handler) -> None:
        await connection.open()
        for heard in heard_on(connection.endpoint.line, self.role, self.party):
            await connection.client.subscribe(
                heard.subject,
                cb=_callback(heard, handler),
                pending_msgs_limit=PENDING_MESSAGES_MAX,
                pending_bytes_limit=PENDING_MESSAGES_MAX * 2_048,
            )
        await connection.settle()

    def publish(self, channel: Channel, recipient: str, lane: Lane, message: tuple[str, bytes]) -> bool:
        """Hand a message to its connection; returns False if it was dropped and counted. From any thread.

        Args:
            channel: flow.
            recipient: party.
            lane: FLASH or ROUTINE.
            message: its type tag and its bytes.

        Raises:
            ValueError: no connection for it, or it is over the size limit: a mistake of ours.
        """
        kind, body = message
        line = line_for(self.party, channel, recipient, lane)
        connection = self._connections.get(line)
        if connection is None:
            raise ValueError(f"{self.role}/{self.party} has no line to {recipient} for {channel}")
        if len(body) > MAXIMUM_MESSAGE_BYTES:
            raise ValueError(f"{len(body)} bytes to {recipient} on {channel}")
        return connection.put(subject_for(line, channel, lane, kind), body)

    def counts(self) -> dict[str, int]:
        """Return errors, drops and reconnections, summed over the connections."""
        held = self._connections.values()
        return {
            "bus_errors": sum(c.error_count for c in held),
            "bus_dropped": sum(c.dropped for c in held),
            "bus_reconnects": sum(c.reconnects for c in held),
        }

    def recent_errors(self) -> list[str]:
        """Return the newest errors of each connection, named."""
        return [f"{c.name}: {error}" for c in self._connections.values() for error in c.errors]

    def is_connected(self, line: Line) -> bool:
        """Return whether a line's connection is up."""
        return bool(self._connections[line].client.is_connected)

    async def flush(self) -> None:
        """Wait until the servers have all that was published."""
        await asyncio.gather(*(c.flush() for c in self._connections.values()))

    async def close(self) -> None:
        """Send what waits, within a second, and close."""
        if self._joining:
            await asyncio.wait(self._joining, timeout=JOIN_WITHIN_S)
        for task in self._joining:
            task.cancel()
        await asyncio.gather(*self._joining, return_exceptions=True)
        await asyncio.gather(*(c.close() for c in self._connections.values()))


def _name(line: Line) -> str:
    return f"{line.peer}-{line.lane.value if line.lane else line.server.value}"


def _callback(heard: Heard, handler: Handler) -> "Callable[[Msg], asyncio.Future[None]]":
    async def on_message(message: Msg) -> None:
        handler(heard, message.data)

    return on_message  # type: ignore[return-value]  # a coroutine function, as nats-py wants it

"""The bare counterpart of `latency.py`: the same bytes over as many servers and commits, nothing else.

Each step of the chain is a process of its own: it takes a message off a server, commits it to SQLite
(write-ahead log, `synchronous=FULL`, one commit for each message) and publishes it on. No decoding, no
signature, no decision, no estimate.

    source -> home server -> [commit] -> hub's server -> [commit] -> hub's server -> [commit]
           -> home server -> sink
"""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from beaconfire.adapters.servers import check_server, free_ports, wait_until_served

HUB: Final = "HUB"
READY_WITHIN_S: Final = 20.0
DRAIN_S: Final = 3.0
PENDING_MAX: Final = 65_536


class Route(msgspec.Struct, frozen=True):
    """One subscription of a step and where each of its messages goes on to, as (url, subject)."""

    take_from: tuple[str, str]
    give_to: tuple[tuple[str, str], ...]


class Step(msgspec.Struct, frozen=True):
    """One process of the chain: its routes, its journal, and the file it makes once it listens."""

    routes: tuple[Route, ...]
    journal: Path
    ready: Path


class Sent(msgspec.Struct, frozen=True):
    """One message to be sent: seconds after the first, which nation sends it, its bytes."""

    after_s: float
    nation: str
    body: bytes


class Bare(msgspec.Struct, frozen=True):
    """What came of it: delays in milliseconds, bytes sent, and arrivals that were due and did not come."""

    delays_ms: list[float]
    sent_bytes: int
    missing: int


def _journal(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE taken (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    return connection


async def run_step(step: Step) -> None:
    """Run one step until it is ended."""
    journal = _journal(step.journal)
    urls = {route.take_from[0] for route in step.routes}
    urls |= {url for route in step.routes for url, _ in route.give_to}
    clients = {url: Client() for url in sorted(urls)}
    for url, client in clients.items():
        await client.connect(servers=[url])
    for route in step.routes:
        url, subject = route.take_from

        async def on_message(message: Msg, route: Route = route) -> None:
            journal.execute("INSERT INTO taken (body) VALUES (?)", (message.data,))
            for onward, name in route.give_to:
                await clients[onward].publish(name, message.data)

        await clients[url].subscribe(subject, cb=on_message, pending_msgs_limit=PENDING_MAX)
        await clients[url].flush()
    step.ready.touch()
    await asyncio.Event().wait()


def _url(port: int) -> str:
    return f"nats://127.0.0.1:{port}"


def _steps(folder: Path, urls: dict[str, str], nations: list[str]) -> list[Step]:
    """Return the processes: a way out and a way in for each nation, and the hub's relay."""
    hub = urls[HUB]
    made: list[tuple[str, tuple[Route, ...]]] = []
    for nation in nations:
        out = Route((urls[nation], "own"), ((hub, f"to-hub.{nation}"),))
        back = Route((hub, f"to-nation.{nation}"), ((urls[nation], "event"),))
        made += [(f"out-{nation}", (out,)), (f"in-{nation}", (back,))]
    relay = tuple(
        Route(
            (hub, f"to-hub.{nation}"),
            tuple((hub, f"to-nation.{other}") for other in nations if other != nation),
        )
        for nation in nations
    )
    made.append(("relay", relay))
    return [Step(routes, folder / f"{name}.journal", folder / f"{name}.ready") for name, routes in made]


class BareChain:
    """Servers and steps, started and ended together."""

    def __init__(self, folder: Path, nations: list[str]) -> None:
        """Take an empty folder for journals and the nations that send."""
        self._folder = folder
        self._nations = nations
        ports = free_ports(1 + len(nations))
        self._ports = dict(zip((HUB, *nations), ports, strict=True))
        self.urls = {party: _url(port) for party, port in self._ports.items()}
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start servers, then steps, and return once all listen.

        Raises:
            TimeoutError: one did not.
        """
        binary = check_server()
        quiet = subprocess.DEVNULL
        for port in self._ports.values():
            command = [str(binary), "-a", "127.0.0.1", "-p", str(port)]
            self._running.append(subprocess.Popen(command, stdout=quiet, stderr=quiet))
        for port in self._ports.values():
            self._wait(lambda port=port: wait_until_served(port, within_s=1.0))  # type: ignore[misc]
        steps = _steps(self._folder, self.urls, self._nations)
        for step in steps:
            command = [sys.executable, __file__, msgspec.json.encode(step, enc_hook=str).decode()]
            self._running.append(subprocess.Popen(command))
        for step in steps:
            self._wait(step.ready.exists)

    def _wait(self, done: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not done():
            if time.monotonic() > deadline_s:
                raise TimeoutError("a bare server or step did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        """End all of it, the steps before the servers they hang on."""
        for process in reversed(self._running):
            process.terminate()
            process.wait(10)

    async def play(self, messages: list[Sent]) -> Bare:
        """Send each message at its moment and return how long each took to each of the others' sinks."""
        clients = {nation: Client() for nation in self._nations}
        sent_at: dict[bytes, int] = {}
        delays_ms: list[float] = []

        async def on_message(message: Msg) -> None:
            delays_ms.append((time.perf_counter_ns() - sent_at[message.data]) / 1e6)

        for nation, client in clients.items():
            await client.connect(servers=[self.urls[nation]])
            await client.subscribe("event", cb=on_message, pending_msgs_limit=PENDING_MAX)
            await client.flush()
        start_s = time.monotonic()
        for one in messages:
            await asyncio.sleep(max(0.0, start_s + one.after_s - time.monotonic()))
            sent_at[one.body] = time.perf_counter_ns()
            await clients[one.nation].publish("own", one.body)
        due = len(messages) * (len(self._nations) - 1)
        deadline_s = time.monotonic() + DRAIN_S
        while len(delays_ms) < due and time.monotonic() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for client in clients.values():
            await client.close()
        return Bare(delays_ms, sum(len(one.body) for one in messages), due - len(delays_ms))


def main() -> None:
    """Run the step that the command line describes."""
    step = msgspec.json.decode(sys.argv[1].encode(), type=Step, dec_hook=lambda _, value: Path(value))
    asyncio.run(run_step(step))


if __name__ == "__main__":
    main()

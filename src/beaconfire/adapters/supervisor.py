"""The supervisor: starts servers and processes of an installation, restarts what dies, ends all at the end.

Every child is a process of its own, told by the kernel to end when this one does. Use it from the main
thread: the kernel's word goes out when the *thread* that started a child ends.
"""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO, Final

from beaconfire.adapters.installation import Installation, ProcessEntry, ServerEntry
from beaconfire.adapters.servers import check_port_is_free, check_server, reason_in_log, wait_until_served
from beaconfire.adapters.wiring import Role
from beaconfire.errors import EnvironmentFault

READY_LINE: Final = "ready"
SERVER_WITHIN_S: Final = 10.0
READY_WITHIN_S: Final = 300.0
STOP_WITHIN_S: Final = 4.0
WATCH_S: Final = 0.1
FIRST_BACKOFF_S: Final = 0.1
LAST_BACKOFF_S: Final = 5.0
STEADY_S: Final = 10.0
"""A child that has run this long is taken to be well, and its backoff starts anew."""
OUTPUT_LINE_MAX: Final = 500
_PR_SET_PDEATHSIG: Final = 1
_COMPUTING: Final = (Role.PICTURE, Role.NATIONAL)
"""Roles with numerics; the first of each compiles what its role needs."""

_ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
"""Matrices here are small: a pool of threads in each of twenty processes would only be in the way."""

Progress = Callable[[str], None]


def _die_with_parent() -> None:
    """Ask the kernel to end this process when its parent does; runs in the child, before it starts."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Child:
    """One server or process: how it is started, and how it has been."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = asyncio.Event()
        self.reader: asyncio.Task[None] | None = None
        self.restarts = 0
        self.backoff_s = FIRST_BACKOFF_S
        self.started_s = 0.0
        self.restart_at_s: float | None = None

    def start(self) -> IO[bytes]:
        self.ready.clear()
        self.restart_at_s = None
        self.started_s = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**_ONE_THREAD, **os.environ},
                process_group=0,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no lock is taken
            )
        assert self.process.stdout is not None
        return self.process.stdout

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


class Supervisor:
    """Runs one installation until told to stop."""

    def __init__(
        self,
        installation: Installation,
        *,
        progress: Progress = lambda _: None,
        server: Path | None = None,
        without: Collection[str] = (),
    ) -> None:
        """Take what is to be run.

        Args:
            installation: as made.
            progress: told, in one line, what is being waited for and what was restarted.
            server: the operator's own nats-server; None for the installed one.
            without: names of processes that are not to be started, such as "display/KOR".

        Raises:
            UsageError: the server is too old or not there.
            EnvironmentFault: no server is installed.
        """
        self._installation = installation
        self._progress = progress
        binary = check_server(server)
        self._servers = {one.name: _server_child(one, binary) for one in installation.servers}
        chosen = [one for one in installation.processes if one.name not in without]
        self._processes = {one.name: _process_child(one) for one in chosen}
        self._computing = [[one.name for one in chosen if one.role is role] for role in _COMPUTING]
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Start everything and return once all are ready; then start the event clock.

        Of those that compute, the first of each role is waited for before the others, so that they find the
        numerics made.

        Raises:
            UsageError: a server's port is taken by another program.
            EnvironmentFault: a server or process did not become ready.
        """
        try:
            await self._start_servers()
            self._watch = asyncio.create_task(self._watch_all())
            self._progress(
                f"starting {len(self._processes)} processes, compiling the numerics (once, then kept)"
            )
            first = [name for names in self._computing for name in names[:1]]
            later = [name for names in self._computing for name in names[1:]]
            others = [name for name in self._processes if name not in {*first, *later}]
            self._start_all([*first, *others])
            await self._wait_for_all(first)
            self._start_all(later)
            await self._wait_for_all(list(self._processes))
        except BaseException:
            await self.stop()
            raise
        self._installation.start_clock()
        self._progress("all are ready")

    async def _start_servers(self) -> None:
        self._progress(f"starting {len(self._servers)} message servers")
        for entry in self._installation.servers:
            check_port_is_free(entry.port, str(entry.config))
            self._launch(self._servers[entry.name])
        for entry in self._installation.servers:
            await self._wait_for_server(entry)

    async def _wait_for_server(self, entry: ServerEntry) -> None:
        deadline_s = time.monotonic() + SERVER_WITHIN_S
        child = self._servers[entry.name]
        while not await asyncio.to_thread(wait_until_served, entry.port, within_s=1.0):
            if not child.is_alive() or time.monotonic() > deadline_s:
                why = reason_in_log(entry.log) or "it did not answer"
                raise EnvironmentFault(
                    f"message server of {entry.party} did not start: {why}", f"see {entry.log}"
                )
            await asyncio.sleep(0.02)
        child.ready.set()

    def _launch(self, child: _Child) -> None:
        pipe = child.start()
        child.reader = asyncio.create_task(self._read_output(child, pipe))

    async def _read_output(self, child: _Child, pipe: IO[bytes]) -> None:
        """Pass a child's lines on; "ready" is for the supervisor."""
        reader = asyncio.StreamReader(limit=OUTPUT_LINE_MAX * 4)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        try:
            while line := await reader.readline():
                text = line.decode(errors="replace").strip()[:OUTPUT_LINE_MAX]
                if text == READY_LINE:
                    child.ready.set()
                elif text:
                    self._progress(f"{child.name}: {text}")
        except ValueError:
            self._progress(f"{child.name}: says more than a line can hold")
        finally:
            transport.close()

    def _start_all(self, names: list[str]) -> None:
        for name in names:
            self._launch(self._processes[name])

    async def _wait_for_all(self, names: list[str]) -> None:
        for name in names:
            child = self._processes[name]
            try:
                await asyncio.wait_for(child.ready.wait(), READY_WITHIN_S)
            except TimeoutError as error:
                last = _last_line(child.log)
                raise EnvironmentFault(f"{name} did not become ready: {last}", f"see {child.log}") from error

    async def _watch_all(self) -> None:
        while not self._stopping:
            for child in (*self._servers.values(), *self._processes.values()):
                if child.process is not None and not child.is_alive():
                    self._restart_when_due(child)
            await asyncio.sleep(WATCH_S)

    def _restart_when_due(self, child: _Child) -> None:
        now_s = time.monotonic()
        if child.restart_at_s is None:
            if now_s - child.started_s > STEADY_S:
                child.backoff_s = FIRST_BACKOFF_S
            child.restart_at_s = now_s + child.backoff_s
            child.backoff_s = min(2.0 * child.backoff_s, LAST_BACKOFF_S)
            assert child.process is not None
            self._progress(f"{child.name} ended ({_why(child.process.returncode)}), is started again")
        elif now_s >= child.restart_at_s:
            child.restarts += 1
            self._launch(child)

    def names(self) -> tuple[str, ...]:
        """Return the names of the processes and of the servers ("server/HUB")."""
        return (*self._processes, *(child.name for child in self._servers.values()))

    def pid(self, name: str) -> int | None:
        """Return the process id of a running child, by name such as "guard/KOR" or "server/HUB"."""
        child = self._child(name)
        return child.process.pid if child.process is not None and child.is_alive() else None

    def restarts(self, name: str) -> int:
        """Return how often a child has been started again."""
        return self._child(name).restarts

    def _child(self, name: str) -> _Child:
        held = {child.name: child for child in (*self._servers.values(), *self._processes.values())}
        return held[name]

    async def stop(self) -> None:
        """End all children: first asked, then made to."""
        self._stopping = True
        if self._watch is not None:
            self._watch.cancel()
        for group in (list(self._processes.values()), list(self._servers.values())):
            await _end(group)


async def _end(children: list[_Child]) -> None:
    for child in children:
        child.send(signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_WITHIN_S
    while any(child.is_alive() for child in children) and time.monotonic() < deadline_s:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    for child in children:
        child.send(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()
    readers = [child.reader for child in children if child.reader is not None]
    if readers:
        await asyncio.wait(readers, timeout=1.0)
    for reader in readers:
        reader.cancel()


def _server_child(entry: ServerEntry, binary: Path) -> _Child:
    command = [str(binary), "-c", str(entry.config)]
    return _Child(entry.name, command, entry.log.with_suffix(".out"))


def _process_child(entry: ProcessEntry) -> _Child:
    command = [sys.executable, "-m", "beaconfire.cli.main", "run", entry.role.value]
    return _Child(entry.name, [*command, "--config", str(entry.config)], entry.config.with_suffix(".log"))


def _why(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "it says nothing"
    return lines[-1][:OUTPUT_LINE_MAX] if lines else "it says nothing"

"""An installation spread over network namespaces of this machine, one for each nation and hub instance.

Every end has a link of its own to one bridge: taken down, it is a partition; its rate limited, a slow link.
Needs root. What is made here is held by processes of its own, and goes with them.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Thread
from typing import IO, Final

from beaconfire.adapters.installation import Installation, ProcessEntry, ServerEntry
from beaconfire.adapters.servers import check_server
from beaconfire.adapters.wrong_clock import WrongClocks
from beaconfire.errors import EnvironmentFault

SUBNET: Final = "10.77.0"
RESTART_AFTER_S: Final = 0.1
END_WITHIN_S: Final = 5.0
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_PDEATHSIG: Final = 1


@cache
def why_not() -> str:
    """Return why namespaces can't be made here, empty if they can: one is made and ended to see."""
    if os.geteuid() != 0:
        return "not root: network namespaces can't be made"
    missing = [name for name in ("ip", "tc", "nsenter", "unshare") if shutil.which(name) is None]
    if missing:
        return f"no {', '.join(missing)} here (package iproute2, util-linux)"
    try:
        space = Space()
    except EnvironmentFault as fault:
        return fault.what
    try:
        space.run("ip", "link", "add", "bridge", "type", "bridge")
    except EnvironmentFault as fault:
        return fault.what
    finally:
        space.close()
    return ""


def addresses_of(ends: tuple[str, ...]) -> dict[str, str]:
    """Return the address that each end has in an arena."""
    return {end: f"{SUBNET}.{number}" for number, end in enumerate(ends, start=10)}


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip()
        raise EnvironmentFault(f"{' '.join(words)}: {why}", "run as root on a Linux with namespaces")


def _with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Space:
    """A network namespace, held by a process that sleeps in it: no name under /run, and so no mount.

    Names need a root that is a mount of its own, which a changed root is not.
    """

    def __init__(self) -> None:
        """Make it; raises `EnvironmentFault` if it can't be made."""
        command = ["unshare", "--net", "--", "sh", "-c", "echo held && exec sleep infinity"]
        self._holder = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_with_parent,  # noqa: PLW1509 - one system call, no lock is taken
        )
        assert self._holder.stdout is not None
        assert self._holder.stderr is not None
        if self._holder.stdout.readline() != b"held\n":
            why = self._holder.stderr.read().decode(errors="replace").strip()
            self.close()
            raise EnvironmentFault(why or "no network namespace", "run as root on a Linux with namespaces")

    @property
    def pid(self) -> int:
        """Process that holds it."""
        return self._holder.pid

    @property
    def file(self) -> Path:
        """What stands for it in /proc."""
        return Path(f"/proc/{self.pid}/ns/net")

    @property
    def inside(self) -> tuple[str, ...]:
        """What stands before a command that is to run in it."""
        return ("nsenter", f"--net={self.file}", "--")

    def run(self, *words: str) -> None:
        """Run a command in it; raises `EnvironmentFault` if it fails."""
        _run(*self.inside, *words)

    def close(self) -> None:
        """End its holder; it goes with the last process in it."""
        self._holder.kill()
        self._holder.wait()
        for stream in (self._holder.stdout, self._holder.stderr):
            if stream is not None:
                stream.close()


class Runner:
    """One process of an arena: started in its namespace, and again whenever it has died."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        """Take what is to be run; nothing is started yet."""
        self.name = name
        self.starts = 0
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._died_s: float | None = None
        self._first_words: IO[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        self.starts += 1
        self._died_s = None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self.starts == 1 else log,
                stderr=log,
                preexec_fn=_with_parent,  # noqa: PLW1509 - one system call, no lock is taken
            )
        self._first_words = self._process.stdout or self._first_words

    def wait_until_ready(self) -> None:
        """Wait for its first line; raises `EnvironmentFault` if it ends without one."""
        assert self._first_words is not None
        if self._first_words.readline().strip() != b"ready":
            raise EnvironmentFault(f"{self.name} did not become ready", f"see {self._log}")

    @property
    def pid(self) -> int | None:
        """Its process id, None while it is dead."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def revive(self) -> None:
        """Start it again a moment after it has died."""
        if self._process is None or self._process.poll() is None:
            return
        now_s = time.monotonic()
        self._died_s = self._died_s or now_s
        if now_s - self._died_s >= RESTART_AFTER_S:
            self.start()

    def end(self) -> None:
        """End it and wait."""
        if self._process is None:
            return
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self._process.wait()
        if self._first_words is not None:
            self._first_words.close()


def server_runner(entry: ServerEntry, binary: Path, inside: tuple[str, ...] = ()) -> Runner:
    """Return the runner of a server; `inside` stands before its command."""
    command = [*inside, str(binary), "-c", str(entry.config)]
    return Runner(entry.name, command, entry.log.with_suffix(".out"))


def process_runner(entry: ProcessEntry, inside: tuple[str, ...] = ()) -> Runner:
    """Return the runner of a process; `inside` stands before its command."""
    run = [sys.executable, "-m", "beaconfire.cli.main", "run", entry.role.value]
    command = [*inside, *run, "--config", str(entry.config)]
    return Runner(entry.name, command, entry.config.with_suffix(".log"))


class Arena:
    """Namespaces, links and processes of one installation.

    Attributes:
        runners: by name such as "hub/HUB-1" or "server/KOR".
        clocks: always None, its processes have the system's.
    """

    def __init__(self, installation: Installation, roles: frozenset[str]) -> None:
        """Take what is to be run: the servers and the processes of these roles.

        Args:
            installation: made with the addresses of `addresses_of`.
            roles: such as "guard".

        Raises:
            EnvironmentFault: this machine can't have it.
        """
        if reason := why_not():
            raise EnvironmentFault(reason, "run as root on a Linux with iproute2")
        self.clocks: WrongClocks | None = None
        self._ends = (*installation.hubs, *installation.nations)
        self._net = Space()
        self._spaces = {end: Space() for end in self._ends}
        binary = check_server()
        servers = [server_runner(one, binary, self._spaces[one.party].inside) for one in installation.servers]
        entries = [one for one in installation.processes if one.role.value in roles]
        chosen = [process_runner(one, self._spaces[one.party].inside) for one in entries]
        self.runners = {one.name: one for one in (*servers, *chosen)}
        self._servers = [one.name for one in servers]

    def open(self) -> None:
        """Make namespaces and links, start everything and wait until it is ready.

        Raises:
            EnvironmentFault: something could not be made, or did not become ready.
        """
        self._net.run("ip", "link", "add", "bridge", "type", "bridge")
        self._net.run("ip", "link", "set", "bridge", "up")
        for end, address in addresses_of(self._ends).items():
            self._connect(end, address)
        for name in self._servers:
            self.runners[name].start()
        for runner in self.runners.values():
            if runner.name not in self._servers:
                runner.start()
        for runner in self.runners.values():
            if runner.name not in self._servers:
                runner.wait_until_ready()

    def _connect(self, end: str, address: str) -> None:
        space = self._spaces[end]
        peer = ("peer", "name", "eth0", "netns", str(space.pid))
        self._net.run("ip", "link", "add", end, "type", "veth", *peer)
        self._net.run("ip", "link", "set", end, "master", "bridge")
        space.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
        for where, link in ((space, "lo"), (space, "eth0"), (self._net, end)):
            where.run("ip", "link", "set", link, "up")

    def cut(self, end: str, *, off: bool) -> None:
        """Take an end's link down, or up again."""
        self._net.run("ip", "link", "set", end, "down" if off else "up")

    def slow(self, end: str, rate: str, queue: str = "2s") -> None:
        """Limit what an end can send and receive to a rate such as "250kbps"; empty for no limit.

        Args:
            end: whose link.
            rate: as `tc` reads it.
            queue: how long what is sent may wait at the narrow place.
        """
        for where, link in ((self._net, end), (self._spaces[end], "eth0")):
            verb = "replace" if rate else "del"
            limit = ("tbf", "rate", rate, "burst", "8kb", "latency", queue) if rate else ()
            where.run("tc", "qdisc", verb, "dev", link, "root", *limit)

    def revive(self) -> None:
        """Start again what has died."""
        for runner in self.runners.values():
            runner.revive()

    def inside(self, end: str, work: Callable[[], None]) -> Thread:
        """Start a thread whose sockets are in an end's namespace."""

        def enter() -> None:
            """Join the namespace, then work; raises `OSError` if it can't be joined."""
            with self._spaces[end].file.open("rb") as space:
                if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            work()

        thread = Thread(target=enter, daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """End every process, then remove every namespace."""
        for runner in self.runners.values():
            if runner.name not in self._servers:
                runner.end()
        for name in self._servers:
            self.runners[name].end()
        for space in (*self._spaces.values(), self._net):
            space.close()

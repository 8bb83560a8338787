"""An installation on this machine alone, its processes run as in an arena: no root, and no links to cut."""

import time
from collections.abc import Callable
from threading import Thread
from typing import Final

from beaconfire.adapters.arena import process_runner, server_runner
from beaconfire.adapters.installation import Installation
from beaconfire.adapters.servers import check_server, wait_until_served
from beaconfire.adapters.wrong_clock import WrongClocks
from beaconfire.errors import EnvironmentFault

SERVED_WITHIN_S: Final = 20.0
LOOK_S: Final = 0.02


class Loopback:
    """Processes of one installation on loopback; stands where an `Arena` does.

    Attributes:
        runners: by name such as "hub/HUB-1" or "server/KOR".
        clocks: of its processes; None if they are the system's.
    """

    def __init__(
        self, installation: Installation, roles: frozenset[str], clocks: WrongClocks | None = None
    ) -> None:
        """Take what is to be run.

        Args:
            installation: its servers all run.
            roles: of the processes that run.
            clocks: that each process gets one of; None for the system's.

        Raises:
            UsageError: as `check_server`.
        """
        self.clocks = clocks
        binary = check_server()
        self._entries = installation.servers
        servers = [server_runner(one, binary) for one in installation.servers]
        chosen = [
            process_runner(one, clocks.inside(one.name) if clocks else ())
            for one in installation.processes
            if one.role.value in roles
        ]
        self.runners = {one.name: one for one in (*servers, *chosen)}
        self._servers = [one.name for one in servers]

    def open(self) -> None:
        """Start everything and wait until it is ready; raises `EnvironmentFault` if something isn't."""
        for name in self._servers:
            self.runners[name].start()
        end_s = time.monotonic() + SERVED_WITHIN_S
        for entry in self._entries:
            while not wait_until_served(entry.port, within_s=1.0):
                if time.monotonic() > end_s:
                    raise EnvironmentFault(f"{entry.name} did not answer", f"see {entry.log}")
                time.sleep(LOOK_S)
        others = [one for one in self.runners.values() if one.name not in self._servers]
        for runner in others:
            runner.start()
        for runner in others:
            runner.wait_until_ready()

    def revive(self) -> None:
        """Start again what has died."""
        for runner in self.runners.values():
            runner.revive()

    def inside(self, end: str, work: Callable[[], None]) -> Thread:
        """Start a thread; all ends are in one place."""
        del end
        thread = Thread(target=work, daemon=True)
        thread.start()
        return thread

    def cut(self, end: str, *, off: bool) -> None:
        """Refuse; raises `EnvironmentFault`."""
        raise EnvironmentFault(f"the link of {end} can't be cut on loopback ({off})", "use an arena")

    def slow(self, end: str, rate: str) -> None:
        """Refuse; raises `EnvironmentFault`."""
        raise EnvironmentFault(f"the link of {end} can't be slowed on loopback ({rate})", "use an arena")

    def close(self) -> None:
        """End every process, the servers last."""
        others = [one for one in self.runners.values() if one.name not in self._servers]
        for runner in (*others, *(self.runners[name] for name in self._servers)):
            runner.end()

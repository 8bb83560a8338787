"""Real message servers of one installation, on free ports, for tests that start and kill them."""

import os
import signal
import subprocess
import time

from beaconfire.adapters.installation import Installation, ServerEntry
from beaconfire.adapters.servers import check_server, wait_until_served


class RealServers:
    """The servers of an installation; each can be killed and started again on its port."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._binary = check_server()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def entry(self, party: str) -> ServerEntry:
        return next(one for one in self.installation.servers if one.party == party)

    def start(self, party: str) -> None:
        entry = self.entry(party)
        self._running[party] = subprocess.Popen([str(self._binary), "-c", str(entry.config)])
        deadline_s = time.monotonic() + 20.0
        while not wait_until_served(entry.port, within_s=1.0):
            assert time.monotonic() < deadline_s, entry.log.read_text()
            time.sleep(0.01)

    def kill(self, party: str) -> None:
        process = self._running.pop(party)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for party in list(self._running):
            self.kill(party)

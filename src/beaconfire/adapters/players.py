"""Processes that stand in for sensors: each plays one nation's detections to its live feed."""

import asyncio
import sys
from pathlib import Path
from typing import Final

STOP_WITHIN_S: Final = 2.0


class Players:
    """One `beaconfire sensors` process for each nation; ended with `stop`."""

    def __init__(self) -> None:
        """Start with none."""
        self._running: list[asyncio.subprocess.Process] = []

    async def start(self, detections: Path, port: int, clock: Path) -> None:
        """Start one process that plays a file to a feed on loopback.

        Args:
            detections: JSON Lines in order of time.
            port: TCP port of the feed.
            clock: event clock file, already written.
        """
        command = ["-m", "beaconfire.cli.main", "sensors", str(detections)]
        self._running.append(
            await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                "--to",
                f"127.0.0.1:{port}",
                "--clock",
                str(clock),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
            )
        )

    async def stop(self) -> None:
        """End those that still run."""
        for process in self._running:
            if process.returncode is None:
                process.terminate()
        for process in self._running:
            try:
                await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
            except TimeoutError:
                process.kill()
                await process.wait()

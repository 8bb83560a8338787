"""`beaconfire sensors`: play recorded or simulated detections to a live feed at the pace of a clock.

This stands in for a nation's sensors: it knows nothing but lines and times, and speaks the same
detection JSON Lines over the same TCP connection as a real sensor would.
"""

import argparse
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from beaconfire.adapters.clock import Clock, read_clock
from beaconfire.errors import UsageError
from beaconfire.units import MICROSECONDS_PER_SECOND

_MEASURED_AT: Final = re.compile(rb'"measured_at_us"\s*:\s*(\d{1,18})')
_RETRY_S: Final = 0.25
_PAUSE_MAX_S: Final = 0.05


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("sensors", help="play detections to a live feed at the pace of a clock")
    parser.add_argument("feed", type=Path, metavar="FEED", help="detection JSON Lines, in order of time")
    parser.add_argument("--to", required=True, metavar="HOST:PORT", help="TCP address of the nation's feed")
    parser.add_argument("--clock", type=Path, required=True, metavar="FILE", help="event clock file")


def run(arguments: argparse.Namespace) -> int:
    """Play the feed to its end; returns 0.

    Raises:
        UsageError: the feed, the clock file or the address is not usable.
    """
    host, _, port = arguments.to.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"not an address: {arguments.to!r}", "--to", "HOST:PORT")
    if not arguments.feed.is_file():
        raise UsageError("no such file", str(arguments.feed), "detection JSON Lines")
    asyncio.run(_play(arguments.feed, (host, int(port)), read_clock(arguments.clock)))
    return 0


def _timed_lines(feed: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (measured_at_us, line) of each line that states its time."""
    with feed.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            found = _MEASURED_AT.search(line)
            if found is None:
                raise UsageError("no measured_at_us", f"{feed}:{number}", "a detection")
            yield int(found[1]), line


async def _play(feed: Path, address: tuple[str, int], clock: Clock) -> None:
    writer = await _connect(address)
    for measured_at_us, line in _timed_lines(feed):
        await _wait_until(measured_at_us, clock)
        while not await _write(writer, line):
            writer = await _connect(address)
    writer.close()
    await writer.wait_closed()


async def _wait_until(measured_at_us: int, clock: Clock) -> None:
    while (ahead_us := measured_at_us - clock.now().utc_us) > 0:
        wall_s = ahead_us / MICROSECONDS_PER_SECOND / max(clock.speed, 1e-3)
        await asyncio.sleep(min(wall_s, _PAUSE_MAX_S))


async def _write(writer: asyncio.StreamWriter, line: bytes) -> bool:
    """Write one line; returns False if the connection is gone."""
    try:
        writer.write(line)
        await writer.drain()
    except OSError:
        return False
    return True


async def _connect(address: tuple[str, int]) -> asyncio.StreamWriter:
    """Connect to the feed, again and again: a sensor outlives the process it reports to."""
    while True:
        try:
            _, writer = await asyncio.open_connection(*address)
        except OSError:
            await asyncio.sleep(_RETRY_S)
        else:
            return writer

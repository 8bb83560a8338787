"""Live feeds: detection JSON Lines on standard input, TCP and UDP, and tracks of a nation's own tracker.

Size first: a line over the limit is counted and passed over as it comes, never gathered. A bad line is
counted, its number and reason are said (a few a second at most), and the next one is taken.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import Clock
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.formats.detections import MAXIMUM_LINE_BYTES, parse_line
from beaconfire.formats.tracks import TrackReader
from beaconfire.messages.codec import encode
from beaconfire.messages.detection import Detection, DetectionBatch
from beaconfire.messages.health import Arguments, Health
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.versions import as_of
from beaconfire.messages.words import LINK_SCHEMA, Lane, Severity
from beaconfire.nodes.commands import Channel
from beaconfire.nodes.voice import Said, Voice

READ_BYTES: Final = 65_536
BATCH_MAX: Final = 200
CONNECTIONS_MAX: Final = 32
NOTICES_PER_PERIOD: Final = 5
PERIOD_S: Final = 1.0
OVERSIZE: Final = f"line too long (expected at most {MAXIMUM_LINE_BYTES} bytes)"

Line = tuple[int, bytes | None]
"""Number from 1, and the line without its end; None if it was too long."""


class LineSplitter:
    """Cuts a stream of bytes into lines, holding one line's limit at most."""

    def __init__(self, limit: int = MAXIMUM_LINE_BYTES) -> None:
        """Take the longest line allowed, bytes."""
        self._limit = limit
        self._held = b""
        self._too_long = False
        self._number = 0

    def split(self, data: bytes) -> list[Line]:
        """Return the lines that end in `data`."""
        pieces = data.split(b"\n")
        lines: list[Line] = []
        for piece in pieces[:-1]:
            lines += self._finish(piece)
        self._hold(pieces[-1])
        return lines

    def rest(self) -> list[Line]:
        """Return the last line, if it had no end."""
        return self._finish(b"") if self._held or self._too_long else []

    def _hold(self, piece: bytes) -> None:
        if self._too_long or len(self._held) + len(piece) > self._limit:
            self._too_long = True
            self._held = b""
        else:
            self._held += piece

    def _finish(self, piece: bytes) -> list[Line]:
        self._hold(piece)
        line, too_long = self._held, self._too_long
        self._held, self._too_long = b"", False
        self._number += 1
        if too_long:
            return [(self._number, None)]
        return [(self._number, line)] if line.strip() else []


def _whole(line: bytes | None) -> bytes:
    if line is None:
        raise UsageError(OVERSIZE)
    return line


class _Told:
    """Bad lines said within one period: a few, then only counted."""

    def __init__(self) -> None:
        self.count = 0


class Feed:
    """Takes lines of one nation's sensors or tracker and publishes what they say at home.

    Attributes:
        counters: detections, reports, rejected lines, and messages the bus could not take.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        sensors: Mapping[str, Sensor],
        tracks: TrackReader | None = None,
        schema: int = LINK_SCHEMA,
    ) -> None:
        """Join a feed to its nation's bus.

        Args:
            bus: of the role feed.
            clock: for the time of notices and reports.
            sensors: those of the own nation, by id; others are refused.
            tracks: reads the lines of the nation's own tracker, if it has one.
            schema: of the link, that is spoken.
        """
        self._bus = bus
        self._clock = clock
        self._sensors = sensors
        self._tracks = tracks
        self._schema = schema
        self._voice = Voice(f"feed/{bus.party}", bus.party)
        self._said = _Told()
        self._connections = 0
        self.on_reject: Callable[[str], None] | None = None
        self.counters = dict.fromkeys(("detections", "reports", "rejected", "unsent"), 0)

    def take(self, name: str, lines: list[Line]) -> None:
        """Take lines of detections; `name` says in notices where they came from."""
        detections: list[Detection] = []
        for number, line in lines:
            try:
                detections.append(parse_line(_whole(line), self._sensors))
            except UsageError as error:
                self._reject(_line_rejected(f"{name}:{number}", error))
        self.counters["detections"] += len(detections)
        for start in range(0, len(detections), BATCH_MAX):
            batch = DetectionBatch(tuple(detections[start : start + BATCH_MAX]))
            self._publish(Channel.DETECTION, Lane.ROUTINE, batch)

    def take_tracks(self, name: str, lines: list[Line]) -> None:
        """Take lines of the nation's own tracker: each becomes an own report."""
        assert self._tracks is not None
        for number, line in lines:
            try:
                report = self._tracks.report(_whole(line), self._clock.now().utc_us)
            except UsageError as error:
                self._reject(_line_rejected(f"{name}:{number}", error))
            else:
                self.counters["reports"] += 1
                self._publish(Channel.OWN_REPORT, Lane.FLASH, report)

    def _reject(self, said: Said) -> None:
        self.counters["rejected"] += 1
        self._said.count += 1
        if self._said.count > NOTICES_PER_PERIOD:
            return
        if self.on_reject is not None:
            self.on_reject(said.text)
        self._tell(said)

    def _tell(self, said: Said) -> None:
        notice = as_of(self._voice.notice(said, self._clock.now()), self._schema)
        assert notice is not None
        self._publish(Channel.NOTICE, Lane.ROUTINE, notice)

    def _publish(self, channel: Channel, lane: Lane, message: msgspec.Struct) -> None:
        tagged = (str(message.__struct_config__.tag), encode(message))
        if not self._bus.publish(channel, self._bus.party, lane, tagged):
            self.counters["unsent"] += 1

    async def say_health(self) -> None:
        """Say once a second how it is, without end."""
        while True:
            if self._said.count > NOTICES_PER_PERIOD:
                more = self._said.count - NOTICES_PER_PERIOD
                text = f"{more} more lines rejected"
                self._tell(Said("feed-lines-rejected", Severity.CAUTION, text, {"count": more}))
            self._said.count = 0
            counters = {**self.counters, **self._bus.counts()}
            now_us = self._clock.now().utc_us
            health = Health(f"feed/{self._bus.party}", now_us, links=(), counters=counters)
            self._publish(Channel.HEALTH, Lane.ROUTINE, health)
            await asyncio.sleep(PERIOD_S)

    async def read_stdin(self) -> None:
        """Take detections from standard input to its end."""
        reader = asyncio.StreamReader(limit=READ_BYTES)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
        await self._read("stdin", reader, self.take)

    async def _read(
        self, name: str, reader: asyncio.StreamReader, take: Callable[[str, list[Line]], None]
    ) -> None:
        splitter = LineSplitter()
        while data := await reader.read(READ_BYTES):
            take(name, splitter.split(data))
            await asyncio.sleep(0)
        take(name, splitter.rest())

    async def listen_tcp(self, host: str, port: int, *, tracks: bool = False) -> asyncio.Server:
        """Listen for connections that bring lines.

        Raises:
            UsageError: the address is taken or not this machine's.
        """
        take = self.take_tracks if tracks else self.take
        name = "tracks" if tracks else "tcp"

        async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._connections >= CONNECTIONS_MAX:
                self._reject(_connection_rejected(name))
                writer.close()
                return
            self._connections += 1
            try:
                await self._read(name, reader, take)
            except OSError:
                self.counters["rejected"] += 1
            finally:
                self._connections -= 1
                writer.close()

        try:
            return await asyncio.start_server(attend, host, port, limit=READ_BYTES)
        except OSError as error:
            raise UsageError(
                f"cannot listen on {host}:{port}: {error.strerror}", "feed", "a free port"
            ) from error

    async def listen_udp(self, host: str, port: int) -> asyncio.DatagramTransport:
        """Listen for datagrams, each with whole lines.

        Raises:
            UsageError: the address is taken or not this machine's.
        """
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=(host, port)
            )
        except OSError as error:
            raise UsageError(
                f"cannot listen on {host}:{port}: {error.strerror}", "feed", "a free port"
            ) from error
        return transport


def _line_rejected(line: str, why: UsageError) -> Said:
    text = f"{line}: {why}"
    return Said("feed-line-rejected", Severity.CAUTION, text, {"line": line, "reason": str(why)})


def _connection_rejected(name: str) -> Said:
    text = f"{name}: more than {CONNECTIONS_MAX} connections"
    about: Arguments = {"feed": name, "limit": CONNECTIONS_MAX}
    return Said("feed-connection-rejected", Severity.CAUTION, text, about)


class _Datagrams(asyncio.DatagramProtocol):
    """Hands the lines of each datagram to a feed; lines never go from one datagram to the next."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._count = 0

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Take one datagram; who sent it is not looked at, since UDP can't vouch for it."""
        del addr
        self._count += 1
        splitter = LineSplitter()
        self._feed.take(f"udp datagram {self._count}", [*splitter.split(data), *splitter.rest()])


def address_of(text: str, field: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT.

    Raises:
        UsageError: it is not one.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise UsageError(f"not an address: {text!r}", field, "HOST:PORT")
    return host, int(port)


def missing_input() -> EnvironmentFault:
    """Return the fault of a feed that is told to read nothing."""
    return EnvironmentFault("the feed has no input", "name tcp, udp, stdin or tracks_tcp in `feed`")

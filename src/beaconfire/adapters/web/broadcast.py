"""The socket: a snapshot, then numbered frames, each encoded once; a slow client gets a new snapshot."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from beaconfire.adapters.web.shapes import (
    HISTORY_MAX,
    Audit,
    Json,
    history_length,
    place_line,
    sensor_line,
    shown_line,
    status_lines,
)
from beaconfire.messages.words import is_hub
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import DisplayNode, ShownEvent

CLIENTS_MAX: Final = 64
QUEUE_MAX: Final = 64
POLL_S: Final = 0.05
SNAPSHOT_FRESH_US: Final = 50_000
HEARTBEAT_S: Final = 1.0
SEND_TIMEOUT_S: Final = 10.0
TOO_MANY_CODE: Final = 4429
UNKNOWN_WORD_CODE: Final = 4400
SESSION_OVER_CODE: Final = 4401
TOLD_MAX: Final = 4_096
DELTA_MAX: Final = 16
"""Revisions of one event whose trail, areas and log go out in one frame."""

_encoder: Final = msgspec.json.Encoder()


class _Client:
    """What still has to go to one socket, at most `QUEUE_MAX` frames."""

    def __init__(self) -> None:
        self.frames: deque[str] = deque()
        self.needs_snapshot = True
        self.wake = asyncio.Event()

    def push(self, frame: str) -> None:
        if self.needs_snapshot:
            return
        if len(self.frames) >= QUEUE_MAX:
            self.resync()
            return
        self.frames.append(frame)
        self.wake.set()

    def resync(self) -> None:
        self.frames.clear()
        self.needs_snapshot = True
        self.wake.set()


class Broadcast:
    """Watches one display and tells every socket what changed."""

    def __init__(
        self,
        display: DisplayNode,
        clock: Callable[[], Now],
        speed: float,
        head: Json,
        audit: Audit | None = None,
    ) -> None:
        """Watch a display.

        Args:
            display: to be watched.
            clock: runs `speed` times as fast as the wall.
            speed: see there.
            head: banner and other facts that stand in every snapshot as they are.
            audit: of the own nation, or None.
        """
        self._display = display
        self._audit = audit
        self._head = head
        self._told: dict[str, int] = {}
        self._unaudited: dict[str, None] = {}
        self.frames = 0
        self.resyncs = 0
        self._clock = clock
        self._speed = speed
        self._clients: set[_Client] = set()
        self._sequence = 0
        self._seen = display.sequence
        self._snapshot = ""
        self._snapshot_sequence = -1
        self._snapshot_until_us = 0

    async def run(self) -> None:
        """Poll the display for changes until cancelled; changes of one interval go out as one frame."""
        loop = asyncio.get_running_loop()
        heartbeat_at = loop.time() + HEARTBEAT_S
        while True:
            await asyncio.sleep(POLL_S)
            self._publish_changes()
            if loop.time() >= heartbeat_at:
                heartbeat_at = loop.time() + HEARTBEAT_S
                self._read_audit()
                self._publish("health", [], status_lines(self._display, self._clock(), self._audit))

    @property
    def clients(self) -> int:
        """How many pages are open."""
        return len(self._clients)

    def _read_audit(self) -> None:
        """Read on in the audit, and tell again of the events whose own reports it may speak of now."""
        if self._audit is not None and self._audit.refresh():
            self._publish_events(tuple(self._unaudited))
        self._unaudited.clear()

    async def attend(self, socket: WebSocket, within_s: float | None = None) -> None:
        """Serve one socket until it closes, or until the session it belongs to is over."""
        await socket.accept()
        if len(self._clients) >= CLIENTS_MAX:
            await socket.close(TOO_MANY_CODE, "too many pages are open")
            return
        client = _Client()
        client.wake.set()
        self._clients.add(client)
        sender = asyncio.create_task(self._send_all(client, socket))
        try:
            async with asyncio.timeout(within_s):
                await self._listen(client, socket)
        except TimeoutError:
            await socket.close(SESSION_OVER_CODE, "the session is over")
        finally:
            self._clients.discard(client)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def snapshot_frame(self) -> str:
        """Return the snapshot that stands for all frames so far, encoded at most once per poll."""
        monotonic_us = self._clock().monotonic_us
        if monotonic_us >= self._snapshot_until_us or self._snapshot_sequence != self._sequence:
            self._publish_changes()
            self._snapshot = self._encode_snapshot()
            self._snapshot_until_us = monotonic_us + SNAPSHOT_FRESH_US
            self._snapshot_sequence = self._sequence
        return self._snapshot

    def _encode_snapshot(self) -> str:
        now = self._clock()
        display, facts = self._display, self._display.facts
        return self._encode(
            "snapshot",
            self._snapshot_events(now),
            {
                "nation": display.nation,
                "hub": is_hub(display.nation),
                "mode": facts.mode,
                "in_force": facts.in_force,
                "places": [place_line(place) for place in facts.places],
                "sensors": [sensor_line(sensor) for sensor in facts.sensors],
            }
            | self._head
            | status_lines(display, now, self._audit),
        )

    def _snapshot_events(self, now: Now) -> list[Json]:
        shown = self._display.snapshot(now).events
        length = history_length(len(shown))
        past = (self._display.revisions(one.event.event_id) for one in shown)
        return [shown_line(one, held, self._audit, length) for one, held in zip(shown, past, strict=True)]

    def _publish_changes(self) -> None:
        changes = self._display.changes_since(self._seen)
        self._seen = self._display.sequence
        if changes is None:
            self._resync_all()
        elif changes.event_ids:
            if self._audit is not None:
                self._unaudited.update(dict.fromkeys(changes.event_ids))
            self._publish_events(changes.event_ids)

    def _publish_events(self, event_ids: tuple[str, ...]) -> None:
        now = self._clock()
        shown = [(key, self._display.shown(key, now)) for key in event_ids]
        events = [self._delta(one) for _, one in shown if one is not None]
        gone = [key for key, one in shown if one is None]
        for key in gone:
            self._told.pop(key, None)
        if events or gone:
            self._publish("event", events, {"gone": gone} if gone else {})

    def _delta(self, shown: ShownEvent) -> Json:
        """Return an event with what its past has gained since it was last told of."""
        key = shown.event.event_id
        told = self._told.pop(key, 0)
        past = [one for one in self._display.newest_revisions(key, DELTA_MAX) if one.revision > told]
        self._told[key] = shown.event.revision
        if len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]
        return shown_line(shown, past, self._audit, HISTORY_MAX)

    def _publish(self, kind: str, events: list[Json], extra: Json) -> None:
        self._sequence += 1
        if not self._clients:
            return
        frame = self._encode(kind, events, extra)
        self.frames += len(self._clients)
        for client in self._clients:
            client.push(frame)

    def _encode(self, kind: str, events: list[Json], extra: Json) -> str:
        clock = {"utc_us": self._clock().utc_us, "speed": self._speed}
        frame = {
            "sequence": self._sequence,
            "type": kind,
            "events": events,
            "clock": clock,
        } | extra
        return _encoder.encode(frame).decode()

    def _resync_all(self) -> None:
        self._sequence += 1
        self.resyncs += 1
        for client in self._clients:
            client.resync()

    async def _send_all(self, client: _Client, socket: WebSocket) -> None:
        while True:
            await client.wake.wait()
            client.wake.clear()
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await self._send_pending(client, socket)
            except TimeoutError:
                await socket.close(TOO_MANY_CODE, "too slow")
                return

    async def _send_pending(self, client: _Client, socket: WebSocket) -> None:
        while client.needs_snapshot or client.frames:
            if client.needs_snapshot:
                frame = self.snapshot_frame()
                client.frames.clear()
                client.needs_snapshot = False
            else:
                frame = client.frames.popleft()
            await socket.send_text(frame)

    async def _listen(self, client: _Client, socket: WebSocket) -> None:
        """Take the one word a page may say; anything else closes it."""
        try:
            while await socket.receive_text() == "resync":
                client.resync()
            await socket.close(UNKNOWN_WORD_CODE, "a page may say resync and nothing else")
        except (WebSocketDisconnect, KeyError):
            return

"""The warning node: the nation's own events in, its own warnings out. It needs no link and no estimator."""

import hashlib
import hmac
from typing import Final

import msgspec

from beaconfire.alerting.life import Standing, WarningLife
from beaconfire.messages.event import Event, Place, Warning
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.words import Lane, Mode, Nation
from beaconfire.nodes.commands import (
    Channel,
    Command,
    Forget,
    Inbound,
    Keep,
    Now,
    Rows,
    Send,
    Table,
    WakeAt,
)

HEALTH_PERIOD_US: Final = 1_000_000
LINK_DOWN: Final = "link-down"
LINK_UP: Final = "link-up"
_PREFIX: Final = "warning/"

_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decoder: Final = msgspec.msgpack.Decoder(Standing)


class WarningConfig(msgspec.Struct, frozen=True):
    """What a warning node is given.

    Attributes:
        nation: whose warnings.
        mode: the only mode it warns in.
        places: all named places; the nation's own are taken from them.
        secret: under which warning ids are made.
    """

    nation: Nation
    mode: Mode
    places: tuple[Place, ...]
    secret: bytes


class WarningNode:
    """Issues, updates and cancels the nation's own warnings. Runs as `nodes.commands.Node`.

    Attributes:
        counters: counts since start.
    """

    def __init__(self, config: WarningConfig, rows: Rows) -> None:
        """Restore from the journal's STATE table."""
        self._config = config
        self._source = f"warning/{config.nation}"
        names = (place.name for place in config.places if place.nation == config.nation)
        self._life = WarningLife(config.nation, names)
        kept = rows.rows(Table.STATE)
        self._life.restore(_decoder.decode(body) for key, body in kept if key.startswith(_PREFIX))
        self.counters = dict.fromkeys(("events", "issued", "updated", "cancelled", "rejected"), 0)
        self._health_due_us = 0

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Take an event of the own picture, or its word on the link."""
        message = inbound.message
        if inbound.sender != self._config.nation:
            self.counters["rejected"] += 1
            return []
        if isinstance(message, Event) and inbound.channel is Channel.EVENT:
            return self._event(message, now)
        if isinstance(message, Notice) and inbound.channel is Channel.NOTICE:
            return self._notice(message, now)
        return []

    def tick(self, now: Now) -> list[Command]:
        """Send updates that waited, and once a second say how it is."""
        commands = [one for warning in self._life.due(now.utc_us) for one in self._out(warning)]
        if now.monotonic_us >= self._health_due_us:
            self._health_due_us = now.monotonic_us + HEALTH_PERIOD_US
            counters = {**self.counters, "open": self._life.open_count}
            health = Health(source=self._source, at_us=now.utc_us, links=(), counters=counters)
            commands.append(Send(Channel.HEALTH, self._config.nation, Lane.ROUTINE, health))
        return [*commands, WakeAt(min(self._health_due_us, now.monotonic_us + HEALTH_PERIOD_US // 2))]

    def _event(self, event: Event, now: Now) -> list[Command]:
        if event.mode is not self._config.mode:
            self.counters["rejected"] += 1
            return []
        self.counters["events"] += 1
        warning = self._life.take(event, self._name(event.event_id), now.utc_us)
        return [] if warning is None else self._out(warning)

    def _notice(self, notice: Notice, now: Now) -> list[Command]:
        """Learn from the own picture whether the nation is alone, and say so where it warns."""
        if notice.source != f"picture/{self._config.nation}" or notice.code not in (LINK_DOWN, LINK_UP):
            return []
        self._life.alone = notice.code == LINK_DOWN
        return [one for warning in self._life.due(now.utc_us) for one in self._out(warning)]

    def _name(self, event_id: str) -> str:
        return hmac.new(self._config.secret, b"warning" + event_id.encode(), hashlib.sha256).hexdigest()[:24]

    def _out(self, warning: Warning) -> list[Command]:
        counted = {"issue": "issued", "update": "updated", "cancel": "cancelled"}[warning.action]
        self.counters[counted] += 1
        standing = self._life.standing(warning.event_id)
        kept: list[Command] = [Keep(Table.STATE, _PREFIX + warning.event_id, _encoder.encode(standing))]
        kept += [Forget(Table.STATE, _PREFIX + event_id) for event_id in self._life.take_gone()]
        return [*kept, Send(Channel.WARNING, self._config.nation, Lane.FLASH, warning)]

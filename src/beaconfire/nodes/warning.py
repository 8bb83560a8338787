"""The warning node: the nation's own events in, its own warnings out. It needs no link and no estimator.

Whether the nation is alone it learns from its picture's word once a second, and at once when that changes.
"""

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
from beaconfire.nodes.retelling import FOR_US, LastHeard, Retelling

HEALTH_PERIOD_US: Final = 1_000_000
LINK_DOWN: Final = "link-down"
LINK: Final = (LINK_DOWN, "link-up")
ALONE: Final = "alone"
"""Counter of a picture's health, 1 while no hub is heard; and key of a row that is there as long."""
RETOLD_EVERY_US: Final = 5_000_000
"""A display that was started again shows what is in force within that time."""
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
        self._life.alone = any(key == ALONE for key, _ in kept)
        self._heard = LastHeard()
        held = ((one, one.issued_at_us) for one in self._life.warnings)
        self._retelling = Retelling(RETOLD_EVERY_US, held)
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
        if not isinstance(message, Notice | Health) or message.source != f"picture/{self._config.nation}":
            return []
        if isinstance(message, Health) and inbound.channel is Channel.HEALTH and ALONE in message.counters:
            return self._be_alone(message.counters[ALONE] > 0, now)
        if isinstance(message, Notice) and inbound.channel is Channel.NOTICE and message.code in LINK:
            return self._be_alone(message.code == LINK_DOWN, now)
        return []

    def tick(self, now: Now) -> list[Command]:
        """Send updates that waited, and once a second say how it is."""
        commands = [one for warning in self._life.due(now.utc_us) for one in self._out(warning, now)]
        commands += [self._send(one) for one in self._retelling.due(now)]
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
        mark = (event.revision, event.as_of_us)
        if event.sharing is None and self._heard.is_told_again(event.event_id, mark):
            return []
        self.counters["events"] += 1
        warning = self._life.take(event, self._name(event.event_id), now.utc_us)
        return [] if warning is None else self._out(warning, now)

    def _be_alone(self, alone: bool, now: Now) -> list[Command]:  # noqa: FBT001 - as it was heard
        """Note whether the nation is alone, and say so where it warns."""
        if alone is self._life.alone:
            return []
        self._life.alone = alone
        kept = Keep(Table.STATE, ALONE, b"") if alone else Forget(Table.STATE, ALONE)
        said = [one for warning in self._life.due(now.utc_us) for one in self._out(warning, now)]
        return [kept, *said]

    def _name(self, event_id: str) -> str:
        return hmac.new(self._config.secret, b"warning" + event_id.encode(), hashlib.sha256).hexdigest()[:24]

    def _send(self, warning: Warning) -> Command:
        return Send(Channel.WARNING, self._config.nation, Lane.FLASH, warning)

    def _out(self, warning: Warning, now: Now) -> list[Command]:
        counted = {"issue": "issued", "update": "updated", "cancel": "cancelled"}[warning.action]
        self.counters[counted] += 1
        standing = self._life.standing(warning.event_id)
        kept: list[Command] = [Keep(Table.STATE, _PREFIX + warning.event_id, _encoder.encode(standing))]
        gone = self._life.take_gone()
        kept += [Forget(Table.STATE, _PREFIX + event_id) for event_id in gone]
        self._retelling.forget(gone)
        self._retelling.tell(warning, now, for_us=FOR_US if warning.action == "cancel" else None)
        return [*kept, self._send(warning)]

"""The picture node: own reports and those released to the nation in, its events out.

Four rules:

1. Own reports need nothing but this process: the picture and the warning go on when the link is cut.
2. What comes over the link is verified to its originator before it is looked at; own data is refused.
3. A receipt leaves only together with the rows that make its report settled and kept.
4. What would have been known with less sharing is computed from fewer inputs, never from more.
"""

from typing import Final

import msgspec

from beaconfire.alerting.places import places_of_event, with_passed
from beaconfire.errors import PeerError
from beaconfire.fusion.live import Revised, Saved
from beaconfire.fusion.picture import Picture
from beaconfire.fusion.source import Source, check_source
from beaconfire.link.intake import Intake
from beaconfire.messages.event import Event, Place, PlaceTime
from beaconfire.messages.health import Health, LinkHealth, Notice
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery, Probe, Receipt, Suspension
from beaconfire.messages.words import HUB, Lane, Mode, Nation, Severity, Sharing
from beaconfire.nodes.commands import (
    EVENTS_LOG,
    RECEIVED_LOG,
    Append,
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
from beaconfire.nodes.repetition import Repetition
from beaconfire.release.arrangements import Agreement, Arrangements
from beaconfire.release.attest import is_suspension_good, sign_receipt
from beaconfire.release.keys import Keyring, SigningKey
from beaconfire.release.opening import open_sealed
from beaconfire.units import seconds_from_microseconds

HEALTH_PERIOD_US: Final = 1_000_000
TICK_PERIOD_US: Final = 500_000
SILENT_US: Final = 2_500_000
"""The hub asks once a second whether we live: two questions and a half without one, and we are alone."""
ALONE_NOTICE_PERIOD_US: Final = 10_000_000
BILATERAL_PREFIX: Final = "bilateral-"
_SOURCE: Final = "source/"
_EVENT: Final = "event/"
_SUSPENSION: Final = "suspension/"

_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_source_decoder: Final = msgspec.msgpack.Decoder(Source)
_saved_decoder: Final = msgspec.msgpack.Decoder(Saved)


class PictureConfig(msgspec.Struct, frozen=True):
    """What a picture node is given.

    Attributes:
        nation: whose picture.
        mode: the only mode it works in.
        exercise: the only exercise it takes part in; empty for any.
        key: the nation's own signing key, for receipts.
        keyring: keys trusted here.
        agreements: verified arrangements.
        places: named places to tell of.
        secret: under which event ids are made, 32 bytes.
        shadows: also keep the pictures it would have had alone and with the bilateral links.
    """

    nation: Nation
    mode: Mode
    exercise: str
    key: SigningKey
    keyring: Keyring
    agreements: tuple[Agreement, ...]
    places: tuple[Place, ...]
    secret: bytes
    shadows: bool = True


class _Hearing:
    """When the hub was last heard on each lane, and whether the nation knows itself alone."""

    def __init__(self) -> None:
        self.heard_us: dict[Lane, int] = {}
        self.since_us: int | None = None
        self.alone: bool | None = None
        self.told_us = 0

    def hear(self, lane: Lane, monotonic_us: int) -> None:
        self.heard_us[lane] = monotonic_us

    def is_silent(self, monotonic_us: int) -> bool | None:
        """Return whether nothing came for `SILENT_US`, None while it is too early to say."""
        if self.since_us is None:
            self.since_us = monotonic_us
        last_us = max(self.heard_us.values(), default=None)
        if last_us is None:
            return True if monotonic_us - self.since_us > SILENT_US else None
        return monotonic_us - last_us > SILENT_US

    def health(self, lane: Lane, monotonic_us: int) -> LinkHealth:
        last_us = self.heard_us.get(lane)
        silent_us = None if last_us is None else monotonic_us - last_us
        return LinkHealth(
            peer=HUB,
            lane=lane,
            up=silent_us is not None and silent_us <= SILENT_US,
            round_trip_ms=None,
            silent_for_s=None if silent_us is None else seconds_from_microseconds(silent_us),
            queued=0,
        )


class PictureNode:
    """Fuses at home what the nation sees and what it was given. Runs as `nodes.commands.Node`.

    Attributes:
        arrangements: held here, with the suspensions heard of.
        counters: counts since start.
    """

    def __init__(self, config: PictureConfig, rows: Rows) -> None:
        """Restore from the journal.

        Args:
            config: see there.
            rows: of the journal.
        """
        self._config = config
        self._name = f"picture/{config.nation}"
        self.arrangements = Arrangements(config.agreements)
        self._intake = Intake(config.nation, HUB, rows.rows(Table.INTAKE))
        self._hearing = _Hearing()
        kinds: tuple[Sharing | None, ...] = (None,)
        if config.shadows:
            kinds = (None, Sharing.ALONE, Sharing.BILATERAL)
        self._pictures = {sharing: self._picture(sharing) for sharing in kinds}
        self.counters = dict.fromkeys(
            ("own", "received", "doubled", "rejected", "refused", "missing", "revisions", "suspensions"), 0
        )
        self._health_due_us = 0
        self._repetition = Repetition()
        self._restore(rows.rows(Table.STATE))

    def _picture(self, sharing: Sharing | None) -> Picture:
        config = self._config
        return Picture(
            config.nation, config.mode, secret=config.secret, sharing=sharing, places_of=self._places
        )

    def _places(self, event: Event, before: tuple[PlaceTime, ...]) -> tuple[PlaceTime, ...]:
        if event.state is None:
            return places_of_event(event, self._config.places)
        return with_passed(places_of_event(event, self._config.places), before, event.state.epoch_us)

    def _restore(self, kept: list[tuple[str, bytes]]) -> None:
        sources = [_source_decoder.decode(body) for key, body in kept if key.startswith(_SOURCE)]
        saved = [_saved_decoder.decode(body) for key, body in kept if key.startswith(_EVENT)]
        for sharing, picture in self._pictures.items():
            picture.restore(
                [one for one in sources if _belongs(one, sharing, self._config.nation)],
                [one for one in saved if one.event.sharing is sharing],
            )
        for key, body in kept:
            if key.startswith(_SUSPENSION):
                self._suspend(msgspec.msgpack.decode(body, type=Suspension))

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Take an own report, or what the hub sends: a delivery, the news of a suspension."""
        message, config = inbound.message, self._config
        if isinstance(message, Report) and inbound.channel is Channel.OWN_REPORT:
            if inbound.sender == config.nation:
                return self._own(message, now)
        elif inbound.channel is Channel.TO_NATION and inbound.sender == HUB:
            self._hearing.hear(inbound.lane, now.monotonic_us)
            match message:
                case Delivery() as delivery:
                    return [*self._delivery(delivery, inbound, now), *self._hear(now)]
                case Suspension() as said:
                    return self._suspension(said)
                case Probe() | Receipt():
                    return self._hear(now)
        self.counters["rejected"] += 1
        return []

    def _own(self, report: Report, now: Now) -> list[Command]:
        source = Source(report, (), now.utc_us)
        try:
            check_source(source, self._config.nation, self._config.mode, own=True)
        except PeerError:
            self.counters["rejected"] += 1
            return []
        self.counters["own"] += 1
        return self._accept(source, now)

    def _delivery(self, delivery: Delivery, inbound: Inbound, now: Now) -> list[Command]:
        commands: list[Command] = []
        try:
            if self._intake.is_new(delivery, lane=inbound.lane, monotonic_us=now.monotonic_us):
                commands = self._take(delivery, now)
            else:
                self.counters["doubled"] += 1
        except PeerError:
            self.counters["rejected"] += 1
            return []
        return [*commands, *self._receipts(now)]

    def _take(self, delivery: Delivery, now: Now) -> list[Command]:
        opened = self._open(delivery, now)
        refused = isinstance(opened, Withheld)
        row = self._intake.settle(delivery, refused=refused, monotonic_us=now.monotonic_us)
        settled = Keep(Table.INTAKE, row.key, row.body)
        if isinstance(opened, Withheld):
            self.counters["refused"] += 1
            return [settled, *self._refused(opened, now)]
        self.counters["received"] += 1
        taken = Append(RECEIVED_LOG, delivery.report_id.encode())
        return [settled, taken, *self._accept(opened, now)]

    def _refused(self, why: Withheld, now: Now) -> list[Command]:
        count = self._repetition.count_to_say("report-refused", now.monotonic_us)
        text = f"delivered reports were refused: {count}, the last for {why.reason.value}"
        return [self._notice("report-refused", Severity.CAUTION, text, now)] if count else []

    def _open(self, delivery: Delivery, now: Now) -> Source | Withheld:
        """Return what a delivery holds if every check passes, those of disjoint sources last."""
        config = self._config
        opened = open_sealed(
            delivery.sealed,
            recipient=config.nation,
            keyring=config.keyring,
            now_us=now.utc_us,
            mode=config.mode,
            arrangements=self.arrangements,
            hops=delivery.hops,
            exercise=config.exercise or None,
        )
        if isinstance(opened, Withheld):
            return opened
        if opened.header.report_id != delivery.report_id or opened.header.lane is not delivery.lane:
            return Withheld(reason=Reason.SCHEMA, rule="delivery", detail="frame and header differ")
        source = Source(opened.report, opened.basis, now.utc_us)
        try:
            check_source(source, config.nation, config.mode, own=False)
        except PeerError as error:
            return Withheld(reason=Reason.SCHEMA, rule=error.code, detail=error.detail)
        return source

    def _receipts(self, now: Now) -> list[Command]:
        key = self._config.key
        owed = self._intake.receipts(lambda one: sign_receipt(one, key), monotonic_us=now.monotonic_us)
        return [Send(Channel.TO_HUB, HUB, one.lane, one) for one in owed]

    def _suspension(self, said: Suspension) -> list[Command]:
        """Take a party's word on an arrangement: nothing more is accepted under it."""
        if not is_suspension_good(said, self._config.keyring):
            self.counters["rejected"] += 1
            return []
        if not self._suspend(said):
            return []
        self.counters["suspensions"] += 1
        return [Keep(Table.STATE, f"{_SUSPENSION}{said.party}/{said.arrangement}", _encoder.encode(said))]

    def _suspend(self, said: Suspension) -> bool:
        return self.arrangements.suspend(
            said.party, said.arrangement, number=said.number, suspended=said.suspended
        )

    def _accept(self, source: Source, now: Now) -> list[Command]:
        """Give a report to every picture it belongs to; keep it and what came of it."""
        commands: list[Command] = [Keep(Table.STATE, _source_key(*source.key), _encoder.encode(source))]
        for sharing, picture in self._pictures.items():
            if _belongs(source, sharing, self._config.nation):
                stale = picture.stale
                revised = picture.accept(source, now.utc_us)
                if sharing is None and picture.stale > stale:
                    return []
                commands += self._publish(picture, revised, now)
        return commands

    def _publish(self, picture: Picture, revised: list[Revised], now: Now) -> list[Command]:
        commands: list[Command] = []
        for one in revised:
            self.counters["revisions"] += 1
            event = one.event
            commands.append(self._kept(picture, event))
            if picture.sharing is None:
                commands.append(Append(EVENTS_LOG, _encoder.encode(event)))
            commands.append(Send(Channel.EVENT, self._config.nation, Lane.FLASH, event))
            if one.disagreeing and picture.sharing is None:
                who = ", ".join(key.track for key in one.disagreeing)
                text = f"{who} disagrees with the rest of {event.event_id[:6]}: the area covers both"
                commands.append(self._notice("sources-disagree", Severity.CAUTION, text, now))
        events, tracks = picture.take_gone()
        commands += [Forget(Table.STATE, _event_key(picture.sharing, event_id)) for event_id in events]
        if picture.sharing is None:
            commands += [Forget(Table.STATE, _source_key(*key)) for key in tracks]
        return commands

    def _kept(self, picture: Picture, event: Event) -> Command:
        saved = picture.saved(event.event_id) or Saved(event, ())
        return Keep(Table.STATE, _event_key(picture.sharing, event.event_id), _encoder.encode(saved))

    def tick(self, now: Now) -> list[Command]:
        """Let events be lost and end; owe receipts; say once a second how it is; notice silence."""
        commands: list[Command] = []
        for picture in self._pictures.values():
            commands += self._publish(picture, picture.tick(now.utc_us), now)
        commands += self._receipts(now)
        for gap in self._intake.gaps(monotonic_us=now.monotonic_us):
            self.counters["missing"] += len(gap.sequences)
            text = f"{len(gap.sequences)} deliveries of {gap.lane.value} did not come"
            commands.append(self._notice("gap", Severity.CAUTION, text, now))
        commands += self._hear(now)
        if now.monotonic_us >= self._health_due_us:
            self._health_due_us = now.monotonic_us + HEALTH_PERIOD_US
            commands.append(self._health(now))
        due_us = self._intake.next_due_us()
        wake_us = min(self._health_due_us, now.monotonic_us + TICK_PERIOD_US)
        if due_us is not None:
            wake_us = min(wake_us, due_us)
        return [*commands, WakeAt(max(now.monotonic_us + 1, wake_us))]

    def _hear(self, now: Now) -> list[Command]:
        """Say when the hub falls silent and when it is back; while silent, say so again and again."""
        hearing = self._hearing
        silent = hearing.is_silent(now.monotonic_us)
        if silent is None:
            return []
        again = silent and now.monotonic_us - hearing.told_us >= ALONE_NOTICE_PERIOD_US
        if silent is hearing.alone and not again:
            return []
        hearing.alone, hearing.told_us = silent, now.monotonic_us
        if silent:
            text = "nothing comes from the hub: the picture rests on own sensors, warning goes on alone"
            return [self._notice("link-down", Severity.FAULT, text, now)]
        return [self._notice("link-up", Severity.INFORMATION, "the hub is heard", now)]

    def _health(self, now: Now) -> Command:
        main = self._pictures[None]
        counters = {
            **self.counters,
            "stale": main.stale,
            "events": len(main),
            "alone": int(self._hearing.alone is True),
        }
        links = tuple(self._hearing.health(lane, now.monotonic_us) for lane in Lane)
        health = Health(source=self._name, at_us=now.utc_us, links=links, counters=counters)
        return Send(Channel.HEALTH, self._config.nation, Lane.ROUTINE, health)

    def _notice(self, code: str, severity: Severity, text: str, now: Now) -> Command:
        notice = Notice(code=code, severity=severity, text=text, at_us=now.utc_us, source=self._name)
        return Send(Channel.NOTICE, self._config.nation, Lane.FLASH, notice)


def _belongs(source: Source, sharing: Sharing | None, nation: Nation) -> bool:
    """Return whether a report would have been there with no more than a set of arrangements in force."""
    if sharing is None or source.report.originator == nation:
        return True
    return sharing is Sharing.BILATERAL and any(one.startswith(BILATERAL_PREFIX) for one in source.basis)


def _source_key(originator: str, track: str) -> str:
    return f"{_SOURCE}{originator}/{track}"


def _event_key(sharing: Sharing | None, event_id: str) -> str:
    return f"{_EVENT}{'' if sharing is None else sharing.value}/{event_id}"

"""The picture node: own reports and those released to the nation in, its events out.

Five rules:

1. Own reports need nothing but this process: the picture and the warning go on when the link is cut.
2. What comes over the link is verified to its originator before it is looked at; own data is refused.
3. A receipt leaves only together with the rows that make its report settled and kept.
4. What would have been known with less sharing is computed from fewer inputs, never from more.
5. The same report comes from every instance of the hub; the first that opens is taken, the others are
   receipted unopened.
6. What a nation states while its clock is more than a second from the own one is taken and not fused.
"""

from typing import Final

import msgspec

from beaconfire.alerting.places import places_of_event, with_passed
from beaconfire.errors import PeerError
from beaconfire.fusion.live import Revised, Saved
from beaconfire.fusion.picture import Picture
from beaconfire.fusion.source import Source, check_source
from beaconfire.link.hearing import Hearing
from beaconfire.link.intake import Intake
from beaconfire.link.restart import Asking
from beaconfire.messages.event import Event, Place, PlaceTime
from beaconfire.messages.health import Health
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery, Probe, Receipt, Refusal, Restarted, Speaking, Suspension
from beaconfire.messages.words import HUB, LINK_SCHEMA, ClockQuality, Lane, Mode, Nation, Sharing
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
from beaconfire.nodes.picture_rows import event_key, events_in, source_key, sources_in
from beaconfire.nodes.picture_words import (
    clock_barred,
    hubs_heard,
    missing,
    report_refused,
    sources_disagree,
)
from beaconfire.nodes.refusals import refusal_of
from beaconfire.nodes.repetition import Repetition
from beaconfire.nodes.retelling import Retelling
from beaconfire.nodes.shadows import Behind, belongs
from beaconfire.nodes.tenure import Tenure, Trust
from beaconfire.nodes.voice import Voice
from beaconfire.release.arrangements import Agreement
from beaconfire.release.attest import key_of_word, sign_receipt
from beaconfire.release.keys import Keyring, SigningKey
from beaconfire.release.opening import open_sealed

HEALTH_PERIOD_US: Final = 1_000_000
TICK_PERIOD_US: Final = 500_000
RETOLD_EVERY_US: Final = 60_000_000

_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")


class PictureConfig(msgspec.Struct, frozen=True):
    """What a picture node is given.

    Attributes:
        nation: whose picture.
        mode: the only mode it works in.
        exercise: the only exercise it takes part in; empty for any.
        key: the nation's own signing key, for receipts.
        keyring: keys trusted here.
        agreements: verified arrangements.
        left_out: what is wrong with others, which aren't held: to be told of.
        places: named places to tell of.
        secret: under which event ids are made, 32 bytes.
        shadows: also keep the pictures it would have had alone and with the bilateral links.
        clock_speed: UTC seconds that its clock counts in a second of the wall, above 0.
        hubs: instances of the hub; each sends the same, and any one is enough.
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
    clock_speed: float = 1.0
    hubs: tuple[str, ...] = (HUB,)
    left_out: tuple[str, ...] = ()


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
        self._voice = Voice(self._name, config.nation)
        trust = Trust(config.keyring, config.agreements, config.left_out)
        self._tenure = Tenure(trust, rows, self._voice)
        self.arrangements = self._tenure.arrangements
        settled = rows.rows(Table.INTAKE)
        self._intakes = {hub: Intake(config.nation, hub, settled) for hub in config.hubs}
        self._hearing = Hearing(config.hubs)
        self._asking = Asking(config.nation, config.hubs)
        kinds: tuple[Sharing | None, ...] = (None,)
        if config.shadows:
            kinds = (None, Sharing.ALONE, Sharing.BILATERAL)
        self._pictures = {sharing: self._picture(sharing) for sharing in kinds}
        self.counters = dict.fromkeys(
            (
                *("own", "received", "parallel", "doubled", "rejected"),
                *("refused", "barred", "missing", "revisions", "suspensions"),
            ),
            0,
        )
        self._health_due_us = self._due_us = 0
        self._behind = Behind(config.clock_speed)
        self._repetition = Repetition()
        self._restore(rows.rows(Table.STATE))
        held = self._pictures[None].events
        self._retelling = Retelling(RETOLD_EVERY_US, ((one, one.as_of_us) for one in held))

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
        sources, saved = sources_in(kept), events_in(kept)
        for sharing, picture in self._pictures.items():
            picture.restore(
                [one for one in sources if belongs(one, sharing, self._config.nation)],
                [one for one in saved if one.event.sharing is sharing],
            )

    def renew(self, trust: Trust, now: Now) -> list[Command]:
        """Go on with other keys and arrangements from now on, or with the same and say why."""
        self._tenure.renew(trust)
        return self._tenure.at(now, ())

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Take an own report, or what the hub sends: a delivery, the news of a suspension."""
        message, config = inbound.message, self._config
        if isinstance(message, Report) and inbound.channel is Channel.OWN_REPORT:
            if inbound.sender == config.nation:
                return self._own(message, now)
        elif inbound.channel is Channel.TO_NATION and inbound.sender in self._intakes:
            self._hearing.hear(inbound.sender, inbound.lane, now.monotonic_us)
            match message:
                case Delivery() as delivery:
                    return [*self._delivery(delivery, inbound, now), *self._hear(now)]
                case Suspension() as said:
                    return self._suspension(said)
                case Probe() | Receipt() | Refusal():
                    return [*self._ask(inbound, now), *self._hear(now)]
                case Restarted() as word:
                    if (word.sender, word.recipient) == (config.nation, inbound.sender):
                        self._asking.answered(inbound.sender)
                    return self._hear(now)
        self.counters["rejected"] += 1
        return []

    def _ask(self, inbound: Inbound, now: Now) -> list[Command]:
        """Ask an instance of the hub that is heard after a start for what it remembers, until it answers."""
        asked = self._asking.heard(inbound.sender, now.monotonic_us)
        return [
            *(Send(Channel.TO_HUB, inbound.sender, inbound.lane, one) for one in asked),
            *(self._speaking(inbound.sender) for _ in asked),
        ]

    def _speaking(self, hub: str) -> Command:
        return Send(Channel.TO_HUB, hub, Lane.FLASH, Speaking(self._config.nation, hub, LINK_SCHEMA))

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
        intake = self._intakes[inbound.sender]
        try:
            if intake.is_new(delivery, lane=inbound.lane, monotonic_us=now.monotonic_us):
                commands = self._take_first(intake, delivery, now)
            else:
                self.counters["doubled"] += 1
        except PeerError:
            self.counters["rejected"] += 1
            return []
        return [*commands, *self._receipts(now)]

    def _take_first(self, intake: Intake, delivery: Delivery, now: Now) -> list[Command]:
        """Open a delivery, unless the report was taken from another instance of the hub already."""
        if not any(one.has_taken(delivery.report_id) for one in self._intakes.values()):
            return self._take(intake, delivery, now)
        self.counters["parallel"] += 1
        row = intake.settle(delivery, refused=False, monotonic_us=now.monotonic_us)
        return [Keep(Table.INTAKE, row.key, row.body)]

    def _take(self, intake: Intake, delivery: Delivery, now: Now) -> list[Command]:
        opened = self._open(delivery, now)
        refused = isinstance(opened, Withheld)
        row = intake.settle(delivery, refused=refused, monotonic_us=now.monotonic_us)
        settled = Keep(Table.INTAKE, row.key, row.body)
        if isinstance(opened, Withheld):
            self.counters["refused"] += 1
            word = refusal_of(delivery, self._config.nation, opened.reason)
            told = Send(Channel.TO_HUB, delivery.sender, delivery.lane, word)
            return [settled, told, *self._refused(opened, now)]
        self.counters["received"] += 1
        taken = Append(RECEIVED_LOG, delivery.report_id.encode())
        if delivery.clock is ClockQuality.BARRED:
            return [settled, taken, *self._barred(opened.report, now)]
        return [settled, taken, *self._accept(opened, now)]

    def _refused(self, why: Withheld, now: Now) -> list[Command]:
        count = self._repetition.count_to_say("report-refused", now.monotonic_us)
        return [self._voice.tell(report_refused(count, why.reason), now)] if count else []

    def _barred(self, report: Report, now: Now) -> list[Command]:
        """Keep a report out of the fusion, and say so: a launch may be in it."""
        self.counters["barred"] += 1
        count = self._repetition.count_to_say(f"clock-barred {report.originator}", now.monotonic_us)
        return [self._voice.tell(clock_barred(report, count), now)] if count else []

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
        if opened.header.report_id != delivery.report_id:
            return Withheld(reason=Reason.SCHEMA, rule="delivery", detail="frame and header differ")
        source = Source(opened.report, opened.basis, now.utc_us)
        try:
            check_source(source, config.nation, config.mode, own=False)
        except PeerError as error:
            return Withheld(reason=Reason.SCHEMA, rule=error.code, detail=error.detail)
        return source

    def _receipts(self, now: Now) -> list[Command]:
        key = self._config.key
        return [
            Send(Channel.TO_HUB, hub, one.lane, one)
            for hub, intake in self._intakes.items()
            for one in intake.receipts(lambda one: sign_receipt(one, key), monotonic_us=now.monotonic_us)
        ]

    def _suspension(self, said: Suspension) -> list[Command]:
        """Take a party's word on an arrangement: nothing more is accepted under it."""
        if not self._tenure.is_good(said):
            self.counters["rejected"] += 1
            return []
        if not self.arrangements.take(said):
            return []
        self.counters["suspensions"] += 1
        return [Keep(Table.STATE, key_of_word(said), _encoder.encode(said))]

    def _accept(self, source: Source, now: Now) -> list[Command]:
        """Give a report to the main picture, and later to the others; keep it and what came of it."""
        commands: list[Command] = [Keep(Table.STATE, source_key(*source.key), _encoder.encode(source))]
        main = self._pictures[None]
        stale = main.stale
        revised = main.accept(source, now.utc_us)
        if main.stale > stale:
            return []
        commands += self._publish(main, revised, now)
        if self._config.shadows:
            self._behind.put(source)
            commands.append(WakeAt(max(now.monotonic_us + 1, self._behind.due_us() or 0)))
        return commands

    def _follow(self, now: Now) -> list[Command]:
        """Give the pictures for comparison some of what they have yet to be given."""
        commands: list[Command] = []
        for source in self._behind.take(now.monotonic_us):
            for sharing, picture in self._pictures.items():
                if sharing is not None and belongs(source, sharing, self._config.nation):
                    commands += self._publish(picture, picture.accept(source, now.utc_us), now)
        return commands

    def _publish(self, picture: Picture, revised: list[Revised], now: Now) -> list[Command]:
        commands: list[Command] = []
        for one in revised:
            self.counters["revisions"] += 1
            event = one.event
            saved = picture.saved(event.event_id) or Saved(event, ())
            key = event_key(picture.sharing, event.event_id)
            commands.append(Keep(Table.STATE, key, _encoder.encode(saved)))
            if picture.sharing is None:
                commands.append(Append(EVENTS_LOG, _encoder.encode(event)))
                self._retelling.tell(event, now)
            commands.append(self._told(event))
            if one.disagreeing and picture.sharing is None:
                commands.append(self._voice.tell(sources_disagree(one), now))
        events, tracks = picture.take_gone()
        self._retelling.forget(events)
        commands += [Forget(Table.STATE, event_key(picture.sharing, event_id)) for event_id in events]
        if picture.sharing is None:
            commands += [Forget(Table.STATE, source_key(*key)) for key in tracks]
        return commands

    def _told(self, event: Event) -> Command:
        lane = Lane.FLASH if event.sharing is None else Lane.ROUTINE
        return Send(Channel.EVENT, self._config.nation, lane, event)

    def tick(self, now: Now) -> list[Command]:
        """Give the pictures for comparison what waits for them; see to all else where it is due."""
        commands, waits_until_us = self._follow(now), self._behind.due_us()
        if waits_until_us is None or now.monotonic_us >= self._next_due_us():
            commands += self._see_to_all(now)
        wake_us = min(self._next_due_us(), waits_until_us or self._next_due_us())
        return [*commands, WakeAt(max(now.monotonic_us + 1, wake_us))]

    def _next_due_us(self) -> int:
        owed = [at_us for one in self._intakes.values() if (at_us := one.next_due_us()) is not None]
        return min([self._due_us, *owed])

    def _see_to_all(self, now: Now) -> list[Command]:
        """Let events be lost and end; owe receipts; say once a second how it is; notice silence."""
        commands = self._tenure.at(now, ())
        for picture in self._pictures.values():
            commands += self._publish(picture, picture.tick(now.utc_us), now)
        commands += [self._told(one) for one in self._retelling.due(now)] + self._receipts(now)
        for intake in self._intakes.values():
            for gap in intake.gaps(monotonic_us=now.monotonic_us):
                self.counters["missing"] += len(gap.sequences)
                commands.append(self._voice.tell(missing(gap), now))
        commands += self._hear(now)
        if now.monotonic_us >= self._health_due_us:
            self._health_due_us = now.monotonic_us + HEALTH_PERIOD_US
            commands += [self._health(now), *(self._speaking(hub) for hub in self._intakes)]
        self._due_us = min(self._health_due_us, now.monotonic_us + TICK_PERIOD_US)
        return commands

    def _hear(self, now: Now) -> list[Command]:
        """Say when no hub is heard any more and when one is again, and which of several is silent."""
        heard = self._hearing.look(now.monotonic_us)
        if heard is None:
            return []
        alone, lost = heard
        return [self._voice.tell(one, now) for one in hubs_heard(lost, alone=alone)]

    def _health(self, now: Now) -> Command:
        main = self._pictures[None]
        counters = {
            **self.counters,
            "stale": main.stale,
            "events": len(main),
            "alone": int(self._hearing.alone is True),
        }
        health = Health(self._name, now.utc_us, self._hearing.health(now.monotonic_us), counters)
        return Send(Channel.HEALTH, self._config.nation, Lane.ROUTINE, health)

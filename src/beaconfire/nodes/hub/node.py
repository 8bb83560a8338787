"""The hub: verifies what each nation sends, and passes to each partner what the arrangements let pass.

Five rules:

1. What is receipted is committed together with all that follows from it: the audit records and the
   outbox rows towards every partner. So a restart loses nothing receipted.
2. What is due to one nation is done when it is due: it never waits for, nor rides on, what is due to another.
3. Every delivery ends, for each partner, as exactly one audit record: released or refused. No log is
   shared between nations.
4. It does not fuse. Of what passed through it remembers only ids and, per recipient and track, the newest
   time and the stage that the recipient saw; it keeps a report only while an arrangement delays it.
5. While a nation's log is at its bound it takes no report of that nation, or of any where it is the log of
   what a nation was given: each is left to its sender.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from beaconfire.errors import PeerError
from beaconfire.link.intake import Gap
from beaconfire.link.outbox import Due
from beaconfire.link.restart import Asking
from beaconfire.messages.health import Arguments, Health
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.transfer import (
    Delivery,
    Probe,
    Receipt,
    Refusal,
    Restarted,
    Speaking,
    Standing,
    Suspension,
)
from beaconfire.messages.vouching import Cosignature
from beaconfire.messages.words import HUB, LINK_SCHEMA, LINK_SCHEMA_BEFORE, Lane, Nation, Severity
from beaconfire.nodes.audit_room import AuditRoom
from beaconfire.nodes.clocks import clock_said
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
    Unreadable,
    WakeAt,
)
from beaconfire.nodes.hub.caution import Caution
from beaconfire.nodes.hub.config import HubConfig
from beaconfire.nodes.hub.passage import Passage
from beaconfire.nodes.hub.tie import Tie
from beaconfire.nodes.posting import commands_from_due
from beaconfire.nodes.refusals import RefusalsHeard
from beaconfire.nodes.repetition import Repetition
from beaconfire.nodes.tenure import Tenure, Trust
from beaconfire.nodes.voice import Said, Voice
from beaconfire.release.attest import is_receipt_good, sign_receipt
from beaconfire.release.cedar import CedarDecider
from beaconfire.release.departure import may_still_reach_partner
from beaconfire.release.ruling import Decider, Releaser

HEALTH_PERIOD_US: Final = 1_000_000
SUSPENSION_RESEND_US: Final = 5_000_000
CHECKPOINT_PERIOD_US: Final = 60_000_000
LATEST_US: Final = 2**62
COUNTERS: Final = (
    *("received", "released", "refused", "doubled", "rejected"),
    *("delayed", "delivered", "superseded", "lost", "missing", "cosigned", "left", "refused_there"),
)


class HubNode:
    """Sealed reports in, sealed reports out; see the module. Runs as `nodes.commands.Node`.

    Attributes:
        arrangements: held here, with the suspensions heard of.
        counters: counts since start.
    """

    def __init__(self, config: HubConfig, rows: Rows, decider: Decider | None = None) -> None:
        """Restore from the journal.

        Args:
            config: see there.
            rows: of the journal.
            decider: judge of policies; Cedar if None.
        """
        self._config = config
        self._name = "hub" if config.instance == HUB else f"hub/{config.instance}"
        trust = Trust(config.keyring, config.agreements, config.left_out)
        self._voice = Voice(self._name, config.instance)
        self._tenure = Tenure(trust, rows, self._voice)
        self.arrangements = self._tenure.arrangements
        self._decider = decider or CedarDecider(self.arrangements.agreements)
        self._releaser = Releaser(
            decider=self._decider,
            arrangements=self.arrangements,
            key=config.key,
            secret=config.secret,
            mode=config.mode,
        )
        self._links = {nation: Tie(config.instance, nation, rows) for nation in sorted(config.parties)}
        books = [link.books for link in self._links.values()]
        self._room = AuditRoom([log for one in books for log in (one.gave, one.given)])
        self._caution = Caution(self.arrangements, rows)
        if config.cautious:
            self._caution.begin(config.parties)
        self._asking = Asking(config.instance, self._links)
        self.counters = dict.fromkeys(COUNTERS, 0)
        self._passage = Passage(config, self._releaser, self._links, self.counters, self._voice)
        self._next_health_us = 0
        self._repetition = Repetition()
        self._refusals = RefusalsHeard(by_hub=False)
        self._next_suspension_us = 0
        self._next_checkpoint_us = 0

    def renew(self, trust: Trust, now: Now) -> list[Command]:
        """Go on with other keys and arrangements from now on, or with the same and say why."""
        if self._tenure.renew(trust) and isinstance(self._decider, CedarDecider):
            self._decider.replace(self.arrangements.agreements)
        return self._tenure.at(now, self._links)

    def rotated(self, sizes: Mapping[str, int]) -> None:
        """Take how many records of each audit log stand in archives: as many have room again."""
        self._room.rotated(sizes)

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Take what a nation sends: deliveries, receipts, probes, suspensions."""
        link = self._links.get(Nation(inbound.sender))
        if link is None or inbound.channel is not Channel.TO_HUB:
            self.counters["rejected"] += 1
            return []
        link.liveness.heard(inbound.lane, now.monotonic_us)
        self.arrangements.renew(link.nation, now.monotonic_us)
        opening = self._tenure.at(now, self._links)
        return [*opening, *self._take_from(link, inbound, now)]

    def _take_from(self, link: Tie, inbound: Inbound, now: Now) -> list[Command]:
        match inbound.message:
            case Delivery() if self._room.is_full_for(link.books.gave.name):
                self.counters["left"] += 1
                return []
            case Delivery() as delivery:
                return self._delivery(link, delivery, inbound, now)
            case Receipt() as receipt:
                return self._receipt(link, receipt)
            case Refusal() as refusal if refusal.sender == link.nation:
                return self._refusal(refusal, now)
            case Probe() as probe:
                return self._probe(link, probe, inbound, now)
            case Restarted() | Speaking() as said:
                return self._state_of_receiver(link, said, now)
            case Standing() as standing:
                return self._standing(link, standing, now)
            case Suspension() as said:
                return self._suspension(link, said, now)
            case Cosignature() as word:
                return self._cosignature(link, word)
            case other:
                return self._reject(link, other, inbound.lane, now)

    def _state_of_receiver(self, link: Tie, said: Restarted | Speaking, now: Now) -> list[Command]:
        if said.sender != link.nation:
            self.counters["rejected"] += 1
            return []
        if isinstance(said, Speaking):
            link.outbox.schema = min(said.schema, LINK_SCHEMA)
            return []
        link.outbox.schema = LINK_SCHEMA_BEFORE
        return self._reopen(link, said, now)

    def _reject(self, link: Tie, message: object, lane: Lane, now: Now) -> list[Command]:
        """Count what a hub takes from nobody; record what is no message at all while there is room for it."""
        self.counters["rejected"] += 1
        if not isinstance(message, Unreadable) or self._room.is_full_for(link.books.gave.name):
            return []
        return link.books.refuse_unreadable(message.body, lane, message.detail, now.utc_us)

    def _delivery(self, link: Tie, delivery: Delivery, inbound: Inbound, now: Now) -> list[Command]:
        commands: list[Command] = []
        try:
            if link.intake.is_new(delivery, lane=inbound.lane, monotonic_us=now.monotonic_us):
                commands = self._take(link, delivery, now)
            else:
                self.counters["doubled"] += 1
        except PeerError as error:
            why = Withheld(reason=Reason.WRONG_SENDER, rule=error.code, detail=error.detail)
            return self._refuse(link, delivery, why, now)
        commands += self._receipts(link, now)
        due_us = link.intake.next_due_us()
        return [*commands, *([] if due_us is None else [WakeAt(max(now.monotonic_us + 1, due_us))])]

    def _take(self, link: Tie, delivery: Delivery, now: Now) -> list[Command]:
        opened = self._passage.opened(link, delivery, now)
        refused = isinstance(opened, Withheld)
        row = link.intake.settle(delivery, refused=refused, monotonic_us=now.monotonic_us)
        commands: list[Command] = [Keep(Table.INTAKE, row.key, row.body)]
        if isinstance(opened, Withheld):
            return [*commands, *self._refuse(link, delivery, opened, now)]
        self.counters["received"] += 1
        return [*commands, *self._passage.pass_on(link, delivery, opened, now)]

    def _refuse(self, link: Tie, delivery: Delivery, why: Withheld, now: Now) -> list[Command]:
        """Record the refusal in the sender's own log; its receipt says so too, so that it stops resending."""
        self.counters["rejected"] += 1
        return link.books.refuse(delivery, why, now.utc_us)

    def _receipts(self, link: Tie, now: Now) -> list[Command]:
        key = self._config.key
        owed = link.intake.receipts(lambda one: sign_receipt(one, key), monotonic_us=now.monotonic_us)
        return [Send(Channel.TO_NATION, link.nation, one.lane, one) for one in owed]

    def _receipt(self, link: Tie, receipt: Receipt) -> list[Command]:
        if receipt.sender != link.nation or not is_receipt_good(receipt, self._config.keyring):
            self.counters["rejected"] += 1
            return []
        settled = link.outbox.receipt(receipt)
        self.counters["delivered"] += len(settled.delivered)
        return [Forget(Table.OUTBOX, key) for key in settled.forget]

    def _refusal(self, refusal: Refusal, now: Now) -> list[Command]:
        """Say that a nation refused what it was given."""
        self.counters["refused_there"] += 1
        return [self._voice.tell(said, now) for said in self._refusals.hear(refusal, now.monotonic_us)]

    def _cosignature(self, link: Tie, word: Cosignature) -> list[Command]:
        commands = link.books.cosign(word, self._config.keyring)
        self.counters["rejected" if commands is None else "cosigned"] += 1
        return commands or []

    def _probe(self, link: Tie, probe: Probe, inbound: Inbound, now: Now) -> list[Command]:
        answer = link.liveness.answer(probe, utc_us=now.utc_us)
        if answer is not None:
            asked = self._asking.heard(link.nation, now.monotonic_us)
            commands: list[Command] = [Send(Channel.TO_NATION, link.nation, inbound.lane, answer)]
            return [*commands, *(Send(Channel.TO_NATION, link.nation, inbound.lane, one) for one in asked)]
        if not link.liveness.echoed(
            probe, lane=inbound.lane, monotonic_us=now.monotonic_us, utc_us=now.utc_us
        ):
            return []
        words: list[Command] = []
        for change in link.liveness.changes(now.monotonic_us):
            if change.up:
                link.outbox.link_up(change.lane)
                words = [one for said in self._tenure.words.values() for one in self._spread(said)]
        return [*words, *self._resend(link, now)]

    def _reopen(self, link: Tie, said: Restarted, now: Now) -> list[Command]:
        """Send again to a picture that was started again what it had receipted, and its word back."""
        if not link.answering.may(now.monotonic_us):
            return []
        echo = Send(Channel.TO_NATION, link.nation, Lane.FLASH, said)
        rows = link.outbox.reopen(utc_us=now.utc_us)
        kept = [Keep(Table.OUTBOX, row.key, row.body) for row in rows]
        return [*kept, echo, *self._resend(link, now)]

    def _suspension(self, link: Tie, said: Suspension, now: Now) -> list[Command]:
        """Take a party's word on an arrangement at once, and pass it on to the other parties."""
        if said.party != link.nation or not self._tenure.is_good(said):
            self.counters["rejected"] += 1
            return []
        is_new, commands = self._tenure.take(said, now)
        return [*commands, *self._spread(said)] if is_new else []

    def _standing(self, link: Tie, standing: Standing, now: Now) -> list[Command]:
        """Take all that a party has suspended; from then on it is known again what it has not."""
        if standing.party != link.nation:
            self.counters["rejected"] += 1
            return []
        self._asking.answered(link.nation)
        commands = [one for said in standing.words for one in self._suspension(link, said, now)]
        return [*commands, *self._caution.heard(link.nation)]

    def _spread(self, said: Suspension) -> list[Command]:
        bundles = (a.bundle for a in self.arrangements.agreements)
        parties = {p for b in bundles if b.arrangement == said.arrangement for p in b.parties}
        others = [nation for nation in self._links if nation in parties and nation != said.party]
        return [Send(Channel.TO_NATION, nation, Lane.FLASH, said) for nation in others]

    def tick(self, now: Now) -> list[Command]:
        """Resend what is due; once a second say how it is and probe the links; sign checkpoints."""
        commands = [*self._caution.to_write(), *self._tenure.at(now, self._links)]
        commands += [one for link in self._links.values() for one in self._serve(link, now)]
        said = [*self._room.look(now.monotonic_us), *self._refusals.left(now.monotonic_us)]
        commands += [self._voice.tell(one, now) for one in said]
        if now.monotonic_us >= self._next_health_us:
            self._next_health_us = now.monotonic_us + HEALTH_PERIOD_US
            commands.append(self._health(now))
        if now.monotonic_us >= self._next_suspension_us:
            self._next_suspension_us = now.monotonic_us + SUSPENSION_RESEND_US
            commands += [one for said in self._tenure.words.values() for one in self._spread(said)]
        if now.monotonic_us >= self._next_checkpoint_us:
            self._next_checkpoint_us = now.monotonic_us + CHECKPOINT_PERIOD_US
            for link in self._links.values():
                commands += link.books.checkpoints(self._config.key, now.utc_us)
        due_us = min(self._next_health_us, *(self._next_due_us(link) for link in self._links.values()))
        return [*commands, WakeAt(max(now.monotonic_us + 1, due_us))]

    def _next_due_us(self, link: Tie) -> int:
        waiting_us = None if self._room.full else link.room.next_due_us()
        dues = (link.outbox.next_due_us(), link.intake.next_due_us(), waiting_us)
        return min((due_us for due_us in dues if due_us is not None), default=LATEST_US)

    def _serve(self, link: Tie, now: Now) -> list[Command]:
        """Do what is due on one link: resends, receipts gathered, probes; say what is missing."""
        commands = [] if self._room.full else self._passage.let_out(link, now)
        commands += self._resend(link, now) + self._receipts(link, now)
        probes = link.liveness.probes(now.monotonic_us, now.utc_us)
        commands += [Send(Channel.TO_NATION, link.nation, one.lane, one) for one in probes]
        for change in link.liveness.changes(now.monotonic_us):
            if not change.up:
                link.outbox.link_down(change.lane)
        parted = clock_said(
            link.liveness.peer_clock,
            link.nation,
            self._config.instance,
            named=link.nation,
            severity=Severity.FAULT,
        )
        said = [] if parted is None else [parted]
        said += [self._missing(one) for one in link.intake.gaps(monotonic_us=now.monotonic_us)]
        return [*commands, *(self._voice.tell(one, now) for one in said)]

    def _missing(self, gap: Gap) -> Said:
        count = len(gap.sequences)
        self.counters["missing"] += count
        text = f"{count} of {gap.sender} {gap.lane} did not come"
        about: Arguments = {"party": gap.sender, "lane": gap.lane.value, "count": count}
        return Said("gap", Severity.FAULT, text, about)

    def _resend(self, link: Tie, now: Now) -> list[Command]:
        may_leave = partial(
            may_still_reach_partner,
            recipient=link.nation,
            arrangements=self.arrangements,
            now_us=now.utc_us,
        )
        due = link.outbox.due(utc_us=now.utc_us, monotonic_us=now.monotonic_us, may_leave=may_leave)
        self.counters["lost"] += len(due.expired_flash)
        commands = commands_from_due(due, Channel.TO_NATION, link.nation)
        return [*commands, *(self._voice.tell(one, now) for one in self._expired(link.nation, due, now))]

    def _expired(self, nation: Nation, due: Due, now: Now) -> list[Said]:
        """Return what is to be said of deliveries to a nation that expired before it had them."""
        said: list[Said] = []
        if due.expired_flash:
            lost = due.expired_flash
            about: Arguments = {"party": nation, "count": len(lost), "report": ", ".join(lost[:5])}
            said.append(Said("flash-expired", Severity.FAULT, f"towards {nation}", about))
        happened = bool(due.expired_routine)
        return [*said, *self._repetition.routine_expired(nation, now.monotonic_us, happened=happened)]

    def _health(self, now: Now) -> Command:
        links = tuple(
            one
            for link in self._links.values()
            for one in link.liveness.health({n: link.outbox.queued(n) for n in Lane}, now.monotonic_us)
        )
        health = Health(
            source=self._name,
            at_us=now.utc_us,
            links=links,
            counters=dict(self.counters),
            arrangements=self._tenure.standing(),
        )
        return Send(Channel.HEALTH, self._config.instance, Lane.ROUTINE, health)

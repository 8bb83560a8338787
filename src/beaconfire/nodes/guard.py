"""The guard: the nation's own process that labels, decides, seals, and sends to every instance of the hub.

Three rules:

1. Only own reports go out, and every report that comes in ends as exactly one audit record: released or
   refused; while the audit log is at its bound none is taken, and a notice says so. The last of a track,
   which its tracker tells again, is no other report.
2. A released report is committed to the outbox before it leaves; a row goes when the signed receipt of
   that instance comes.
3. It is sent to all instances at once; one that is silent or does not receipt is told of within 2 s, and
   holds nothing up.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from beaconfire.audit.record import AuditLog, Passed, Subject
from beaconfire.audit.seam import seam_in
from beaconfire.link.liveness import Liveness
from beaconfire.link.parallel import ParallelOutbox
from beaconfire.link.restart import Answering
from beaconfire.messages.codec import encode
from beaconfire.messages.health import Arguments, Health
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Probe, Receipt, Refusal, Restarted, Standing, Suspension
from beaconfire.messages.vouching import CheckpointOffer
from beaconfire.messages.words import HUB, Lane, Mode, Nation, Severity
from beaconfire.nodes.audit_room import AuditRoom
from beaconfire.nodes.clocks import clock_said
from beaconfire.nodes.commands import (
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
from beaconfire.nodes.posting import commands_from_pending, commands_from_posted
from beaconfire.nodes.refusals import RefusalsHeard
from beaconfire.nodes.repetition import Repetition
from beaconfire.nodes.retelling import LastHeard
from beaconfire.nodes.tenure import Tenure, Trust
from beaconfire.nodes.voice import Said, Voice
from beaconfire.nodes.vouching import Vouching
from beaconfire.release.arrangements import Agreement
from beaconfire.release.attest import is_receipt_good
from beaconfire.release.cedar import CedarDecider
from beaconfire.release.decide import Outgoing, Released, release_to_hub
from beaconfire.release.departure import may_still_reach_hub
from beaconfire.release.keys import Keyring, SigningKey
from beaconfire.release.label import LabellingRules, label_report
from beaconfire.release.ruling import Decider, Releaser
from beaconfire.release.terms import SealTerms

LIFE_US: Final = 600_000_000
"""Of a report, of transport, so of the wall clock; a guard told that its clock runs fast scales it."""
HEALTH_PERIOD_US: Final = 1_000_000
SUSPENSION_RESEND_US: Final = 5_000_000
UNRECEIPTED_US: Final = 1_500_000
"""Looked at once a second at least, so that it is said within 2.5 s; resends go on meanwhile."""


class GuardConfig(msgspec.Struct, frozen=True):
    """What a guard is given.

    Attributes:
        nation: whose guard.
        mode: the only mode it lets out.
        exercise: the only exercise it lets out; empty for any.
        key: the nation's own signing key.
        keyring: keys trusted here.
        agreements: verified arrangements.
        rules: how the nation labels what leaves it.
        secret: under which salts are made, 32 bytes.
        clock_speed: UTC seconds that its clock counts in a second of the wall, above 0.
        hubs: instances of the hub; one or more.
        left_out: what is wrong with other arrangements, which aren't held: to be told of.
    """

    nation: Nation
    mode: Mode
    exercise: str
    key: SigningKey
    keyring: Keyring
    agreements: tuple[Agreement, ...]
    rules: LabellingRules
    secret: bytes
    clock_speed: float = 1.0
    hubs: tuple[str, ...] = (HUB,)
    left_out: tuple[str, ...] = ()


class GuardNode:
    """Own reports in, sealed reports out; see the module. Runs as `nodes.commands.Node`.

    Attributes:
        arrangements: held here, with the suspensions heard of.
        counters: counts since start.
    """

    def __init__(self, config: GuardConfig, rows: Rows, decider: Decider | None = None) -> None:
        """Restore from the journal.

        Args:
            config: see there.
            rows: of the journal.
            decider: judge of policies; Cedar if None.
        """
        self._config = config
        log = f"guard/{config.nation}"
        self._voice = Voice(log, config.nation)
        trust = Trust(config.keyring, config.agreements, config.left_out)
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
        self._outbox = ParallelOutbox(config.nation, config.hubs, rows.rows(Table.OUTBOX))
        self._heard = LastHeard()
        self._audit = AuditLog(log, rows.log(log), seam=seam_in(log, rows.rows(Table.STATE)))
        self._room = AuditRoom([self._audit])
        self.counters = dict.fromkeys(
            ("released", "refused", "rejected", "delivered", "refused_by_hub", "lost", "unrecorded"), 0
        )
        self._repetition = Repetition()
        self._vouching = Vouching(config.nation, config.key, config.keyring, rows)
        self._liveness = {hub: Liveness(config.nation, hub) for hub in config.hubs}
        self._answering = {hub: Answering() for hub in config.hubs}
        self._refusals = RefusalsHeard(by_hub=True)
        self._unreceipted: dict[str, bool] = dict.fromkeys(config.hubs, False)
        self._next_health_us = 0
        self._next_suspension_us = 0

    def renew(self, trust: Trust, now: Now) -> list[Command]:
        """Go on with other keys and arrangements from now on, or with the same and say why."""
        if self._tenure.renew(trust) and isinstance(self._decider, CedarDecider):
            self._decider.replace(self.arrangements.agreements)
        return self._tenure.at(now, (HUB,))

    def rotated(self, sizes: Mapping[str, int]) -> None:
        """Take how many records of each audit log stand in archives: as many have room again."""
        self._room.rotated(sizes)

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Take an own report, or what the hub says: receipts, probes, suspensions."""
        from_home = inbound.sender == self._config.nation
        life = self._liveness.get(inbound.sender)
        from_hub = life is not None and inbound.channel is Channel.TO_NATION
        opening = self._tenure.at(now, (HUB,))
        if life is not None and from_hub:
            life.heard(inbound.lane, now.monotonic_us)
        return [*opening, *self._take(inbound, now, from_home=from_home, from_hub=from_hub)]

    def _take(self, inbound: Inbound, now: Now, *, from_home: bool, from_hub: bool) -> list[Command]:
        match inbound.message:
            case Report() as report if from_home and inbound.channel is Channel.OWN_REPORT:
                return self._report(report, now)
            case Receipt() as receipt if from_hub:
                return self._receipt(receipt, inbound)
            case Probe() as probe if from_hub:
                return self._probe(probe, inbound, now)
            case Restarted() as said if from_hub and said.sender == inbound.sender:
                return self._reopen(inbound.sender, now)
            case Refusal() as refusal if from_hub and refusal.sender == inbound.sender:
                return self._refusal(refusal, now)
            case CheckpointOffer() as offer if from_hub:
                return self._vouching.take(offer, inbound.sender, now)
            case Suspension() as said if from_home or from_hub:
                return self._suspension(said, now, from_home=from_home)
            case Report():
                self.counters["rejected"] += 1
                return []
            case _:
                return []

    def _report(self, report: Report, now: Now) -> list[Command]:
        if self._room.full:
            self.counters["unrecorded"] += 1
            return []
        if self._heard.is_told_again(report.track, report.report_id):
            return []
        decided = self._decide(report, now)
        lane = decided.value.lane if isinstance(decided, Released) else Lane.ROUTINE
        commands: list[Command] = []
        if isinstance(decided, Released):
            posted = self._outbox.put(decided, utc_us=now.utc_us, monotonic_us=now.monotonic_us)
            commands = commands_from_posted(posted, Channel.TO_HUB)
            if posted.refused:
                commands.append(self._voice.tell(_not_posted(posted.refused, report.report_id), now))
                self.counters["lost"] += 1
        return [self._record(report, lane, decided, now), *commands]

    def _decide(self, report: Report, now: Now) -> Released[Outgoing] | Withheld:
        config = self._config
        if config.exercise and report.exercise != config.exercise:
            return Withheld(reason=Reason.MODE_MISMATCH, rule="exercise", detail=report.exercise[:40])
        terms = SealTerms(
            label=label_report(config.rules, config.nation, config.rules.releasable_to),
            sent_at_us=now.utc_us,
            expires_at_us=now.utc_us + round(LIFE_US * config.clock_speed),
            arrangements=self._in_force_digests(now),
        )
        return release_to_hub(report, terms, self._releaser)

    def _in_force_digests(self, now: Now) -> tuple[str, ...]:
        nation = self._config.nation
        held = self.arrangements.in_force(now.utc_us)
        return tuple(sorted(a.digest for a in held if nation in a.bundle.parties))

    def _record(
        self, report: Report, lane: Lane, decided: Released[Outgoing] | Withheld, now: Now
    ) -> Command:
        if isinstance(decided, Withheld):
            self.counters["refused"] += 1
            body, verdict = encode(report), decided
            audited: Passed | Withheld = verdict
        else:
            self.counters["released"] += 1
            out = decided.value
            body = out.sealed
            audited = Passed(groups=out.groups, degraded=out.degraded, basis=out.basis, rules=out.rules)
        subject = Subject(
            originator=report.originator,
            recipient=HUB,
            report_id=report.report_id,
            lane=lane,
            body=body,
        )
        return Append(self._audit.name, self._audit.add(subject, audited, now.utc_us))

    def _receipt(self, receipt: Receipt, inbound: Inbound) -> list[Command]:
        if receipt.recipient != self._config.nation:
            return []
        if receipt.sender != inbound.sender or not is_receipt_good(receipt, self._config.keyring):
            self.counters["rejected"] += 1
            return []
        settled = self._outbox.receipt(receipt)
        self.counters["delivered"] += len(settled.delivered)
        self.counters["refused_by_hub"] += len(settled.refused)
        return [Forget(Table.OUTBOX, key) for key in settled.forget]

    def _refusal(self, refusal: Refusal, now: Now) -> list[Command]:
        """Say that an instance refused an own report, and where it stands why."""
        return [self._voice.tell(said, now) for said in self._refusals.hear(refusal, now.monotonic_us)]

    def _probe(self, probe: Probe, inbound: Inbound, now: Now) -> list[Command]:
        hub = inbound.sender
        life = self._liveness[hub]
        answer = life.answer(probe, utc_us=now.utc_us)
        if answer is not None:
            return [Send(Channel.TO_HUB, hub, inbound.lane, answer)]
        if not life.echoed(probe, lane=inbound.lane, monotonic_us=now.monotonic_us, utc_us=now.utc_us):
            return []
        self.arrangements.renew(HUB, probe.sent_monotonic_us)
        words: list[Command] = []
        for change in life.changes(now.monotonic_us):
            if change.up:
                self._outbox.link_up(hub, change.lane)
                words = self._own_words((hub,))
        return [*words, *self._resend(now)]

    def _reopen(self, hub: str, now: Now) -> list[Command]:
        """Tell an instance that was started again what is suspended, and send what it had receipted."""
        if not self._answering[hub].may(now.monotonic_us):
            return []
        standing = Send(Channel.TO_HUB, hub, Lane.FLASH, Standing(self._config.nation, self._said()))
        rows = self._outbox.reopen(hub, utc_us=now.utc_us)
        kept = [Keep(Table.OUTBOX, row.key, row.body) for row in rows]
        return [*kept, standing, *self._resend(now)]

    def _suspension(self, said: Suspension, now: Now, *, from_home: bool) -> list[Command]:
        """Take a party's word on an arrangement; the own nation's word goes on to the hub."""
        if not self._tenure.is_good(said) or (from_home and said.party != self._config.nation):
            self.counters["rejected"] += 1
            return []
        is_new, commands = self._tenure.take(said, now)
        if is_new and said.party == self._config.nation:
            commands += [Send(Channel.TO_HUB, hub, Lane.FLASH, said) for hub in self._config.hubs]
        return commands if is_new or from_home else []

    def _own_words(self, hubs: tuple[str, ...]) -> list[Command]:
        return [Send(Channel.TO_HUB, hub, Lane.FLASH, said) for said in self._said() for hub in hubs]

    def _said(self) -> tuple[Suspension, ...]:
        return tuple(said for said in self._tenure.words.values() if said.party == self._config.nation)

    def tick(self, now: Now) -> list[Command]:
        """Resend what is due; once a second say how it is and probe the link."""
        commands = self._tenure.at(now, (HUB,)) + self._resend(now)
        said = [*self._room.look(now.monotonic_us), *self._refusals.left(now.monotonic_us)]
        commands += [self._voice.tell(one, now) for one in said]
        for hub, life in self._liveness.items():
            commands += [
                Send(Channel.TO_HUB, hub, one.lane, one) for one in life.probes(now.monotonic_us, now.utc_us)
            ]
            for change in life.changes(now.monotonic_us):
                if not change.up:
                    self._outbox.link_down(hub, change.lane)
            commands += [self._voice.tell(one, now) for one in self._look_at(hub, now)]
        if now.monotonic_us >= self._next_health_us:
            self._next_health_us = now.monotonic_us + HEALTH_PERIOD_US
            commands.append(self._health(now))
        if now.monotonic_us >= self._next_suspension_us:
            self._next_suspension_us = now.monotonic_us + SUSPENSION_RESEND_US
            commands += self._own_words(self._config.hubs)
        resend_us = self._outbox.next_due_us() or self._next_health_us
        commands.append(WakeAt(max(now.monotonic_us + 1, min(self._next_health_us, resend_us))))
        return commands

    def _look_at(self, hub: str, now: Now) -> list[Said]:
        """Return what is to be said of an instance: that it owes receipts, that its clock is another."""
        clock = self._liveness[hub].peer_clock
        parted = clock_said(clock, self._config.nation, hub, named=f"own clock and {hub}")
        return [*self._look_for_receipts(hub, now), *([parted] if parted else [])]

    def _look_for_receipts(self, hub: str, now: Now) -> list[Said]:
        """Say when an instance that is there has not receipted a FLASH report for long, and when it does."""
        since_us = self._outbox.unreceipted_since_us(hub)
        late = since_us is not None and now.monotonic_us - since_us > UNRECEIPTED_US
        late = late and self._liveness[hub].up(Lane.FLASH, now.monotonic_us)
        if late is self._unreceipted[hub]:
            return []
        self._unreceipted[hub] = late
        if late:
            text = f"{hub} is there but receipts nothing: it may have no room to write"
            return [Said("unreceipted", Severity.FAULT, text, {"hub": hub})]
        return [Said("receipted-again", Severity.INFORMATION, f"{hub} owes no receipt", {"hub": hub})]

    def _resend(self, now: Now) -> list[Command]:
        may_leave = partial(may_still_reach_hub, arrangements=self.arrangements, now_us=now.utc_us)
        pending = self._outbox.due(utc_us=now.utc_us, monotonic_us=now.monotonic_us, may_leave=may_leave)
        self.counters["lost"] += len(pending.lost)
        commands = commands_from_pending(pending, Channel.TO_HUB)
        if pending.lost:
            commands.append(self._voice.tell(_expired(pending.lost), now))
        lost = self._repetition.routine_expired(HUB, now.monotonic_us, happened=bool(pending.lost_routine))
        return [*commands, *(self._voice.tell(one, now) for one in lost)]

    def _health(self, now: Now) -> Command:
        links = tuple(
            one
            for hub, life in self._liveness.items()
            for one in life.health(self._outbox.queued(hub), now.monotonic_us)
        )
        health = Health(
            source=f"guard/{self._config.nation}",
            at_us=now.utc_us,
            links=links,
            counters={
                **self.counters,
                "cosigned": self._vouching.cosigned,
                "audit_refused": self._vouching.refused,
            },
            arrangements=self._tenure.standing(),
        )
        return Send(Channel.HEALTH, self._config.nation, Lane.ROUTINE, health)


def _not_posted(why: str, report_id: str) -> Said:
    text = f"the guard could not deliver {report_id}"
    return Said(f"outbox-{why}", Severity.FAULT, text, {"party": HUB, "report": report_id})


def _expired(report_ids: tuple[str, ...]) -> Said:
    named = ", ".join(report_ids[:5])
    about: Arguments = {"party": HUB, "count": len(report_ids), "report": named}
    return Said("flash-expired", Severity.FAULT, f"the guard could not deliver {named}", about)

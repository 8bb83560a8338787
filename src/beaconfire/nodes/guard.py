"""The guard: the nation's own process that labels, decides, seals, and sends to the hub.

Two rules:

1. Only own reports go out, and every report that comes in ends as exactly one audit record: released or
   refused.
2. A released report is committed to the outbox before it leaves; a row goes when the hub's signed
   receipt comes.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from beaconfire.audit.record import AuditLog, Passed, Subject
from beaconfire.link.liveness import Liveness
from beaconfire.link.outbox import Outbox
from beaconfire.messages.codec import encode
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Probe, Receipt, Suspension
from beaconfire.messages.words import HUB, Lane, Mode, Nation, Phase, Severity, Status
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
from beaconfire.nodes.posting import commands_from_due, commands_from_put
from beaconfire.release.arrangements import Agreement, Arrangements
from beaconfire.release.attest import is_receipt_good, is_suspension_good
from beaconfire.release.cedar import CedarDecider
from beaconfire.release.decide import Decider, Outgoing, Released, Releaser, release_to_hub
from beaconfire.release.keys import Keyring, SigningKey
from beaconfire.release.label import LabellingRules, label_report
from beaconfire.release.terms import SealTerms

ROUTINE_LIFE_US: Final = 60_000_000
"""Lives are of transport, so of the wall clock; a guard told that its clock runs fast scales them."""
FLASH_LIFE_US: Final = 600_000_000
HEALTH_PERIOD_US: Final = 1_000_000
SUSPENSION_RESEND_US: Final = 5_000_000
TRACKS_MAX: Final = 4_096


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


class _Stage(msgspec.Struct, frozen=True):
    """What of a track, once changed, makes a report FLASH."""

    phase: Phase | None
    status: Status | None
    has_launch: bool
    has_impact: bool


def _stage_of(report: Report) -> _Stage:
    return _Stage(
        phase=report.trajectory.phase if report.trajectory else None,
        status=report.classification.status if report.classification else None,
        has_launch=report.launch_point is not None,
        has_impact=bool(report.impact),
    )


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
        self.arrangements = Arrangements(config.agreements)
        self._releaser = Releaser(
            decider=decider or CedarDecider(config.agreements),
            arrangements=self.arrangements,
            key=config.key,
            secret=config.secret,
            mode=config.mode,
        )
        self._outbox = Outbox(config.nation, HUB, rows.rows(Table.OUTBOX))
        log = f"guard/{config.nation}"
        self._audit = AuditLog(log, rows.log(log))
        self._stages: OrderedDict[str, _Stage] = OrderedDict()
        self._suspensions: dict[str, Suspension] = {}
        self._restore_suspensions(rows)
        self.counters = dict.fromkeys(
            ("released", "refused", "rejected", "delivered", "refused_by_hub", "lost"), 0
        )
        self._liveness = Liveness(config.nation, HUB)
        self._next_health_us = 0
        self._next_suspension_us = 0

    def _restore_suspensions(self, rows: Rows) -> None:
        for key, body in rows.rows(Table.STATE):
            if not key.startswith("suspension/"):
                continue
            said = msgspec.msgpack.decode(body, type=Suspension)
            self._apply(said)
            if said.party == self._config.nation:
                self._suspensions[said.arrangement] = said

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Take an own report, or what the hub says: receipts, probes, suspensions."""
        from_home = inbound.sender == self._config.nation
        from_hub = inbound.sender == HUB and inbound.channel is Channel.TO_NATION
        if from_hub:
            self._liveness.heard(inbound.lane, now.monotonic_us)
        match inbound.message:
            case Report() as report if from_home and inbound.channel is Channel.OWN_REPORT:
                return self._report(report, now)
            case Receipt() as receipt if from_hub:
                return self._receipt(receipt)
            case Probe() as probe if from_hub:
                return self._probe(probe, inbound, now)
            case Suspension() as said if from_home or from_hub:
                return self._suspension(said)
            case Report():
                self.counters["rejected"] += 1
                return []
            case _:
                return []

    def _report(self, report: Report, now: Now) -> list[Command]:
        lane = self._lane_of(report)
        decided = self._decide(report, lane, now)
        commands: list[Command] = []
        if isinstance(decided, Released):
            put = self._outbox.put(decided, utc_us=now.utc_us, monotonic_us=now.monotonic_us)
            commands = commands_from_put(put, Channel.TO_HUB, HUB)
            if put.refused:
                commands.append(self._notice("outbox-" + put.refused, report.report_id, now))
                self.counters["lost"] += 1
        return [self._record(report, lane, decided, now), *commands]

    def _lane_of(self, report: Report) -> Lane:
        """Return FLASH for a first report and for a new phase, status, launch point or impact area."""
        stage = _stage_of(report)
        known = self._stages.pop(report.track, None)
        self._stages[report.track] = stage
        if len(self._stages) > TRACKS_MAX:
            self._stages.popitem(last=False)
        return Lane.ROUTINE if stage == known else Lane.FLASH

    def _decide(self, report: Report, lane: Lane, now: Now) -> Released[Outgoing] | Withheld:
        config = self._config
        if config.exercise and report.exercise != config.exercise:
            return Withheld(reason=Reason.MODE_MISMATCH, rule="exercise", detail=report.exercise[:40])
        partners = self.arrangements.partners(config.nation, now.utc_us)
        life_us = FLASH_LIFE_US if lane is Lane.FLASH else ROUTINE_LIFE_US
        terms = SealTerms(
            label=label_report(config.rules, config.nation, partners),
            lane=lane,
            sent_at_us=now.utc_us,
            expires_at_us=now.utc_us + round(life_us * config.clock_speed),
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

    def _receipt(self, receipt: Receipt) -> list[Command]:
        if receipt.recipient != self._config.nation:
            return []
        if receipt.sender != HUB or not is_receipt_good(receipt, self._config.keyring):
            self.counters["rejected"] += 1
            return []
        settled = self._outbox.receipt(receipt)
        self.counters["delivered"] += len(settled.delivered)
        self.counters["refused_by_hub"] += len(settled.refused)
        return [Forget(Table.OUTBOX, key) for key in settled.forget]

    def _probe(self, probe: Probe, inbound: Inbound, now: Now) -> list[Command]:
        answer = self._liveness.answer(probe, utc_us=now.utc_us)
        if answer is not None:
            return [Send(Channel.TO_HUB, HUB, inbound.lane, answer)]
        if not self._liveness.echoed(probe, lane=inbound.lane, monotonic_us=now.monotonic_us):
            return []
        for change in self._liveness.changes(now.monotonic_us):
            if change.up:
                self._outbox.link_up(change.lane)
        return self._resend(now)

    def _suspension(self, said: Suspension) -> list[Command]:
        """Take a party's word on an arrangement; the own nation's word goes on to the hub."""
        if not is_suspension_good(said, self._config.keyring):
            self.counters["rejected"] += 1
            return []
        if not self._apply(said):
            return []
        key = f"suspension/{said.party}/{said.arrangement}"
        commands: list[Command] = [Keep(Table.STATE, key, encode(said))]
        if said.party == self._config.nation:
            self._suspensions[said.arrangement] = said
            commands.append(Send(Channel.TO_HUB, HUB, Lane.FLASH, said))
        return commands

    def _apply(self, said: Suspension) -> bool:
        return self.arrangements.suspend(
            said.party, said.arrangement, number=said.number, suspended=said.suspended
        )

    def tick(self, now: Now) -> list[Command]:
        """Resend what is due; once a second say how it is and probe the link."""
        commands = self._resend(now)
        probes = self._liveness.probes(now.monotonic_us)
        commands += [Send(Channel.TO_HUB, HUB, one.lane, one) for one in probes]
        self._liveness.changes(now.monotonic_us)
        if now.monotonic_us >= self._next_health_us:
            self._next_health_us = now.monotonic_us + HEALTH_PERIOD_US
            commands.append(self._health(now))
        if now.monotonic_us >= self._next_suspension_us:
            self._next_suspension_us = now.monotonic_us + SUSPENSION_RESEND_US
            said = self._suspensions.values()
            commands += [Send(Channel.TO_HUB, HUB, Lane.FLASH, one) for one in said]
        resend_us = self._outbox.next_due_us() or self._next_health_us
        commands.append(WakeAt(max(now.monotonic_us + 1, min(self._next_health_us, resend_us))))
        return commands

    def _resend(self, now: Now) -> list[Command]:
        due = self._outbox.due(utc_us=now.utc_us, monotonic_us=now.monotonic_us)
        self.counters["lost"] += len(due.expired_flash)
        commands = commands_from_due(due, Channel.TO_HUB, HUB)
        if due.expired_flash:
            commands.append(self._notice("flash-expired", ", ".join(due.expired_flash[:5]), now))
        return commands

    def _health(self, now: Now) -> Command:
        queued = {lane: self._outbox.queued(lane) for lane in Lane}
        health = Health(
            source=f"guard/{self._config.nation}",
            at_us=now.utc_us,
            links=self._liveness.health(queued, now.monotonic_us),
            counters=dict(self.counters),
        )
        return Send(Channel.HEALTH, self._config.nation, Lane.ROUTINE, health)

    def _notice(self, code: str, text: str, now: Now) -> Command:
        notice = Notice(
            code=code,
            severity=Severity.FAULT,
            text=f"the guard could not deliver {text}",
            at_us=now.utc_us,
            source=f"guard/{self._config.nation}",
        )
        return Send(Channel.NOTICE, self._config.nation, Lane.FLASH, notice)

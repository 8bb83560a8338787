"""Decide what may pass, and be the only place where a `Released` can be made.

Two judges must agree on every release: the policies of the arrangements (a `Decider`) and the plain
allow-list of `release.second_check` over the bytes about to leave. Any doubt withholds.
"""

from collections.abc import Iterable
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from beaconfire.messages.arrangement import Flow
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES, encode
from beaconfire.messages.envelope import Degradation, Header, Sealed
from beaconfire.messages.label import Label
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.report import Report
from beaconfire.messages.words import HUB, Group, Lane, Mode, Nation
from beaconfire.release.age import age_bucket_s, worth_until_us
from beaconfire.release.arrangements import Agreement, Arrangements
from beaconfire.release.content import Content, content_of
from beaconfire.release.keys import SigningKey
from beaconfire.release.label import flaw_in_label, rights_of
from beaconfire.release.obligations import Obligations
from beaconfire.release.opening import Opened
from beaconfire.release.sanitise import is_anything_left, sanitise, with_boost_until_burnout
from beaconfire.release.seal import degrade, keep_groups, seal_report
from beaconfire.release.second_check import flaw_in_outgoing, flaw_towards_hub
from beaconfire.release.terms import SealTerms
from beaconfire.release.trail import Trail, stage_of

T_co = TypeVar("T_co", covariant=True)

_TOKEN: Final = object()

MAXIMUM_SEALED_BYTES: Final = MAXIMUM_MESSAGE_BYTES - 1_024
"""Room is left for the frame of the delivery."""


class Released(Generic[T_co]):
    """Something a decision let pass to one recipient. Only this module can make one.

    Attributes:
        value: what may be sent.
        recipient: the only party it may be sent to.
    """

    __slots__ = ("recipient", "value")

    value: T_co
    recipient: str

    def __init__(self, value: T_co, recipient: str, token: object) -> None:
        """Refuse to be made by anybody without the module's own token."""
        if token is not _TOKEN:
            raise TypeError("only release.decide can make a Released")
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "recipient", recipient)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse every change."""
        raise AttributeError(f"{name} of a Released can't be changed")


class Outgoing(msgspec.Struct, frozen=True):
    """A sealed report ready for an outbox.

    Attributes:
        report_id: opaque keyed hash.
        originator: whose report it is.
        track: name of the national track.
        lane: FLASH or ROUTINE.
        sent_at_us: UTC; when the originator sealed it: the newest of a track counts.
        expires_at_us: UTC; not worth sending after this.
        hops: relays passed once the recipient has it: 0 on the way to the hub, 1 from it.
        sealed: MessagePack of `Sealed`.
        basis: arrangements it rests on.
        groups: field groups in it, degraded ones too.
        degraded: of these, those replaced by something coarser.
        rules: policies that permitted it, for the audit.
    """

    report_id: str
    originator: str
    track: str
    lane: Lane
    sent_at_us: int
    expires_at_us: int
    hops: int
    sealed: bytes
    basis: tuple[str, ...]
    groups: tuple[Group, ...]
    degraded: tuple[Group, ...]
    rules: tuple[str, ...]


class Question(msgspec.Struct, frozen=True):
    """What a decision depends on, and all it depends on: the key under which it is remembered.

    Attributes:
        label: of the report; names the originator.
        recipient: nation.
        mode: of the report.
        age_s: upper end of the bucket that the report's age is in.
        agreements: digests of the agreements in force that bind both.
    """

    label: Label
    recipient: Nation
    mode: Mode
    age_s: int
    agreements: tuple[str, ...]


class Ruling(msgspec.Struct, frozen=True):
    """What may pass.

    Attributes:
        groups: obligations of each group that is permitted; others may not pass.
        rules: ids of the policies that decided, by group.
        basis: arrangements that permitted something, sorted.
    """

    groups: dict[Group, Obligations]
    rules: dict[Group, tuple[str, ...]]
    basis: tuple[str, ...]


class Decider(Protocol):
    """A judge of what may pass; `release.cedar.CedarDecider` is the one in use."""

    def decide(self, question: Question, agreements: tuple[Agreement, ...]) -> Ruling | Withheld:
        """Return which groups may pass and under what obligations, or why nothing may."""
        ...


class Releaser(msgspec.Struct, frozen=True):
    """What one process releases with.

    Attributes:
        decider: judge of policies.
        arrangements: as held here.
        key: of the party that seals (guard) or degrades (hub).
        secret: under which salts and opaque names are made, 32 bytes.
        mode: the only mode this process works in.
        trail: what each recipient last had of each track.
    """

    decider: Decider
    arrangements: Arrangements
    key: SigningKey
    secret: bytes
    mode: Mode
    trail: Trail = msgspec.field(default_factory=Trail)


def rule_for(
    releaser: Releaser, label: Label, recipient: Nation, age_us: int, agreements: tuple[Agreement, ...]
) -> Ruling | Withheld:
    """Return what the policies of the agreements between two and the label let one of them have."""
    flaw = flaw_in_label(label, label.originator)
    if flaw:
        return Withheld(reason=Reason.UNLABELLED, rule="label", detail=flaw)
    if recipient not in label.releasable_to:
        return Withheld(reason=Reason.NOT_RELEASABLE, rule="label")
    if not agreements:
        return Withheld(reason=Reason.NO_ARRANGEMENT, rule="arrangements")
    question = Question(
        label=label,
        recipient=recipient,
        mode=releaser.mode,
        age_s=age_bucket_s(age_us),
        agreements=tuple(a.digest for a in agreements),
    )
    ruling = releaser.decider.decide(question, agreements)
    return ruling if isinstance(ruling, Withheld) else _close(ruling, label, recipient)


def _close(ruling: Ruling, label: Label, recipient: Nation) -> Ruling:
    """Take out what the label denies, and close what could be inferred from the rest.

    A launch point that is coarse or missing could be had back from a boost trajectory: then state and
    covariance pass only once the boost is over. A covariance never passes without its state, whichever
    arrangement holds that back.
    """
    groups = {
        group: obligations
        for group, obligations in ruling.groups.items()
        if recipient in rights_of(label, group).releasable_to and not obligations.drop
    }
    launch, state = groups.get(Group.LAUNCH_POINT), groups.get(Group.TRAJECTORY)
    covariance = groups.pop(Group.COVARIANCE, None)
    if state is not None:
        if launch is None or launch.grid_m > 0.0:
            state = groups[Group.TRAJECTORY] = state.join(Obligations(coast_only=True))
        if covariance is not None:
            groups[Group.COVARIANCE] = covariance.join(Obligations(coast_only=state.coast_only))
    return msgspec.structs.replace(ruling, groups=groups)


def release_to_hub(report: Report, terms: SealTerms, releaser: Releaser) -> "Released[Outgoing] | Withheld":
    """Return a nation's own report sealed for the hub, with every group that any partner may have now.

    The hub needs a group whole to coarsen it for one partner and pass it to another; a group that no
    partner may have does not leave the nation. The basis binds the hub: it passes nothing to a partner that
    is not named there, nor under an arrangement that is not in force here.
    """
    flaw = _flaw_in_own(report, terms, releaser)
    if flaw is not None:
        return flaw
    report = with_boost_until_burnout(report)
    held = {
        partner: releaser.arrangements.between(report.originator, partner, terms.sent_at_us)
        for partner in sorted(terms.label.releasable_to)
    }
    age_us = terms.sent_at_us - report.stated_at_us
    verdicts = {
        partner: rule_for(releaser, terms.label, partner, age_us, agreements)
        for partner, agreements in held.items()
    }
    rulings = {p: v for p, v in verdicts.items() if isinstance(v, Ruling)}
    if not rulings:
        return next(v for v in verdicts.values() if isinstance(v, Withheld))
    groups = {
        group
        for ruling in rulings.values()
        for group, obligations in ruling.groups.items()
        if is_anything_left(report, group, obligations)
    }
    sealed = keep_groups(seal_report(report, terms, releaser.key, releaser.secret), groups)
    basis = tuple(sorted(f"{p}/{one.bundle.arrangement}" for p in rulings for one in held[p]))
    sealed = msgspec.structs.replace(sealed, basis=basis)
    flows = [flow for p in rulings for flow in _flows(held[p], report.originator, p)]
    return _checked_for_hub(sealed, report, terms, (releaser, rulings, flows))


def _flows(agreements: Iterable[Agreement], originator: str, recipient: str) -> list[Flow]:
    flows = (agreement.flow(originator, recipient) for agreement in agreements)
    return [flow for flow in flows if flow is not None]


def _flaw_in_own(report: Report, terms: SealTerms, releaser: Releaser) -> Withheld | None:
    if report.originator != releaser.key.party or report.originator == HUB:
        return Withheld(reason=Reason.NOT_OWN_SENSORS, rule="originator", detail=report.originator[:8])
    if report.provenance is None:
        return Withheld(reason=Reason.NOT_OWN_SENSORS, rule="provenance")
    if report.mode is not releaser.mode:
        return Withheld(reason=Reason.MODE_MISMATCH, rule="mode", detail=report.mode)
    flaw = flaw_in_label(terms.label, report.originator)
    if flaw:
        nobody = not terms.label.releasable_to
        reason = Reason.NO_ARRANGEMENT if nobody else Reason.UNLABELLED
        return Withheld(reason=reason, rule="label", detail=flaw)
    return None


def _checked_for_hub(
    sealed: Sealed,
    report: Report,
    terms: SealTerms,
    decided: tuple[Releaser, dict[Nation, Ruling], list[Flow]],
) -> "Released[Outgoing] | Withheld":
    releaser, rulings, flows = decided
    groups = tuple(one.group for one in sealed.disclosures)
    body = encode(sealed)
    if Group.PROVENANCE not in groups or len(groups) < 2:
        return Withheld(reason=Reason.NOTHING_LEFT, rule="guard")
    flaw = flaw_towards_hub(body, flows, releaser.mode.value, terms.sent_at_us)
    if len(body) > MAXIMUM_SEALED_BYTES:
        flaw = f"{len(body)} bytes"
    if flaw:
        return Withheld(reason=Reason.SECOND_CHECK, rule="second-check", detail=flaw)
    stage = stage_of({group: content_of(report, group) for group in groups})
    lane = releaser.trail.lane_of(HUB, (report.originator, report.track), stage, terms.sent_at_us)
    if lane is None:
        return Withheld(reason=Reason.REPLAYED, rule="superseded")
    outgoing = Outgoing(
        report_id=report.report_id,
        originator=report.originator,
        track=report.track,
        lane=lane,
        sent_at_us=terms.sent_at_us,
        expires_at_us=worth_until_us(lane, terms.sent_at_us, terms.expires_at_us),
        hops=0,
        sealed=body,
        basis=tuple(sorted({name for ruling in rulings.values() for name in ruling.basis})),
        groups=groups,
        degraded=(),
        rules=_rules(tuple(rulings.values()), groups),
    )
    return Released(outgoing, HUB, _TOKEN)


def release_to_partner(
    opened: Opened, recipient: Nation, releaser: Releaser, now_us: int
) -> "Released[Outgoing] | Withheld":
    """Return what one partner may have of a report that the hub opened, or why nothing."""
    header = opened.header
    if header.originator == recipient:
        return Withheld(reason=Reason.OWN_DATA, rule="originator")
    if header.mode is not releaser.mode:
        return Withheld(reason=Reason.MODE_MISMATCH, rule="mode", detail=header.mode)
    if now_us >= header.expires_at_us:
        return Withheld(reason=Reason.EXPIRED, rule="expiry")
    if header.hops_max < 1:
        return Withheld(reason=Reason.TOO_MANY_HOPS, rule="hops")
    between = releaser.arrangements.between(header.originator, recipient, now_us)
    agreements = tuple(one for one in between if f"{recipient}/{one.bundle.arrangement}" in opened.basis)
    age_us = now_us - header.valid_from_us
    ruling = rule_for(releaser, header.label, recipient, age_us, agreements)
    if isinstance(ruling, Withheld):
        return ruling
    sealed, contents = _sanitised(opened, ruling, recipient, releaser)
    named = (one for one in agreements if one.bundle.arrangement in ruling.basis)
    flows = _flows(named, header.originator, recipient)
    withheld = _flaw_for_partner(sealed, recipient, flows, (releaser.mode, now_us))
    if withheld is not None:
        return withheld
    track = (header.originator, header.track)
    lane = releaser.trail.lane_of(recipient, track, stage_of(contents), header.sent_at_us)
    if lane is None:
        return Withheld(reason=Reason.REPLAYED, rule="superseded")
    launch = contents.get(Group.LAUNCH_POINT)
    releaser.trail.keep_place(recipient, track, launch, _launch_grid_m(ruling))
    return _outgoing(sealed, header, ruling, (recipient, lane))


def _sanitised(
    opened: Opened, ruling: Ruling, recipient: Nation, releaser: Releaser
) -> tuple[Sealed, dict[Group, Content]]:
    contents: dict[Group, Content] = {}
    whole: list[Group] = []
    degradations: list[Degradation] = []
    secret = b"%b for %b" % (releaser.secret, recipient.encode())
    track = (opened.header.originator, opened.header.track)
    held = releaser.trail.place_of(recipient, track, _launch_grid_m(ruling))
    for group, obligations in ruling.groups.items():
        if content_of(opened.report, group) is None:
            continue
        left = sanitise(opened.report, group, obligations, secret, held)
        if left.value is None:
            continue
        contents[group] = left.value
        if left.transform:
            degradations.append(degrade(opened.header, group, left.value, left.transform, releaser.key))
        else:
            whole.append(group)
    kept = keep_groups(opened.sealed, whole)
    return msgspec.structs.replace(kept, degradations=tuple(degradations), basis=ruling.basis), contents


def _launch_grid_m(ruling: Ruling) -> float:
    return ruling.groups.get(Group.LAUNCH_POINT, Obligations()).grid_m


def _groups_of(sealed: Sealed) -> tuple[Group, ...]:
    return (*(one.group for one in sealed.disclosures), *(one.group for one in sealed.degradations))


def _flaw_for_partner(
    sealed: Sealed, recipient: Nation, flows: list[Flow], terms: tuple[Mode, int]
) -> Withheld | None:
    groups = _groups_of(sealed)
    if Group.PROVENANCE not in groups or len(groups) < 2:
        return Withheld(reason=Reason.NOTHING_LEFT, rule="sanitise")
    mode, now_us = terms
    body = encode(sealed)
    flaw = flaw_in_outgoing(body, recipient, flows, mode.value, now_us)
    if len(body) > MAXIMUM_SEALED_BYTES:
        flaw = f"{len(body)} bytes"
    return Withheld(reason=Reason.SECOND_CHECK, rule="second-check", detail=flaw[:200]) if flaw else None


def _outgoing(
    sealed: Sealed, header: Header, ruling: Ruling, towards: tuple[Nation, Lane]
) -> "Released[Outgoing]":
    recipient, lane = towards
    groups = _groups_of(sealed)
    outgoing = Outgoing(
        report_id=header.report_id,
        originator=header.originator,
        track=header.track,
        lane=lane,
        sent_at_us=header.sent_at_us,
        expires_at_us=worth_until_us(lane, header.sent_at_us, header.expires_at_us),
        hops=1,
        sealed=encode(sealed),
        basis=ruling.basis,
        groups=groups,
        degraded=tuple(one.group for one in sealed.degradations),
        rules=_rules((ruling,), groups),
    )
    return Released(outgoing, recipient, _TOKEN)


def _rules(rulings: tuple[Ruling, ...], groups: tuple[Group, ...]) -> tuple[str, ...]:
    return tuple(sorted({rule for r in rulings for group in groups for rule in r.rules.get(group, ())}))

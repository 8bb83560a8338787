"""Decide what may pass, and be the only place where a `Released` can be made.

Two judges must agree on every release: the policies of the arrangements (a `Decider`) and the plain
allow-list of `release.second_check` over the bytes about to leave. Any doubt withholds.
"""

from collections.abc import Iterable
from typing import Final, Generic, TypeVar

import msgspec

from beaconfire.messages.arrangement import Flow
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES, encode
from beaconfire.messages.envelope import Sealed
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.report import Report
from beaconfire.messages.words import HUB, Group, Lane, Nation
from beaconfire.release.age import worth_until_us
from beaconfire.release.arrangements import Agreement
from beaconfire.release.choice import Asked, Choice, Waited, choose, remember
from beaconfire.release.content import content_of
from beaconfire.release.label import flaw_in_label
from beaconfire.release.opening import Opened
from beaconfire.release.ruling import Releaser, Ruling, rule_for
from beaconfire.release.sanitise import is_anything_left, with_boost_until_burnout
from beaconfire.release.seal import degrade, keep_groups, seal_report
from beaconfire.release.second_check import Leaving, flaw_in_outgoing, flaw_towards_hub
from beaconfire.release.terms import SealTerms
from beaconfire.release.trail import stage_of
from beaconfire.units import MICROSECONDS_PER_SECOND

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
        stated_at_us: UTC; when the originator stated it, which tells what was sealed at one time apart.
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
    stated_at_us: int
    expires_at_us: int
    hops: int
    sealed: bytes
    basis: tuple[str, ...]
    groups: tuple[Group, ...]
    degraded: tuple[Group, ...]
    rules: tuple[str, ...]


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
        (partner, lane): rule_for(releaser, terms.label, partner, agreements, age_us=age_us, lane=lane)
        for partner, agreements in held.items()
        for lane in Lane
    }
    partners = [partner for partner in held if isinstance(verdicts[partner, Lane.FLASH], Ruling)]
    if not partners:
        return next(v for v in verdicts.values() if isinstance(v, Withheld))
    rulings = {c: v for c, v in verdicts.items() if c[0] in partners and isinstance(v, Ruling)}
    groups = {
        group
        for ruling in rulings.values()
        for group, obligations in ruling.groups.items()
        if is_anything_left(report, group, obligations)
    }
    sealed = keep_groups(seal_report(report, terms, releaser.key, releaser.secret), groups)
    basis = tuple(sorted(f"{p}/{one.bundle.arrangement}" for p in partners for one in held[p]))
    sealed = msgspec.structs.replace(sealed, basis=basis)
    flows = [flow for p in partners for flow in _flows(held[p], report.originator, p)]
    return _checked_for_hub(sealed, report, terms, (releaser, tuple(rulings.values()), flows))


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
    decided: tuple[Releaser, tuple[Ruling, ...], list[Flow]],
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
    track = (report.originator, report.track)
    lane = releaser.trail.lane_of(HUB, track, stage, terms.sent_at_us)
    if lane is None:
        return Withheld(reason=Reason.REPLAYED, rule="superseded")
    releaser.trail.passed(HUB, track, stage, terms.sent_at_us)
    outgoing = Outgoing(
        report_id=report.report_id,
        originator=report.originator,
        track=report.track,
        lane=lane,
        sent_at_us=terms.sent_at_us,
        stated_at_us=report.stated_at_us,
        expires_at_us=worth_until_us(lane, terms.sent_at_us, terms.expires_at_us),
        hops=0,
        sealed=body,
        basis=tuple(sorted({name for ruling in rulings for name in ruling.basis})),
        groups=groups,
        degraded=(),
        rules=_rules(rulings, groups),
    )
    return Released(outgoing, HUB, _TOKEN)


class Later(msgspec.Struct, frozen=True):
    """Not yet: a ROUTINE report that an arrangement delays. Asked for again, it is decided anew.

    Attributes:
        wait_us: from now on.
        agreements: digests of those in force; under any others it does not pass.
    """

    wait_us: int
    agreements: tuple[str, ...]


def release_to_partner(
    opened: Opened, recipient: Nation, releaser: Releaser, now_us: int, waited: Waited | None = None
) -> "Released[Outgoing] | Withheld | Later":
    """Return what one partner may have of a report that the hub opened, or why nothing, or when.

    Args:
        opened: by the hub.
        recipient: partner.
        releaser: of the hub.
        now_us: UTC.
        waited: how a report has waited that was told to; it is ROUTINE. None when it comes.
    """
    asked = Asked(opened, recipient, releaser, now_us, waited)
    waited_us = 0 if waited is None else waited.us
    chosen = choose(asked)
    if isinstance(chosen, Withheld):
        return chosen
    wait_us = round(chosen.ruling.delay_s * MICROSECONDS_PER_SECOND) - waited_us
    if wait_us > 0:
        return Later(wait_us, chosen.agreements)
    sealed = _sealed_again(asked, chosen)
    withheld = _flaw_for_partner(asked, chosen, encode(sealed))
    if withheld is not None:
        return withheld
    remember(asked, chosen)
    return _outgoing(sealed, asked, chosen)


def _sealed_again(asked: Asked, chosen: Choice) -> Sealed:
    """Return the report with what is whole left, and what is coarser declared and signed."""
    coarse = {group: one for group, one in chosen.contents.items() if one.transform}
    kept = keep_groups(asked.opened.sealed, chosen.contents.keys() - coarse.keys())
    degradations = tuple(
        degrade(asked.opened.header, group, one.value, one.transform, asked.releaser.key)
        for group, one in coarse.items()
    )
    return msgspec.structs.replace(kept, degradations=degradations, basis=chosen.ruling.basis)


def _flaw_for_partner(asked: Asked, chosen: Choice, body: bytes) -> Withheld | None:
    """Return why the second judge would not let these bytes go."""
    named = (one for one in asked.agreements() if one.bundle.arrangement in chosen.ruling.basis)
    flows = _flows(named, asked.opened.header.originator, asked.recipient)
    leaving = Leaving(
        recipient=asked.recipient,
        mode=asked.releaser.mode.value,
        now_us=asked.now_us,
        lane=chosen.lane.value,
        waited_us=0 if asked.waited is None else asked.waited.us,
    )
    flaw = flaw_in_outgoing(body, flows, leaving)
    if len(body) > MAXIMUM_SEALED_BYTES:
        flaw = f"{len(body)} bytes"
    return Withheld(reason=Reason.SECOND_CHECK, rule="second-check", detail=flaw[:200]) if flaw else None


def _outgoing(sealed: Sealed, asked: Asked, chosen: Choice) -> "Released[Outgoing]":
    header, ruling = asked.opened.header, chosen.ruling
    groups = (*(one.group for one in sealed.disclosures), *(one.group for one in sealed.degradations))
    from_us = header.sent_at_us if asked.waited is None else asked.now_us
    outgoing = Outgoing(
        report_id=header.report_id,
        originator=header.originator,
        track=header.track,
        lane=chosen.lane,
        sent_at_us=header.sent_at_us,
        stated_at_us=header.valid_from_us,
        expires_at_us=worth_until_us(chosen.lane, from_us, header.expires_at_us),
        hops=1,
        sealed=encode(sealed),
        basis=ruling.basis,
        groups=groups,
        degraded=tuple(one.group for one in sealed.degradations),
        rules=_rules((ruling,), groups),
    )
    return Released(outgoing, asked.recipient, _TOKEN)


def _rules(rulings: tuple[Ruling, ...], groups: tuple[Group, ...]) -> tuple[str, ...]:
    return tuple(sorted({rule for r in rulings for group in groups for rule in r.rules.get(group, ())}))

"""Rulings: what the policies of the arrangements and the label let one partner have, group by group.

Nothing is released here: `release.decide` does what a ruling says and has a second judge look at it.
"""

from typing import Protocol

import msgspec

from beaconfire.messages.label import Label
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.words import Group, Lane, Mode, Nation
from beaconfire.release.age import age_bucket_s
from beaconfire.release.arrangements import Agreement, Arrangements
from beaconfire.release.keys import SigningKey
from beaconfire.release.label import flaw_in_label, rights_of
from beaconfire.release.obligations import Obligations
from beaconfire.release.trail import Trail


class Question(msgspec.Struct, frozen=True):
    """What a decision depends on, and all it depends on: the key under which it is remembered.

    Attributes:
        label: of the report; names the originator.
        recipient: nation.
        mode: of the report.
        age_s: upper end of the bucket that the report's age is in.
        agreements: digests of the agreements in force that bind both.
        lane: on which the recipient would get it; see `release.decide`.
    """

    label: Label
    recipient: Nation
    mode: Mode
    age_s: int
    agreements: tuple[str, ...]
    lane: Lane = Lane.FLASH


class Ruling(msgspec.Struct, frozen=True):
    """What may pass.

    Attributes:
        groups: obligations of each group that is permitted; others may not pass.
        rules: ids of the policies that decided, by group.
        basis: arrangements that permitted something, sorted.
        delay_s: how long the report is kept before it passes: the longest that is demanded for any group,
            whether or not there is something of it.
    """

    groups: dict[Group, Obligations]
    rules: dict[Group, tuple[str, ...]]
    basis: tuple[str, ...]
    delay_s: float = 0.0


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
    releaser: Releaser,
    label: Label,
    recipient: Nation,
    agreements: tuple[Agreement, ...],
    *,
    age_us: int,
    lane: Lane,
) -> Ruling | Withheld:
    """Return what the policies of the agreements between two and the label let one of them have on a lane.

    A policy that would delay a FLASH demands what is never done: nothing passes.
    """
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
        lane=lane,
    )
    ruling = releaser.decider.decide(question, agreements)
    if isinstance(ruling, Withheld):
        return ruling
    delay_s = max((one.delay_s for one in ruling.groups.values()), default=0.0)
    if delay_s > 0.0 and lane is Lane.FLASH:
        rules = sorted({name for one, o in ruling.groups.items() if o.delay_s for name in ruling.rules[one]})
        return Withheld(Reason.UNKNOWN_OBLIGATION, ",".join(rules)[:200], f"a FLASH by {delay_s:g} s")
    return msgspec.structs.replace(_close(ruling, label, recipient), delay_s=delay_s)


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

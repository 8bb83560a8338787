"""What may go to one partner, and on which lane: chosen here, sealed and let out by `release.decide`."""

from typing import Final

import msgspec

from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.words import Group, Lane, Nation
from beaconfire.release.arrangements import Agreement
from beaconfire.release.content import content_of
from beaconfire.release.opening import Opened
from beaconfire.release.ruling import Releaser, Ruling, rule_for
from beaconfire.release.sanitise import Sanitised, sanitise
from beaconfire.release.trail import Stage, stage_of

_NOTHING: Final = Sanitised(value=None)


class Waited(msgspec.Struct, frozen=True):
    """How a report has waited.

    Attributes:
        us: for how long.
        agreements: digests of those under which it was told to.
    """

    us: int
    agreements: tuple[str, ...]


class Asked(msgspec.Struct, frozen=True):
    """What is asked.

    Attributes:
        opened: report, by the hub.
        recipient: partner.
        releaser: of the hub.
        now_us: UTC.
        waited: how a report has waited that was told to; it is ROUTINE. None when it comes.
    """

    opened: Opened
    recipient: Nation
    releaser: Releaser
    now_us: int
    waited: Waited | None

    @property
    def track(self) -> tuple[str, str]:
        """Originator and name of the track."""
        return self.opened.header.originator, self.opened.header.track

    def agreements(self) -> tuple[Agreement, ...]:
        """Return the agreements in force here that the originator's guard named, too."""
        originator, basis = self.opened.header.originator, self.opened.basis
        between = self.releaser.arrangements.between(originator, self.recipient, self.now_us)
        return tuple(one for one in between if f"{self.recipient}/{one.bundle.arrangement}" in basis)

    def ruled(self, agreements: tuple[Agreement, ...], lane: Lane) -> Ruling | Withheld:
        """Return the ruling for a lane."""
        header = self.opened.header
        age_us = self.now_us - header.valid_from_us
        return rule_for(self.releaser, header.label, self.recipient, agreements, age_us=age_us, lane=lane)

    def lane(self, stage: Stage) -> Lane | None:
        """Return the lane; None if a newer report of the track passed, beside which this one says nothing."""
        trail, sent_at_us = self.releaser.trail, self.opened.header.sent_at_us
        if self.waited is None:
            return trail.lane_of(self.recipient, self.track, stage, sent_at_us)
        return None if trail.is_overtaken(self.recipient, self.track, sent_at_us) else Lane.ROUTINE


class Choice(msgspec.Struct, frozen=True):
    """What may go.

    Attributes:
        lane: on which.
        stage: that it shows, or would show as a FLASH.
        ruling: for the lane.
        contents: what the ruling leaves.
        agreements: digests of those in force.
    """

    lane: Lane
    stage: Stage
    ruling: Ruling
    contents: dict[Group, Sanitised]
    agreements: tuple[str, ...]


def _flaw_in_opened(asked: Asked) -> Withheld | None:
    header = asked.opened.header
    if header.originator == asked.recipient:
        return Withheld(reason=Reason.OWN_DATA, rule="originator")
    if header.mode is not asked.releaser.mode:
        return Withheld(reason=Reason.MODE_MISMATCH, rule="mode", detail=header.mode)
    if asked.now_us >= header.expires_at_us:
        return Withheld(reason=Reason.EXPIRED, rule="expiry")
    if header.hops_max < 1:
        return Withheld(reason=Reason.TOO_MANY_HOPS, rule="hops")
    return None


def choose(asked: Asked) -> Choice | Withheld:
    """Return what may go, or why nothing may.

    The lane follows from what the recipient would be given on FLASH, which it is given whenever that changes;
    what it is given then follows from the lane. So the lane tells of nothing else.
    """
    flaw = _flaw_in_opened(asked)
    if flaw is not None:
        return flaw
    agreements = asked.agreements()
    digests = tuple(one.digest for one in agreements)
    if asked.waited is not None and asked.waited.agreements != digests:
        return Withheld(Reason.NO_ARRANGEMENT, "waiting", "another set is in force than when it came")
    urgent = asked.ruled(agreements, Lane.FLASH)
    if isinstance(urgent, Withheld):
        return urgent
    contents = _sanitised(asked, urgent)
    stage = stage_of({group: left.value for group, left in contents.items()})
    lane = asked.lane(stage)
    ruling = urgent if lane is Lane.FLASH else asked.ruled(agreements, Lane.ROUTINE)
    if isinstance(ruling, Withheld):
        return ruling
    if ruling.groups != urgent.groups:
        contents = _sanitised(asked, ruling)
    if Group.PROVENANCE not in contents or len(contents) < 2:
        return Withheld(reason=Reason.NOTHING_LEFT, rule="sanitise")
    if lane is None:
        return Withheld(reason=Reason.REPLAYED, rule="superseded")
    return Choice(lane, stage, ruling, contents, digests)


def _sanitised(asked: Asked, ruling: Ruling) -> dict[Group, Sanitised]:
    """Return what is left of each group under a ruling."""
    report, recipient, releaser = asked.opened.report, asked.recipient, asked.releaser
    secret = b"%b for %b" % (releaser.secret, recipient.encode())
    earlier = releaser.trail.earlier(recipient, asked.track, _coarseness(ruling))
    left = {
        group: sanitise(report, group, obligations, secret, earlier)
        for group, obligations in ruling.groups.items()
        if content_of(report, group) is not None
    }
    return {group: one for group, one in left.items() if one.value is not None}


def _coarseness(ruling: Ruling) -> dict[Group, tuple[float, float]]:
    return {group: (one.grid_m, one.round_time_s) for group, one in ruling.groups.items()}


def remember(asked: Asked, chosen: Choice) -> None:
    """Remember what the partner is given, on which the next choice rests."""
    trail = asked.releaser.trail
    trail.passed(asked.recipient, asked.track, chosen.stage, asked.opened.header.sent_at_us)
    contents = {group: one.value for group, one in chosen.contents.items()}
    trail.keep(asked.recipient, asked.track, contents, _coarseness(chosen.ruling))

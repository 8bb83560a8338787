"""One event while it lives, and how it is kept and handed on."""

from collections.abc import Sequence
from typing import Final

import msgspec

from beaconfire.fusion.assembly import Content, free_outlooks, grown, manoeuvre_outlooks
from beaconfire.fusion.correlation import OVER, Signature, signature_of
from beaconfire.fusion.information import carry, is_falling_in_air
from beaconfire.fusion.source import Member, TrackKey, observed_at_us, status_of
from beaconfire.messages.event import Event
from beaconfire.messages.words import Status, TimeUs
from beaconfire.units import microseconds_from_seconds

SILENT_US: Final = 20_000_000
AFTER_IMPACT_S: Final = 30.0
UNKNOWN_LIFE_US: Final = 1_800_000_000
"""How long an event lives after its newest detection if it never could be said where it comes down."""


class Saved(msgspec.Struct, frozen=True):
    """One event as a journal keeps it: the newest revision and its tracks (nation, name)."""

    event: Event
    tracks: tuple[tuple[str, str], ...]


class Revised(msgspec.Struct, frozen=True):
    """One new revision and what the operator is to be told with it.

    Attributes:
        event: the revision.
        disagreeing: tracks that newly disagree with the rest beyond chi-square(0.999).
    """

    event: Event
    disagreeing: tuple[TrackKey, ...] = ()


class Live:
    """One event while it lives.

    Attributes:
        event_id: keyed hash.
        tracks: national tracks it rests on, in order of joining.
        content: what they say together, None before the first time.
        last: newest revision.
        raid_id: shared with others of a salvo.
        misfits: for each track, how many times in a row it disagreed with the rest.
        told: tracks whose disagreement the operator has been told of.
        meets: for each other event, how many times in a row it could have been this one.
        status: life of the event.
        grown_at_us: when its uncertainty was last grown.
        number: its place in the order in which events began.
    """

    def __init__(self, event_id: str) -> None:
        self.event_id = event_id
        self.tracks: dict[TrackKey, None] = {}
        self.content: Content | None = None
        self.last: Event | None = None
        self.raid_id: str | None = None
        self.misfits: dict[TrackKey, int] = {}
        self.told: frozenset[TrackKey] = frozenset()
        self.meets: dict[str, int] = {}
        self.status = Status.TENTATIVE
        self.grown_at_us = 0
        self.number = 0
        self._signed: tuple[Content, Signature] | None = None

    @property
    def is_over(self) -> bool:
        """Return whether nothing more is to come of it."""
        return self.status in (Status.ENDED, Status.WITHDRAWN)

    def signature(self) -> Signature | None:
        """Return what tells it from other objects, None while there is nothing."""
        content = self.content
        if content is None or not content.members:
            return None
        if self._signed is None or self._signed[0] is not content:
            self._signed = content, _signature(content)
        return self._signed[1]


def _signature(content: Content) -> Signature:
    firsts = [signature_of(one).first_detected_at_us for one in content.members]
    known = [first for first in firsts if first is not None]
    newest_us = max(observed_at_us(one.report) for one in content.members)
    return Signature(content.estimate, content.launch, min(known, default=None), newest_us)


def is_unseen(members: Sequence[Member], now_us: TimeUs) -> bool:
    """Return whether every nation lost an object, or none has said anything for 20 s."""
    seen = [one for one in members if status_of(one.report) not in OVER]
    if not seen:
        return True
    return now_us - max(one.source.received_at_us for one in seen) > SILENT_US


def over_at_us(event: Event) -> TimeUs:
    """Return when the object of an event must be down."""
    if not event.impact:
        return event.observed_at_us + UNKNOWN_LIFE_US
    return max(
        one.time_us + microseconds_from_seconds(3.0 * one.sigma_time_s + AFTER_IMPACT_S)
        for one in event.impact
    )


def shown(live: Live, content: Content) -> Content:
    """Return what an event says as it stands: of one nobody sees any more, with its uncertainty grown."""
    estimate = content.estimate
    if live.status not in (Status.LOST, Status.ENDED) or estimate is None:
        return content
    if estimate.process_noise and not content.manoeuvring:
        return content
    wide = grown(estimate, live.grown_at_us)
    outlooks = manoeuvre_outlooks(wide, None) if content.manoeuvring else free_outlooks(wide)
    there = carry(wide, max(estimate.epoch_us, live.grown_at_us))
    if there is None or is_falling_in_air(there):
        there = wide
    return content.shown(there, outlooks or content.outlooks)


def said(event: Event) -> Event:
    """Return an event without what changes when nothing does: revision, time, times of receipt."""
    contributions = tuple(msgspec.structs.replace(one, received_at_us=0) for one in event.contributions)
    return msgspec.structs.replace(event, revision=0, as_of_us=0, contributions=contributions)

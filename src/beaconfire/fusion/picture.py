"""One nation's picture: reports in, event revisions out.

Three rules:

1. One object is one event; a track stays with its event unless it keeps disagreeing with it.
2. Every accepted report revises its event at once; content that did not change makes no revision.
3. An event nobody sees any more is LOST and keeps growing; it is ENDED once it must be down.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from beaconfire.fusion.assembly import Content, assemble, event_of
from beaconfire.fusion.correlation import (
    ALONE_M,
    NEAR_M,
    NEAR_M_S,
    OVER,
    Signature,
    fits_nation,
    gate_ratio,
    separation,
    signature_of,
)
from beaconfire.fusion.live import Live, Revised, Saved, is_unseen, over_at_us, said, shown
from beaconfire.fusion.neighbourhood import Neighbourhood
from beaconfire.fusion.source import Member, Source, TrackKey, member_of, status_of
from beaconfire.messages.event import Event, PlaceTime
from beaconfire.messages.words import Mode, Nation, Sharing, Status, TimeUs

EVENTS_MAX: Final = 512
TRACKS_MAX: Final = 2_048
GROWTH_PERIOD_US: Final = 10_000_000
MERGE_COUNT: Final = 2
SPLIT_COUNT: Final = 4
RAID_INTERVAL_S: Final = 120.0
RAID_DISTANCE_M: Final = 30_000.0

PlacesOf = Callable[[Event, tuple[PlaceTime, ...]], tuple[PlaceTime, ...]]
"""Tells from a revision, and the places of the one before, which places it concerns."""


class Picture:
    """All that one nation knows, or would know from less.

    Attributes:
        nation: whose.
        stale: reports that came after a newer one of their track; the newest told again is none.
    """

    def __init__(
        self, nation: Nation, mode: Mode, *, secret: bytes, sharing: Sharing | None, places_of: PlacesOf
    ) -> None:
        """Start empty.

        Args:
            nation: whose picture.
            mode: of everything in it.
            secret: under which event ids are made.
            sharing: which inputs it rests on, None for all that was given.
            places_of: tells from a revision which places it concerns.
        """
        self.nation, self.mode, self.sharing = nation, mode, sharing
        self._secret, self._places_of = secret, places_of
        self._tracks: OrderedDict[TrackKey, Member] = OrderedDict()
        self._live: OrderedDict[str, Live] = OrderedDict()
        self._event_of: dict[TrackKey, str] = {}
        self._neighbourhood = Neighbourhood()
        self._begun = 0
        self._gone_events: list[str] = []
        self._gone_tracks: list[TrackKey] = []
        self.stale = 0

    def __len__(self) -> int:
        """Return the number of events held."""
        return len(self._live)

    @property
    def events(self) -> tuple[Event, ...]:
        """Return the newest revision of every event."""
        return tuple(live.last for live in self._live.values() if live.last is not None)

    def saved(self, event_id: str) -> Saved | None:
        """Return an event as a journal is to keep it, None if it is not held any more."""
        live = self._live.get(event_id)
        if live is None or live.last is None:
            return None
        return Saved(live.last, tuple((key.originator, key.track) for key in live.tracks))

    def take_gone(self) -> tuple[list[str], list[TrackKey]]:
        """Return the events and tracks that gave way to newer ones since the last call."""
        gone = self._gone_events, self._gone_tracks
        self._gone_events, self._gone_tracks = [], []
        return gone

    def restore(self, sources: Iterable[Source], saved: Iterable[Saved]) -> None:
        """Take back what a journal kept, so that ids and revisions go on.

        Args:
            sources: newest report of each track.
            saved: newest revision of each event.
        """
        for source in sources:
            self._tracks[source.key] = member_of(source)
        for one in saved:
            live = self._enter(Live(one.event.event_id))
            live.last, live.raid_id, live.status = one.event, one.event.raid_id, one.event.status
            live.grown_at_us = one.event.as_of_us
            for nation, track in one.tracks:
                key = TrackKey(Nation(nation), track)
                if key in self._tracks:
                    live.tracks[key] = None
                    self._event_of[key] = live.event_id
            if live.tracks:
                self._assemble(live)
        for key in [key for key in self._tracks if key not in self._event_of]:
            del self._tracks[key]

    def accept(self, source: Source, now_us: TimeUs) -> list[Revised]:
        """Take a report and return the revisions it makes.

        Args:
            source: checked (see `source.check_source`).
            now_us: UTC.
        """
        key, known = source.key, self._tracks.get(source.key)
        if known is not None and source.report.report_id == known.report.report_id:
            return []
        if known is not None and source.report.stated_at_us <= known.report.stated_at_us:
            self.stale += 1
            return []
        track = member_of(source, known)
        self._remember(track)
        event_id = self._event_of.get(key)
        live = self._live.get(event_id) if event_id is not None else None
        if status_of(source.report) is Status.WITHDRAWN:
            return self._withdraw(live, key, now_us)
        if live is None and status_of(source.report) is Status.ENDED:
            return []
        if live is None:
            live = self._find(track) or self._begin(key)
            self._join(live, key)
        elif live.is_over:
            if status_of(source.report) in OVER:
                return []
            live.status = Status.TENTATIVE
        revised = self._revise(live, now_us)
        revised += self._split(live, now_us)
        revised += self._merge(live, now_us)
        return revised + self._mark_raid(live, now_us)

    def tick(self, now_us: TimeUs) -> list[Revised]:
        """Return the revisions that time alone makes: lost, growing, ended."""
        revised: list[Revised] = []
        for live in list(self._live.values()):
            if live.last is None or live.is_over:
                continue
            if now_us >= over_at_us(live.last):
                live.status = Status.ENDED
                revised += self._emit(live, msgspec.structs.replace(live.last, status=Status.ENDED), now_us)
            elif is_unseen(self._members(live), now_us) and now_us - live.grown_at_us >= GROWTH_PERIOD_US:
                live.status, live.grown_at_us = Status.LOST, now_us
                if live.content is not None and live.content.members:
                    revised += self._emit(live, self._event(live, live.content), now_us)
        return revised

    def _remember(self, track: Member) -> None:
        self._tracks.pop(track.key, None)
        self._tracks[track.key] = track
        while len(self._tracks) > TRACKS_MAX:
            oldest, _ = self._tracks.popitem(last=False)
            self._gone_tracks.append(oldest)
            self._leave(oldest)

    def _members(self, live: Live) -> list[Member]:
        return [self._tracks[key] for key in live.tracks if key in self._tracks]

    def _join(self, live: Live, key: TrackKey) -> None:
        self._leave(key)
        live.tracks[key] = None
        self._event_of[key] = live.event_id

    def _leave(self, key: TrackKey) -> None:
        event_id = self._event_of.pop(key, None)
        live = self._live.get(event_id) if event_id is not None else None
        if live is not None:
            live.tracks.pop(key, None)
            live.misfits.pop(key, None)

    def _begin(self, key: TrackKey) -> Live:
        """Return a new event, named by a keyed hash of the track it began with; the oldest over one goes."""
        base = self._name(key, 0)[:12]
        order = sum(1 for one in self._live if one.startswith(base))
        live = self._enter(Live(self._name(key, order)))
        if len(self._live) > EVENTS_MAX:
            over = [e for e, one in self._live.items() if one.is_over]
            gone = self._live.pop(over[0] if over else next(iter(self._live)))
            self._neighbourhood.remove(gone.event_id)
            self._gone_events.append(gone.event_id)
            self._gone_tracks += gone.tracks
            for old in gone.tracks:
                self._event_of.pop(old, None)
                self._tracks.pop(old, None)
        return live

    def _enter(self, live: Live) -> Live:
        """Take an event in, last in order."""
        self._begun += 1
        live.number = self._begun
        self._live[live.event_id] = live
        self._neighbourhood.place(live.event_id, None)
        return live

    def _name(self, key: TrackKey, order: int) -> str:
        """Return the id of the event begun with a track: 12 digits of the track's hash, 12 of the order's."""
        sharing = "" if self.sharing is None else self.sharing.value
        base = self._digest("event", self.nation, sharing, *key)[:12]
        return base + self._digest("order", base, str(order))[:12]

    def _digest(self, *parts: str) -> str:
        framed = b"".join(len(part).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.new(self._secret, framed, hashlib.sha256).hexdigest()

    def _open_events(self, among: set[str] | None = None) -> list[Live]:
        """Return the events that go on, in order of their beginning; only those among some, if given."""
        events = self._live.values() if among is None else map(self._live.__getitem__, self._in_order(among))
        return [one for one in events if one.tracks and not one.is_over]

    def _in_order(self, among: set[str]) -> list[str]:
        return sorted(among, key=lambda event_id: self._live[event_id].number)

    def _find(self, track: Member, but: Live | None = None) -> Live | None:
        """Return the event that a track belongs to, None if it is a new object."""
        own = signature_of(track)
        fitting: list[tuple[float, Live]] = []
        near: list[tuple[float, float, Live]] = []
        for live in self._open_events(self._neighbourhood.near(own.estimate, own.launch)):
            signature = live.signature()
            if live is but or signature is None or not fits_nation(track, self._members(live)):
                continue
            ratio = gate_ratio(own, signature)
            if ratio <= 1.0:
                fitting.append((ratio, live))
            elif (apart := separation(own, signature)) is not None:
                near.append((*apart, live))
        if fitting:
            return min(fitting, key=lambda pair: pair[0])[1]
        # Too far apart for chance, too close for two objects: one of the two nations states too little.
        close = [one for one in near if one[0] < ALONE_M]
        if len(close) == 1 and close[0][0] < NEAR_M and close[0][1] < NEAR_M_S and but is None:
            return close[0][2]
        return None

    def _withdraw(self, live: Live | None, key: TrackKey, now_us: TimeUs) -> list[Revised]:
        """Take a track out that its originator took back; an event left with none is withdrawn."""
        self._leave(key)
        if live is None or live.last is None:
            return []
        if live.tracks:
            return self._revise(live, now_us)
        return self._close(live, now_us)

    def _close(self, live: Live, now_us: TimeUs) -> list[Revised]:
        if live.last is None or live.is_over:
            return []
        live.status = Status.WITHDRAWN
        gone = msgspec.structs.replace(live.last, status=Status.WITHDRAWN, impact=(), places=(), areas=())
        return self._emit(live, gone, now_us)

    def _revise(self, live: Live, now_us: TimeUs) -> list[Revised]:
        """Return the revision that the event's reports make now."""
        content = self._assemble(live)
        self._judge(live, now_us)
        disagreeing = frozenset(content.conflicts)
        news = tuple(sorted(disagreeing - live.told))
        live.told = disagreeing
        return self._emit(live, self._event(live, content), now_us, news)

    def _assemble(self, live: Live) -> Content:
        # A picture kept for comparison is asked what it knew and when, never what it was told of thrust.
        live.content = content = assemble(self._members(live), foresee_thrust=self.sharing is None)
        self._neighbourhood.place(live.event_id, content.estimate, content.launch)
        return content

    def _judge(self, live: Live, now_us: TimeUs) -> None:
        """Set the status that the reports give: a confirmed event is lost only to everybody."""
        members = self._members(live)
        if all(status_of(one.report) is Status.ENDED for one in members):
            live.status = Status.ENDED
        elif is_unseen(self._members(live), now_us):
            if live.status is not Status.LOST:
                live.grown_at_us = now_us
            live.status = Status.LOST
        elif live.status is not Status.TENTATIVE or (live.content is not None and live.content.confirmed):
            live.status = Status.CONFIRMED

    def _event(self, live: Live, content: Content) -> Event:
        event = event_of(shown(live, content), self.nation, self.mode)
        return msgspec.structs.replace(
            event,
            event_id=live.event_id,
            status=live.status,
            sharing=self.sharing,
            raid_id=live.raid_id,
        )

    def _emit(
        self, live: Live, event: Event, now_us: TimeUs, news: tuple[TrackKey, ...] = ()
    ) -> list[Revised]:
        """Return the event as its next revision, or nothing if it says the same as the last."""
        if event.status is not Status.WITHDRAWN:
            before = () if live.last is None else live.last.places
            event = msgspec.structs.replace(event, places=self._places_of(event, before))
        if live.last is not None and said(event) == said(live.last):
            return []
        revision = 1 if live.last is None else live.last.revision + 1
        live.last = msgspec.structs.replace(event, revision=revision, as_of_us=now_us)
        return [Revised(live.last, news)]

    def _split(self, live: Live, now_us: TimeUs) -> list[Revised]:
        """Move a track that keeps disagreeing and is far from the rest to where it belongs."""
        if live.content is None:
            return []
        conflicts = set(live.content.conflicts)
        live.misfits = {k: n for k, n in live.misfits.items() if k in conflicts}
        for key in sorted(conflicts):
            live.misfits[key] = live.misfits.get(key, 0) + 1
            rest = [one for one in self._members(live) if one.key != key]
            if live.misfits[key] < SPLIT_COUNT or not rest:
                continue
            track = self._tracks[key]
            without = assemble(rest)
            apart = separation(signature_of(track), Signature(without.estimate, None, None, 0))
            if apart is None or (apart[0] < NEAR_M and apart[1] < NEAR_M_S):
                continue
            self._leave(key)
            new = self._find(track, live) or self._begin(key)
            self._join(new, key)
            return self._revise(live, now_us) + self._revise(new, now_us)
        return []

    def _merge(self, live: Live, now_us: TimeUs) -> list[Revised]:
        """Make one of two events that keep fitting each other; the younger is withdrawn."""
        own = live.signature()
        if own is None or live.is_over:
            return []
        own_members = self._members(live)
        near = self._neighbourhood.near(own.estimate, own.launch)
        live.meets = {event_id: count for event_id, count in live.meets.items() if event_id in near}
        for other in self._open_events(near):
            signature = other.signature()
            if other is live or signature is None:
                continue
            members = self._members(other)
            if not all(fits_nation(one, members) for one in own_members):
                continue
            if gate_ratio(own, signature) > 1.0:
                live.meets.pop(other.event_id, None)
                continue
            live.meets[other.event_id] = live.meets.get(other.event_id, 0) + 1
            if live.meets[other.event_id] >= MERGE_COUNT:
                return self._unite(live, other, now_us)
        return []

    def _unite(self, one: Live, other: Live, now_us: TimeUs) -> list[Revised]:
        order = list(self._live)
        older, younger = sorted((one, other), key=lambda each: order.index(each.event_id))
        for key in list(younger.tracks):
            self._join(older, key)
        one.meets.clear()
        other.meets.clear()
        return self._revise(older, now_us) + self._close(younger, now_us)

    def _mark_raid(self, live: Live, now_us: TimeUs) -> list[Revised]:
        """Give events launched close together in time and place one raid id."""
        launch = None if live.last is None else live.last.launch
        if launch is None or live.status is Status.WITHDRAWN:
            return []
        close = self._neighbourhood.launched_near(launch, RAID_DISTANCE_M, RAID_INTERVAL_S)
        for other in self._open_events(close):
            if other is live or other.last is None or other.last.launch is None:
                continue
            if live.raid_id is not None and other.raid_id is not None:
                continue
            first = min(live.event_id, other.event_id)
            raid_id = other.raid_id or live.raid_id or self._digest("raid", first)[:16]
            live.raid_id = other.raid_id = raid_id
            return self._revise_raid(live, now_us) + self._revise_raid(other, now_us)
        return []

    def _revise_raid(self, live: Live, now_us: TimeUs) -> list[Revised]:
        if live.last is None:
            return []
        return self._emit(live, msgspec.structs.replace(live.last, raid_id=live.raid_id), now_us)

"""The events of one picture with their bounded histories and milestones."""

from collections import OrderedDict
from typing import Final

from beaconfire.messages.event import Event
from beaconfire.messages.words import Status, TimeUs
from beaconfire.nodes.display.views import Milestones

EVENTS_MAX: Final = 1_024
"""Events held of each picture; beyond it the one that was changed longest ago goes, closed ones first."""
REVISIONS_PER_EVENT_MAX: Final = 256
"""Beyond it the revisions closest to their neighbours in time go; see `Line.thin`."""
REVISIONS_TOTAL_MAX: Final = 20_000
"""Beyond it the longest history is thinned."""
NEWEST_KEPT: Final = 32
THINNED_AT_ONCE: Final = 16
AREA_KNOWN_SEMI_MAJOR_M: Final = 100_000.0
"""The milestone "area < 100 km" of interfaces.md: semi-major axis of the 95 % impact area."""

_CLOSED: Final = (Status.ENDED, Status.LOST, Status.WITHDRAWN)


class Line:
    """One event of one picture: its revisions, oldest first, its milestones, the own reports it rests on."""

    def __init__(self, event: Event, monotonic_us: int) -> None:
        self.revisions = [event]
        self.received_monotonic_us = monotonic_us
        self.kept_monotonic_us: int | None = None
        self.milestones = advanced(Milestones(), event)
        self.fused_at_us: TimeUs | None = None
        self._first_report_id = ""
        self._report_ids: OrderedDict[str, None] = OrderedDict()
        self._note_reports(event)

    @property
    def newest(self) -> Event:
        """The revision that is shown."""
        return self.revisions[-1]

    def add(self, event: Event, monotonic_us: int) -> None:
        """Take a newer revision."""
        self.revisions.append(event)
        self.received_monotonic_us = monotonic_us
        self.milestones = advanced(self.milestones, event)
        self._note_reports(event)
        if len(self.revisions) > REVISIONS_PER_EVENT_MAX:
            self.thin()

    @property
    def own_report_ids(self) -> tuple[str, ...]:
        """Own reports it has rested on: the first, and the newest of the others."""
        return ((self._first_report_id,) if self._first_report_id else ()) + tuple(self._report_ids)

    def _note_reports(self, event: Event) -> None:
        if self.fused_at_us is None and len(event.contributors) > 1:
            self.fused_at_us = event.as_of_us
        for one in event.contributions:
            if one.nation == event.nation and one.report_id:
                self._first_report_id = self._first_report_id or one.report_id
                if one.report_id != self._first_report_id:
                    self._report_ids[one.report_id] = None
        while len(self._report_ids) > REVISIONS_PER_EVENT_MAX:
            self._report_ids.popitem(last=False)

    def thin(self, count: int = THINNED_AT_ONCE) -> None:
        """Drop up to `count` revisions: those that leave the smallest gaps, so that the rest stays even.

        The first, the newest ones and each that changed the status stay.
        """
        held = self.revisions
        newest_kept = min(NEWEST_KEPT, len(held) // 2)
        gaps = [
            (held[index + 1].as_of_us - held[index - 1].as_of_us, index)
            for index in range(1, len(held) - newest_kept, 2)
            if held[index].status is held[index - 1].status
        ]
        gone = {index for _, index in sorted(gaps)[:count]}
        self.revisions = [one for index, one in enumerate(held) if index not in gone]


def advanced(milestones: Milestones, event: Event) -> Milestones:
    """Return the milestones after one more revision; one that was reached stays."""
    at_us = event.as_of_us
    confirmed = event.status is Status.CONFIRMED
    small = bool(event.impact) and max(event.impact, key=lambda impact: impact.weight).area.semi_major_m < (
        AREA_KNOWN_SEMI_MAJOR_M
    )
    return Milestones(
        milestones.first_detection_us if milestones.first_detection_us is not None else at_us,
        at_us if milestones.confirmed_us is None and confirmed else milestones.confirmed_us,
        at_us if milestones.area_100km_us is None and small else milestones.area_100km_us,
    )


class Picture:
    """The events of one picture, in order of their last change, at most `EVENTS_MAX`."""

    def __init__(self) -> None:
        self.lines: OrderedDict[str, Line] = OrderedDict()
        self._held = 0
        self._event_by_track: dict[str, str] = {}
        self._gave_way: list[str] = []

    def newest(self, event_id: str) -> Event | None:
        """Return the newest revision of an event, None if there is none of that id."""
        line = self.lines.get(event_id)
        return line.newest if line else None

    def put(self, event: Event, monotonic_us: int) -> Line:
        """Take a revision that is newer than what is held, making room if needed."""
        line = self.lines.get(event.event_id)
        if line is None:
            self._make_room()
            line = self.lines[event.event_id] = Line(event, monotonic_us)
        else:
            self._held -= len(line.revisions)
            line.add(event, monotonic_us)
            self.lines.move_to_end(event.event_id)
        self._held += len(line.revisions)
        self._event_by_track.update(dict.fromkeys(event.references, event.event_id))
        self._bound_total()
        return line

    def drop(self, event_id: str) -> None:
        """Forget an event, if it is there."""
        line = self.lines.pop(event_id, None)
        if line is None:
            return
        self._held -= len(line.revisions)
        for track in [track for track, owner in self._event_by_track.items() if owner == event_id]:
            del self._event_by_track[track]

    def akin(self, event: Event) -> Line | None:
        """Return the line of the same object: same id, else one that shares a national track."""
        same = self.lines.get(event.event_id)
        if same is not None:
            return same
        owners = (self._event_by_track.get(track) for track in event.references)
        return next((self.lines[owner] for owner in owners if owner is not None), None)

    def _make_room(self) -> None:
        if len(self.lines) >= EVENTS_MAX:
            closed = (key for key, line in self.lines.items() if line.newest.status in _CLOSED)
            event_id = next(closed, next(iter(self.lines)))
            self.drop(event_id)
            self._gave_way.append(event_id)

    def take_gone(self) -> list[str]:
        """Return the events that gave way to newer ones since the last call."""
        gone, self._gave_way = self._gave_way, []
        return gone

    def _bound_total(self) -> None:
        if self._held > REVISIONS_TOTAL_MAX:
            longest = max(self.lines.values(), key=lambda line: len(line.revisions))
            self._held -= len(longest.revisions)
            longest.thin(max(1, len(longest.revisions) // 4))
            self._held += len(longest.revisions)

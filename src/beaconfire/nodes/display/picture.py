"""The events of one picture with their bounded histories and milestones."""

from collections import OrderedDict
from typing import Final

from beaconfire.messages.event import Event
from beaconfire.messages.words import Status
from beaconfire.nodes.display.views import Milestones

EVENTS_MAX: Final = 1_024
"""Events held of each picture; beyond it the one that was changed longest ago goes, closed ones first."""
REVISIONS_PER_EVENT_MAX: Final = 256
"""Beyond it every second revision of the older half goes; the first and the newest stay."""
REVISIONS_TOTAL_MAX: Final = 20_000
"""Beyond it the longest history is thinned."""
AREA_KNOWN_SEMI_MAJOR_M: Final = 100_000.0
"""The milestone "area < 100 km" of interfaces.md: semi-major axis of the 95 % impact area."""

_CLOSED: Final = (Status.ENDED, Status.LOST, Status.WITHDRAWN)


class Line:
    """One event of one picture: its revisions, oldest first, and its milestones."""

    def __init__(self, event: Event, monotonic_us: int) -> None:
        self.revisions = [event]
        self.received_monotonic_us = monotonic_us
        self.kept_monotonic_us: int | None = None
        self.milestones = advanced(Milestones(), event)

    @property
    def newest(self) -> Event:
        """The revision that is shown."""
        return self.revisions[-1]

    def add(self, event: Event, monotonic_us: int) -> None:
        """Take a newer revision."""
        self.revisions.append(event)
        self.received_monotonic_us = monotonic_us
        self.milestones = advanced(self.milestones, event)
        if len(self.revisions) > REVISIONS_PER_EVENT_MAX:
            self.thin()

    def thin(self) -> None:
        """Drop every second revision of the older half, never the first or the newest."""
        half = len(self.revisions) // 2
        self.revisions = self.revisions[:half:2] + self.revisions[half:]


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
            self.drop(next(closed, next(iter(self.lines))))

    def _bound_total(self) -> None:
        if self._held > REVISIONS_TOTAL_MAX:
            longest = max(self.lines.values(), key=lambda line: len(line.revisions))
            self._held -= len(longest.revisions)
            longest.thin()
            self._held += len(longest.revisions)

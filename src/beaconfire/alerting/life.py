"""The life of a nation's own warning: issued, updated, cancelled. A pure function of events and time.

Coarse first, refined after: a warning is issued with the first confirmed event that concerns a place of the
nation, and updated when what a person would do by it changes. Areas are those of the event, nothing else.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from beaconfire.alerting.texts import DEFAULT_LANGUAGE, LANGUAGES, Action, cancel_text, warning_text
from beaconfire.messages.event import Event, PlaceTime, Warning
from beaconfire.messages.words import Nation, PlaceKind, Status, TimeUs

WARNINGS_MAX: Final = 512
UPDATE_PERIOD_US: Final = 2_000_000
"""No warning is updated more often; the newest content waits."""
REFRESH_PERIOD_US: Final = 10_000_000
"""How often a change too small to act by is told after all."""
EARLIEST_CHANGE_US: Final = 5_000_000
AXIS_CHANGE: Final = 0.8
CLEAR_COUNT: Final = 3
"""Revisions in a row that must concern no place before a warning is taken back."""


class Standing(msgspec.Struct, frozen=True):
    """One warning as a journal keeps it.

    Attributes:
        warning: newest that went out.
        status: of the event then.
        event: newest revision that concerned a place.
        told: that revision is what the warning says.
        clear: revisions in a row that concerned no place.
    """

    warning: Warning
    status: Status
    event: Event
    told: bool = True
    clear: int = 0

    @property
    def is_over(self) -> bool:
        """Return whether it was cancelled."""
        return self.warning.action == "cancel"


class WarningLife:
    """All warnings of one nation.

    Attributes:
        nation: whose.
        alone: the link to every partner is down.
    """

    def __init__(self, nation: Nation, places: Iterable[str]) -> None:
        """Start with no warning.

        Args:
            nation: whose warnings.
            places: names of the nation's own places.
        """
        self.nation = nation
        self.alone = False
        self._names = frozenset(places)
        self._standing: OrderedDict[str, Standing] = OrderedDict()
        self._gone: list[str] = []

    def restore(self, standing: Iterable[Standing]) -> None:
        """Take back what a journal kept."""
        for one in standing:
            self._standing[one.warning.event_id] = one

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """Return the newest that went out of each event."""
        return tuple(one.warning for one in self._standing.values())

    def standing(self, event_id: str) -> Standing | None:
        """Return the warning of an event, None if there never was one."""
        return self._standing.get(event_id)

    def take_gone(self) -> list[str]:
        """Return the events whose warnings gave way to newer ones since the last call."""
        gone, self._gone = self._gone, []
        return gone

    @property
    def open_count(self) -> int:
        """Return how many warnings are in force."""
        return sum(not one.is_over for one in self._standing.values())

    def take(self, event: Event, warning_id: str, now_us: TimeUs) -> Warning | None:
        """Return the warning that a revision makes now, None if it makes none.

        Args:
            event: a revision of the nation's picture; one that shows a lesser sharing is left alone.
            warning_id: name for a new warning.
            now_us: UTC.
        """
        if event.sharing is not None or event.nation != self.nation:
            return None
        own = self._own_places(event)
        known = self._standing.get(event.event_id)
        if known is None or known.is_over:
            return self._issue(event, own, known, warning_id, now_us)
        if event.status is Status.WITHDRAWN:
            return self._cancel(known, "withdrawn", now_us)
        if event.status is Status.ENDED:
            return self._cancel(known, "ended", now_us)
        if not own:
            return self._clear(known, now_us)
        known = msgspec.structs.replace(known, clear=0, event=event, told=False)
        self._standing[event.event_id] = known
        return self._update(known, now_us)

    def due(self, now_us: TimeUs) -> list[Warning]:
        """Return updates that waited for their period to pass."""
        waiting = [
            one
            for one in self._standing.values()
            if not one.is_over and not (one.told and one.warning.alone is self.alone)
        ]
        made = (self._update(one, now_us) for one in waiting)
        return [one for one in made if one is not None]

    def _own_places(self, event: Event) -> tuple[PlaceTime, ...]:
        return tuple(one for one in event.places if one.place in self._names)

    def _issue(
        self,
        event: Event,
        own: tuple[PlaceTime, ...],
        known: Standing | None,
        warning_id: str,
        now_us: TimeUs,
    ) -> Warning | None:
        """Return a new warning, or a cancelled one issued again; only for a confirmed event."""
        if event.status is not Status.CONFIRMED or not own:
            return None
        if all(one.kind is PlaceKind.IMPACT and one.earliest_us < now_us - 60_000_000 for one in own):
            return None
        revision = 1 if known is None else known.warning.revision + 1
        name = warning_id if known is None else known.warning.warning_id
        return self._stand(event, own, ("issue", name, revision), now_us)

    def _stand(
        self, event: Event, own: tuple[PlaceTime, ...], head: tuple[Action, str, int], now_us: TimeUs
    ) -> Warning:
        action, warning_id, revision = head
        remarks = self._remarks(event)
        texts = {one: warning_text(event.mode, own, remarks, one, action) for one in LANGUAGES}
        warning = Warning(
            warning_id=warning_id,
            event_id=event.event_id,
            nation=self.nation,
            action=action,
            revision=revision,
            mode=event.mode,
            issued_at_us=now_us,
            alone=self.alone,
            places=own,
            impact=event.impact,
            text=texts[DEFAULT_LANGUAGE],
            texts=texts,
        )
        self._keep(Standing(warning, event.status, event))
        return warning

    def _remarks(self, event: Event) -> list[str]:
        facts = {
            "lost": event.status is Status.LOST,
            "manoeuvring": event.manoeuvring,
            "alone": self.alone,
        }
        return [key for key, true in facts.items() if true]

    def _keep(self, standing: Standing) -> None:
        self._standing[standing.warning.event_id] = standing
        if len(self._standing) > WARNINGS_MAX:
            over = [event_id for event_id, one in self._standing.items() if one.is_over]
            gone = over[0] if over else next(iter(self._standing))
            del self._standing[gone]
            self._gone.append(gone)

    def _update(self, known: Standing, now_us: TimeUs) -> Warning | None:
        event, age_us = known.event, now_us - known.warning.issued_at_us
        if age_us < UPDATE_PERIOD_US:
            return None
        own = self._own_places(event)
        told = known.warning
        pressing = (
            event.status is not known.status
            or told.alone is not self.alone
            or _is_changed(told.places, own)
            or _major_m(event)
            < AXIS_CHANGE * max((one.area.semi_major_m for one in told.impact), default=0.0)
        )
        if not pressing and age_us < REFRESH_PERIOD_US:
            return None
        return self._stand(event, own, ("update", told.warning_id, told.revision + 1), now_us)

    def _clear(self, known: Standing, now_us: TimeUs) -> Warning | None:
        counted = msgspec.structs.replace(known, clear=known.clear + 1)
        self._standing[known.warning.event_id] = counted
        return self._cancel(counted, "no-places", now_us) if counted.clear >= CLEAR_COUNT else None

    def _cancel(self, known: Standing, reason: str, now_us: TimeUs) -> Warning:
        told = known.warning
        texts = {one: cancel_text(told.mode, reason, one) for one in LANGUAGES}
        warning = msgspec.structs.replace(
            told,
            action="cancel",
            revision=told.revision + 1,
            issued_at_us=now_us,
            alone=self.alone,
            text=texts[DEFAULT_LANGUAGE],
            texts=texts,
        )
        self._keep(Standing(warning, known.status, known.event))
        return warning


def _major_m(event: Event) -> float:
    return max((one.area.semi_major_m for one in event.impact), default=0.0)


def _is_changed(before: tuple[PlaceTime, ...], after: tuple[PlaceTime, ...]) -> bool:
    """Return whether places came or went, or the earliest moment of one moved by more than 5 s."""
    old = {(one.place, one.kind): one.earliest_us for one in before}
    new = {(one.place, one.kind): one.earliest_us for one in after}
    return old.keys() != new.keys() or any(abs(new[key] - old[key]) > EARLIEST_CHANGE_US for key in new)

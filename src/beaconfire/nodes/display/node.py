"""The display node: takes what its nation was given, refuses and counts the rest, numbers each change."""

from collections import OrderedDict, deque
from typing import Final

import msgspec

from beaconfire.errors import PeerError
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.event import Acknowledgement, Event, Warning
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.words import Nation, Severity, Sharing, Status, is_hub
from beaconfire.nodes.commands import Channel, Command, Forget, Inbound, Keep, Now, Rows, Table
from beaconfire.nodes.display.picture import EVENTS_MAX, Line, Picture
from beaconfire.nodes.display.views import (
    ArrangementLine,
    Changes,
    DisplayFacts,
    DisplaySnapshot,
    ShownEvent,
    ShownHealth,
)
from beaconfire.nodes.voice import Said, Voice

NOTICES_MAX: Final = 100
SOURCES_MAX: Final = 64
CHANGES_MAX: Final = 2_048
WITHDRAWN_MAX: Final = 1_024
KEEP_EVERY_US: Final = 5_000_000
"""A main event is kept in the journal when its status changes, and otherwise at most this often."""
STATE_PREFIX: Final = "display/"
ACKNOWLEDGED_PREFIX: Final = "display-acknowledged/"
PERSON_CHARACTERS_MAX: Final = 60


class DisplayNode:
    """One nation's display: takes events, warnings, health and notices; gives snapshots and changes."""

    def __init__(self, nation: Nation, facts: DisplayFacts, rows: Rows | None = None) -> None:
        """Start with what the journal kept.

        Args:
            nation: whose display.
            facts: from the configuration; what is not the nation's own is left out.
            rows: the journal, read once; None for a display without one.
        """
        self.nation = nation
        self.facts = msgspec.structs.replace(
            facts,
            places=tuple(place for place in facts.places if place.nation == nation),
            sensors=tuple(sensor for sensor in facts.sensors if sensor.nation == nation),
            arrangements=tuple(
                line for line in facts.arrangements if nation in line.parties or is_hub(nation)
            ),
        )
        self.sequence = 0
        self._voice = Voice(f"display/{nation}", nation)
        self._main = Picture()
        self._shadows = {Sharing.ALONE: Picture(), Sharing.BILATERAL: Picture()}
        self._warnings: OrderedDict[str, Warning] = OrderedDict()
        self._acknowledged: OrderedDict[str, Acknowledgement] = OrderedDict()
        self._health: OrderedDict[str, tuple[Health, Now]] = OrderedDict()
        self._notices: deque[Notice] = deque(maxlen=NOTICES_MAX)
        self._withdrawn: OrderedDict[str, None] = OrderedDict()
        self._changes: deque[tuple[int, str]] = deque(maxlen=CHANGES_MAX)
        self._rejected: dict[str, int] = {}
        if rows is not None:
            self._restore(rows)

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Take one message; what comes back keeps main events and acknowledgements in the journal."""
        if inbound.sender != self.nation:
            return self._reject("wrong-sender")
        message = inbound.message
        if inbound.channel is Channel.EVENT and isinstance(message, Event):
            return self._take_event(message, now)
        if inbound.channel is Channel.WARNING and isinstance(message, Warning):
            return self._take_warning(message)
        if inbound.channel is Channel.ACKNOWLEDGEMENT and isinstance(message, Acknowledgement):
            return self._take_acknowledgement(message)
        if inbound.channel is Channel.HEALTH and isinstance(message, Health):
            return self._take_health(message, now)
        if inbound.channel is Channel.NOTICE and isinstance(message, Notice):
            return self._take_notice(message)
        return self._reject("wrong-channel")

    def tick(self, now: Now) -> list[Command]:  # noqa: ARG002
        """Do nothing: ages are computed when somebody looks."""
        return []

    def snapshot(self, now: Now) -> DisplaySnapshot:
        """Return all that is shown, with ages as of `now`."""
        events = tuple(self._shown(line, now) for line in self._main.lines.values())
        return msgspec.structs.replace(self.status(now), events=events)

    def status(self, now: Now) -> DisplaySnapshot:
        """Return the same without events: health, notices and counts."""
        return DisplaySnapshot(
            nation=self.nation,
            mode=self.facts.mode,
            sequence=self.sequence,
            utc_us=now.utc_us,
            places=self.facts.places,
            events=(),
            health=tuple(
                ShownHealth(health, _age_s(heard.monotonic_us, now), heard.utc_us - health.at_us)
                for _, (health, heard) in sorted(self._health.items())
            ),
            notices=tuple(self._notices),
            rejected=dict(self._rejected),
            arrangements=tuple(self._standing(line) for line in self.facts.arrangements),
        )

    def _standing(self, line: ArrangementLine) -> ArrangementLine:
        """Return an arrangement with what the nodes that release under this version of it last said of it."""
        said = [
            one
            for health, _ in self._health.values()
            for one in health.arrangements
            if (one.arrangement, one.version) == (line.arrangement, line.version)
        ]
        by = sorted({party for one in said for party in one.suspended_by})
        silent = sorted({party for one in said for party in one.silent})
        return msgspec.structs.replace(line, suspended=bool(by), suspended_by=tuple(by), silent=tuple(silent))

    def shown(self, event_id: str, now: Now) -> ShownEvent | None:
        """Return one event as shown, None if there is none of that id."""
        line = self._main.lines.get(event_id)
        return self._shown(line, now) if line else None

    def revisions(self, event_id: str) -> tuple[Event, ...]:
        """Return the held revisions of one event, oldest first; empty if there is none of that id."""
        line = self._main.lines.get(event_id)
        return tuple(line.revisions) if line else ()

    def newest_revisions(self, event_id: str, count: int) -> tuple[Event, ...]:
        """Return the newest held revisions of one event, oldest first, at most `count`."""
        line = self._main.lines.get(event_id)
        return tuple(line.revisions[-count:]) if line else ()

    def changes_since(self, sequence: int) -> Changes | None:
        """Return what changed after `sequence`, None if that is too long ago and all must be read anew."""
        if sequence > self.sequence or self.sequence - sequence > len(self._changes):
            return None
        keys = [key for number, key in self._changes if number > sequence]
        event_ids = dict.fromkeys(key for key in keys if key)
        return Changes(self.sequence, tuple(event_ids), "" in keys)

    def _take_event(self, event: Event, now: Now) -> list[Command]:
        if self.holds(event):
            return []
        code = self._fault_of(event)
        if code:
            return self._reject(code)
        if event.status is Status.WITHDRAWN:
            return self._withdraw(event)
        picture = self._main if event.sharing is None else self._shadows[event.sharing]
        before = picture.newest(event.event_id)
        if before is not None and event.revision <= before.revision:
            # Revisions count from 1 again: the picture has lost its journal.
            picture.drop(event.event_id)
        line = picture.put(event, now.monotonic_us)
        gone = picture.take_gone()
        if event.sharing is None:
            for event_id in gone:
                self._changed(event_id)
            self._changed(event.event_id)
            return self._keep(line, before, now)
        self._touch_akin(event)
        return []

    def holds(self, event: Event) -> bool:
        """Return whether this revision is shown: the own picture tells its last word on an event again."""
        if event.status is Status.WITHDRAWN and event.event_id in self._withdrawn:
            return True
        picture = self._main if event.sharing is None else self._shadows.get(event.sharing)
        return picture is not None and picture.newest(event.event_id) == event

    def _fault_of(self, event: Event) -> str:
        if event.nation != self.nation:
            return "wrong-nation"
        if event.mode is not self.facts.mode:
            return "wrong-mode"
        if event.sharing is Sharing.TRILATERAL:
            return "not-a-shadow"
        if event.event_id in self._withdrawn:
            return "withdrawn"
        picture = self._main if event.sharing is None else self._shadows[event.sharing]
        newest = picture.newest(event.event_id)
        if newest is None or event.revision > newest.revision or event.as_of_us > newest.as_of_us:
            return ""
        return "old-revision"

    def _touch_akin(self, shadow: Event) -> None:
        line = self._main.akin(shadow)
        if line is not None:
            self._changed(line.newest.event_id)

    def _withdraw(self, event: Event) -> list[Command]:
        if event.sharing is not None:
            self._shadows[event.sharing].drop(event.event_id)
            return []
        for picture in (self._main, *self._shadows.values()):
            picture.drop(event.event_id)
        self._warnings.pop(event.event_id, None)
        seen = self._acknowledged.pop(event.event_id, None)
        self._withdrawn[event.event_id] = None
        if len(self._withdrawn) > WITHDRAWN_MAX:
            self._withdrawn.popitem(last=False)
        self._changed(event.event_id)
        text = f"event {event.event_id} was withdrawn"
        said = Said("event-withdrawn", Severity.CAUTION, text, {"event": event.event_id})
        self._take_notice(self._voice.notice(said, Now(event.as_of_us, 0)))
        kept = Keep(Table.STATE, STATE_PREFIX + event.event_id, encode(event))
        return [kept, Forget(Table.STATE, ACKNOWLEDGED_PREFIX + event.event_id)] if seen else [kept]

    def _keep(self, line: Line, before: Event | None, now: Now) -> list[Command]:
        kept_us = line.kept_monotonic_us
        same_status = before is not None and before.status is line.newest.status
        if same_status and kept_us is not None and now.monotonic_us - kept_us < KEEP_EVERY_US:
            return []
        line.kept_monotonic_us = now.monotonic_us
        return [Keep(Table.STATE, STATE_PREFIX + line.newest.event_id, encode(line.newest))]

    def _restore(self, rows: Rows) -> None:
        for key, body in rows.rows(Table.STATE):
            if not key.startswith((STATE_PREFIX, ACKNOWLEDGED_PREFIX)):
                continue
            try:
                event = decode(body)
            except PeerError:
                self._reject("journal-row")
                continue
            if isinstance(event, Acknowledgement):
                self._take_acknowledgement(event)
            elif isinstance(event, Event) and not self._fault_of(event):
                self._take_event(event, Now(event.as_of_us, 0))

    def _take_warning(self, warning: Warning) -> list[Command]:
        if warning.nation != self.nation:
            return self._reject("wrong-nation")
        if warning.mode is not self.facts.mode:
            return self._reject("wrong-mode")
        before = self._warnings.get(warning.event_id)
        if before == warning:
            return []
        if before is not None and _is_older(warning, before):
            return self._reject("old-revision")
        self._warnings[warning.event_id] = warning
        if len(self._warnings) > EVENTS_MAX:
            self._warnings.popitem(last=False)
        self._changed(warning.event_id)
        return []

    def _take_acknowledgement(self, said: Acknowledgement) -> list[Command]:
        if said.nation != self.nation:
            return self._reject("wrong-nation")
        if self._main.newest(said.event_id) is None:
            return self._reject("no-such-event")
        if not 0 < len(said.person.strip()) <= PERSON_CHARACTERS_MAX:
            return self._reject("no-name")
        self._acknowledged[said.event_id] = said
        self._acknowledged.move_to_end(said.event_id)
        forgotten: list[Command] = []
        if len(self._acknowledged) > EVENTS_MAX:
            oldest, _ = self._acknowledged.popitem(last=False)
            forgotten = [Forget(Table.STATE, ACKNOWLEDGED_PREFIX + oldest)]
        self._changed(said.event_id)
        return [Keep(Table.STATE, ACKNOWLEDGED_PREFIX + said.event_id, encode(said)), *forgotten]

    def _take_health(self, health: Health, now: Now) -> list[Command]:
        self._health[health.source] = (health, now)
        self._health.move_to_end(health.source)
        if len(self._health) > SOURCES_MAX:
            self._health.popitem(last=False)
        self._changed("")
        return []

    def _take_notice(self, notice: Notice) -> list[Command]:
        self._notices.append(notice)
        self._changed("")
        return []

    def _shown(self, line: Line, now: Now) -> ShownEvent:
        event = line.newest
        milestones = {self.facts.in_force: line.milestones}
        for sharing, picture in self._shadows.items():
            shadow = picture.akin(event)
            if shadow is not None and sharing is not self.facts.in_force:
                milestones[sharing] = shadow.milestones
        return ShownEvent(
            event=event,
            age_s=_age_s(line.received_monotonic_us, now),
            revisions=len(line.revisions),
            milestones=milestones,
            warning=self._warnings.get(event.event_id),
            acknowledged=self._acknowledged.get(event.event_id),
            own_report_ids=line.own_report_ids,
            fused_at_us=line.fused_at_us,
        )

    def _changed(self, key: str) -> None:
        self.sequence += 1
        self._changes.append((self.sequence, key))

    def _reject(self, code: str) -> list[Command]:
        self._rejected[code] = self._rejected.get(code, 0) + 1
        return []


def _age_s(received_monotonic_us: int, now: Now) -> float:
    return max(0.0, (now.monotonic_us - received_monotonic_us) / 1e6)


def _is_older(warning: Warning, held: Warning) -> bool:
    """Return whether a warning is no newer than one held; after a lost journal revisions count from 1."""
    same = warning.warning_id == held.warning_id
    return same and warning.revision <= held.revision and warning.issued_at_us <= held.issued_at_us

"""The JSON the page and the REST interface get: the line of events.jsonl and what the screen adds."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec

from beaconfire.formats.events import event_to_json
from beaconfire.messages.event import Event, Place, PlaceTime, Warning
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import Group
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import DisplayNode, ShownEvent, ShownHealth
from beaconfire.units import DEGREES_PER_RADIAN

Json = dict[str, Any]

HISTORY_MAX: Final = 96
"""Points of one event's past in a frame; fewer where there are many events."""
HISTORY_TOTAL_MAX: Final = 8_000
HISTORY_MIN: Final = 4
RELEASES_MAX: Final = 24


class Audit(Protocol):
    """The own audit; `adapters.audit_book.AuditBook` is the one in use."""

    def refresh(self) -> bool:
        """Read on; return whether there was anything new."""
        ...

    def about(self, report_id: str) -> list[Json]:
        """Return the decisions on one report."""
        ...

    def recent(self) -> list[Json]:
        """Return the newest decisions, the newest first."""
        ...

    def chain(self) -> Json:
        """Return how many records there are and what is wrong with them."""
        ...


def event_line(event: Event) -> Json:
    """Return the events.jsonl object with what the screen needs besides: who saw it and on what it rests."""
    return event_to_json(event) | {
        "sharing": event.sharing,
        "observed_at_us": event.observed_at_us,
        "thrust_possible": event.thrust_possible,
        "contributions": [msgspec.to_builtins(one) for one in event.contributions],
    }


def history_length(events: int) -> int:
    """Return how many points of each event's past a snapshot of so many events holds."""
    return max(HISTORY_MIN, min(HISTORY_MAX, HISTORY_TOTAL_MAX // max(1, events)))


def shown_line(shown: ShownEvent, past: Sequence[Event], audit: Audit | None, length: int) -> Json:
    """Return one event as the page shows it.

    Args:
        shown: newest revision and what belongs to it.
        past: revisions whose trail, areas and log go with it, oldest first.
        audit: of the own nation, or None.
        length: points of the past at most.
    """
    acknowledged = shown.acknowledged
    return event_line(shown.event) | {
        "age_s": round(shown.age_s, 3),
        "revisions": shown.revisions,
        "fused_at_us": shown.fused_at_us,
        "milestones": {sharing.value: msgspec.to_builtins(one) for sharing, one in shown.milestones.items()},
        "warning": None if shown.warning is None else _warning(shown.warning),
        "acknowledged": None
        if acknowledged is None
        else {"person": acknowledged.person, "at_us": acknowledged.at_us},
        "releases": [] if audit is None else releases(shown.own_report_ids, audit),
        "trail": _spread([_trail_point(event) for event in past if event.state], length),
        "areas": _spread([_past_area(event) for event in past if event.impact], length // 2),
        "log": [_log_line(event) for event in past[-(length // 3 + 1) :]],
    }


def releases(report_ids: Sequence[str], audit: Audit) -> list[Json]:
    """Return what was decided on own reports: decisions alike in all but time as one, with first and last.

    The newest stands last; at most `RELEASES_MAX`.
    """
    found: dict[tuple[object, ...], Json] = {}
    for report_id in report_ids:
        for record in audit.about(report_id):
            key = tuple(
                str(record[name])
                for name in ("recipient", "outcome", "reason", "rule", "groups", "degraded", "basis")
            )
            line = found.pop(key, None) or _release(record)
            line |= {"last_us": record["at_us"], "count": line["count"] + 1, "report_id": report_id}
            found[key] = line
    return list(found.values())[-RELEASES_MAX:]


def _release(record: Json) -> Json:
    passed = record["groups"]
    withheld = [group.value for group in Group if group.value not in passed]
    names = ("recipient", "outcome", "reason", "rule", "degraded", "basis")
    return {name: record[name] for name in names} | {
        "groups": [group for group in passed if group not in record["degraded"]],
        "withheld": withheld,
        "first_us": record["at_us"],
        "count": 0,
    }


def _spread(values: list[Json], count: int) -> list[Json]:
    """Return at most `count` of the values, evenly spread, the newest always among them."""
    if len(values) <= count:
        return values
    step = (len(values) - 1) / (count - 1)
    return [values[round(index * step)] for index in range(count)]


def _trail_point(event: Event) -> Json:
    assert event.state is not None
    return {
        "epoch_us": event.state.epoch_us,
        "position_ecef_m": [round(metres, 1) for metres in event.state.position_ecef_m],
    }


def _past_area(event: Event) -> Json:
    heaviest = max(range(len(event.impact)), key=lambda index: event.impact[index].weight)
    impact: Json = event_to_json(event)["impact"][heaviest]
    return {"as_of_us": event.as_of_us} | impact | {"ellipses": [], "contours": []}


def _log_line(event: Event) -> Json:
    area = max(event.impact, key=lambda impact: impact.weight).area if event.impact else None
    return {
        "revision": event.revision,
        "as_of_us": event.as_of_us,
        "status": event.status,
        "contributors": list(event.contributors),
        "semi_major_m": None if area is None else area.semi_major_m,
    }


def _warning(warning: Warning) -> Json:
    return {
        "warning_id": warning.warning_id,
        "action": warning.action,
        "revision": warning.revision,
        "issued_at_us": warning.issued_at_us,
        "alone": warning.alone,
        "places": [_place_time(one) for one in warning.places],
        "text": warning.text,
        "texts": warning.texts,
    }


def _place_time(one: PlaceTime) -> Json:
    plain: Json = msgspec.to_builtins(one)
    return plain


def place_line(place: Place) -> Json:
    """Return one named area in degrees."""
    return {
        "name": place.name,
        "latitude_deg": place.latitude_rad * DEGREES_PER_RADIAN,
        "longitude_deg": place.longitude_rad * DEGREES_PER_RADIAN,
        "radius_m": place.radius_m,
    }


def sensor_line(sensor: Sensor) -> Json:
    """Return one own sensor under the names of the sensors file, in degrees."""
    line: Json = {"id": sensor.sensor, "nation": sensor.nation, "notional": True}
    if isinstance(sensor, Radar):
        return line | {
            "kind": "radar",
            "latitude_deg": sensor.latitude_rad * DEGREES_PER_RADIAN,
            "longitude_deg": sensor.longitude_rad * DEGREES_PER_RADIAN,
            "height_m": sensor.height_m,
            "minimum_elevation_deg": sensor.minimum_elevation_rad * DEGREES_PER_RADIAN,
            "maximum_range_m": sensor.maximum_range_m,
        }
    return line | {"kind": "ir"}


def health_line(shown: ShownHealth) -> Json:
    """Return what one node last said of itself, with its age in wall seconds."""
    line: Json = msgspec.to_builtins(shown.health)
    line.pop("type", None)
    line.pop("arrangements", None)
    return line | {"age_s": round(shown.age_s, 3), "behind_us": shown.behind_us}


def status_lines(display: DisplayNode, now: Now, audit: Audit | None = None) -> Json:
    """Return health, notices, counted refusals, how arrangements stand, and the state of the audit chain."""
    snapshot = display.status(now)
    return {
        "health": [health_line(one) for one in snapshot.health],
        "notices": [msgspec.to_builtins(notice) for notice in snapshot.notices],
        "rejected": snapshot.rejected,
        "arrangements": [msgspec.to_builtins(one) for one in snapshot.arrangements],
        "audit": None if audit is None else audit.chain(),
    }

"""The JSON the page and the REST interface get: the line of events.jsonl and what the screen adds."""

from typing import Any, Final

import msgspec

from beaconfire.formats.events import event_to_json
from beaconfire.messages.event import Event, Place, Warning
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import DisplayNode, ShownEvent, ShownHealth
from beaconfire.units import DEGREES_PER_RADIAN

Json = dict[str, Any]

TRAIL_MAX: Final = 256
AREAS_MAX: Final = 48


def event_line(event: Event) -> Json:
    """Return the events.jsonl object with what the screen needs besides: who saw it and on what it rests."""
    return event_to_json(event) | {
        "sharing": event.sharing,
        "observed_at_us": event.observed_at_us,
        "thrust_possible": event.thrust_possible,
        "contributions": [msgspec.to_builtins(one) for one in event.contributions],
    }


def shown_line(display: DisplayNode, shown: ShownEvent) -> Json:
    """Return one event as the page shows it: the line, its age, milestones, trail and past areas."""
    revisions = display.revisions(shown.event.event_id)
    return event_line(shown.event) | {
        "age_s": round(shown.age_s, 3),
        "revisions": shown.revisions,
        "milestones": {sharing.value: msgspec.to_builtins(one) for sharing, one in shown.milestones.items()},
        "warning": None if shown.warning is None else _warning(shown.warning),
        "trail": _spread([_trail_point(event) for event in revisions if event.state], TRAIL_MAX),
        "areas": _spread([_past_area(event) for event in revisions if event.impact], AREAS_MAX),
        "log": [_log_line(event) for event in revisions[-32:]],
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
        "position_ecef_m": list(event.state.position_ecef_m),
    }


def _past_area(event: Event) -> Json:
    heaviest = max(range(len(event.impact)), key=lambda index: event.impact[index].weight)
    impact: Json = event_to_json(event)["impact"][heaviest]
    return {"as_of_us": event.as_of_us} | impact


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
        "text": warning.text,
    }


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
        }
    return line | {"kind": "ir"}


def health_line(shown: ShownHealth) -> Json:
    """Return what one node last said of itself, with its age in wall seconds."""
    line: Json = msgspec.to_builtins(shown.health)
    line.pop("type", None)
    return line | {"age_s": round(shown.age_s, 3)}


def status_lines(display: DisplayNode, now: Now) -> Json:
    """Return health, notices and counted refusals."""
    snapshot = display.status(now)
    return {
        "health": [health_line(one) for one in snapshot.health],
        "notices": [msgspec.to_builtins(notice) for notice in snapshot.notices],
        "rejected": snapshot.rejected,
    }

"""One line of `events.jsonl` from an event: degrees outside, radians inside."""

from typing import Any

from beaconfire.messages.estimate import (
    Ellipse,
    ImpactEstimate,
    Kinematics,
    LaunchEstimate,
)
from beaconfire.messages.event import Event
from beaconfire.units import DEGREES_PER_RADIAN

Json = dict[str, Any]


def event_to_json(event: Event) -> Json:
    """Return the events.jsonl object of one revision, keys in the order of interfaces.md."""
    return {
        "nation": event.nation,
        "event_id": event.event_id,
        "revision": event.revision,
        "as_of_us": event.as_of_us,
        "mode": event.mode,
        "status": event.status,
        "contributors": list(event.contributors),
        "references": list(event.references),
        "manoeuvring": event.manoeuvring,
        "raid_id": event.raid_id,
        "apogee_m": event.apogee_m,
        "launch": None if event.launch is None else _launch(event.launch),
        "state": None if event.state is None else _state(event.state, event.covariance),
        "impact": [_impact(impact) for impact in event.impact],
        "places": [
            {
                "place": place.place,
                "kind": place.kind,
                "earliest_us": place.earliest_us,
                "probability": place.probability,
            }
            for place in event.places
        ],
    }


def _area(area: Ellipse) -> Json:
    return {
        "latitude_deg": area.latitude_rad * DEGREES_PER_RADIAN,
        "longitude_deg": area.longitude_rad * DEGREES_PER_RADIAN,
        "semi_major_m": area.semi_major_m,
        "semi_minor_m": area.semi_minor_m,
        "bearing_deg": area.bearing_rad * DEGREES_PER_RADIAN,
        "probability": area.probability,
    }


def _launch(launch: LaunchEstimate) -> Json:
    return {
        "time_us": launch.time_us,
        "sigma_time_s": launch.sigma_time_s,
        **_area(launch.area),
    }


def _impact(impact: ImpactEstimate) -> Json:
    return {
        "weight": impact.weight,
        "time_us": impact.time_us,
        "sigma_time_s": impact.sigma_time_s,
        **_area(impact.area),
    }


def _state(state: Kinematics, covariance: tuple[float, ...]) -> Json:
    return {
        "epoch_us": state.epoch_us,
        "position_ecef_m": list(state.position_ecef_m),
        "velocity_ecef_m_s": list(state.velocity_ecef_m_s),
        "covariance": list(covariance),
        "phase": state.phase,
    }

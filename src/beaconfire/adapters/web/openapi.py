"""The OpenAPI description of the REST interface."""

from typing import Any

from beaconfire.messages.words import Hypothesis

Json = dict[str, Any]

_US = {"type": "integer", "description": "microseconds UTC since 1970-01-01"}
_NUMBER = {"type": "number"}
_TEXT = {"type": "string"}
_VECTOR = {"type": "array", "items": _NUMBER, "minItems": 3, "maxItems": 3}


def _object(description: str, **properties: Json) -> Json:
    return {"type": "object", "description": description, "properties": properties}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _area(first: dict[str, Json]) -> Json:
    angle = {"type": "number", "description": "degrees"}
    about = "Area of uncertainty at the stated probability, WGS-84; bearing of the major axis from north."
    properties = {
        **first,
        "time_us": _US,
        "sigma_time_s": _NUMBER,
        "latitude_deg": angle,
        "longitude_deg": angle,
        "semi_major_m": _NUMBER,
        "semi_minor_m": _NUMBER,
        "bearing_deg": angle,
        "probability": _NUMBER,
    }
    return {"type": "object", "description": about, "properties": properties}


def _event_schema() -> Json:
    state = _object(
        "ECEF, SI; covariance: upper triangle of x y z vx vy vz.",
        epoch_us=_US,
        position_ecef_m=_VECTOR,
        velocity_ecef_m_s=_VECTOR,
        covariance=_list(_NUMBER),
        phase={"enum": ["BOOST", "COAST", "REENTRY"]},
    )
    place = _object(
        "Earliest moment something comes down on or passes over it.",
        place=_TEXT,
        kind={"enum": ["IMPACT", "OVERFLIGHT"]},
        earliest_us=_US,
        probability=_NUMBER,
    )
    contribution = _object(
        "Who saw it.",
        nation=_TEXT,
        track=_TEXT,
        first_detected_at_us=_or_null(_US),
        observed_at_us=_US,
        received_at_us=_US,
        sensors=_list(_TEXT),
        basis=_list(_TEXT),
    )
    return _object(
        "One revision of one event in this nation's picture.",
        nation=_TEXT,
        event_id=_TEXT,
        revision={"type": "integer", "minimum": 1},
        as_of_us=_US,
        observed_at_us=_US,
        mode={"enum": ["REAL", "EXERCISE", "SIMULATED", "TEST"]},
        status={"enum": ["TENTATIVE", "CONFIRMED", "LOST", "ENDED", "WITHDRAWN"]},
        contributors=_list(_TEXT),
        references=_list(_TEXT),
        contributions=_list(contribution),
        manoeuvring={"type": "boolean"},
        thrust_possible={"type": "boolean"},
        raid_id=_or_null(_TEXT),
        apogee_m=_or_null(_NUMBER),
        launch=_or_null(_area({})),
        state=_or_null(state),
        impact=_list(_area(_impact_schema())),
        places=_list(place),
        sharing=_or_null(_TEXT),
    )


def _impact_schema() -> Json:
    """Return what one hypothesis of the impact has beside its 95 % area."""
    ellipse = _object(
        "Same centre and bearing.", probability=_NUMBER, semi_major_m=_NUMBER, semi_minor_m=_NUMBER
    )
    contour = _object("Where an ellipse does not fit.", probability=_NUMBER, points_deg=_list(_list(_NUMBER)))
    return {
        "weight": _NUMBER,
        "hypothesis": {"enum": [one.value for one in Hypothesis]},
        "earliest_us": _or_null(_US),
        "latest_us": _or_null(_US),
        "ellipses": _list(ellipse),
        "contours": _list(contour),
    }


def _get(summary: str, schema: Json, *parameters: str) -> Json:
    content = {"application/json": {"schema": schema}}
    responses: Json = {"200": {"description": summary, "content": content}}
    if parameters:
        responses["404"] = {"description": "not here: never given to this nation, or withdrawn"}
    named = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in parameters]
    return {"get": {"summary": summary, "parameters": named, "responses": responses}}


def openapi_document() -> Json:
    """Return the OpenAPI 3.1 document of `/api`.

    Source: OpenAPI Specification 3.1.1.
    """
    event = {"$ref": "#/components/schemas/Event"}
    anything: Json = {"type": "object"}
    acknowledged = {
        "post": {
            "summary": "Say, by name, that an event was seen",
            "parameters": [{"name": "event_id", "in": "path", "required": True, "schema": _TEXT}],
            "requestBody": {
                "content": {"application/json": {"schema": _object("Where nobody signs in.", person=_TEXT)}}
            },
            "responses": {
                "202": {"description": "taken; the socket tells all pages"},
                "404": {"description": "no such event here"},
                "422": {"description": "nobody is named"},
            },
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "beaconfire display",
            "version": "1",
            "description": "One nation's picture. Simulated and notional; unaffiliated with any government.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/api/events": _get("Newest revision of each event", _list(event)),
            "/api/events/{event_id}": _get("Newest revision of one event", event, "event_id"),
            "/api/events/{event_id}/revisions": _get("Held revisions", _list(event), "event_id"),
            "/api/events/{event_id}/acknowledgement": acknowledged,
            "/api/export.czml": _get("What is shown, as CZML; query: event, at", _list(anything)),
            "/api/sensors": _get("Own sensors", _list(anything)),
            "/api/arrangements": _get("Arrangements held, and how they stand", _list(anything)),
            "/api/audit": _get("Newest own decisions, and whether the audit chain holds", anything),
            "/api/audit/{record_id}": _get("Own audit records", _list(anything), "record_id"),
            "/api/health": _get("Health of the own nodes and links", anything),
            "/api/session": _get("Who is signed in", anything),
            "/api/openapi.json": _get("This document", anything),
        },
        "components": {"schemas": {"Event": _event_schema()}},
    }

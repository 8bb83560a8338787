"""The REST interface under `/api`: what this nation holds, and a person's acknowledgement of it."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beaconfire.adapters.web.openapi import openapi_document
from beaconfire.adapters.web.sessions import PERSON_CHARACTERS_MAX, Session
from beaconfire.adapters.web.shapes import Audit, Json, event_line, sensor_line, status_lines
from beaconfire.formats.czml import czml_document
from beaconfire.messages.codec import encode
from beaconfire.messages.event import Acknowledgement, Event
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import DisplayNode

BODY_BYTES_MAX: Final = 65_536
EXPORT_EVENTS_MAX: Final = 64


class Sandbox(msgspec.Struct, frozen=True):
    """What the sandbox page asks.

    Attributes:
        describe: says which flights there are and what a trial may hold.
        run: flies one of them past placed sensors; raises `UsageError` for what it won't take.
    """

    describe: Callable[[], Json]
    run: Callable[[bytes], Awaitable[Json]]


class Attached(msgspec.Struct, frozen=True):
    """What a display's server has besides its display.

    Attributes:
        audit: of the own nation or of the hub; None where there is none.
        acknowledge: hands a person's word to the loop that runs the display; None shows no button.
        sandbox: runs trials; None where there is no sandbox.
    """

    audit: Audit | None = None
    acknowledge: Callable[[Acknowledgement], None] | None = None
    sandbox: Sandbox | None = None


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an acknowledgement; `person` counts only where nobody signs in."""

    person: str = ""


_encoder: Final = msgspec.json.Encoder()
_said: Final = msgspec.json.Decoder(_Said)


def json_response(value: object, status: int = 200) -> Response:
    """Return the value as JSON."""
    return Response(_encoder.encode(value), status, media_type="application/json")


def fault(what: str, status: int) -> Response:
    """Return one line about what is wrong, as JSON."""
    return json_response({"error": what}, status)


def _absent(what: str) -> Response:
    return fault(f"no such {what} here", 404)


async def body_of(request: Request) -> bytes | None:
    """Return the body of a request, None if it is longer than `BODY_BYTES_MAX`."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            return None
    return body


class Api:
    """The handlers, over one display."""

    def __init__(self, display: DisplayNode, clock: Callable[[], Now], attached: Attached) -> None:
        """Answer from `display` and from what is attached to it."""
        self._display = display
        self._clock = clock
        self._attached = attached

    def routes(self) -> list[Route]:
        """Return the routes, paths as in interfaces.md."""
        return [
            Route("/api/events", self._events),
            Route("/api/events/{event_id}", self._event),
            Route("/api/events/{event_id}/revisions", self._revisions),
            Route("/api/events/{event_id}/acknowledgement", self._acknowledge, methods=["POST"]),
            Route("/api/export.czml", self._czml),
            Route("/api/sensors", self._sensors),
            Route("/api/arrangements", self._arrangements),
            Route("/api/audit", self._audit_newest),
            Route("/api/audit/{record_id}", self._audit_records),
            Route("/api/health", self._health),
            Route("/api/session", self._session),
            Route("/api/snapshot", self._snapshot),
            Route("/api/openapi.json", self._openapi),
            Route("/api/{rest:path}", self._unknown),
        ]

    async def _events(self, _: Request) -> Response:
        shown = self._display.snapshot(self._clock()).events
        return json_response([event_line(one.event) for one in shown])

    async def _event(self, request: Request) -> Response:
        shown = self._display.shown(request.path_params["event_id"], self._clock())
        return _absent("event") if shown is None else json_response(event_line(shown.event))

    async def _revisions(self, request: Request) -> Response:
        revisions = self._display.revisions(request.path_params["event_id"])
        return json_response([event_line(event) for event in revisions]) if revisions else _absent("event")

    async def _acknowledge(self, request: Request) -> Response:
        event_id = request.path_params["event_id"]
        now = self._clock()
        shown = self._display.shown(event_id, now)
        if shown is None or self._attached.acknowledge is None:
            return _absent("event")
        person = await _person_of(request)
        if not person:
            return fault(f"nobody is named (expected 1 to {PERSON_CHARACTERS_MAX} characters)", 422)
        said = Acknowledgement(event_id, self._display.nation, person, shown.event.revision, now.utc_us)
        self._attached.acknowledge(said)
        return json_response({"person": person, "at_us": now.utc_us}, 202)

    async def _czml(self, request: Request) -> Response:
        histories = self._histories(request)
        if histories is None:
            return _absent("event")
        sensors = self._display.facts.sensors
        document = czml_document(histories, sensors, self._display.nation, self._display.facts.mode)
        return Response(_encoder.encode(document), media_type="application/json", headers=_as_file("czml"))

    def _histories(self, request: Request) -> list[tuple[Event, ...]] | None:
        """Return the revisions of what is asked for, up to that moment; None for one that is not here."""
        event_id, until = request.query_params.get("event"), request.query_params.get("at", "")
        until_us = int(until) if until.isascii() and until.isdigit() and len(until) < 18 else None
        if event_id is not None and self._display.shown(event_id, self._clock()) is None:
            return None
        shown = self._display.snapshot(self._clock()).events
        ids = [event_id] if event_id else [one.event.event_id for one in shown][-EXPORT_EVENTS_MAX:]
        found = (
            tuple(one for one in self._display.revisions(key) if until_us is None or one.as_of_us <= until_us)
            for key in ids
        )
        return [one for one in found if one]

    async def _sensors(self, _: Request) -> Response:
        return json_response([sensor_line(sensor) for sensor in self._display.facts.sensors])

    async def _arrangements(self, _: Request) -> Response:
        return json_response(self._display.status(self._clock()).arrangements)

    async def _audit_newest(self, _: Request) -> Response:
        audit = self._attached.audit
        if audit is None:
            return _absent("audit")
        return json_response({"chain": audit.chain(), "records": audit.recent()})

    async def _audit_records(self, request: Request) -> Response:
        audit, name = self._attached.audit, request.path_params["record_id"]
        if audit is None:
            return _absent("audit record")
        shown = self._display.shown(name, self._clock())
        ids = shown.own_report_ids if shown is not None else (name,)
        records = [record for one in ids for record in audit.about(one)]
        return json_response(records) if records else _absent("audit record")

    async def _health(self, _: Request) -> Response:
        now = self._clock()
        head = {
            "nation": self._display.nation,
            "mode": self._display.facts.mode,
            "utc_us": now.utc_us,
        }
        return json_response(head | status_lines(self._display, now, self._attached.audit))

    async def _session(self, request: Request) -> Response:
        session: Session | None = request.scope.get("beaconfire.session")
        return json_response({"person": session.person if session else "", "signed_in": session is not None})

    async def _snapshot(self, _: Request) -> Response:
        body = encode(self._display.snapshot(self._clock()))
        return Response(body, media_type="application/vnd.msgpack")

    async def _openapi(self, _: Request) -> Response:
        return json_response(openapi_document())

    async def _unknown(self, _: Request) -> Response:
        return _absent("path")


async def _person_of(request: Request) -> str:
    """Return who is signed in, or the name given where nobody signs in; empty if none is usable."""
    session: Session | None = request.scope.get("beaconfire.session")
    body = await body_of(request)
    if session is not None:
        return session.person
    try:
        person = _said.decode(body or b"").person.strip()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return person if len(person) <= PERSON_CHARACTERS_MAX and person.isprintable() else ""


def _as_file(ending: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="beaconfire.{ending}"'}

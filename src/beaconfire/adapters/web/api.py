"""The REST interface under `/api`: what this nation holds, read only."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beaconfire.adapters.web.openapi import openapi_document
from beaconfire.adapters.web.shapes import Json, event_line, sensor_line, status_lines
from beaconfire.messages.codec import encode
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import DisplayNode

AuditLookup = Callable[[str], Sequence[Json]]
"""Gives the own audit records about an event, report or track id; empty if there are none."""

_encoder: Final = msgspec.json.Encoder()


def json_response(value: object, status: int = 200) -> Response:
    """Return the value as JSON."""
    return Response(_encoder.encode(value), status, media_type="application/json")


def _absent(what: str) -> Response:
    return json_response({"error": f"no such {what} here"}, 404)


class Api:
    """The handlers, over one display."""

    def __init__(self, display: DisplayNode, clock: Callable[[], Now], audit: AuditLookup | None) -> None:
        """Answer from `display`; `audit` is None where there is no audit to look in."""
        self._display = display
        self._clock = clock
        self._audit = audit

    def routes(self) -> list[Route]:
        """Return the routes, paths as in interfaces.md."""
        return [
            Route("/api/events", self._events),
            Route("/api/events/{event_id}", self._event),
            Route("/api/events/{event_id}/revisions", self._revisions),
            Route("/api/sensors", self._sensors),
            Route("/api/arrangements", self._arrangements),
            Route("/api/audit/{record_id}", self._audit_records),
            Route("/api/health", self._health),
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

    async def _sensors(self, _: Request) -> Response:
        return json_response([sensor_line(sensor) for sensor in self._display.facts.sensors])

    async def _arrangements(self, _: Request) -> Response:
        return json_response(self._display.facts.arrangements)

    async def _audit_records(self, request: Request) -> Response:
        records = self._audit(request.path_params["record_id"]) if self._audit else ()
        return json_response(list(records)) if records else _absent("audit record")

    async def _health(self, _: Request) -> Response:
        now = self._clock()
        head = {
            "nation": self._display.nation,
            "mode": self._display.facts.mode,
            "utc_us": now.utc_us,
        }
        return json_response(head | status_lines(self._display, now))

    async def _snapshot(self, _: Request) -> Response:
        body = encode(self._display.snapshot(self._clock()))
        return Response(body, media_type="application/vnd.msgpack")

    async def _openapi(self, _: Request) -> Response:
        return json_response(openapi_document())

    async def _unknown(self, _: Request) -> Response:
        return _absent("path")

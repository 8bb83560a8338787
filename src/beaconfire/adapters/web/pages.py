"""The small pages without script: sign-in, and `/docs`, the OpenAPI document in words."""

import asyncio
from html import escape
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from beaconfire.adapters.web.api import Sandbox, body_of, fault, json_response
from beaconfire.adapters.web.openapi import openapi_document
from beaconfire.adapters.web.sessions import Sessions
from beaconfire.errors import EnvironmentFault, UsageError

Json = dict[str, Any]

STYLE_PATH: Final = "/plain.css"
STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 0 1rem 3rem; overflow-wrap: anywhere; }
.mark { background: #f0e442; color: #111; padding: .3rem 1rem; text-align: center; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; }
tr { border-bottom: 1px solid #8886; }
code { font-size: .95em; } button { font: inherit; padding: .5rem 1.2rem; }
"""
MARK: Final = "Simulated and notional; unaffiliated with any government"


def plain_page(title: str, body: str) -> HTMLResponse:
    """Return a page; `body` is HTML in which everything from outside is escaped."""
    mark = f'<p class="mark">{MARK}</p>'
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{STYLE_PATH}"></head>'
        f"<body><header>{mark}</header><main>{body}</main><footer>{mark}</footer></body></html>"
    )


def sign_in_page(person: str, sessions: Sessions | None) -> Response:
    """Return the page on which a person whose certificate was verified begins a shift."""
    if sessions is None:
        return plain_page("Sign in", "<h1>Sign in</h1><p>Nobody signs in on loopback.</p>")
    hours = f"{sessions.life_s / 3_600:g}"
    return plain_page(
        "Sign in",
        f"<h1>Sign in</h1><p>Your certificate names you <strong><bdi>{escape(person)}</bdi></strong>. "
        f"Acknowledgements will bear this name. The session ends after {hours} hours.</p>"
        f'<form method="post" action="/sign-in"><button>Sign in</button></form>',
    )


def docs_routes() -> list[Route]:
    """Return the routes of `/docs` and its style sheet."""

    async def docs(_: Request) -> Response:
        return plain_page("Interface of the display", docs_body(openapi_document()))

    async def style(_: Request) -> Response:
        return Response(STYLE, media_type="text/css")

    return [Route("/docs", docs), Route(STYLE_PATH, style)]


def docs_body(document: Json) -> str:
    """Return an OpenAPI document as HTML: every path, its parameters and answers, then every schema."""
    info = document["info"]
    links = {"/api/openapi.json": "openapi.json", "/metrics": "metrics", "/": "display"}
    linked = " · ".join(f'<a href="{path}">{word}</a>' for path, word in links.items())
    parts = [f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])} {linked}</p>"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(path, method, operation))
    for name, schema in document["components"]["schemas"].items():
        parts.append(
            f'<h2 id="{escape(name)}">{escape(name)}</h2><p>{escape(schema.get("description", ""))}</p>'
        )
        parts.append(_fields(schema))
    return "".join(parts)


def _operation(path: str, method: str, operation: Json) -> str:
    answers = "".join(
        f"<tr><th scope=row>{escape(code)}</th><td>{escape(answer['description'])}</td></tr>"
        for code, answer in operation["responses"].items()
    )
    parameters = "".join(
        f"<tr><th scope=row>{escape(one['name'])}</th><td>in {escape(one['in'])}</td></tr>"
        for one in operation.get("parameters", ())
    )
    return (
        f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>"
        f"<table>{parameters}{answers}</table>"
    )


def _fields(schema: Json) -> str:
    rows = "".join(
        f"<tr><th scope=row><code>{escape(name)}</code></th><td>{escape(_kind(one))}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for name, one in schema.get("properties", {}).items()
    )
    return f"<table>{rows}</table>"


def _kind(schema: Json) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return str(schema.get("type") or schema.get("$ref", "").rpartition("/")[2])


def sandbox_route(sandbox: Sandbox) -> Route:
    """Return the route on which a trial is run; one at a time, the next is told to wait."""
    busy = asyncio.Lock()

    async def trial(request: Request) -> Response:
        if request.method == "GET":
            return json_response(sandbox.describe())
        body = await body_of(request)
        if body is None:
            return fault("too long (expected a few sensors and one flight)", 413)
        if busy.locked():
            return fault("another trial is running: wait for it", 409)
        async with busy:
            try:
                return json_response(await sandbox.run(body))
            except UsageError as error:
                return fault(str(error), 422)
            except EnvironmentFault as error:
                return fault(str(error), 503)

    return Route("/api/sandbox", trial, methods=["GET", "POST"])

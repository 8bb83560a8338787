"""What keeps the page to this machine: loopback names only, same origin only, a strict content policy."""

import ipaddress
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from beaconfire.errors import UsageError

FOREIGN_ORIGIN_CODE: Final = 4403

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
)
"""Source: W3C Content Security Policy Level 3; Trusted Types. Nothing inline, no eval, no other host."""

_FIXED_HEADERS: Final[Mapping[str, str]] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def loopback_host(host: str) -> str:
    """Return the host if it names this machine's loopback.

    Raises:
        UsageError: it is any other address.
    """
    if not _is_loopback(host):
        raise UsageError(f"{host} is not a loopback address", "--host", "127.0.0.1, ::1 or localhost")
    return host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _name_of(host_header: str) -> str:
    name, separator, port = host_header.rpartition(":")
    return name if separator and port.isdigit() else host_header


class LocalOnly:
    """Middleware: refuses foreign Host and Origin headers, puts the fixed headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or one socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin")
        if not _is_loopback(_name_of(host)) or (origin is not None and origin != f"http://{host}"):
            await self._refuse(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), host, scope["path"])
            await send(message)

        await self._app(scope, receive, send_with_headers)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose(FOREIGN_ORIGIN_CODE)(scope, receive, send)
        else:
            await PlainTextResponse("foreign host or origin", 403)(scope, receive, send)


def _add_headers(headers: MutableHeaders, host: str, path: str) -> None:
    headers.update(_FIXED_HEADERS)
    headers["content-security-policy"] = CONTENT_POLICY.format(socket=f"ws://{host}")
    immutable = path.startswith("/assets/")
    headers["cache-control"] = "public, max-age=31536000, immutable" if immutable else "no-store"

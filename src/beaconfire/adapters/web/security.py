"""Who may ask: loopback names only, or people with a certificate and an open session; same origin only.

Source: W3C Content Security Policy Level 3; W3C Trusted Types; RFC 6265bis (cookie prefix `__Host-`).
"""

import ipaddress
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from beaconfire.adapters.web.broadcast import SESSION_OVER_CODE
from beaconfire.adapters.web.sessions import Session, Sessions
from beaconfire.errors import UsageError

FOREIGN_ORIGIN_CODE: Final = 4403
COOKIE: Final = "__Host-beaconfire"
SIGN_IN: Final = "/sign-in"

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self' {socket}; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types svelte-trusted-html default dompurify"
)
"""Nothing inline, no eval of script, no other host; workers are files of the package."""

_FIXED_HEADERS: Final[Mapping[str, str]] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_TRANSPORT_SECURITY: Final = "max-age=31536000"


class Gate(msgspec.Struct, frozen=True):
    """What a request must meet.

    Attributes:
        names: host names that the page may be asked for by; empty for loopback names only.
        sessions: of people signed in; None where nobody signs in (loopback only).
    """

    names: frozenset[str] = frozenset()
    sessions: Sessions | None = None

    @property
    def scheme(self) -> str:
        """The scheme of the page's own address."""
        return "http" if self.sessions is None else "https"

    def knows(self, host_header: str) -> bool:
        """Return whether a Host header names this display."""
        name = _name_of(host_header)
        return name.lower() in self.names if self.names else _is_loopback(name)


def loopback_host(host: str) -> str:
    """Return the host if it names this machine's loopback.

    Raises:
        UsageError: it is any other address.
    """
    if not _is_loopback(host):
        raise UsageError(
            f"{host} is not a loopback address",
            "web.host",
            "127.0.0.1, ::1 or localhost, or a sign-in: web.certificate, web.key and web.people",
        )
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


def token_of(headers: Headers) -> str:
    """Return the session token that a request carries, empty if none."""
    try:
        cookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookie[COOKIE].value if COOKIE in cookie else ""


class Guarded:
    """Middleware: refuses foreign hosts and origins, wants a session where people sign in, adds headers."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or one socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), host, scope["path"], self._gate)
            await send(message)

        if not self._is_own(scope, headers, host):
            await self._refuse(scope, receive, send, FOREIGN_ORIGIN_CODE)
            return
        session = self._session(scope, headers)
        scope["beaconfire.session"] = session
        if self._gate.sessions is None or session is not None or scope["path"] == SIGN_IN:
            await self._app(scope, receive, send_with_headers)
        else:
            await self._refuse(scope, receive, send_with_headers, SESSION_OVER_CODE)

    def _is_own(self, scope: Scope, headers: Headers, host: str) -> bool:
        """A socket, and whatever changes something, must come from a page of this display."""
        origin = headers.get("origin")
        if origin is not None:
            return self._gate.knows(host) and origin == f"{self._gate.scheme}://{host}"
        return self._gate.knows(host) and scope.get("method", "GET") in ("GET", "HEAD")

    def _session(self, scope: Scope, headers: Headers) -> Session | None:
        if self._gate.sessions is None:
            return None
        person = str(scope.get("state", {}).get("person", ""))
        return self._gate.sessions.find(token_of(headers), person, time.monotonic()) if person else None

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, code: int) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose(code)(scope, receive, send)
            return
        await self._refusal(scope, code)(scope, receive, send)

    def _refusal(self, scope: Scope, code: int) -> Response:
        if code == FOREIGN_ORIGIN_CODE:
            return PlainTextResponse("foreign host or origin", 403)
        if scope["path"].startswith(("/api", "/assets", "/metrics")):
            return PlainTextResponse("sign in first", 401)
        return RedirectResponse(SIGN_IN, 303)


def _add_headers(headers: MutableHeaders, host: str, path: str, gate: Gate) -> None:
    headers.update(_FIXED_HEADERS)
    if gate.sessions is not None:
        headers["strict-transport-security"] = _TRANSPORT_SECURITY
    socket = "ws" if gate.sessions is None else "wss"
    headers["content-security-policy"] = CONTENT_POLICY.format(socket=f"{socket}://{host}")
    headers["cache-control"] = _cached(path)


def _cached(path: str) -> str:
    """Names of built files hold a digest of what is in them, those of the globe's own files don't."""
    if path.startswith("/assets/cesium/"):
        return "private, max-age=3600"
    return "private, max-age=31536000, immutable" if path.startswith("/assets/") else "no-store"

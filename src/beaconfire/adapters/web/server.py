"""Serves one nation's display: page, REST interface and socket, inside a running asyncio loop.

On loopback anybody of this machine may look. Anywhere else the server speaks TLS only, takes nobody
without a certificate of the nation's own authority, and asks them to sign in for a shift.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
import time
from collections.abc import Callable, Generator
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from beaconfire.adapters.web.api import Api, Attached
from beaconfire.adapters.web.broadcast import Broadcast
from beaconfire.adapters.web.certified import CertifiedProtocol
from beaconfire.adapters.web.metrics import metrics_route
from beaconfire.adapters.web.packed import PackedFiles
from beaconfire.adapters.web.pages import docs_routes, sandbox_route, sign_in_page
from beaconfire.adapters.web.security import COOKIE, SIGN_IN, Gate, Guarded, loopback_host, token_of
from beaconfire.adapters.web.sessions import Session, Sessions
from beaconfire.adapters.web.shapes import Json
from beaconfire.errors import UsageError
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import DisplayNode

SOCKET_TEXT_BYTES_MAX: Final = 4_096
STOP_WITHIN_S: Final = 2


class SignIn(msgspec.Struct, frozen=True):
    """What it takes to look from elsewhere: certificates on both ends, and a session that ends.

    Attributes:
        certificate: of the server, PEM.
        key: of the certificate, PEM.
        people: the authority whose certificates name the people who may sign in, PEM.
        names: host names and addresses that the page may be asked for by, without port.
        session_s: how long one sign-in lasts.
    """

    certificate: Path
    key: Path
    people: Path
    names: tuple[str, ...]
    session_s: float = 12 * 3_600.0


class WebOptions(msgspec.Struct, frozen=True):
    """How a display is served.

    Attributes:
        host: loopback name or address; any other only with a sign-in.
        port: 0 takes any free one.
        speed: of the event clock against the wall.
        level: first part of the banner.
        releasability: second part of the banner; empty for "REL TO" the own nation.
        page: folder of the built page; None for the one in the package.
        sign_in: None on loopback only.
    """

    host: str = "127.0.0.1"
    port: int = 0
    speed: float = 1.0
    level: str = "UNCLASSIFIED"
    releasability: str = ""
    page: Path | None = None
    sign_in: SignIn | None = None


class _QuietServer(uvicorn.Server):
    """Leaves the signals to whoever owns the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class WebServer:
    """One display's server. Construct it, then `await serve()` in the loop that runs the display."""

    def __init__(
        self,
        display: DisplayNode,
        clock: Callable[[], Now],
        options: WebOptions,
        attached: Attached | None = None,
    ) -> None:
        """Take the port at once, so that a taken one is told before anything starts.

        Args:
            display: fed by somebody else in the same loop.
            clock: event clock and wall.
            options: where and how.
            attached: the own audit, who takes acknowledgements, and so on; None for nothing.

        Raises:
            UsageError: the port is taken or may not be had, the host is not loopback and there is no sign-in,
                or a certificate can't be used.
        """
        sign_in = options.sign_in
        host = options.host if sign_in is not None else loopback_host(options.host)
        context = None if sign_in is None else server_context(sign_in)
        self._socket = _listening_socket(host, options.port)
        self.port: int = self._socket.getsockname()[1]
        shown_host = f"[{options.host}]" if ":" in options.host else options.host
        self.url = f"{'http' if sign_in is None else 'https'}://{shown_host}:{self.port}/"
        held = attached or Attached()
        self._broadcast = Broadcast(display, clock, options.speed, _head(display, options, held), held.audit)
        page = options.page or Path(str(files("beaconfire.adapters.web") / "page"))
        gate = _gate(sign_in)
        extra = [metrics_route(display, clock, self._broadcast, held.audit), *docs_routes()]
        if held.sandbox is not None:
            extra.append(sandbox_route(held.sandbox))
        routes = [*extra, *Api(display, clock, held).routes()]
        self._app = _application(routes, self._broadcast, page, gate)
        self._server = _QuietServer(_configuration(self._app, context))

    async def serve(self) -> None:
        """Serve until `stop` is called or the task is cancelled."""
        watch = asyncio.create_task(self._broadcast.run())
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        try:
            done, _ = await asyncio.wait((watch, serving), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self.stop()
            watch.cancel()
            await asyncio.gather(watch, serving, return_exceptions=True)
            self._socket.close()

    def stop(self) -> None:
        """Ask the server to end; `serve` returns soon after."""
        self._server.should_exit = True


async def serve(
    display: DisplayNode,
    clock: Callable[[], Now],
    options: WebOptions,
    attached: Attached | None = None,
) -> None:
    """Serve one display until cancelled; raises `UsageError` as `WebServer` does."""
    await WebServer(display, clock, options, attached).serve()


def server_context(sign_in: SignIn) -> ssl.SSLContext:
    """Return a TLS context that takes nobody without a certificate of the people's authority.

    Raises:
        UsageError: a file can't be read or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    for where, paths in (
        ("web.certificate, web.key", (sign_in.certificate, sign_in.key)),
        ("web.people", (sign_in.people,)),
    ):
        try:
            if len(paths) > 1:
                context.load_cert_chain(*paths)
            else:
                context.load_verify_locations(*paths)
        except (OSError, ssl.SSLError) as error:
            names = ", ".join(str(path) for path in paths)
            raise UsageError(f"cannot use {names}: {error}", where, "PEM files") from error
    return context


def _gate(sign_in: SignIn | None) -> Gate:
    if sign_in is None:
        return Gate()
    if not sign_in.names:
        raise UsageError("no host name", "web.names", "the names that the page is asked for by")
    return Gate(frozenset(name.lower() for name in sign_in.names), Sessions(sign_in.session_s))


class _Configuration(uvicorn.Config):
    """Takes a TLS context as it is made here."""

    context: ssl.SSLContext | None = None

    def load(self) -> None:
        super().load()
        self.ssl = self.context


def _configuration(app: Starlette, context: ssl.SSLContext | None) -> uvicorn.Config:
    configuration = _Configuration(
        app,
        http=CertifiedProtocol,
        ws="websockets-sansio",
        ws_max_size=SOCKET_TEXT_BYTES_MAX,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    configuration.context = context
    return configuration


def _listening_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(64)
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        what = f"port {port} is taken" if taken else f"port {port} can't be had: {error}"
        raise UsageError(what, "--port", "a free port, or 0 for any") from error
    listener.setblocking(False)
    return listener


def _head(display: DisplayNode, options: WebOptions, attached: Attached) -> Json:
    """Return what stands in every snapshot as it is: the marking, and what the server can do."""
    return {
        "banner": {
            "level": options.level,
            "releasability": options.releasability or f"REL TO {display.nation}",
            "mode": display.facts.mode,
        },
        "can": {
            "acknowledge": attached.acknowledge is not None,
            "sandbox": attached.sandbox is not None,
            "audit": attached.audit is not None,
        },
    }


def _application(api: list[Route], broadcast: Broadcast, page: Path, gate: Gate) -> Starlette:
    index = page / "index.html"

    async def attend(stream: WebSocket) -> None:
        session: Session | None = stream.scope.get("beaconfire.session")
        await broadcast.attend(stream, None if session is None else session.until_s - time.monotonic())

    async def sign_in(request: Request) -> Response:
        person = str(request.scope.get("state", {}).get("person", ""))
        if gate.sessions is None or request.method == "GET":
            return sign_in_page(person, gate.sessions)
        gate.sessions.close(token_of(request.headers))
        answer = RedirectResponse("/", 303)
        token = gate.sessions.open(person, time.monotonic())
        seconds = round(gate.sessions.life_s)
        answer.set_cookie(COOKIE, token, seconds, path="/", secure=True, httponly=True, samesite="strict")
        return answer

    async def sign_out(request: Request) -> Response:
        if gate.sessions is not None:
            gate.sessions.close(token_of(request.headers))
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
        return answer

    async def show_page(_: Request) -> Response:
        if index.is_file():
            return FileResponse(index)
        return PlainTextResponse("the page is not built: install the package, or run its build\n", 503)

    routes: list[BaseRoute] = [
        *api,
        Route(SIGN_IN, sign_in, methods=["GET", "POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        WebSocketRoute("/ws", attend),
        Mount("/assets", PackedFiles(directory=page / "assets", check_dir=False)),
        *(Route(path, show_page) for path in ("/", "/sandbox")),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guarded, gate=gate)])

"""Serves one nation's display on loopback: page, REST interface and socket, inside a running asyncio loop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Generator
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from beaconfire.adapters.web.api import Api, AuditLookup
from beaconfire.adapters.web.broadcast import Broadcast
from beaconfire.adapters.web.security import LocalOnly, loopback_host
from beaconfire.adapters.web.shapes import Json
from beaconfire.errors import UsageError
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import DisplayNode

SOCKET_TEXT_BYTES_MAX: Final = 4_096
STOP_WITHIN_S: Final = 2


class WebOptions(msgspec.Struct, frozen=True):
    """How a display is served.

    Attributes:
        host: loopback name or address.
        port: 0 takes any free one.
        speed: of the event clock against the wall.
        level: first part of the banner.
        releasability: second part of the banner; empty for "REL TO" the own nation.
        page: folder of the built page; None for the one in the package.
    """

    host: str = "127.0.0.1"
    port: int = 0
    speed: float = 1.0
    level: str = "UNCLASSIFIED"
    releasability: str = ""
    page: Path | None = None


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
        audit: AuditLookup | None = None,
    ) -> None:
        """Take the port at once, so that a taken one is told before anything starts.

        Args:
            display: fed by somebody else in the same loop.
            clock: event clock and wall.
            options: where and how.
            audit: looks up the own audit records, None where there are none.

        Raises:
            UsageError: the port is taken or may not be had, or the host is not loopback.
        """
        self._socket = _listening_socket(loopback_host(options.host), options.port)
        self.port: int = self._socket.getsockname()[1]
        shown_host = f"[{options.host}]" if ":" in options.host else options.host
        self.url = f"http://{shown_host}:{self.port}/"
        self._broadcast = Broadcast(display, clock, options.speed, _banner(display, options))
        page = options.page or Path(str(files("beaconfire.adapters.web") / "page"))
        self._app = _application(Api(display, clock, audit), self._broadcast, page)
        self._server = _QuietServer(_configuration(self._app))

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
    audit: AuditLookup | None = None,
) -> None:
    """Serve one display until cancelled; raises `UsageError` as `WebServer` does."""
    await WebServer(display, clock, options, audit).serve()


def _configuration(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=SOCKET_TEXT_BYTES_MAX,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )


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


def _banner(display: DisplayNode, options: WebOptions) -> Json:
    return {
        "level": options.level,
        "releasability": options.releasability or f"REL TO {display.nation}",
        "mode": display.facts.mode,
    }


def _application(api: Api, broadcast: Broadcast, page: Path) -> Starlette:
    index = page / "index.html"

    async def show_page(_: Request) -> Response:
        if index.is_file():
            return FileResponse(index)
        return PlainTextResponse("the page is not built: install the package, or run its build\n", 503)

    routes: list[BaseRoute] = [
        *api.routes(),
        WebSocketRoute("/ws", broadcast.attend),
        Mount("/assets", StaticFiles(directory=page / "assets", check_dir=False)),
        Route("/", show_page),
    ]
    return Starlette(routes=routes, middleware=[Middleware(LocalOnly)])

"""A visitor without a browser: signs in by certificate where that is asked for, and opens the socket."""

import asyncio
import http.client
import ssl
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from beaconfire.errors import EnvironmentFault, UsageError

FRAME_BYTES_MAX: Final = 64_000_000
WITHIN_S: Final = 10.0


class Papers(msgspec.Struct, frozen=True):
    """What a visitor shows and whom they trust.

    Attributes:
        certificate: of the visitor, PEM.
        key: of that certificate, PEM; None if it stands in the same file.
        authority: that vouches for the display, PEM; None for those this machine trusts.
    """

    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None


def context_of(papers: Papers) -> ssl.SSLContext:
    """Return how a visitor speaks TLS: 1.3 only, the display's name verified.

    Raises:
        UsageError: a file is no certificate, or no key of it.
    """
    try:
        context = ssl.create_default_context(cafile=papers.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if papers.certificate is not None:
            context.load_cert_chain(papers.certificate, papers.key)
    except (OSError, ssl.SSLError) as error:
        named = [str(one) for one in (papers.certificate, papers.key, papers.authority) if one]
        raise UsageError(f"cannot use {', '.join(named)}: {error}", "--certificate", "PEM files") from error
    return context


class Stream:
    """The open socket of a display's page, read and written by one and the same thread.

    A TLS session must not be written while another thread reads it, as a client with a reading thread does:
    now and then a handshake then waits for ever.
    Source: OpenSSL, SSL objects can't be used concurrently by several threads (openssl-threads(7)).
    """

    def __init__(self, runner: asyncio.Runner, connection: ClientConnection) -> None:
        """Read a connection that was opened under `runner`."""
        self._runner, self._connection = runner, connection

    def receive(self, within_s: float) -> str:
        """Return the next frame.

        Raises:
            TimeoutError: none came.
            websockets.exceptions.ConnectionClosed: the display closed the socket.
        """
        return self._runner.run(self._next(within_s))

    async def _next(self, within_s: float) -> str:
        async with asyncio.timeout(within_s):
            return await self._connection.recv(decode=True)


@contextmanager
def open_stream(
    address: str, *, origin: str | None = None, context: ssl.SSLContext | None = None, cookie: str = ""
) -> Iterator[Stream]:
    """Yield an open socket; it is closed at the end.

    Args:
        address: `ws://…` or `wss://…`.
        origin: of the page that would open it, None for no page.
        context: for TLS.
        cookie: of a session, empty for none.

    Raises:
        OSError: nobody answers, or not in time.
        websockets.exceptions.WebSocketException: the display refuses.
    """

    async def opened() -> ClientConnection:
        return await connect(
            address,
            origin=None if origin is None else Origin(origin),
            ssl=context,
            additional_headers={"Cookie": cookie} if cookie else {},
            max_size=FRAME_BYTES_MAX,
            open_timeout=WITHIN_S,
        )

    with asyncio.Runner() as runner:
        connection = runner.run(opened())
        try:
            yield Stream(runner, connection)
        finally:
            runner.run(connection.close())


@contextmanager
def visit(url: str, papers: Papers) -> Iterator[Stream]:
    """Yield the open socket of a display's page; over TLS sign in first, and out at the end.

    Args:
        url: of the page, `http://…` or `https://…`.
        papers: used over TLS only.

    Raises:
        UsageError: a file of `papers` is not usable, or the address has no host.
        EnvironmentFault: no display answers, it does not know the visitor, or the connection is lost.
    """
    parts = urllib.parse.urlsplit(url)
    if not parts.hostname:
        raise UsageError(f"no host in {url}", "where", "https://HOST[:PORT]/")
    secure = parts.scheme == "https"
    context = context_of(papers) if secure else None
    origin = f"{parts.scheme}://{parts.netloc}"
    address = f"{'wss' if secure else 'ws'}://{parts.netloc}/ws"
    try:
        cookie = _post(parts, context, "/sign-in", "") if context is not None else ""
        with open_stream(address, origin=origin, context=context, cookie=cookie) as stream:
            try:
                yield stream
            finally:
                if context is not None:
                    _post(parts, context, "/sign-out", cookie)
    except (OSError, WebSocketException, http.client.HTTPException) as error:
        raise EnvironmentFault(
            f"no display at {address}: {error}", "is it running, and are you known?"
        ) from error


def _post(parts: urllib.parse.SplitResult, context: ssl.SSLContext, path: str, cookie: str) -> str:
    """Post nothing to a path from the page's own origin; return the cookie of the answer, empty if none."""
    port = parts.port or http.client.HTTPS_PORT
    connection = http.client.HTTPSConnection(parts.hostname or "", port, context=context, timeout=WITHIN_S)
    try:
        headers = {"Origin": f"https://{parts.netloc}"} | ({"Cookie": cookie} if cookie else {})
        connection.request("POST", path, headers=headers)
        answer = connection.getresponse()
        if answer.status != http.client.SEE_OTHER:
            raise http.client.HTTPException(f"{path} was answered with {answer.status}")
        set_here = SimpleCookie(answer.headers.get("set-cookie", ""))
    finally:
        connection.close()
    return "; ".join(f"{name}={one.value}" for name, one in set_here.items())

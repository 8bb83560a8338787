"""A visitor without a browser: signs in by certificate where that is asked for, and opens the socket."""

import http.client
import ssl
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Final

import msgspec
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
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


@contextmanager
def visit(url: str, papers: Papers) -> Iterator[ClientConnection]:
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
        headers = {"Cookie": cookie} if cookie else {}
        with connect(
            address,
            origin=Origin(origin),
            ssl=context,
            additional_headers=headers,
            max_size=FRAME_BYTES_MAX,
            open_timeout=WITHIN_S,
        ) as stream:
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

"""The server's protocol: h11, and the name in a client's certificate told to whoever answers."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from beaconfire.adapters.web.sessions import person_of


class CertifiedProtocol(H11Protocol):
    """Puts `person` into the state of all requests of a connection; empty without a certificate."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection; its handshake, and with it the certificate, is over."""
        certificate = cast("dict[str, Any] | None", transport.get_extra_info("peercert"))
        self.app_state = {**self.app_state, "person": person_of(certificate)}
        super().connection_made(cast("asyncio.Transport", transport))

"""Who an end of a link shows itself to be: its certificate, its key, whom it trusts; TLS 1.3 with them."""

import ssl
from pathlib import Path

import msgspec

from beaconfire.errors import UsageError


class Identity(msgspec.Struct, frozen=True):
    """The files by which one end shows who it is and knows the others.

    Attributes:
        certificate: its own, PEM.
        key: private half, PEM, readable by its owner alone.
        trusted: authorities of those it speaks to, PEM, one after the other.
    """

    certificate: Path
    key: Path
    trusted: Path


def client_context(identity: Identity) -> ssl.SSLContext:
    """Return what a client speaks TLS 1.3 with, showing its certificate and checking the server's.

    Raises:
        UsageError: a file is missing or is no certificate or key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(identity.trusted)
        context.load_cert_chain(identity.certificate, identity.key)
    except (OSError, ssl.SSLError) as error:
        where = f"{identity.certificate.parent}: {identity.certificate.name}, {identity.key.name}"
        raise UsageError(f"no usable certificate: {error}", where, "PEM files of one end") from error
    return context

"""Certificates of the links: each end makes its own authority and key, and hands over the authority alone.

Ed25519, TLS 1.3 and nothing older, both ends show one. A certificate opens no account: the nkey does that.
It keeps everybody else from so much as speaking to a server.

Source: RFC 5280 (certificates), RFC 8410 (Ed25519 in them), RFC 8446 (TLS 1.3).
"""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from beaconfire.adapters.credentials import write_private
from beaconfire.adapters.identity import Identity

VALID_FOR: Final = timedelta(days=398)
BACKDATED: Final = timedelta(days=1)
"""A clock that is a day behind still takes it; see the promise on clocks."""


def make_identity(folder: Path, end: str, addresses: Iterable[str]) -> bytes:
    """Make an end's authority and its certificate, and return the authority, to be handed to the others.

    Args:
        folder: where `link.crt` and `link.key` are written.
        end: nation or instance of the hub.
        addresses: names and addresses at which its server is reached.
    """
    authority_key, key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    authority_name, name = _name(f"{end} link authority"), _name(end)
    authority = (
        _begun(authority_name, authority_name, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, None)
    )
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        _begun(name, authority_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName([_reached(one) for one in addresses]), critical=False)
        .sign(authority_key, None)
    )
    (folder / "link.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(folder / "link.key", private.decode().strip())
    return authority.public_bytes(Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _reached(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _begun(name: x509.Name, issuer: x509.Name, key: Ed25519PrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(tz=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + VALID_FOR)
    )


def write_trust(folder: Path, own: bytes, servers: Iterable[bytes], clients: Iterable[bytes]) -> None:
    """Write whom an end trusts for what: nobody's authority counts for more than it has to.

    Args:
        folder: where `own.crt`, `authorities.crt` and `clients.crt` are written.
        own: authority of the end itself: the only one that opens a route between servers of one cluster.
        servers: authorities of the others whose servers its processes speak to.
        clients: authorities of the others whose processes its server lets in.
    """
    (folder / "own.crt").write_bytes(own)
    (folder / "authorities.crt").write_bytes(b"".join((own, *servers)))
    (folder / "clients.crt").write_bytes(b"".join((own, *clients)))


def identity_of(folder: Path) -> Identity:
    """Return by what the processes of the end that owns a folder show and know others."""
    return _identity(folder, "authorities.crt")


def server_identity_of(folder: Path) -> Identity:
    """Return by what its server shows itself and knows its clients."""
    return _identity(folder, "clients.crt")


def route_identity_of(folder: Path) -> Identity:
    """Return by what the servers of one cluster know each other: no partner's certificate opens a route."""
    return _identity(folder, "own.crt")


def _identity(folder: Path, trusted: str) -> Identity:
    keys = folder / "keys"
    return Identity(keys / "link.crt", keys / "link.key", keys / trusted)

"""Mutual TLS 1.3 on real servers: who shows no certificate of a known authority is not spoken to."""

import asyncio
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from account_trial import found_at
from beaconfire.adapters.bus import Bus, Endpoint
from beaconfire.adapters.certificates import identity_of, make_identity
from beaconfire.adapters.configuration import read_config
from beaconfire.adapters.identity import Identity
from beaconfire.adapters.installation import Options, make_installation
from beaconfire.adapters.wiring import Role
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.words import HUB, HUB_INSTANCES, Nation
from real_servers import RealServers

pytestmark = pytest.mark.real
NATIONS = (Nation("JPN"), Nation("KOR"), Nation("USA"))


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[RealServers]:
    options = Options(hubs=(HUB,), encrypted=True)
    held = RealServers(make_installation(tmp_path / "here", nations=NATIONS, options=options))
    try:
        for party in (HUB, "KOR"):
            held.start(party)
        yield held
    finally:
        held.stop()


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[RealServers]:
    """Servers of three nations and two instances of the hub, none started yet."""
    options = Options(encrypted=True)
    held = RealServers(make_installation(tmp_path / "whole", nations=NATIONS, options=options))
    try:
        yield held
    finally:
        held.stop()


def endpoints(servers: RealServers) -> tuple[Endpoint, ...]:
    entry = next(one for one in servers.installation.processes if one.name == "guard/KOR")
    return read_config(entry.config).endpoints()


def opened(held: tuple[Endpoint, ...]) -> Exception | None:
    async def scenario() -> Exception | None:
        bus = Bus("KOR", Role.GUARD, held)
        try:
            await bus.open(lambda _heard, _body: None, within_s=3.0)
        except (EnvironmentFault, OSError) as error:
            return error
        finally:
            await bus.close()
        return None

    return asyncio.run(scenario())


def test_a_guard_with_its_certificate_is_let_in(encrypted: RealServers) -> None:
    held = endpoints(encrypted)
    assert all(one.url.startswith("tls://") and one.identity for one in held)
    assert opened(held) is None


@pytest.mark.parametrize("party", [*HUB_INSTANCES, "KOR"])
def test_under_tls_each_credential_hears_and_is_heard_as_the_table_says(
    whole: RealServers, party: str
) -> None:
    """With the certificate of any party: it lets nobody into an account that the key is not of."""
    whole.start(party)
    port, root = whole.entry(party).port, whole.installation.directory
    assert found_at(party, port, root, encrypted=True) == []


def test_under_tls_who_needs_no_key_would_be_found(whole: RealServers) -> None:
    """Known bad, as in the plain servers' test."""
    entry = whole.entry("HUB-1")
    guard = next(one for one in entry.config.read_text().splitlines() if "guard of KOR, FLASH" in one)
    key = guard.split("nkey: ")[1].split(",")[0]
    entry.config.write_text(f"{entry.config.read_text()}no_auth_user: {key}\n")
    whole.start("HUB-1")
    found = found_at("HUB-1", entry.port, whole.installation.directory, encrypted=True)
    assert "who shows no key is let in" in found


def test_a_key_of_an_account_without_a_certificate_is_not_spoken_to(encrypted: RealServers) -> None:
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(identity_of(encrypted.installation.directory / "KOR").trusted)
    bare.minimum_version = ssl.TLSVersion.TLSv1_3
    with socket.create_connection(("127.0.0.1", encrypted.entry(HUB).port), timeout=5) as one:
        assert one.recv(4_096).startswith(b"INFO")
        held = bare.wrap_socket(one, server_hostname="127.0.0.1")
        with held, pytest.raises(ssl.SSLError, match="certificate required"):
            held.recv(4_096)


def test_a_certificate_of_an_unknown_authority_is_not_spoken_to(
    encrypted: RealServers, tmp_path: Path
) -> None:
    make_identity(tmp_path, "KOR", ["127.0.0.1"])
    stranger = Identity(
        tmp_path / "link.crt",
        tmp_path / "link.key",
        identity_of(encrypted.installation.directory / "KOR").trusted,
    )
    held = tuple(msgspec.structs.replace(one, identity=stranger) for one in endpoints(encrypted))
    assert opened(held) is not None


def test_without_tls_nothing_is_let_in(encrypted: RealServers) -> None:
    plain = tuple(
        msgspec.structs.replace(one, url=one.url.replace("tls://", "nats://"), identity=None)
        for one in endpoints(encrypted)
    )
    assert opened(plain) is not None


def test_tls_1_2_is_refused(encrypted: RealServers) -> None:
    identity = identity_of(encrypted.installation.directory / "KOR")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(identity.trusted)
    context.load_cert_chain(identity.certificate, identity.key)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", encrypted.entry(HUB).port), timeout=5) as one:
        assert one.recv(4_096).startswith(b"INFO")
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(one, server_hostname="127.0.0.1")


def test_a_missing_certificate_is_named(encrypted: RealServers) -> None:
    keys = encrypted.installation.directory / "KOR" / "keys"
    shutil.move(keys / "link.crt", keys / "elsewhere")
    with pytest.raises(UsageError, match=r"link\.crt"):
        opened(endpoints(encrypted))

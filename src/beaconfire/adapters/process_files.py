"""The configuration file of each process of one end, from what stands around it: urls, ports, keys."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.configuration import (
    EndpointConfig,
    FeedConfig,
    ProcessConfig,
    WebConfig,
    write_config,
)
from beaconfire.adapters.credentials import link_seed, write_private
from beaconfire.adapters.wiring import LINK_ROLES, Role, Server
from beaconfire.messages.words import Lane, is_hub

NATION_ROLES: Final = (Role.NATIONAL, Role.GUARD, Role.PICTURE, Role.WARNING, Role.DISPLAY, Role.FEED)
HUB_ROLES: Final = (Role.HUB, Role.DISPLAY)
SECRET_BYTES: Final = 32


class Around(msgspec.Struct, frozen=True):
    """What the processes of one end have around them.

    Attributes:
        urls: of the servers of each end that they speak to, the own among them.
        encrypted: they show certificates.
        feed: where a nation's feed takes lines.
        web: where the end's page is served.
    """

    urls: Mapping[str, tuple[str, ...]]
    encrypted: bool
    feed: FeedConfig | None = None
    web: WebConfig | None = None


def url_of(host: str, port: int, *, encrypted: bool) -> str:
    """Return the url of a server."""
    return f"{'tls' if encrypted else 'nats'}://{host}:{port}"


def roles_of(end: str) -> tuple[Role, ...]:
    """Return the roles of the processes of a nation or of an instance of the hub."""
    return HUB_ROLES if is_hub(end) else NATION_ROLES


def write_processes(folder: Path, end: str, base: ProcessConfig, around: Around) -> dict[Role, Path]:
    """Write the file of every process of an end, secrets where there are none yet; returns the files.

    Args:
        folder: of the end.
        end: nation or instance of the hub.
        base: what all have in common: mode, parties, hubs, the paths of what they share.
        around: see there.
    """
    written = {}
    for role in roles_of(end):
        secret = folder / "keys" / f"{role.value}.secret"
        if not secret.exists():
            write_private(secret, os.urandom(SECRET_BYTES).hex())
        written[role] = folder / f"{role.value}.json"
        write_config(written[role], _process(base, role, end, around))
    if not is_hub(end):
        write_config(folder / f"{Role.OPERATOR.value}.json", _operator(base, end, around))
    return written


def _process(base: ProcessConfig, role: Role, end: str, around: Around) -> ProcessConfig:
    return msgspec.structs.replace(
        _with_certificates(base, around),
        role=role,
        party=end,
        endpoints=_endpoints(base, role, end, around),
        journal="" if role is Role.FEED else f"{role.value}.journal",
        signing_key="keys/signing.hex" if role in {Role.HUB, *LINK_ROLES} else "",
        secret=f"keys/{role.value}.secret",
        releasable_to=tuple(nation for nation in base.parties if nation != end),
        feed=around.feed if role is Role.FEED else None,
        web=around.web if role is Role.DISPLAY else None,
        audit=_audit_journal(end) if role is Role.DISPLAY else "",
    )


def _operator(base: ProcessConfig, nation: str, around: Around) -> ProcessConfig:
    """Return what `arrangement suspend --config` needs to hand the nation's word to its own guard."""
    return msgspec.structs.replace(
        _with_certificates(base, around),
        role=Role.OPERATOR,
        party=nation,
        endpoints=_endpoints(base, Role.OPERATOR, nation, around),
        signing_key="keys/signing.hex",
        record=False,
    )


def _with_certificates(base: ProcessConfig, around: Around) -> ProcessConfig:
    if not around.encrypted:
        return base
    return msgspec.structs.replace(
        base,
        certificate="keys/link.crt",
        certificate_key="keys/link.key",
        authorities="keys/authorities.crt",
    )


def _endpoints(base: ProcessConfig, role: Role, end: str, around: Around) -> tuple[EndpointConfig, ...]:
    first, *others = around.urls[end]
    home = EndpointConfig(Server.HOME, first, f"keys/home-{role.value}.seed", also=tuple(others))
    if role is Role.HUB:
        peers: tuple[str, ...] = base.parties
    else:
        peers = base.hubs if role in LINK_ROLES else ()
    return (home, *(_link(role, end, peer, lane, around) for peer in peers for lane in Lane))


def _link(role: Role, end: str, peer: str, lane: Lane, around: Around) -> EndpointConfig:
    first, *others = around.urls[end if role is Role.HUB else peer]
    seed = f"keys/{link_seed(role, peer, lane)}"
    return EndpointConfig(Server.HUB, first, seed, peer, lane, tuple(others))


def _audit_journal(end: str) -> str:
    return f"{(Role.HUB if is_hub(end) else Role.GUARD).value}.journal"

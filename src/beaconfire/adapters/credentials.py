"""Keys of an installation and the accounts they open: each made here, each private half with its owner.

On the server of an instance of the hub each nation has an account for each lane, which holds that nation's
roles and the hub, and nobody else; the accounts hear nothing of each other.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import nkeys

from beaconfire.adapters.servers import Account, ServerUser
from beaconfire.adapters.wiring import (
    HOME_ROLES,
    HUB_LISTENERS,
    LINK_ROLES,
    Role,
    Server,
    allowed,
    allowed_in_hub_account,
)
from beaconfire.messages.words import HUB, Lane, Nation


def key_file(directory: Path, end: str, name: str) -> Path:
    """Return where a nation, or an instance of the hub, keeps a key."""
    return directory / end / "keys" / name


def link_seed(role: Role, peer: str, lane: Lane) -> str:
    """Return the name of the file with the nkey seed of a role for one lane to a peer."""
    return f"link-{role.value}-{peer}-{lane.value}.seed"


def write_private(path: Path, text: str) -> None:
    """Write a new file that its owner alone may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(text + "\n")


def make_nkey(path: Path) -> str:
    """Write the seed of a new user nkey, readable by its owner only, and return its public half."""
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    write_private(path, seed.decode())
    return str(nkeys.from_seed(seed).public_key.decode())


def home_account(directory: Path, nation: str) -> Account:
    """Make the keys of a nation's own roles and return their account on its home server."""
    users = tuple(
        ServerUser(
            make_nkey(key_file(directory, nation, f"home-{role.value}.seed")),
            allowed(role, Server.HOME),
            f"{role.value} of {nation}",
        )
        for role in HOME_ROLES
    )
    return Account(nation, users)


def hub_accounts(directory: Path, instance: str, nations: Sequence[Nation]) -> list[Account]:
    """Make the keys for one instance of the hub and return its own account and those of its links."""
    own = tuple(
        ServerUser(
            make_nkey(key_file(directory, instance, f"home-{role.value}.seed")),
            allowed_in_hub_account(role),
            role,
        )
        for role in (Role.HUB, *HUB_LISTENERS)
    )
    links = [_link_account(directory, instance, nation, lane) for nation in nations for lane in Lane]
    return [Account(HUB, own), *links]


def _link_account(directory: Path, instance: str, nation: Nation, lane: Lane) -> Account:
    users = [
        ServerUser(
            make_nkey(key_file(directory, nation, link_seed(role, instance, lane))),
            allowed(role, Server.HUB),
            f"{role.value} of {nation}, {lane.value}",
        )
        for role in LINK_ROLES
    ]
    hub = make_nkey(key_file(directory, instance, link_seed(Role.HUB, nation, lane)))
    users.append(ServerUser(hub, allowed(Role.HUB, Server.HUB), f"hub, {lane.value}"))
    return Account(f"{nation}_{lane.value}", tuple(users))

"""Keys of an installation and the accounts they open: each made here, each private half with its owner.

On the server of an instance of the hub each nation has an account for each lane, which holds that nation's
roles and the hub, and nobody else; the accounts hear nothing of each other.
"""

import os
from collections.abc import Mapping
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
from beaconfire.errors import UsageError
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


def kept_nkey(path: Path) -> str:
    """Return the public half of the user nkey in a file; it is made if it isn't there.

    Raises:
        UsageError: what is there is no seed of an nkey.
    """
    if not path.exists():
        return make_nkey(path)
    try:
        return str(nkeys.from_seed(path.read_text(encoding="ascii").strip().encode()).public_key.decode())
    except (OSError, ValueError, nkeys.NkeysError) as error:
        raise UsageError("not the seed of an nkey", str(path)) from error


def home_account(folder: Path, nation: str) -> Account:
    """Return the account of a nation's own roles on its home server; their keys stay in its folder."""
    users = tuple(
        ServerUser(
            kept_nkey(folder / "keys" / f"home-{role.value}.seed"),
            allowed(role, Server.HOME),
            f"{role.value} of {nation}",
        )
        for role in HOME_ROLES
    )
    return Account(nation, users)


LinkKeys = Mapping[tuple[Role, Lane], str]
"""Public nkeys of a nation's roles for the lanes of its link to one instance of the hub."""


def link_keys(folder: Path, instance: str) -> LinkKeys:
    """Return a nation's keys for its links to an instance of the hub; what isn't there is made."""
    return {
        (role, lane): kept_nkey(folder / "keys" / link_seed(role, instance, lane))
        for role in LINK_ROLES
        for lane in Lane
    }


def hub_accounts(folder: Path, public: Mapping[Nation, LinkKeys]) -> list[Account]:
    """Return the own account of an instance of the hub and those of its links.

    Args:
        folder: of the instance, where its own keys stay.
        public: what each nation handed over for it.
    """
    own = tuple(
        ServerUser(
            kept_nkey(folder / "keys" / f"home-{role.value}.seed"),
            allowed_in_hub_account(role),
            role,
        )
        for role in (Role.HUB, *HUB_LISTENERS)
    )
    links = [_link_account(folder, nation, lane, keys) for nation, keys in public.items() for lane in Lane]
    return [Account(HUB, own), *links]


def _link_account(folder: Path, nation: Nation, lane: Lane, keys: LinkKeys) -> Account:
    users = [
        ServerUser(keys[role, lane], allowed(role, Server.HUB), f"{role.value} of {nation}, {lane.value}")
        for role in LINK_ROLES
    ]
    hub = kept_nkey(folder / "keys" / link_seed(Role.HUB, nation, lane))
    users.append(ServerUser(hub, allowed(Role.HUB, Server.HUB), f"hub, {lane.value}"))
    return Account(f"{nation}_{lane.value}", tuple(users))

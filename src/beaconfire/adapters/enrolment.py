"""One party's own side of an installation: its keys made by itself, a card for the others, their cards.

A party's folder holds `setup.json`, its card, the cards it has accepted, and a folder for each of its ends:
of a nation the folder itself, of the hub one for each instance. Private halves never leave it.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.cards import (
    SUFFIX,
    Card,
    LinkKey,
    encode_card,
    fingerprint_of,
    is_address,
    is_instance,
    is_party,
    read_card,
)
from beaconfire.adapters.certificates import make_identity
from beaconfire.adapters.configuration import key_class_of
from beaconfire.adapters.credentials import link_keys, write_private
from beaconfire.adapters.servers import LOOPBACK
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.arrangement import TrustedKey
from beaconfire.messages.words import HUB, HUB_INSTANCES, Mode
from beaconfire.release.keys import SEED_BYTES, SigningKey

SETUP: Final = "setup.json"
CARDS: Final = "cards"
PATH_MAX: Final = 200
_ODD: Final = frozenset("\"'\\%{}$#;\n\r\t ")
"""What would mean something else in a unit or a server's configuration."""


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one party's side is set up; `setup.json`, kept so that it can be written again.

    Attributes:
        party: nation or HUB.
        mode: the only one of all of it.
        servers: HOST:PORT of the servers of each of its ends, where others reach them.
        routes: HOST:PORT on which the servers of one end, where there are several, find each other.
        pages: port of the page of each end, on loopback.
        hubs: instances of the hub.
        feed: HOST:PORT where a nation's feed takes detections.
        exercise: name of the exercise; empty in mode REAL.
        user: whom the processes run as.
        program: folder that holds `bin/beaconfire`.
    """

    party: str
    mode: Mode
    servers: dict[str, tuple[str, ...]]
    routes: dict[str, tuple[str, ...]] = {}
    pages: dict[str, int] = {}
    hubs: tuple[str, ...] = HUB_INSTANCES
    feed: str = ""
    exercise: str = ""
    user: str = "beaconfire"
    program: str = "/opt/beaconfire/current"

    @property
    def ends(self) -> tuple[str, ...]:
        """The nation itself, or the instances of the hub."""
        return self.hubs if self.party == HUB else (self.party,)


def folder_of(directory: Path, end: str, party: str) -> Path:
    """Return the folder of one end of a party."""
    return directory / end if party == HUB else directory


def make_side(directory: Path, setup: Setup) -> tuple[Path, str]:
    """Make a party's keys and certificates and its card; return the card's file and its fingerprint.

    Args:
        directory: made; must be empty.
        setup: see there.

    Raises:
        UsageError: a field can't be used, or the folder is not empty.
        EnvironmentFault: it can't be written.
    """
    check_setup(setup, directory)
    if directory.exists() and any(directory.iterdir()):
        raise UsageError("the folder is not empty", str(directory), "a new or empty folder")
    try:
        (directory / CARDS).mkdir(parents=True, mode=0o700)
        directory.chmod(0o700)
        data = encode_card(_make_keys(directory, setup))
        (directory / SETUP).write_bytes(msgspec.json.format(msgspec.json.encode(setup)))
        card = directory / f"{setup.party}{SUFFIX}"
        card.write_bytes(data)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {directory}: {error.strerror}", "choose another") from error
    return card, fingerprint_of(data)


def check_setup(setup: Setup, directory: Path) -> None:
    """Check that every word of a setup can stand in a configuration; raises `UsageError`."""
    if not is_party(setup.party):
        raise UsageError(f"not a party: {setup.party!r}", "PARTY", "three capital letters, or HUB")
    if bad := [one for one in setup.hubs if not is_instance(one)]:
        raise UsageError(f"no instance {bad[0]!r}", "--instances", "HUB, or HUB-1 and HUB-2")
    if set(setup.servers) != set(setup.ends):
        raise UsageError("not one server for each end", "--server", " ".join(setup.ends))
    held = [*setup.servers.values(), *setup.routes.values(), *([(setup.feed,)] if setup.feed else [])]
    if bad := [one for group in held for one in group if not is_address(one)]:
        raise UsageError(f"no address {bad[0]!r}", "--server, --route, --feed", "HOST:PORT")
    for end, addresses in setup.servers.items():
        routes = len(setup.routes.get(end, ()))
        if routes != (len(addresses) if len(addresses) > 1 else 0):
            raise UsageError(f"{routes} routes for {len(addresses)} servers", f"--route {end}", "one each")
    for word in (setup.user, setup.program, str(directory.resolve())):
        if not word or len(word) > PATH_MAX or _ODD & set(word):
            raise UsageError(f"can't stand in a unit: {word!r}", "--user, --program, --out", "a plain word")
    if (setup.mode is Mode.REAL) is bool(setup.exercise):
        raise UsageError("an exercise id in mode REAL, or none in another", "--exercise")


def _make_keys(directory: Path, setup: Setup) -> Card:
    seed, secret = os.urandom(SEED_BYTES), os.urandom(SEED_BYTES)
    authorities, links = {}, []
    for end in setup.ends:
        folder = folder_of(directory, end, setup.party)
        (folder / "keys").mkdir(parents=True, mode=0o700)
        write_private(folder / "keys" / "signing.hex", seed.hex())
        hosts = {one.rpartition(":")[0].strip("[]") for one in setup.servers[end]} | {LOOPBACK}
        hosts |= {one.rpartition(":")[0].strip("[]") for one in setup.routes.get(end, ())}
        authority = make_identity(folder / "keys", end, sorted(hosts))
        (folder / "keys" / "own.crt").write_bytes(authority)
        authorities[end] = authority.decode()
        if setup.party == HUB:
            write_private(folder / "keys" / "hub.secret", secret.hex())
            continue
        for instance in setup.hubs:
            keys = link_keys(folder, instance)
            links += [LinkKey(instance, role, lane, public) for (role, lane), public in keys.items()]
    public = SigningKey(setup.party, key_class_of(setup.mode), seed).public
    return Card(
        party=setup.party,
        signing=TrustedKey(public.party, public.key_class, public.public),
        authorities=authorities,
        links=tuple(links),
        servers=setup.servers if setup.party == HUB else {},
    )


def read_setup(directory: Path) -> Setup:
    """Return how a party's side is set up.

    Raises:
        UsageError: there is none, or it is malformed.
    """
    path = directory / SETUP
    try:
        setup = msgspec.json.decode(path.read_bytes(), type=Setup)
    except OSError as error:
        raise UsageError(f"no setup: {error.strerror}", str(path), "a folder of setup make") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not a setup: {error}", str(path)) from error
    check_setup(setup, directory)
    return setup


def accept_card(directory: Path, file: Path, fingerprint: str) -> Card:
    """Take another party's card, once its fingerprint was compared over another channel; return it.

    Raises:
        UsageError: not a card, another fingerprint or class of keys, or the own or a second one of a party.
        EnvironmentFault: it can't be written.
    """
    setup = read_setup(directory)
    card, data = read_card(file)
    if fingerprint_of(data) != fingerprint.strip().lower():
        raise UsageError(f"its fingerprint is {fingerprint_of(data)}", str(file), fingerprint)
    if card.signing.key_class is not key_class_of(setup.mode):
        raise UsageError(
            f"a card of class {card.signing.key_class}", str(file), f"{key_class_of(setup.mode)}"
        )
    if card.party == setup.party:
        raise UsageError("the own card", str(file), "one of another party")
    kept = directory / CARDS / f"{card.party}{SUFFIX}"
    if kept.exists() and kept.read_bytes() != data:
        raise UsageError(f"another card of {card.party} was accepted", str(kept), "take it away first")
    try:
        kept.write_bytes(data)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {kept}: {error.strerror}") from error
    return card


def accepted_cards(directory: Path) -> dict[str, Card]:
    """Return the cards accepted, by party; raises `UsageError` if one was spoilt since."""
    return {card.party: card for card, _ in map(read_card, _files(directory))}


def _files(directory: Path) -> Iterable[Path]:
    return sorted((directory / CARDS).glob(f"*{SUFFIX}"))

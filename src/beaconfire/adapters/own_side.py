"""Write one party's side from its setup and the cards it has accepted; may be done again at any time.

Written anew each time: servers' and processes' configurations, trusted authorities, units. Never touched:
keys that are there, keys in the keyring (new parties' are added), journals, arrangements.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.bundles import SUFFIX
from beaconfire.adapters.cards import SUFFIX as CARD_SUFFIX
from beaconfire.adapters.cards import Card, nations_of, read_card
from beaconfire.adapters.certificates import route_identity_of, server_identity_of, write_trust
from beaconfire.adapters.configuration import FeedConfig, ProcessConfig, WebConfig, key_class_of
from beaconfire.adapters.credentials import home_account, hub_accounts
from beaconfire.adapters.enrolment import Setup, accepted_cards, folder_of, read_setup
from beaconfire.adapters.process_files import Around, url_of, write_processes
from beaconfire.adapters.servers import Account, Cluster, server_configuration, server_names
from beaconfire.adapters.units import unit_files
from beaconfire.adapters.wiring import Role
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.arrangement import TrustedKey
from beaconfire.messages.words import HUB, Mode, Nation, Sharing
from beaconfire.release.keys import Keyring, fingerprint

UNITS: Final = "units"
KEYRING: Final = "keyring.json"
ARRANGEMENTS: Final = "arrangements"


def write_side(directory: Path) -> list[Path]:
    """Write a party's side and return the files.

    Raises:
        UsageError: no setup, a nation without the hub's card, the hub without any, or a spoilt file.
        EnvironmentFault: it can't be written.
    """
    setup, cards = read_setup(directory), accepted_cards(directory)
    if setup.party != HUB and HUB not in cards:
        raise UsageError("the hub's card was not accepted", str(directory / "cards"), "setup accept")
    if not cards:
        raise UsageError("no nation's card was accepted", str(directory / "cards"), "setup accept")
    own, _ = read_card(directory / f"{setup.party}{CARD_SUFFIX}")
    everybody = {**cards, setup.party: own}
    written = []
    try:
        for end in setup.ends:
            folder = folder_of(directory, end, setup.party)
            if folder != directory:
                _copy_shared(directory, folder)
            written += _write_end(folder, end, setup, everybody)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {directory}: {error.strerror}") from error
    return written


def _copy_shared(directory: Path, folder: Path) -> None:
    """Give an instance of the hub the arrangements of its party: its folder goes to its own machine."""
    for file in (folder / ARRANGEMENTS).glob(f"*{SUFFIX}"):
        file.unlink()
    for file in sorted((directory / ARRANGEMENTS).glob(f"*{SUFFIX}")):
        (folder / ARRANGEMENTS).mkdir(exist_ok=True)
        shutil.copyfile(file, folder / ARRANGEMENTS / file.name)


def _write_end(folder: Path, end: str, setup: Setup, cards: Mapping[str, Card]) -> list[Path]:
    keyring = folder / KEYRING
    _add_keys(keyring, setup.mode, [one.signing for one in cards.values()])
    _write_trust(folder, end, setup, cards)
    processes = write_processes(folder, end, _base(folder, end, setup, cards), _around(end, setup, cards))
    servers = _write_servers(folder, end, setup, cards)
    (folder / UNITS).mkdir(exist_ok=True)
    units = unit_files(
        folder.resolve(), end, setup.user, setup.program, server_names(len(setup.servers[end]))
    )
    for name, text in units.items():
        (folder / UNITS / name).write_text(text, encoding="utf-8")
    return [keyring, *servers, *processes.values(), *(folder / UNITS / name for name in units)]


def _add_keys(keyring: Path, mode: Mode, keys: list[TrustedKey]) -> None:
    """Put the keys of parties that the keyring has none of into it; what an officer changed there stays."""
    try:
        held = msgspec.json.decode(keyring.read_bytes(), type=tuple[TrustedKey, ...])
    except FileNotFoundError:
        held = ()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not a keyring: {error}", str(keyring)) from error
    known = {one.party for one in held}
    new = [one for one in sorted(keys, key=fingerprint) if one.party not in known]
    Keyring(key_class_of(mode), [*held, *new])
    if new:
        keyring.write_bytes(msgspec.json.encode([*held, *new]))


def _write_trust(folder: Path, end: str, setup: Setup, cards: Mapping[str, Card]) -> None:
    own = cards[setup.party].authority(end)
    if setup.party == HUB:
        clients = [cards[nation].authority(nation) for nation in nations_of(cards)]
        write_trust(folder / "keys", own, servers=(), clients=clients)
    else:
        hub = cards[HUB]
        write_trust(folder / "keys", own, servers=[hub.authority(one) for one in hub.authorities], clients=())


def _base(folder: Path, end: str, setup: Setup, cards: Mapping[str, Card]) -> ProcessConfig:
    bundles = {one.name.removesuffix(SUFFIX) for one in (folder / ARRANGEMENTS).glob(f"*{SUFFIX}")}
    return ProcessConfig(
        role=Role.HUB,
        party=end,
        mode=setup.mode,
        endpoints=(),
        exercise=setup.exercise,
        record=True,
        parties=nations_of(cards),
        hubs=setup.hubs,
        sensors="sensors.toml" if (folder / "sensors.toml").exists() else "",
        places="places.toml" if (folder / "places.toml").exists() else "",
        arrangements=ARRANGEMENTS if bundles else "",
        keyring=KEYRING,
        sharing=_sharing(bundles),
    )


def _sharing(bundles: set[str]) -> Sharing:
    """Return what the arrangements amount to, for showing."""
    if not bundles:
        return Sharing.ALONE
    return Sharing.BILATERAL if all(one.startswith("bilateral-") for one in bundles) else Sharing.TRILATERAL


def _around(end: str, setup: Setup, cards: Mapping[str, Card]) -> Around:
    servers = {**cards[HUB].servers, **setup.servers}
    if missing := [one for one in setup.hubs if one not in servers]:
        raise UsageError(f"the hub's card has no {missing[0]}", "--instances", ", ".join(servers))
    urls = {one: tuple(map(_url, addresses)) for one, addresses in servers.items()}
    feed = FeedConfig(tcp=setup.feed) if setup.feed else None
    page = WebConfig(port=setup.pages.get(end, 0), sandbox=False)
    return Around(urls, encrypted=True, feed=feed, web=page)


def _url(address: str) -> str:
    host, _, port = address.rpartition(":")
    return url_of(host, int(port), encrypted=True)


def _write_servers(folder: Path, end: str, setup: Setup, cards: Mapping[str, Card]) -> list[Path]:
    accounts = _accounts(folder, end, setup, cards)
    routes, written = setup.routes.get(end, ()), []
    names = server_names(len(setup.servers[end]))
    for number, (name, address) in enumerate(zip(names, setup.servers[end], strict=True)):
        cluster = None
        if routes:
            others = tuple(one for one in routes if one != routes[number])
            cluster = Cluster(end.lower(), routes[number], others, route_identity_of(folder.resolve()))
        text = server_configuration(
            f"{end.lower()}-{name}",
            address,
            accounts,
            folder.resolve() / f"{name}.log",
            server_identity_of(folder.resolve()),
            cluster=cluster,
        )
        (folder / f"{name}.conf").write_text(text, encoding="utf-8")
        written.append(folder / f"{name}.conf")
    return written


def _accounts(folder: Path, end: str, setup: Setup, cards: Mapping[str, Card]) -> list[Account]:
    if setup.party != HUB:
        return [home_account(folder, setup.party)]
    public = {Nation(nation): cards[nation].keys_for(end) for nation in nations_of(cards)}
    return hub_accounts(folder, public)

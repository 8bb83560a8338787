"""G7: no way between partner accounts. Every credential tries every subject, both ways, on real servers."""

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import nkeys
import pytest

from account_trial import HOME, HOME_ROLES, LINK, OWN, credentials_of, found_at, rights_of
from beaconfire.adapters import wiring
from beaconfire.adapters.bus import Bus, Endpoint
from beaconfire.adapters.credentials import make_nkey
from beaconfire.adapters.installation import make_installation
from beaconfire.adapters.wiring import Line, Role, Server, allowed, allowed_in_hub_account
from beaconfire.errors import EnvironmentFault
from beaconfire.messages.words import HUB, HUB_INSTANCES, Lane, Nation
from real_servers import RealServers

pytestmark = pytest.mark.real


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[RealServers]:
    """Servers of three nations and two instances of the hub, none started yet."""
    nations = [Nation("JPN"), Nation("KOR"), Nation("USA")]
    held = RealServers(make_installation(tmp_path / "whole", nations=nations))
    try:
        yield held
    finally:
        held.stop()


def flaws(servers: RealServers, party: str) -> list[str]:
    servers.start(party)
    return found_at(party, servers.entry(party).port, servers.installation.directory)


def test_every_key_of_an_installation_is_tried(whole: RealServers) -> None:
    root = whole.installation.directory
    assert {one.seed for one in credentials_of(root)} == set(root.rglob("*.seed"))
    assert len(credentials_of(root)) == 3 * 8 + 2 * (3 + 3 * 2 * 3)


def test_the_program_has_the_table_that_is_written_out_for_these_tests() -> None:
    assert set(wiring.HOME_ROLES) == set(HOME_ROLES)
    for role in Role:
        for server, table in ((Server.HOME, HOME), (Server.HUB, LINK)):
            may = allowed(role, server)
            assert (frozenset(may.publish), frozenset(may.subscribe)) == rights_of(role.value, table), role
    for role in (Role.HUB, Role.OBSERVER, Role.DISPLAY):
        may = allowed_in_hub_account(role)
        assert (frozenset(may.publish), frozenset(may.subscribe)) == rights_of(role.value, OWN), role


@pytest.mark.parametrize("party", [*HUB_INSTANCES, "JPN", "KOR", "USA"])
def test_each_credential_hears_and_is_heard_as_the_table_says_and_no_other_is_let_in(
    whole: RealServers, party: str
) -> None:
    assert flaws(whole, party) == []


def one_account(text: str) -> str:
    users = re.findall(r"^ *\{ nkey.*\n", text, re.MULTILINE)
    return text[: text.index("  HUB {")] + "  ALL {\n users: [\n" + "".join(users) + "]\n}\n}\n"


def account_passed_on(text: str) -> str:
    """Let Korea's account import what passes in Japan's."""
    text = text.replace("  JPN_FLASH {\n", '  JPN_FLASH {\n exports: [{ stream: "to-nation.>" }]\n')
    source = '{ account: JPN_FLASH, subject: "to-nation.>" }'
    return text.replace("  KOR_FLASH {\n", f"  KOR_FLASH {{\n imports: [{{ stream: {source} }}]\n")


def guard_may_say_all(text: str) -> str:
    line = next(one for one in text.splitlines() if "guard of KOR, FLASH" in one)
    return text.replace(line, re.sub(r"publish: \{ allow: \[[^]]*\] \}", 'publish: { allow: [">"] }', line))


def picture_may_hear_one_more(text: str) -> str:
    line = next(one for one in text.splitlines() if "picture of KOR, ROUTINE" in one)
    return text.replace(
        line, line.replace("subscribe: { allow: [", 'subscribe: { allow: ["to-hub.delivery", ')
    )


def hearers_may_answer(text: str) -> str:
    return text.replace("permissions: { ", "permissions: { allow_responses: true, ")


def guard_in_another_account(text: str) -> str:
    """Put the key of Korea's guard among Japan's."""
    lines = text.splitlines(keepends=True)
    guard = next(one for one in lines if "guard of KOR, FLASH" in one)
    lines.remove(guard)
    place = next(number for number, one in enumerate(lines) if "guard of JPN, FLASH" in one)
    return "".join([*lines[:place], guard, *lines[place:]])


def no_key_needed(text: str) -> str:
    key = (
        next(one for one in text.splitlines() if "guard of KOR, FLASH" in one)
        .split("nkey: ")[1]
        .split(",")[0]
    )
    return text + f"no_auth_user: {key}\n"


def one_user_fewer(text: str) -> str:
    line = next(one for one in text.splitlines() if "guard of USA, ROUTINE" in one)
    return text.replace(line, "")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (one_account, r"HUB-1/link-hub-JPN-FLASH hears KOR/link-guard-HUB-1-FLASH on to-hub\.delivery"),
        (account_passed_on, r"KOR/link-picture-HUB-1-FLASH hears HUB-1/link-hub-JPN-FLASH"),
        (guard_may_say_all, r"KOR/link-picture-HUB-1-FLASH hears KOR/link-guard-HUB-1-FLASH on to-nation"),
        (
            picture_may_hear_one_more,
            r"KOR/link-picture-HUB-1-ROUTINE hears KOR/link-guard-HUB-1-ROUTINE on to-hub\.delivery",
        ),
        (hearers_may_answer, r"was refused \d+ times, not"),
        (guard_in_another_account, r"HUB-1/link-hub-JPN-FLASH hears KOR/link-guard-HUB-1-FLASH"),
        (no_key_needed, r"who shows no key is let in"),
        (one_user_fewer, r"a key that belongs there is not let in"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_configuration_that_lets_pass_what_it_must_not_would_be_found(
    whole: RealServers, spoil: Callable[[str], str], told: str
) -> None:
    """Known bad: each a plausible slip in a configuration that was written or edited by hand."""
    entry = whole.entry("HUB-1")
    text = entry.config.read_text()
    spoiled = spoil(text)
    assert spoiled != text
    entry.config.write_text(spoiled)
    found = flaws(whole, "HUB-1")
    assert any(re.search(told, one) for one in found), found[:20]


def test_a_key_of_one_nation_opens_no_account_of_another_nor_its_server(servers: RealServers) -> None:
    keys = servers.installation.directory / "JPN" / "keys"
    url = f"nats://127.0.0.1:{servers.entry('KOR').port}"
    bus = Bus("JPN", Role.GUARD, [Endpoint(Line(Server.HOME, "JPN", None), url, keys / "home-guard.seed")])
    assert isinstance(asyncio.run(refusal(bus)), EnvironmentFault)


def test_a_key_nobody_handed_over_is_refused(servers: RealServers, tmp_path: Path) -> None:
    make_nkey(tmp_path / "new.seed")
    url = f"nats://127.0.0.1:{servers.entry(HUB).port}"
    bus = Bus("KOR", Role.GUARD, [Endpoint(Line(Server.HUB, HUB, Lane.FLASH), url, tmp_path / "new.seed")])
    fault = asyncio.run(refusal(bus))
    assert "check url and key" in str(fault)


async def refusal(bus: Bus) -> Exception | None:
    try:
        await bus.open(lambda _heard, _body: None, within_s=1.5)
    except EnvironmentFault as fault:
        return fault
    finally:
        await bus.close()
    return None


def test_no_server_gossips_an_address_or_offers_what_is_not_asked_for(servers: RealServers) -> None:
    for party in (HUB, "KOR"):
        with socket.create_connection(("127.0.0.1", servers.entry(party).port), timeout=5) as one:
            info = json.loads(one.makefile("rb").readline().removeprefix(b"INFO "))
        assert info["auth_required"]
        assert info["max_payload"] == 65_536
        assert not info.get("connect_urls")
        assert not info.get("jetstream")
        assert info["port"] != 4222


def test_no_key_stands_in_two_places(servers: RealServers) -> None:
    root = servers.installation.directory
    seeds = [path.read_text().strip() for path in root.rglob("*.seed")]
    public = {nkeys.from_seed(seed.encode()).public_key for seed in seeds}
    assert len(public) == len(seeds)
    assert all(path.stat().st_mode & 0o077 == 0 for path in root.rglob("*.seed"))

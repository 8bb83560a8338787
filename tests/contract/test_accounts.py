"""G7: no way between partner accounts. Every credential tries every subject on the real configuration."""

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path

import nkeys
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from beaconfire.adapters.bus import Bus, Endpoint
from beaconfire.adapters.credentials import make_nkey
from beaconfire.adapters.wiring import (
    FLOWS,
    HOME_ROLES,
    HUB_LISTENERS,
    HUB_OWN_CHANNELS,
    LINK_ROLES,
    Allowed,
    Line,
    Role,
    Server,
    allowed,
    allowed_in_hub_account,
    home_subject,
    link_subject,
)
from beaconfire.errors import EnvironmentFault
from beaconfire.messages.words import HUB, Lane
from real_servers import RealServers

pytestmark = pytest.mark.real

Heard = tuple[str, str, str]
"""Who published, on which subject, who heard it."""

WILD = (">", "*", "*.*", "to-hub.>", "to-nation.>", "*.delivery", "$SYS.>", "_INBOX.>", "_INBOX_x.>")
SUBJECTS = sorted(
    {link_subject(flow.channel, flow.kind) for flow in FLOWS if flow.server is Server.HUB}
    | {home_subject(flow.channel, lane) for flow in FLOWS for lane in Lane if flow.server is Server.HOME}
    | {home_subject(channel, lane) for channel in HUB_OWN_CHANNELS for lane in Lane}
)


class Credential:
    """One key, its account and what the table allows it."""

    def __init__(self, seed: Path, account: str, may: Allowed) -> None:
        self.name = f"{seed.parent.parent.name}/{seed.stem}"
        self.seed = seed.read_text().strip()
        self.account = account
        self.may = may
        self.client = Client()
        self.violations = 0


def hub_credentials(root: Path) -> list[Credential]:
    found = [
        Credential(root / HUB / "keys" / f"home-{role.value}.seed", HUB, allowed_in_hub_account(role))
        for role in (Role.HUB, *HUB_LISTENERS)
    ]
    for nation in ("JPN", "KOR", "USA"):
        for lane in Lane:
            account = f"{nation}_{lane.value}"
            for role in LINK_ROLES:
                seed = root / nation / "keys" / f"link-{role.value}-HUB-{lane.value}.seed"
                found.append(Credential(seed, account, allowed(role, Server.HUB)))
            seed = root / HUB / "keys" / f"link-hub-{nation}-{lane.value}.seed"
            found.append(Credential(seed, account, allowed(Role.HUB, Server.HUB)))
    return found


def home_credentials(root: Path) -> list[Credential]:
    keys = root / "KOR" / "keys"
    return [
        Credential(keys / f"home-{role.value}.seed", "KOR", allowed(role, Server.HOME)) for role in HOME_ROLES
    ]


async def everything_tried(credentials: list[Credential], url: str) -> set[Heard]:
    heard: set[Heard] = set()
    for one in credentials:
        await connect(one, url, heard)
    for one in credentials:
        for subject in SUBJECTS:
            await one.client.publish(subject, one.name.encode())
        await one.client.flush(timeout=10)
    for one in credentials:
        await one.client.flush(timeout=10)
    await wait_for(lambda: heard >= expected(credentials))
    await asyncio.sleep(0.2)
    for one in credentials:
        await one.client.close()
    return heard


async def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for what is on its way; a test that waits in vain then says what did not come."""
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)


async def connect(one: Credential, url: str, heard: set[Heard]) -> None:
    async def on_error(error: Exception) -> None:
        assert "permissions violation" in str(error).lower(), error
        one.violations += 1

    async def on_message(message: Msg) -> None:
        heard.add((message.data.decode(), message.subject, one.name))

    await one.client.connect(url, nkeys_seed_str=one.seed, no_echo=True, error_cb=on_error)
    for subject in (*SUBJECTS, *WILD):
        await one.client.subscribe(subject, cb=on_message)
    await one.client.flush(timeout=10)


def expected(credentials: list[Credential]) -> set[Heard]:
    return {
        (sender.name, subject, hearer.name)
        for sender in credentials
        for hearer in credentials
        for subject in SUBJECTS
        if sender is not hearer
        and sender.account == hearer.account
        and subject in sender.may.publish
        and subject in hearer.may.subscribe
    }


def test_on_the_hub_each_credential_hears_and_is_heard_as_the_table_says_and_no_more(
    servers: RealServers,
) -> None:
    credentials = hub_credentials(servers.installation.directory)
    url = f"nats://127.0.0.1:{servers.entry(HUB).port}"
    heard = asyncio.run(everything_tried(credentials, url))
    assert heard == expected(credentials)
    assert len(heard) > 50
    for one in credentials:
        tried = 2 * len(SUBJECTS) + len(WILD)
        assert one.violations == tried - len(one.may.publish) - len(one.may.subscribe), one.name


def test_accounts_that_were_thrown_together_would_be_found(servers: RealServers) -> None:
    """Known bad: one account for everybody must not pass the check above."""
    servers.kill(HUB)
    entry = servers.entry(HUB)
    lines = entry.config.read_text().splitlines()
    users = [line for line in lines if line.strip().startswith("{ nkey")]
    body = ["  ALL {", "    users: [", *users, "    ]", "  }", "}"]
    kept = lines[: next(i for i, line in enumerate(lines) if line.startswith("  HUB {"))]
    entry.config.write_text("\n".join([*kept, *body]) + "\n")
    servers.start(HUB)
    credentials = hub_credentials(servers.installation.directory)
    heard = asyncio.run(everything_tried(credentials, f"nats://127.0.0.1:{entry.port}"))
    leaked = heard - expected(credentials)
    assert any(one.startswith("KOR/") and other.startswith("HUB/link-hub-JPN") for one, _, other in leaked)


def test_at_home_each_role_hears_and_is_heard_as_the_table_says_and_no_more(servers: RealServers) -> None:
    credentials = home_credentials(servers.installation.directory)
    url = f"nats://127.0.0.1:{servers.entry('KOR').port}"
    heard = asyncio.run(everything_tried(credentials, url))
    assert heard == expected(credentials)
    assert len(heard) > 50


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

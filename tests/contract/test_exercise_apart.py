"""Exercise and live on one machine: keys, accounts, processes and sinks apart, tried on real servers.

Two installations as they are made. Every credential of each is tried at every server of the other, and a live
warning process is given exercise events by the one credential that could bring them: its own picture's.
"""

import asyncio
import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import nkeys
import pytest

from beaconfire.adapters.building import build_node
from beaconfire.adapters.bundles import load_arrangements
from beaconfire.adapters.bus import Bus, Endpoint
from beaconfire.adapters.clock import Clock, wall_now_us
from beaconfire.adapters.configuration import LoadedConfig, read_config
from beaconfire.adapters.installation import Installation, Options, make_installation
from beaconfire.adapters.journal import Journal, MemoryRows
from beaconfire.adapters.loop import Loop, LoopOptions
from beaconfire.adapters.wiring import Heard, Line, Role, Server
from beaconfire.errors import UsageError
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.event import Event, Warning
from beaconfire.messages.words import HUB_INSTANCES, Lane, Mode, Nation
from beaconfire.nodes.commands import Channel
from real_servers import RealServers
from unit.nodes.test_warning import event

pytestmark = pytest.mark.real

NATIONS = (Nation("JPN"), Nation("KOR"), Nation("USA"))
JPN = NATIONS[0]
MODES = (Mode.REAL, Mode.EXERCISE)
OTHER = {Mode.REAL: Mode.EXERCISE, Mode.EXERCISE: Mode.REAL}


@pytest.fixture
def both(tmp_path: Path) -> Iterator[dict[Mode, RealServers]]:
    held = {
        mode: RealServers(
            make_installation(tmp_path / mode.value, nations=NATIONS, options=Options(mode=mode))
        )
        for mode in MODES
    }
    try:
        for servers in held.values():
            for party in (HUB_INSTANCES[0], JPN):
                servers.start(party)
        yield held
    finally:
        for servers in held.values():
            servers.stop()


def _loaded(made: Installation, role: Role, party: str) -> LoadedConfig:
    return read_config(next(one.config for one in made.processes if (one.role, one.party) == (role, party)))


def _is_let_in(port: int, seed: bytes) -> bool:
    """Shake hands as a client with an nkey does, and return whether the server answers its PING."""
    pair = nkeys.from_seed(seed)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one, one.makefile("rb") as lines:
        nonce = json.loads(lines.readline().removeprefix(b"INFO "))["nonce"].encode()
        signature = base64.urlsafe_b64encode(pair.sign(nonce)).rstrip(b"=").decode()
        public = pair.public_key.decode()
        words = json.dumps({"verbose": False, "pedantic": False, "nkey": public, "sig": signature})
        one.sendall(f"CONNECT {words}\r\nPING\r\n".encode())
        return lines.readline().startswith(b"PONG")


@pytest.mark.parametrize("mode", MODES)
def test_no_key_of_one_is_let_in_at_a_server_of_the_other(both: dict[Mode, RealServers], mode: Mode) -> None:
    servers = both[mode]
    own = sorted(servers.installation.directory.glob("*/keys/*.seed"))
    others = sorted(both[OTHER[mode]].installation.directory.glob("*/keys/*.seed"))
    assert len(own) == len(others) > 60

    def tried(seeds: list[Path]) -> list[bool]:
        ports = [servers.entry(party).port for party in (HUB_INSTANCES[0], JPN)]
        return [_is_let_in(port, seed.read_bytes().strip()) for port in ports for seed in seeds]

    assert not any(tried(others))
    known = [one for one in own if one.parent.parent.name == JPN and one.stem == "home-picture"]
    assert sum(tried(known)) == 1, "the check lets in what it should, at home"


def test_nothing_is_in_both(both: dict[Mode, RealServers]) -> None:
    live, exercise = (both[mode].installation for mode in MODES)
    ports = [{one.port for one in made.servers} | {*made.web_ports.values()} for made in (live, exercise)]
    assert not ports[0] & ports[1]
    secrets = [{one.read_bytes() for one in made.directory.glob("*/keys/*")} for made in (live, exercise)]
    assert not secrets[0] & secrets[1]
    for one in live.processes:
        twin = next(other for other in exercise.processes if other.name == one.name)
        ours, theirs = read_config(one.config), read_config(twin.config)
        assert (ours.config.mode, theirs.config.mode) == (Mode.REAL, Mode.EXERCISE)
        assert not ours.config.exercise
        assert theirs.config.exercise
        if ours.config.journal:
            assert ours.file("journal") != theirs.file("journal")


@pytest.mark.parametrize("mode", MODES)
def test_arrangement_and_keyring_of_one_are_refused_by_the_other(
    both: dict[Mode, RealServers], mode: Mode
) -> None:
    made, other = both[mode].installation, both[OTHER[mode]].installation
    hub = _loaded(made, Role.HUB, HUB_INSTANCES[0])
    now_us = wall_now_us()
    assert load_arrangements(made.directory / "arrangements", now_us=now_us, trusted=hub.keyring())
    with pytest.raises(UsageError, match="key"):
        load_arrangements(other.directory / "arrangements", now_us=now_us, trusted=hub.keyring())
    strayed = msgspec.structs.replace(
        hub.config,
        keyring=str(other.directory / "keyring.json"),
        arrangements=str(other.directory / "arrangements"),
    )
    with pytest.raises(UsageError):
        build_node(LoadedConfig(strayed, hub.path), MemoryRows())


@pytest.mark.parametrize("mode", MODES)
def test_warning_process_of_one_mode_warns_of_no_event_of_another(
    both: dict[Mode, RealServers], mode: Mode, tmp_path: Path
) -> None:
    made = both[mode].installation
    loaded = _loaded(made, Role.WARNING, JPN)
    url = f"nats://127.0.0.1:{both[mode].entry(JPN).port}"
    keys = made.directory / JPN / "keys"
    heard: list[Warning] = []

    def listen(_: Heard, body: bytes) -> None:
        message = decode(body)
        if isinstance(message, Warning):
            heard.append(message)

    def stated(number: int, said: Mode) -> Event:
        return event(f"{said.value}-{number}", mode=said)

    async def scenario() -> dict[str, int]:
        journal = Journal(tmp_path / "warning")
        node = build_node(loaded, journal)
        bus = Bus(JPN, Role.WARNING, loaded.endpoints())
        loop = Loop(node, bus, journal, Clock(), LoopOptions(JPN, "warning/JPN"))
        line = Line(Server.HOME, JPN, None)
        observer = Bus(JPN, Role.OBSERVER, [Endpoint(line, url, keys / "home-observer.seed")])
        picture = Bus(JPN, Role.PICTURE, [Endpoint(line, url, keys / "home-picture.seed")])
        await bus.open(loop.accept)
        await observer.open(listen)
        await picture.open(lambda _heard, _body: None)
        running = asyncio.create_task(loop.run())
        for number in range(5):
            for said in Mode:
                picture.publish(Channel.EVENT, JPN, Lane.FLASH, ("event", encode(stated(number, said))))
        async with asyncio.timeout(40):
            while len(heard) < 5:  # noqa: ASYNC110 - another connection brings them
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        loop.stop()
        await running
        for one in (bus, observer, picture):
            await one.close()
        journal.close()
        return dict(node.counters)  # type: ignore[attr-defined]

    counters = asyncio.run(scenario())
    assert [one.mode for one in heard] == [mode] * 5
    assert counters["issued"] == 5
    assert counters["rejected"] == 5 * (len(Mode) - 1)

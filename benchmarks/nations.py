"""Thirty nations on one hub: what it carries, how late, at which share of a core.

    .venv/bin/python benchmarks/nations.py [--nations N] [--partners N] [--tracks N...] [--seconds N] [--json]

The hub is real: its server, its process, its journal on the disk. The nations are played in this one process:
for each a real guard, which labels, seals, resends and takes receipts, and a stand-in for a picture, which
takes and receipts what comes and fuses nothing; their connections are real ones, two lanes each. Every track
states itself once a second, one of each nation on FLASH. Each nation is in one arrangement with so many
partners; towards all others the hub withholds, which is a decision and an audit record too. For each load in
turn: reports and decisions a second, time from a guard to a partner, the processor's share and memory of the
hub and its server, and this process's own share: near a whole core it is what limits, not the hub.

Carried: every FLASH arrives, p99 within 500 ms, and nothing waits with the hub afterwards.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec
from load import _area
from rich.console import Console
from rich.table import Table

from beaconfire.adapters.building import build_node
from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import Clock, wall_now_us
from beaconfire.adapters.configuration import key_class_of, read_config, read_hex, write_config
from beaconfire.adapters.installation import Installation, Options, make_installation
from beaconfire.adapters.journal import MemoryRows
from beaconfire.adapters.loopback import Loopback
from beaconfire.adapters.wiring import Heard, Role, Server
from beaconfire.cli.campaign_faults import NATIONS, notional_report
from beaconfire.errors import PeerError
from beaconfire.messages.arrangement import ArrangementTemplate, Flow
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.estimate import LaunchEstimate
from beaconfire.messages.health import Health
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Group, Lane, Mode, Nation, Sharing
from beaconfire.nodes.commands import Channel, Command, Deliver, Inbound, Node, Send
from beaconfire.release.arrangements import make_bundle
from beaconfire.release.keys import SigningKey
from beaconfire.sim.takers import Taker

NATIONS_MAX: Final = 60
TRACKS_MAX: Final = 100
SECONDS_MAX: Final = 600
SETTLE_S: Final = 5.0
DRAIN_S: Final = 5.0
TICK_S: Final = 0.1
P99_PROMISED_MS: Final = 500.0
GROUPS: Final = (
    Group.LAUNCH_POINT,
    Group.TIMING,
    Group.CLASSIFICATION,
    Group.SENSOR,
    Group.PROVENANCE,
)


def names(count: int) -> tuple[Nation, ...]:
    """Return so many made-up names of nations."""
    return tuple(Nation(f"X{chr(65 + n // 26)}{chr(65 + n % 26)}") for n in range(count))


def template(name: str, parties: tuple[Nation, ...]) -> ArrangementTemplate:
    """Return an arrangement in which each party lets every other have what the groups hold."""
    texts, codes = (", ".join(f'{kind}"{one}"' for one in parties) for kind in ("", "Party::"))
    groups = ", ".join(f'"{one.value}"' for one in GROUPS)
    policies = f"""@id("{name}/all")
permit (principal, action == Action::"release", resource)
when {{
  [{codes}].contains(principal) && [{texts}].contains(context.originator) &&
  context.releasable_to.contains(principal) && context.level <= 2 && [{groups}].contains(context.group)
}};
"""
    return ArrangementTemplate(
        arrangement=name,
        version=1,
        parties=parties,
        required_signers=parties,
        flows=tuple(Flow(one, other, GROUPS) for one in parties for other in parties if one != other),
        degradable=(Group.LAUNCH_POINT, Group.SENSOR),
        policies=policies,
    )


def install(directory: Path, nations: tuple[Nation, ...], partners: int) -> Installation:
    """Make an installation of these nations, each in an arrangement with so many others."""
    made = make_installation(
        directory,
        nations=nations,
        sharing=Sharing.ALONE,
        options=Options(hubs=(HUB,), record=False),
    )
    folder = directory / "arrangements"
    folder.mkdir()
    now_us = wall_now_us()
    for number, first in enumerate(range(0, len(nations), partners + 1)):
        parties = nations[first : first + partners + 1]
        if len(parties) < 2:
            continue
        keys = [_key(directory, party) for party in (*parties, HUB)]
        ends_us = now_us + 86_400_000_000
        bundle = make_bundle(
            template(f"group-{number}", parties), keys, valid_from_us=now_us - 10**9, valid_until_us=ends_us
        )
        (folder / f"group-{number}.bundle.json").write_bytes(msgspec.json.encode(bundle))
    for entry in made.processes:
        if entry.role in {Role.HUB, Role.GUARD}:
            config = read_config(entry.config).config
            write_config(entry.config, msgspec.structs.replace(config, arrangements="../arrangements"))
    return made


def _key(directory: Path, party: str) -> SigningKey:
    seed = read_hex(directory / party / "keys" / "signing.hex")
    return SigningKey(party, key_class_of(Mode.SIMULATED), seed)


class Played:
    """One nation: its guard and what stands in for its picture, each with its own connections."""

    def __init__(self, made: Installation, nation: Nation, world: "World") -> None:
        self.nation = nation
        self._world = world
        self._nodes: dict[Role, Node] = {}
        self._buses: dict[Role, Bus] = {}
        for role in (Role.GUARD, Role.PICTURE):
            entry = next(one for one in made.processes if (one.role, one.party) == (role, nation))
            loaded = read_config(entry.config)
            links = [one for one in loaded.endpoints() if one.line.server is Server.HUB]
            self._buses[role] = Bus(nation, role, links)
            if role is Role.GUARD:
                self._nodes[role] = build_node(loaded, MemoryRows())
            else:
                self._nodes[role] = Taker(nation, loaded.signing_key(), MemoryRows())

    async def open(self) -> None:
        """Connect."""
        for role, bus in self._buses.items():
            await bus.open(lambda heard, body, role=role: self._accept(role, heard, body), within_s=30.0)  # type: ignore[misc]

    async def close(self) -> None:
        """Disconnect."""
        for bus in self._buses.values():
            await bus.close()

    def _accept(self, role: Role, heard: Heard, body: bytes) -> None:
        try:
            message = decode(body)
        except PeerError:
            return
        if isinstance(message, Delivery) and role is Role.PICTURE:
            self._world.arrived(self.nation, message.report_id)
        inbound = Inbound(heard.channel, heard.sender, heard.lane, message, len(body))
        self._carry_out(role, self._nodes[role].receive(inbound, self._world.clock.now()))

    def say(self, report: Report, lane: Lane) -> None:
        """Hand the guard an own report."""
        inbound = Inbound(Channel.OWN_REPORT, self.nation, lane, report, 0)
        self._carry_out(Role.GUARD, self._nodes[Role.GUARD].receive(inbound, self._world.clock.now()))

    def tick(self) -> None:
        """Let both do what is due."""
        for role, node in self._nodes.items():
            self._carry_out(role, node.tick(self._world.clock.now()))

    def _carry_out(self, role: Role, commands: list[Command]) -> None:
        """Publish what goes to the hub; what is for the own nation has nobody to hear it here."""
        for command in commands:
            match command:
                case Send(channel=Channel.TO_HUB) as send if send.recipient != self.nation:
                    kind = str(send.message.__struct_config__.tag)
                    body = encode(send.message)
                    self._buses[role].publish(send.channel, send.recipient, send.lane, (kind, body))
                case Deliver(channel, recipient, lane, body):
                    self._buses[role].publish(channel, recipient, lane, ("delivery", body))


class World:
    """All nations, what they said and what arrived.

    Attributes:
        clock: of everybody.
        health: the hub's last word of itself.
    """

    def __init__(self, made: Installation, partners: int) -> None:
        self.clock = Clock()
        self.health: Health | None = None
        self._groups = [
            made.nations[first : first + partners + 1] for first in range(0, len(made.nations), partners + 1)
        ]
        self._played = [Played(made, nation, self) for nation in made.nations]
        self._observer = Bus(HUB, Role.OBSERVER, [made.observer(HUB)])
        self._said: dict[str, tuple[float, bool]] = {}
        self._heard: dict[tuple[Nation, str], float] = {}

    def arrived(self, nation: Nation, report: str) -> None:
        """Remember when a report first came to a nation."""
        self._heard.setdefault((nation, report), time.monotonic())

    async def open(self) -> None:
        """Connect everybody, and hear what the hub says of itself."""
        await self._observer.open(self._hear, within_s=30.0)
        for one in self._played:
            await one.open()

    async def close(self) -> None:
        """Disconnect everybody."""
        await self._observer.close()
        for one in self._played:
            await one.close()

    def _hear(self, heard: Heard, body: bytes) -> None:
        del heard
        message = decode(body)
        if isinstance(message, Health):
            self.health = message

    async def tick(self) -> None:
        """Let every node do what is due, without end."""
        while True:
            for one in self._played:
                one.tick()
                await asyncio.sleep(0)
            await asyncio.sleep(TICK_S)

    async def states(self, tracks: int, seconds: float, number: int) -> None:
        """State every track once a second for so long, evenly spread."""
        count, start_s = tracks * len(self._played), time.monotonic()
        for step in range(round(seconds * count)):
            due_s = start_s + step / count
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            track, place = divmod(step % count, len(self._played))
            self._say(self._played[place], track, number + step // count)

    def _say(self, played: Played, track: int, number: int) -> None:
        report = report_of(played.nation, track, number)
        self._said[report.report_id] = (time.monotonic(), track == 0)
        played.say(report, Lane.FLASH if track == 0 else Lane.ROUTINE)

    def forget(self) -> None:
        """Begin a new count."""
        self._said.clear()
        self._heard.clear()

    def delays_ms(self, *, flash: bool) -> tuple[list[float], int]:
        """Return how long each report took to each partner, and how many ways there were."""
        partners = {one: [p for p in group if p != one] for group in self._groups for one in group}
        found, due = [], 0
        for report, (said_s, is_flash) in self._said.items():
            if is_flash is not flash:
                continue
            origin = Nation(report[:3])
            due += len(partners[origin])
            ways = [self._heard.get((one, report)) for one in partners[origin]]
            found += [1e3 * (one - said_s) for one in ways if one is not None]
        return sorted(found), due


def report_of(nation: Nation, track: int, number: int) -> Report:
    """Return what a nation states of a made-up track; the first changes its stage every time."""
    now_us = wall_now_us()
    report = notional_report(NATIONS[0], number if track == 0 else 1, now_us)
    name = hashlib.sha256(f"{nation} {track} {now_us}".encode()).hexdigest()
    launch = LaunchEstimate(now_us - 60_000_000, 5.0, _area(NATIONS[0], track))
    return msgspec.structs.replace(
        report,
        report_id=f"{nation}{name[:29]}",
        track=f"{nation}-{track:04X}",
        originator=nation,
        launch_point=launch,
    )


class Usage(msgspec.Struct, frozen=True):
    """What a process has used: processor seconds, and memory in megabytes."""

    cpu_s: float
    memory_mb: float


def usage(pid: int) -> Usage:
    """Return what a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    kilobytes = next(line for line in status if line.startswith("VmRSS")).split()[1]
    ticks = os.sysconf("SC_CLK_TCK")
    return Usage((int(fields[11]) + int(fields[12])) / ticks, round(int(kilobytes) / 1_024, 1))


def _quantile(values: list[float], share: float) -> float | None:
    return round(values[min(len(values) - 1, int(share * len(values)))], 1) if values else None


async def carry(world: World, pids: dict[str, int], tracks: int, seconds: int) -> dict[str, object]:
    """Put one load on the hub and return what came of it."""
    await world.states(tracks, SETTLE_S, 0)
    world.forget()
    before = {name: usage(pid) for name, pid in pids.items()}
    counted, began_s = dict(world.health.counters) if world.health else {}, time.monotonic()
    await world.states(tracks, seconds, round(SETTLE_S))
    took_s = time.monotonic() - began_s
    after = {name: usage(pid) for name, pid in pids.items()}
    counters = dict(world.health.counters) if world.health else {}
    await asyncio.sleep(DRAIN_S)
    rates = {name: (counters.get(name, 0) - counted.get(name, 0)) / took_s for name in counters}
    flash, flash_due = world.delays_ms(flash=True)
    routine, routine_due = world.delays_ms(flash=False)
    waiting = world.health.counters.get("loop_waiting", 0) if world.health else None
    p99 = max(_quantile(flash, 0.99) or 1e9, (_quantile(routine, 0.99) or 1e9) if routine_due else 0.0)
    return {
        "tracks": tracks,
        "reports_per_s": round(rates.get("received", 0.0), 1),
        "decisions_per_s": round(rates.get("released", 0.0) + rates.get("refused", 0.0), 1),
        "flash_ms": [_quantile(flash, 0.5), _quantile(flash, 0.99)],
        "routine_ms": [_quantile(routine, 0.5), _quantile(routine, 0.99)],
        "flash_missing": flash_due - len(flash),
        "routine_replaced": routine_due - len(routine),
        "waiting": waiting,
        "cpu_share": {one: round((after[one].cpu_s - before[one].cpu_s) / took_s, 2) for one in pids},
        "memory_mb": {one: [before[one].memory_mb, after[one].memory_mb] for one in pids},
        "carried": flash_due == len(flash) and p99 <= P99_PROMISED_MS and waiting == 0,
    }


async def measure(
    made: Installation, arena: Loopback, arguments: argparse.Namespace
) -> list[dict[str, object]]:
    """Connect all nations and put one load after the other on the hub."""
    world = World(made, arguments.partners)
    await world.open()
    ticking = asyncio.create_task(world.tick())
    pids = {name: runner.pid for name, runner in arena.runners.items() if runner.pid is not None}
    pids["all nations, here"] = os.getpid()
    found = []
    try:
        await asyncio.sleep(SETTLE_S)
        with Console(stderr=True).status("") as shown:
            for tracks in arguments.tracks:
                shown.update(f"{arguments.nations} nations with {tracks} tracks each")
                found.append(await carry(world, pids, tracks, arguments.seconds))
    finally:
        ticking.cancel()
        await world.close()
    return found


def tell(found: list[dict[str, object]]) -> None:
    """Print a line for each load."""
    table = Table("tracks each", "reports/s", "decisions/s", "FLASH p50, p99 ms", "ROUTINE", "carried")
    for one in found:
        row = ("tracks", "reports_per_s", "decisions_per_s", "flash_ms", "routine_ms", "carried")
        table.add_row(*(str(one[name]) for name in row))
    console = Console()
    console.print(table)
    for one in found:
        console.print({name: one[name] for name in ("tracks", "cpu_share", "memory_mb", "waiting")})


def main() -> int:
    """Print what the hub carried; returns 1 if the first, lightest load was not."""
    parser = argparse.ArgumentParser(description="many nations on one hub: what it carries")
    parser.add_argument("--nations", type=int, default=30)
    parser.add_argument("--partners", type=int, default=5, help="that each shares with")
    parser.add_argument("--tracks", type=int, nargs="+", default=[1, 5, 10], help="of each nation, in turn")
    parser.add_argument("--seconds", type=int, default=30, help="for each load")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not 2 <= arguments.nations <= NATIONS_MAX or not 1 <= arguments.partners < arguments.nations:
        parser.error(f"--nations 2 to {NATIONS_MAX}, --partners from 1, fewer than the nations")
    if not 1 <= arguments.seconds <= SECONDS_MAX or not all(1 <= n <= TRACKS_MAX for n in arguments.tracks):
        parser.error(f"--seconds 1 to {SECONDS_MAX}, --tracks 1 to {TRACKS_MAX}")
    with tempfile.TemporaryDirectory(prefix="beaconfire-nations-") as name:
        made = install(Path(name) / "installation", names(arguments.nations), arguments.partners)
        alone = msgspec.structs.replace(made, servers=tuple(one for one in made.servers if one.party == HUB))
        arena = Loopback(alone, frozenset({Role.HUB.value}))
        try:
            arena.open()
            found = asyncio.run(measure(made, arena, arguments))
        finally:
            arena.close()
    result = {"nations": arguments.nations, "partners": arguments.partners, "loads": found}
    if arguments.json:
        print(json.dumps(result))
    else:
        tell(found)
    return 0 if found[0]["carried"] else 1


if __name__ == "__main__":
    sys.exit(main())

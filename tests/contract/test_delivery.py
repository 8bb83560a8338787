"""Outbox, bus and intake over real servers: what was put arrives once, whatever is killed meanwhile."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from beaconfire.adapters.bus import Bus, Endpoint
from beaconfire.adapters.clock import Clock
from beaconfire.adapters.journal import Journal
from beaconfire.adapters.loop import Loop, LoopOptions
from beaconfire.adapters.wiring import Line, Role, Server
from beaconfire.link.intake import Intake
from beaconfire.link.outbox import Outbox
from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import HUB, Lane
from beaconfire.nodes.commands import Channel, Command, Forget, Inbound, Keep, Now, Rows, Send, Table, WakeAt
from beaconfire.nodes.posting import commands_from_due, commands_from_put
from beaconfire.release import decide
from beaconfire.release.attest import is_receipt_good, sign_receipt
from beaconfire.release.decide import Outgoing, Released
from beaconfire.release.keys import Keyring, SigningKey
from real_servers import RealServers

pytestmark = pytest.mark.real

KEY = SigningKey(HUB, KeyClass.SIMULATION, bytes(32))
KEYRING = Keyring(KeyClass.SIMULATION, [KEY.public])
WITHIN_S = 40.0


def released(report_id: str, lane: Lane) -> Released[Outgoing]:
    outgoing = Outgoing(
        report_id=report_id,
        originator="KOR",
        track=report_id,
        lane=lane,
        sent_at_us=0,
        stated_at_us=0,
        expires_at_us=2**60,
        hops=0,
        sealed=b"sealed " + report_id.encode(),
        basis=(),
        groups=(),
        degraded=(),
        rules=(),
    )
    return Released(outgoing, HUB, decide._TOKEN)


class SendingNode:
    """The sending half of a guard: puts what it is offered, resends, takes receipts."""

    def __init__(self, rows: Rows) -> None:
        self.outbox = Outbox("KOR", HUB, rows.rows(Table.OUTBOX))
        self.offered: list[Released[Outgoing]] = []
        self.delivered: list[str] = []

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        del now
        if not isinstance(inbound.message, Receipt) or not is_receipt_good(inbound.message, KEYRING):
            return []
        settled = self.outbox.receipt(inbound.message)
        self.delivered += settled.delivered
        return [Forget(Table.OUTBOX, key) for key in settled.forget]

    def tick(self, now: Now) -> list[Command]:
        commands: list[Command] = []
        while self.offered:
            put = self.outbox.put(self.offered.pop(0), utc_us=now.utc_us, monotonic_us=now.monotonic_us)
            assert not put.refused
            commands += commands_from_put(put, Channel.TO_HUB, HUB)
        due = self.outbox.due(utc_us=now.utc_us, monotonic_us=now.monotonic_us)
        commands += commands_from_due(due, Channel.TO_HUB, HUB)
        return [*commands, WakeAt(now.monotonic_us + 20_000)]


class TakingNode:
    """The taking half of a hub: takes each report once, receipts what it has committed."""

    def __init__(self, rows: Rows) -> None:
        self.intake = Intake(HUB, "KOR", rows.rows(Table.INTAKE))
        self.taken: list[str] = []
        self.senders: set[tuple[str, Lane]] = set()

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        delivery = inbound.message
        if not isinstance(delivery, Delivery):
            return []
        self.senders.add((inbound.sender, inbound.lane))
        commands: list[Command] = []
        if self.intake.is_new(delivery, lane=inbound.lane, monotonic_us=now.monotonic_us):
            self.taken.append(delivery.report_id)
            row = self.intake.settle(delivery, refused=False, monotonic_us=now.monotonic_us)
            commands.append(Keep(Table.INTAKE, row.key, row.body))
        return commands + self._receipts(now)

    def tick(self, now: Now) -> list[Command]:
        return [*self._receipts(now), WakeAt(now.monotonic_us + 20_000)]

    def _receipts(self, now: Now) -> list[Command]:
        made = self.intake.receipts(lambda one: sign_receipt(one, KEY), monotonic_us=now.monotonic_us)
        return [Send(Channel.TO_NATION, "KOR", receipt.lane, receipt) for receipt in made]


class Running:
    """One node, its bus, journal and loop, as a process would hold them."""

    def __init__(self, bus: Bus, journal: Journal, loop: Loop) -> None:
        self.bus, self.journal, self.loop = bus, journal, loop
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.bus.open(self.loop.accept, within_s=WITHIN_S)
        self.task = asyncio.create_task(self.loop.run())

    async def stop(self) -> None:
        assert self.task is not None
        self.loop.stop()
        await self.task
        await self.bus.close()
        self.journal.close()


def endpoints(servers: RealServers, party: str, role: Role, peer: str) -> list[Endpoint]:
    url = f"nats://127.0.0.1:{servers.entry(HUB).port}"
    keys = servers.installation.directory / party / "keys"
    return [
        Endpoint(Line(Server.HUB, peer, lane), url, keys / f"link-{role.value}-{peer}-{lane.value}.seed")
        for lane in Lane
    ]


def sending(servers: RealServers, path: Path) -> tuple[Running, SendingNode]:
    journal = Journal(path)
    node = SendingNode(journal)
    bus = Bus("KOR", Role.GUARD, endpoints(servers, "KOR", Role.GUARD, HUB))
    return Running(bus, journal, Loop(node, bus, journal, Clock(), LoopOptions("KOR", "guard/KOR"))), node


def taking(servers: RealServers, path: Path) -> tuple[Running, TakingNode]:
    journal = Journal(path)
    node = TakingNode(journal)
    both = endpoints(servers, HUB, Role.HUB, "KOR")
    url = both[0].url
    own = servers.installation.directory / HUB / "keys" / "home-hub.seed"
    bus = Bus(HUB, Role.HUB, [Endpoint(Line(Server.HOME, HUB, None), url, own), *both])
    options = LoopOptions(HUB, "hub", threaded=True)
    return Running(bus, journal, Loop(node, bus, journal, Clock(), options)), node


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.01)


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


def offer(node: SendingNode, ids: list[str]) -> None:
    node.offered += [
        released(one, Lane.FLASH if number % 2 else Lane.ROUTINE) for number, one in enumerate(ids)
    ]


def test_what_is_put_is_taken_once_receipted_and_gone(servers: RealServers, tmp_path: Path) -> None:
    async def scenario() -> None:
        sender, guard = sending(servers, tmp_path / "guard")
        taker, hub = taking(servers, tmp_path / "hub")
        await taker.start()
        await sender.start()
        ids = names("r", 40)
        offer(guard, ids)
        await until(lambda: len(guard.delivered) == len(ids))
        await sender.stop()
        await taker.stop()
        assert sorted(hub.taken) == sorted(guard.delivered) == sorted(ids)
        assert hub.senders == {("KOR", Lane.FLASH), ("KOR", Lane.ROUTINE)}
        left = Journal(tmp_path / "guard").rows(Table.OUTBOX)
        assert sorted(key for key, _ in left) == ["KOR>HUB/FLASH/next", "KOR>HUB/ROUTINE/next"]

    asyncio.run(scenario())


def test_what_is_put_while_the_server_is_dead_arrives_once_it_is_back(
    servers: RealServers, tmp_path: Path
) -> None:
    async def scenario() -> None:
        sender, guard = sending(servers, tmp_path / "guard")
        taker, hub = taking(servers, tmp_path / "hub")
        await taker.start()
        await sender.start()
        before, during, after = names("before", 20), names("during", 20), names("after", 20)
        offer(guard, before)
        servers.kill(HUB)
        offer(guard, during)
        await until(lambda: not guard.offered)
        await asyncio.sleep(0.3)
        assert not set(during) & set(hub.taken)
        servers.start(HUB)
        offer(guard, after)
        await until(lambda: guard.outbox.queued(Lane.FLASH) + guard.outbox.queued(Lane.ROUTINE) == 0)
        await sender.stop()
        await taker.stop()
        assert sorted(hub.taken) == sorted(before + during + after)
        assert sender.bus.counts()["bus_reconnects"] >= 2

    asyncio.run(scenario())


def test_a_restarted_sender_and_a_restarted_taker_lose_and_double_nothing(
    servers: RealServers, tmp_path: Path
) -> None:
    async def scenario() -> None:
        sender, guard = sending(servers, tmp_path / "guard")
        await sender.start()
        offer(guard, names("r", 10))
        await until(lambda: not guard.offered)
        await sender.stop()
        taken: list[str] = []
        for turn in range(2):
            sender, guard = sending(servers, tmp_path / "guard")
            taker, hub = taking(servers, tmp_path / "hub")
            await taker.start()
            await sender.start()
            offer(guard, names(f"turn{turn}", 10))
            await until(
                lambda node=guard: (
                    not node.offered  # type: ignore[misc]
                    and node.outbox.queued(Lane.FLASH) + node.outbox.queued(Lane.ROUTINE) == 0
                )
            )
            await sender.stop()
            await taker.stop()
            taken += hub.taken
        assert sorted(taken) == sorted(names("r", 10) + names("turn0", 10) + names("turn1", 10))

    asyncio.run(scenario())


def test_the_lanes_are_two_connections_and_flash_needs_only_its_own(
    servers: RealServers, tmp_path: Path
) -> None:
    async def scenario() -> None:
        sender, guard = sending(servers, tmp_path / "guard")
        taker, hub = taking(servers, tmp_path / "hub")
        await taker.start()
        await sender.start()
        routine = sender.bus._connections[Line(Server.HUB, HUB, Lane.ROUTINE)]
        flash = sender.bus._connections[Line(Server.HUB, HUB, Lane.FLASH)]
        assert routine.client is not flash.client
        await routine.client.close()
        guard.offered += [released("slow", Lane.ROUTINE), released("urgent", Lane.FLASH)]
        await until(lambda: guard.delivered == ["urgent"])
        assert guard.outbox.queued(Lane.ROUTINE) == 1
        await sender.stop()
        await taker.stop()
        assert hub.taken == ["urgent"]

    asyncio.run(scenario())

"""Faults on real processes: an installation in an arena, reports flowing, one fault after the other.

What is acknowledged, lost and doubled is read from the journals once all has ended; when each report came
where, from the recordings of the pictures. Nothing here believes a counter.
"""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import cycle, islice, pairwise
from typing import Final, NamedTuple

import msgspec

from beaconfire.adapters.arena import Arena, Runner
from beaconfire.adapters.bus import Bus, Endpoint
from beaconfire.adapters.clock import wall_now_us
from beaconfire.adapters.configuration import read_config, write_config
from beaconfire.adapters.installation import Installation
from beaconfire.adapters.journal import InputKind, recorded_inputs
from beaconfire.adapters.loopback import Loopback
from beaconfire.adapters.reconciliation import reconcile
from beaconfire.adapters.wiring import Line, Role, Server
from beaconfire.errors import PeerError
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import LINK_SCHEMA, LINK_SCHEMA_BEFORE, Lane, Nation
from beaconfire.nodes.commands import Channel

ROLES: Final = frozenset({"hub", "guard", "picture"})
PERIOD_S: Final = 0.2
"""Between two reports of one nation, each FLASH."""
WARM_UP_S: Final = 4.0
LOOK_S: Final = 0.05
UP_S: Final = 0.4
"""How long a process that is killed again and again is up in between: so long, twice and three times."""
SLOW: Final = "30kbit"


class Pace(NamedTuple):
    """How long a fault lasts, the rest after it, and what is left at the end for resends; seconds."""

    fault_s: float = 2.5
    rest_s: float = 2.5
    settle_s: float = 12.0


DEFAULT_PACE: Final = Pace()

Maker = Callable[[Nation, int, int], Report]
"""Makes the report of a nation with a number at a time, UTC; each changes the stage of its track."""


class Fault(NamedTuple):
    """One fault: what is done to which process or link.

    Attributes:
        kind: "kill", "pause", "partition", "slow", "restart" (asked to end), "schema N" (the same, to speak
            another link schema afterwards), or "kill N times", each as soon as it is back.
        place: a process such as "hub/HUB-1", or an end such as "KOR".
    """

    kind: str
    place: str

    @property
    def hits(self) -> str:
        """The end that is hit."""
        return self.place.rsplit("/", 1)[-1]


class Trial(msgspec.Struct, frozen=True):
    """One fault as it went.

    Attributes:
        kind: of the fault.
        place: of the fault.
        began_us: wall time.
        ended_us: wall time; for a kill, a while later.
        gap_ms: longest that a report given meanwhile took to a picture that was not hit itself.
        gap_hit_ms: the same where the nation's own processes were hit; None for a hub.
    """

    kind: str
    place: str
    began_us: int
    ended_us: int
    gap_ms: float | None
    gap_hit_ms: float | None


class Outcome(msgspec.Struct, frozen=True):
    """What came of all of it.

    Attributes:
        trials: one for each fault.
        calm_ms: longest that a report took to any picture in each pause between two faults: what this machine
            makes of it with nothing wrong.
        given: reports that the nations' guards were given.
        acknowledged: of those, how many a hub has receipted.
        arrived: pairs of report and picture in which it came.
        lost: acknowledged, released, and never taken.
        doubled: taken more than once.
    """

    trials: tuple[Trial, ...]
    calm_ms: tuple[float, ...]
    given: int
    acknowledged: int
    arrived: int
    lost: int
    doubled: int


def faults_for(installation: Installation, count: int, first: int = 0) -> Iterator[Fault]:
    """Yield faults in turn, from the first asked for: every kind on every process, server and link.

    The first eight hit the main ones.
    """
    hubs, nations = installation.hubs, installation.nations
    main = [
        *(Fault("kill", f"hub/{hubs[0]}"), Fault("kill", f"server/{hubs[-1]}")),
        *(Fault("kill", f"guard/{nations[0]}"), Fault("kill", f"picture/{nations[1]}")),
        *(Fault("pause", f"hub/{hubs[-1]}"), Fault("partition", hubs[0])),
        *(Fault("partition", nations[-1]), Fault("slow", nations[0])),
    ]
    processes = [f"{kind}/{hub}" for hub in hubs for kind in ("hub", "server")]
    processes += [f"{kind}/{nation}" for nation in nations for kind in ("guard", "picture", "server")]
    every = [Fault(kind, one) for one in processes for kind in ("kill", "pause")]
    every += [Fault(kind, end) for end in (*hubs, *nations) for kind in ("partition", "slow")]
    turn = cycle([*main, *(one for one in every if one not in main)])
    return islice(turn, first, first + count)


def restarts_for(installation: Installation, count: int, roles: frozenset[str] = ROLES) -> list[Fault]:
    """Return one fault for each server and process of these roles: it is killed so often in a row."""
    processes = [one.name for one in installation.processes if one.role.value in roles]
    servers = [f"server/{one.party}" for one in installation.servers]
    return [Fault(f"kill {count} times", place) for place in (*processes, *servers)]


def upgrade_of(installation: Installation) -> list[Fault]:
    """Return how an installation held at the schema before is upgraded while it works, and half of it back.

    Hub instances in turn, servers too, then the nations one by one; one nation stays behind. Then one
    instance and one nation go back.
    """
    hubs, (first, second, *_) = installation.hubs, installation.nations
    up, back = f"schema {LINK_SCHEMA}", f"schema {LINK_SCHEMA_BEFORE}"
    return [
        *(Fault("restart", f"server/{hub}") for hub in hubs),
        *(Fault(up, f"hub/{hub}") for hub in hubs),
        *(Fault(up, f"{role}/{nation}") for nation in (first, second) for role in ("guard", "picture")),
        Fault(back, f"hub/{hubs[0]}"),
        Fault(back, f"picture/{second}"),
    ]


def hold_back(installation: Installation) -> None:
    """Hold every process of an installation that was not started yet at the schema before."""
    for entry in installation.processes:
        config = read_config(entry.config).config
        write_config(entry.config, msgspec.structs.replace(config, schema=LINK_SCHEMA_BEFORE))


class Ordeal:
    """Runs the faults."""

    def __init__(
        self, installation: Installation, arena: Arena | Loopback, maker: Maker, pace: Pace = DEFAULT_PACE
    ) -> None:
        """Take what is to be tried, who makes the reports, and how fast it goes."""
        self._pace = pace
        self._installation = installation
        self._arena = arena
        self._maker = maker
        self._stop = threading.Event()
        self._sent: dict[str, tuple[Nation, int]] = {}

    def run(self, faults: Iterable[Fault], progress: Callable[[Fault], None]) -> Outcome:
        """Run all faults and return what came of it; the arena is opened and closed here.

        Interrupted from the keyboard, it ends as if the faults so far had been all.

        Raises:
            EnvironmentFault: something did not start.
        """
        done: list[tuple[Fault, int, int]] = []
        try:
            self._arena.open()
            feeding = [
                self._arena.inside(nation, lambda nation=nation: asyncio.run(self._feed(nation)))  # type: ignore[misc]
                for nation in self._installation.nations
            ]
            self._rest(WARM_UP_S)
            with suppress(KeyboardInterrupt):
                self._suffer_all(faults, progress, done)
            self._stop.set()
            for thread in feeding:
                thread.join(timeout=10)
            self._rest(self._pace.settle_s)
        finally:
            self._stop.set()
            self._arena.close()
        return self._outcome(done)

    def _suffer_all(
        self,
        faults: Iterable[Fault],
        progress: Callable[[Fault], None],
        done: list[tuple[Fault, int, int]],
    ) -> None:
        for fault in faults:
            progress(fault)
            began_us = wall_now_us()
            self._suffer(fault)
            done.append((fault, began_us, wall_now_us()))
            self._rest(self._pace.rest_s)

    def _rest(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._arena.revive()
            time.sleep(LOOK_S)

    def _suffer(self, fault: Fault) -> None:
        runner = self._arena.runners.get(fault.place)
        if runner is not None and fault.kind == "kill":
            runner.send(signal.SIGKILL)
            self._rest(self._pace.fault_s)
        elif runner is not None and fault.kind != "pause":
            self._start_again(fault, runner)
        elif runner is not None:
            runner.send(signal.SIGSTOP)
            time.sleep(self._pace.fault_s)
            runner.send(signal.SIGCONT)
        elif fault.kind == "partition":
            self._arena.cut(fault.place, off=True)
            self._rest(self._pace.fault_s)
            self._arena.cut(fault.place, off=False)
        else:
            self._arena.slow(fault.place, SLOW)
            self._rest(self._pace.fault_s)
            self._arena.slow(fault.place, "")

    def _start_again(self, fault: Fault, runner: Runner) -> None:
        """Let a process be started again: asked to end, with another schema, or killed several times."""
        if fault.kind.startswith("schema "):
            entry = next(one for one in self._installation.processes if one.name == fault.place)
            loaded = read_config(entry.config)
            schema = int(fault.kind.removeprefix("schema "))
            write_config(entry.config, msgspec.structs.replace(loaded.config, schema=schema))
        if fault.kind.startswith("kill "):
            for number in range(int(fault.kind.split()[1])):
                starts = runner.starts
                runner.send(signal.SIGKILL)
                end_s = time.monotonic() + self._pace.fault_s
                while runner.starts == starts and time.monotonic() < end_s:
                    self._rest(LOOK_S)
                self._rest(UP_S * (1 + number % 3))
        else:
            runner.send(signal.SIGTERM)
        self._rest(self._pace.fault_s)

    async def _feed(self, nation: Nation) -> None:
        """Give a nation's guard a report every `PERIOD_S`, as its tracker would."""
        server = next(one for one in self._installation.servers if one.party == nation)
        seed = self._installation.directory / nation / "keys" / f"home-{Role.FEED.value}.seed"
        line = Line(Server.HOME, nation, None)
        bus = Bus(nation, Role.FEED, [Endpoint(line, f"nats://{server.host}:{server.port}", seed)])
        await bus.open(lambda _heard, _body: None)
        number = 0
        while not self._stop.is_set():
            number += 1
            now_us = wall_now_us()
            report = self._maker(nation, number, now_us)
            if bus.publish(Channel.OWN_REPORT, nation, Lane.FLASH, ("report", encode(report))):
                self._sent[report.report_id] = (nation, now_us)
            await asyncio.sleep(PERIOD_S)
        await bus.close()

    def _outcome(self, done: list[tuple[Fault, int, int]]) -> Outcome:
        found = reconcile(self._installation)
        arrivals = {nation: self._arrivals(nation) for nation in self._installation.nations}
        given = self._given()
        trials = tuple(self._trial(one, given, arrivals) for one in done)
        return Outcome(
            trials=trials,
            calm_ms=tuple(_calm(done, given, arrivals)),
            given=len(given),
            acknowledged=found.acknowledged,
            arrived=sum(map(len, arrivals.values())),
            lost=found.lost,
            doubled=found.doubled,
        )

    def _given(self) -> dict[str, tuple[Nation, int]]:
        """Return the reports that reached a guard: what is sent within a nation is not kept for it."""
        given: dict[str, tuple[Nation, int]] = {}
        for nation in self._installation.nations:
            for one in recorded_inputs(self._installation.journal(Role.GUARD, nation)):
                if one.kind is InputKind.RECEIVE and one.channel == Channel.OWN_REPORT.value:
                    report = decode(one.body)
                    assert isinstance(report, Report)
                    given[report.report_id] = self._sent.get(report.report_id, (nation, one.utc_us))
        return given

    def _arrivals(self, nation: Nation) -> dict[str, int]:
        """Return when each report first came to a nation's picture, wall time."""
        first: dict[str, int] = {}
        for one in recorded_inputs(self._installation.journal(Role.PICTURE, nation)):
            if one.channel != Channel.TO_NATION.value:
                continue
            try:
                message = decode(one.body)
            except PeerError:
                continue
            if isinstance(message, Delivery):
                first.setdefault(message.report_id, one.utc_us)
        return first

    def _trial(
        self,
        done: tuple[Fault, int, int],
        given: dict[str, tuple[Nation, int]],
        arrivals: dict[Nation, dict[str, int]],
    ) -> Trial:
        fault, began_us, ended_us = done
        meanwhile = [
            (report_id, origin, sent_us)
            for report_id, (origin, sent_us) in given.items()
            if began_us - 500_000 <= sent_us <= ended_us
        ]
        apart: list[int] = []
        hit: list[int] = []
        for report_id, origin, sent_us in meanwhile:
            for nation, first in arrivals.items():
                if nation != origin and report_id in first:
                    own = fault.hits in {nation, origin}
                    (hit if own else apart).append(first[report_id] - sent_us)
        return Trial(
            kind=fault.kind,
            place=fault.place,
            began_us=began_us,
            ended_us=ended_us,
            gap_ms=max(apart) / 1_000 if apart else None,
            gap_hit_ms=max(hit) / 1_000 if hit else None,
        )


def _calm(
    done: list[tuple[Fault, int, int]],
    given: dict[str, tuple[Nation, int]],
    arrivals: dict[Nation, dict[str, int]],
) -> Iterator[float]:
    """Yield the longest way of a report in the second half of each pause between two faults, ms."""
    for (_, _, ended_us), (_, next_us, _) in pairwise(done):
        middle_us = (ended_us + next_us) // 2
        ways = [
            first[report_id] - sent_us
            for report_id, (origin, sent_us) in given.items()
            if middle_us <= sent_us < next_us - 500_000
            for nation, first in arrivals.items()
            if nation != origin and report_id in first
        ]
        if ways:
            yield max(ways) / 1_000

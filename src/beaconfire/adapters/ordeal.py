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
from itertools import chain
from typing import Final, NamedTuple

import msgspec

from beaconfire.adapters.arena import Arena, Runner
from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import wall_minus_monotonic_us, wall_now_us
from beaconfire.adapters.comeback import Comeback, comeback_of
from beaconfire.adapters.configuration import read_config, write_config
from beaconfire.adapters.fault_turns import Fault
from beaconfire.adapters.installation import Installation
from beaconfire.adapters.journal import InputKind, recorded_inputs
from beaconfire.adapters.loopback import Loopback
from beaconfire.adapters.reconciliation import is_anything_waiting, read_journals, reconciled, ways_of
from beaconfire.adapters.wiring import Role
from beaconfire.adapters.wrong_clock import NOTICED_WITHIN_S
from beaconfire.errors import EnvironmentFault, PeerError
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import Lane, Nation
from beaconfire.nodes.commands import Channel

PERIOD_S: Final = 0.2
"""Between two reports of one nation, each FLASH."""
WARM_UP_S: Final = 4.0
LOOK_S: Final = 0.05
PATIENCE_S: Final = 90.0
"""Beyond the pace's own settling, for what still waits: a picture that starts on a crowded machine."""
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


class Trial(msgspec.Struct, frozen=True):
    """One fault as it went.

    Attributes:
        kind: of the fault.
        place: of the fault.
        began_us: wall time.
        ended_us: wall time; for a kill, a while later.
        gap_ms: longest that a report given meanwhile took to a picture that was not hit itself.
        gap_hit_ms: the same where the nation's own processes were hit; None for a hub.
        comeback: of the process that was hit; None for servers and links.
    """

    kind: str
    place: str
    began_us: int
    ended_us: int
    gap_ms: float | None
    gap_hit_ms: float | None
    comeback: Comeback | None


class Outcome(msgspec.Struct, frozen=True):
    """What came of all of it.

    Attributes:
        trials: one for each fault.
        calm_ms: longest that a report took to any picture in each pause between two faults: what this machine
            makes of it with nothing wrong.
        given: reports that the nations' guards were given.
        acknowledged: of those, how many a hub has receipted.
        arrived: pairs of report and picture in which it came.
        replaced: ways of acknowledged reports that ended in a newer one of the track, taken in its stead:
            ROUTINE towards that nation, such as one after a report that its guard never got.
        waiting: ways whose report stands in an outbox still.
        missing: ways that ended in none of these.
        turned_away: ways of reports given in the second half of a pause to an instance of the hub that never
            decided on them.
        lost: acknowledged, released on FLASH, and never taken.
        doubled: taken more than once.
    """

    trials: tuple[Trial, ...]
    calm_ms: tuple[float, ...]
    given: int
    acknowledged: int
    arrived: int
    replaced: int
    waiting: int
    missing: int
    turned_away: int
    lost: int
    doubled: int


class Given(NamedTuple):
    """A report that reached a guard: whose, of which track, and when it was sent, wall time."""

    origin: Nation
    track: str
    sent_us: int


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
        self._sent_us: dict[str, int] = {}

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
            stopped_us = wall_now_us()
            for thread in feeding:
                thread.join(timeout=10)
            self._settle()
        finally:
            self._stop.set()
            self._arena.close()
        return self._outcome(done, stopped_us)

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

    def _settle(self) -> None:
        """Leave time for resends, and more of it on a crowded machine, while anything waits."""
        self._rest(self._pace.settle_s)
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s and is_anything_waiting(self._installation):
            self._rest(LOOK_S)

    def _suffer(self, fault: Fault) -> None:
        runner = self._arena.runners.get(fault.place)
        if runner is not None and fault.kind == "kill":
            runner.send(signal.SIGKILL)
            self._rest(self._pace.fault_s)
        elif fault.kind.startswith("clock "):
            self._put_clock_wrong(fault)
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

    def _put_clock_wrong(self, fault: Fault) -> None:
        clocks = self._arena.clocks
        if clocks is None:
            raise EnvironmentFault(f"the clock of {fault.place} can't be made wrong", "an arena has none")
        clocks.set(fault.place, float(fault.kind.split()[1]))
        self._rest(self._pace.fault_s + NOTICED_WITHIN_S)
        clocks.set(fault.place, 0.0)

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
        bus = Bus(nation, Role.FEED, [self._installation.home(nation, Role.FEED)])
        await bus.open(lambda _heard, _body: None)
        number = 0
        while not self._stop.is_set():
            number += 1
            now_us = wall_now_us()
            report = self._maker(nation, number, now_us)
            if bus.publish(Channel.OWN_REPORT, nation, Lane.FLASH, ("report", encode(report))):
                self._sent_us[report.report_id] = now_us
            await asyncio.sleep(PERIOD_S)
        await bus.close()

    def _outcome(self, done: list[tuple[Fault, int, int]], stopped_us: int) -> Outcome:
        journals = read_journals(self._installation)
        found = reconciled(journals)
        arrivals = {nation: self._arrivals(nation) for nation in self._installation.nations}
        given = self._given()
        ways = ways_of(journals, {report_id: (one.origin, one.track) for report_id, one in given.items()})
        trials = tuple(self._trial(one, given, arrivals) for one in done)
        pauses = list(_pauses(done, stopped_us, given))
        return Outcome(
            trials=trials,
            calm_ms=tuple(_calm(pauses, given, arrivals)),
            given=len(given),
            acknowledged=found.acknowledged,
            arrived=sum(map(len, arrivals.values())),
            replaced=ways.replaced,
            waiting=ways.waiting,
            missing=len(ways.missing),
            turned_away=sum(one not in ids for ids in journals.decided.values() for one in chain(*pauses)),
            lost=found.lost,
            doubled=found.doubled,
        )

    def _given(self) -> dict[str, Given]:
        """Return the reports that reached a guard: what is sent within a nation is not kept for it."""
        given: dict[str, Given] = {}
        for nation in self._installation.nations:
            for one in recorded_inputs(self._installation.journal(Role.GUARD, nation)):
                if one.kind is InputKind.RECEIVE and one.channel == Channel.OWN_REPORT.value:
                    report = decode(one.body)
                    assert isinstance(report, Report)
                    sent_us = self._sent_us.get(report.report_id, one.utc_us)
                    given[report.report_id] = Given(nation, report.track, sent_us)
        return given

    def _arrivals(self, nation: Nation) -> dict[str, int]:
        """Return when each report first came to a nation's picture, wall time."""
        first: dict[str, int] = {}
        beyond_us = wall_minus_monotonic_us()
        for one in recorded_inputs(self._installation.journal(Role.PICTURE, nation)):
            if one.channel != Channel.TO_NATION.value:
                continue
            try:
                message = decode(one.body)
            except PeerError:
                continue
            if isinstance(message, Delivery):
                first.setdefault(message.report_id, one.monotonic_us + beyond_us)
        return first

    def _trial(
        self,
        done: tuple[Fault, int, int],
        given: dict[str, Given],
        arrivals: dict[Nation, dict[str, int]],
    ) -> Trial:
        fault, began_us, ended_us = done
        meanwhile = [
            (report_id, origin, sent_us)
            for report_id, (origin, _, sent_us) in given.items()
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
            comeback=comeback_of(self._installation, fault.place, began_us, ended_us),
        )


def _pauses(
    done: list[tuple[Fault, int, int]], stopped_us: int, given: dict[str, Given]
) -> Iterator[list[str]]:
    """Yield the reports given in the second half of each pause after a fault."""
    ends_us = [*(began_us for _, began_us, _ in done[1:]), stopped_us]
    for (_, _, ended_us), end_us in zip(done, ends_us, strict=False):
        middle_us = (ended_us + end_us) // 2
        yield [one for one, (_, _, sent_us) in given.items() if middle_us <= sent_us < end_us - 500_000]


def _calm(
    pauses: list[list[str]], given: dict[str, Given], arrivals: dict[Nation, dict[str, int]]
) -> Iterator[float]:
    """Yield the longest way of a report in each pause, ms."""
    for pause in pauses:
        ways = [
            first[report_id] - given[report_id].sent_us
            for report_id in pause
            for nation, first in arrivals.items()
            if nation != given[report_id].origin and report_id in first
        ]
        if ways:
            yield max(ways) / 1_000

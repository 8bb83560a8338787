"""Run the national nodes over recorded or simulated detections, as fast as it goes.

Each nation runs by itself, from its own detections only, so nothing of one can move another.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Final, NamedTuple

from beaconfire.messages.codec import Message
from beaconfire.messages.detection import Detection, DetectionBatch
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Lane, Mode, Nation, Status, TimeUs
from beaconfire.nodes.commands import Channel, Command, Now, Send
from beaconfire.nodes.national import Identity, NationalNode
from beaconfire.sim.chain import EXERCISE, nations_of, secret_of
from beaconfire.sim.disk import SimDisk
from beaconfire.sim.engine import Engine
from beaconfire.sim.network import Address, Letter, SimNetwork, Weather
from beaconfire.units import MICROSECONDS_PER_SECOND

BATCH_MAX: Final = 1_000
QUIET_US: Final = 7_200 * MICROSECONDS_PER_SECOND
"""After so long without a detection nothing flies any more; the clock then jumps to the next one."""
LEAD_US: Final = 2 * MICROSECONDS_PER_SECOND
STEP_US: Final = 10 * MICROSECONDS_PER_SECOND

Progress = Callable[[TimeUs], None]
"""Told the simulated time now and then."""


class OwnReport(NamedTuple):
    """One report as a national node said it.

    Attributes:
        at_us: when, microseconds UTC.
        lane: on which.
        report: what.
    """

    at_us: TimeUs
    lane: Lane
    report: Report


class NationalRun(NamedTuple):
    """What came of the national nodes.

    Attributes:
        reports: in order of time.
        rejected: detections that a node did not take, by nation and reason; only what happened.
    """

    reports: list[OwnReport]
    rejected: dict[Nation, dict[str, int]]


class _Recorder:
    """Keeps every report that is said, once, and which tracks are still alive."""

    def __init__(self) -> None:
        self.reports: list[OwnReport] = []
        self.alive: set[str] = set()
        self._last: dict[str, str] = {}

    def called(self, address: Address, now: Now, commands: list[Command]) -> None:
        del address
        for command in commands:
            if isinstance(command, Send) and isinstance(command.message, Report):
                self._take(OwnReport(now.utc_us, command.lane, command.message))

    def any_alive(self) -> bool:
        return bool(self.alive)

    def _take(self, one: OwnReport) -> None:
        kind = one.report.classification
        if self._last.get(one.report.track) == one.report.report_id:
            return
        self._last[one.report.track] = one.report.report_id
        self.reports.append(one)
        ended = kind is not None and kind.status in {Status.ENDED, Status.WITHDRAWN}
        (self.alive.discard if ended else self.alive.add)(one.report.track)

    def committed(self, address: Address, disk: SimDisk, commands: list[Command]) -> None:
        """Nothing to keep."""

    def sent(self, letter: Letter, message: Message) -> None:
        """Nothing to keep."""

    def received(self, letter: Letter, message: Message, at_us: TimeUs) -> None:
        """Nothing to keep."""

    def died(self, address: Address) -> None:
        """Nothing to keep."""

    def wiped(self, address: Address) -> None:
        """Nothing to keep."""


def batches(detections: Sequence[Detection]) -> Iterator[tuple[TimeUs, DetectionBatch]]:
    """Yield (time, batch): the detections of one instant together, in order of time.

    Args:
        detections: of one nation, in order of `measured_at_us`.
    """
    for time_us, group in groupby(detections, key=lambda one: one.measured_at_us):
        together = tuple(group)
        for first in range(0, len(together), BATCH_MAX):
            yield time_us, DetectionBatch(together[first : first + BATCH_MAX])


def whole_second_before(time_us: TimeUs) -> TimeUs:
    """Return a whole second shortly before a time; a clock that starts there ticks on whole seconds."""
    return (time_us - LEAD_US) // MICROSECONDS_PER_SECOND * MICROSECONDS_PER_SECOND


def run_until_quiet(
    engine: Engine, last_us: TimeUs, alive: Callable[[], bool], progress: Progress | None = None
) -> None:
    """Run to a time, and on while something is alive, but no longer than `QUIET_US`."""
    end_us = last_us + QUIET_US
    now_us = engine.scheduler.now_us
    while now_us < last_us or (now_us < end_us and alive()):
        now_us = min(now_us + STEP_US, end_us if now_us >= last_us else max(last_us, now_us + 1))
        engine.run_until(now_us)
        if progress is not None:
            progress(now_us)


def run_national(
    nation: Nation,
    detections: Sequence[Detection],
    sensors: Sequence[Sensor],
    seed: int,
    progress: Progress | None = None,
) -> tuple[list[OwnReport], dict[str, int]]:
    """Return what one national node says, in order of time, and its counters.

    Args:
        nation: whose node.
        detections: of its own sensors, in order of `measured_at_us`.
        sensors: all known.
        seed: of the secret that names its tracks.
        progress: told the simulated time now and then.
    """
    recorder = _Recorder()
    identity = Identity(nation, Mode.SIMULATED, EXERCISE)
    secret = secret_of(seed, nation, "national")
    timed = list(batches(detections))
    if not timed:
        return [], {}
    engine = Engine(whole_second_before(timed[0][0]), SimNetwork(Weather(), seed), [recorder])
    address = Address(nation, "national")
    engine.host(address, lambda rows: NationalNode(identity, sensors, secret, rows))
    for time_us, batch in timed:
        if time_us - engine.scheduler.now_us > QUIET_US:
            run_until_quiet(engine, engine.scheduler.now_us, recorder.any_alive)
            engine.scheduler.skip_to(max(engine.scheduler.now_us, whole_second_before(time_us)))
        engine.inject(time_us, address, (Channel.DETECTION, batch))
        engine.run_until(time_us)
        if progress is not None:
            progress(time_us)
    run_until_quiet(engine, timed[-1][0], recorder.any_alive, progress)
    node = engine.hosted[address].node
    assert isinstance(node, NationalNode)
    return recorder.reports, dict(node.counters)


def _rejected(counters: dict[str, int]) -> dict[str, int]:
    prefix = "rejected-"
    return {
        name.removeprefix(prefix): count
        for name, count in counters.items()
        if name.startswith(prefix) and count
    }


def run_nationals(
    detections: Sequence[Detection],
    sensors: Sequence[Sensor],
    seed: int,
    progress: Callable[[Nation, TimeUs], None] | None = None,
) -> NationalRun:
    """Return what all national nodes say, in order of time and then of nation.

    Args:
        detections: of all sensors, in order of `measured_at_us`.
        sensors: all known; their owners are the nations.
        seed: of the secrets.
        progress: told nation and simulated time now and then.
    """
    owner = {sensor.sensor: sensor.nation for sensor in sensors}
    said: list[OwnReport] = []
    rejected: dict[Nation, dict[str, int]] = {}
    for nation in nations_of(sensors):
        own = [detection for detection in detections if owner[detection.sensor] == nation]
        told = partial(progress, nation) if progress is not None else None
        reports, counters = run_national(nation, own, sensors, seed, told)
        said += reports
        if refused := _rejected(counters):
            rejected[nation] = refused
    return NationalRun(sorted(said, key=lambda one: one.at_us), rejected)

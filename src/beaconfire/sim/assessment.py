"""Assess recorded or simulated detections: national nodes once, then guards, hub and pictures per sharing."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from beaconfire.messages.detection import Detection
from beaconfire.messages.estimate import LaunchEstimate
from beaconfire.messages.event import Event, Place
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Nation, Sharing, Status, TimeUs
from beaconfire.release.arrangements import Agreement
from beaconfire.sim.chain import Chain, ChainPlan, default_rules, nations_of
from beaconfire.sim.nationals import OwnReport, Progress, run_nationals
from beaconfire.sim.sharing import ChainRun, run_chain

ASSUMED_LAUNCH: Final = "the best launch estimate of the trilateral run"
FIRST_DETECTION: Final = "the first detection: no launch was estimated"
NOTHING: Final = "nothing: there was no detection"


class Task(msgspec.Struct, frozen=True):
    """What is to be assessed, and under what.

    Attributes:
        sensors: all known.
        places: named places of all nations.
        arrangements: in force, by the name of the sharing; the one to be reported among them.
        main: name of the sharing whose events are wanted.
        seed: of keys, secrets and ids.
        delay_us: from a detection to a partner's picture.
    """

    sensors: tuple[Sensor, ...]
    places: tuple[Place, ...]
    arrangements: Mapping[str, tuple[Agreement, ...]]
    main: str
    seed: int
    delay_us: int


class Assessment(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        reports: of the national nodes, in order of time.
        rejected: detections not taken by a national node, by nation and reason.
        runs: by the name of the sharing.
        main: the run whose events are wanted.
    """

    reports: list[OwnReport]
    rejected: dict[Nation, dict[str, int]]
    runs: dict[str, ChainRun]
    main: ChainRun

    def events(self) -> list[Event]:
        """Return the main events of all nations in order of `as_of_us`, then of nation."""
        nations = sorted(self.main.events)
        return sorted((one for nation in nations for one in self.main.events[nation]), key=_as_of)


def _as_of(event: Event) -> TimeUs:
    return event.as_of_us


def taking_part(
    sensors: Sequence[Sensor], arrangements: Mapping[str, Sequence[Agreement]]
) -> tuple[Nation, ...]:
    """Return the nations that own sensors and those that share an arrangement with one of them, sorted."""
    owners = set(nations_of(sensors))
    bound = [
        set(agreement.bundle.parties) for agreements in arrangements.values() for agreement in agreements
    ]
    return tuple(sorted(owners.union(*(parties for parties in bound if parties & owners))))


Elsewhere = Callable[[Callable[[str], ChainRun], Sequence[str]], Callable[[], list[ChainRun]]]
"""Begins a function for each name in another process; what it returns waits for the results, in order."""


def assess(
    detections: Sequence[Detection],
    task: Task,
    progress: Callable[[str, TimeUs], None] | None = None,
    elsewhere: Elsewhere | None = None,
) -> Assessment:
    """Return what every nation would have held, and when, under each sharing.

    Args:
        detections: in order of `measured_at_us`.
        task: see there.
        progress: told the name of the stage and the simulated time now and then.
        elsewhere: runs the sharings that are not the main one beside it, without a word of progress; None
            runs them one by one. The result is the same.
    """
    seen = None if progress is None else lambda nation, at_us: progress(f"sensors of {nation}", at_us)
    nationals = run_nationals(detections, task.sensors, task.seed, seen)
    nations = taking_part(task.sensors, task.arrangements)

    def run_named(name: str, told: Callable[[str, TimeUs], None] | None = None) -> ChainRun:
        return _run(nationals.reports, task, (name, nations), told and partial(told, name))

    others = [name for name in task.arrangements if name != task.main]
    wait = elsewhere(run_named, others) if elsewhere is not None else None
    main = run_named(task.main, progress)
    beside = wait() if wait is not None else [run_named(name, progress) for name in others]
    runs = dict(zip(others, beside, strict=True)) | {task.main: main}
    ordered = {name: runs[name] for name in task.arrangements}
    return Assessment(nationals.reports, nationals.rejected, ordered, main)


def _run(
    reports: Sequence[OwnReport],
    task: Task,
    what: tuple[str, tuple[Nation, ...]],
    progress: Progress | None,
) -> ChainRun:
    name, nations = what
    plan = ChainPlan(
        nations=nations,
        places=task.places,
        agreements=task.arrangements[name],
        rules=default_rules(nations),
        seed=task.seed,
        warnings=False,
        linked=name == task.main or bool(task.arrangements[name]),
    )
    return run_chain(Chain(plan), reports, task.delay_us, progress)


def reference_launch(assessment: Assessment, detections: Sequence[Detection]) -> tuple[TimeUs, str]:
    """Return what stands for the true launch time, and what it rests on.

    The estimate with the smallest sigma among the last of each nation's first event, with all three
    sharing; without one the first detection.
    """
    run = assessment.runs.get(Sharing.TRILATERAL.value, assessment.main)
    estimates = [one for events in run.events.values() for one in _last_launch_of_first_event(events)]
    if estimates:
        return min(estimates, key=lambda one: one.sigma_time_s).time_us, ASSUMED_LAUNCH
    if detections:
        return detections[0].measured_at_us, FIRST_DETECTION
    return 0, NOTHING


def _last_launch_of_first_event(events: Sequence[Event]) -> list[LaunchEstimate]:
    """Return the newest launch estimate of the first event that was not withdrawn, or nothing."""
    withdrawn = {event.event_id for event in events if event.status is Status.WITHDRAWN}
    first = next((event.event_id for event in events if event.event_id not in withdrawn), None)
    stated = [event.launch for event in events if event.event_id == first and event.launch is not None]
    return stated[-1:]

"""`beaconfire study flights`: every complete ballistic launch of a table, flown and held to its truth."""

import argparse
import json
import time
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from beaconfire.cli.assess import DELAY_MS, shipped_agreements
from beaconfire.cli.side_by_side import add_jobs, check_jobs, each_made
from beaconfire.errors import UsageError
from beaconfire.formats.launches import Launch, read_launches_csv
from beaconfire.formats.places import shipped_places
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.words import Sharing
from beaconfire.sim.assessment import Task, assess
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.trial import NationTrial, hold_against_truth, own_detections
from beaconfire.sim.world import build_world

RANGE_LIMIT_M: Final = 300_000.0
ERROR_LIMIT_M: Final = 25_000.0
HELD_LEAST: Final = 0.90
_STDERR: Final = Console(stderr=True)


class FlightTrial(msgspec.Struct, frozen=True):
    """One flight: what was reported of it, and each nation's picture against its truth.

    Attributes:
        flight_id: Korean date.
        range_m: reported.
        apogee_m: reported.
        seconds: that building, sensing and assessing it took.
        nations: by nation.
        fault: why it could not be flown; empty if it was.
    """

    flight_id: str
    range_m: float
    apogee_m: float
    seconds: float
    nations: tuple[NationTrial, ...]
    fault: str = ""

    @property
    def seen(self) -> bool:
        """Whether any nation could see it."""
        return any(one.could_see for one in self.nations)

    @property
    def one_event_each(self) -> bool:
        """Whether every nation that could see it has exactly one event, and no other has more."""
        return all(one.events == 1 or (one.events == 0 and not one.could_see) for one in self.nations)

    @property
    def error_m(self) -> float | None:
        """The largest last impact error of any nation that could see it."""
        return max(
            (one.error_m for one in self.nations if one.could_see and one.error_m is not None), default=None
        )

    @property
    def near(self) -> bool:
        """Whether the last impact area of each nation that could see it lies near the truth, if it must."""
        if self.range_m <= RANGE_LIMIT_M:
            return True
        return all(
            one.error_m is not None and one.error_m <= ERROR_LIMIT_M for one in self.nations if one.could_see
        )

    @property
    def holds(self) -> bool:
        """Whether the stated area of every nation that could see it holds the truth."""
        return all(one.holds is True for one in self.nations if one.could_see)


def add_parser(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this kind of study and its options."""
    flights = kinds.add_parser("flights", help="every complete ballistic launch of a table")
    flights.add_argument("--launches", type=Path, required=True, metavar="CSV", help="public launches")
    flights.add_argument("--seed", type=int, default=1, metavar="N", help="of the simulated sensors")
    flights.add_argument("--limit", type=int, metavar="N", help="only the first so many")
    flights.add_argument("--only", metavar="ID", help="only flights whose id begins so")
    flights.add_argument(
        "--sharing", choices=[one.value for one in Sharing], default=Sharing.TRILATERAL.value
    )
    add_jobs(flights)
    flights.add_argument("--json", action="store_true", help="print as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Fly them all; returns 0 if the promises hold, else 1.

    Raises:
        UsageError: no such table, a malformed one, or an option out of range.
    """
    check_jobs(arguments.jobs)
    launches = [one for one in read_launches_csv(arguments.launches) if one.complete_ballistic]
    if arguments.only:
        launches = [one for one in launches if one.launch_id.startswith(arguments.only)]
    launches = launches[: arguments.limit]
    work = [(launch, arguments.seed, arguments.sharing) for launch in launches]
    trials = []
    for trial in each_made("flights", fly, work, arguments.jobs):
        trials.append(trial)
        _STDERR.print(progress_line(trial, len(trials), len(work)), highlight=False)
    verdict = verdict_of(trials)
    _tell(trials, verdict, as_json=arguments.json)
    return 0 if verdict["passed"] else 1


def fly(work: tuple[Launch, int, str]) -> FlightTrial:
    """Return how one launch, simulated under a seed and a sharing, stands against its truth."""
    launch, seed, sharing = work
    started = time.perf_counter()
    range_m, apogee_m = launch.range_m or 0.0, launch.apogee_m or 0.0
    sensors = shipped_sensors()
    try:
        world = build_world([flight_of_launch(launch)], sensors, seed)
    except UsageError as error:
        return FlightTrial(launch.launch_id, range_m, apogee_m, 0.0, (), str(error))
    task = Task(
        sensors=sensors,
        places=shipped_places(),
        arrangements={sharing: shipped_agreements(seed)[sharing]},
        main=sharing,
        seed=seed,
        delay_us=DELAY_MS * 1_000,
    )
    events = assess(world.detections, task).main.events
    nations = tuple(
        hold_against_truth(
            nation, events[nation], own_detections(world.detections, sensors, nation), world.truths[0]
        )
        for nation in sorted(events)
    )
    return FlightTrial(launch.launch_id, range_m, apogee_m, time.perf_counter() - started, nations)


def progress_line(trial: FlightTrial, number: int, total: int) -> str:
    """Return what is said of a flight as soon as it is flown, the table being printed at the end.

    Args:
        trial: of the flight.
        number: of flights done, this one too.
        total: of flights.
    """
    if trial.fault:
        said = trial.fault
    elif not trial.seen:
        said = "not seen"
    else:
        error = "no impact area" if trial.error_m is None else f"impact off by {trial.error_m / 1e3:.1f} km"
        said = f"{error}, area {'holds' if trial.holds else 'DOES NOT HOLD'} it"
    return f"{number}/{total} {trial.flight_id}: {said}, {trial.seconds:.1f} s"


def verdict_of(trials: list[FlightTrial]) -> dict[str, object]:
    """Return the totals, each promise, and whether all hold."""
    flown = [one for one in trials if not one.fault]
    seen = [one for one in flown if one.seen]
    held = sum(one.holds for one in seen)
    share = held / len(seen) if seen else 0.0
    split = [one.flight_id for one in flown if not one.one_event_each]
    far = [one.flight_id for one in seen if not one.near]
    faults = [one.flight_id for one in trials if one.fault]
    return {
        "flights": len(trials),
        "seen": len(seen),
        "not_flown": faults,
        "not_one_event_each": split,
        "impact_not_within_25_km": far,
        "areas_hold_truth": round(share, 4),
        "seconds": round(sum(one.seconds for one in trials), 1),
        "passed": bool(seen) and not faults and not split and not far and share >= HELD_LEAST,
    }


def _tell(trials: list[FlightTrial], verdict: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**verdict, "trials": [msgspec.to_builtins(one) for one in trials]}))
        return
    console = Console()
    console.print(_table(trials))
    for name, value in verdict.items():
        shown = ", ".join(value) or "none" if isinstance(value, list) else value
        console.print(f"{name.replace('_', ' ')}: {shown}", highlight=False)


def _table(trials: list[FlightTrial]) -> Table:
    table = Table(title="Simulated flights after public figures, notional sensors (SIMULATED)")
    names = [one.nation for one in trials[0].nations] if trials else []
    for name in ("flight", "range km", "apogee km", *(f"{name} seen/events" for name in names)):
        table.add_column(name)
    for name in ("error km", "area km", "holds", "s"):
        table.add_column(name, justify="right")
    for one in trials:
        table.add_row(*_row(one))
    return table


def _row(one: FlightTrial) -> list[str]:
    if one.fault:
        return [one.flight_id, one.fault]
    areas = [
        nation.semi_major_m for nation in one.nations if nation.could_see and nation.semi_major_m is not None
    ]
    return [
        one.flight_id,
        f"{one.range_m / 1e3:.0f}",
        f"{one.apogee_m / 1e3:.0f}",
        *(f"{nation.detections}/{nation.events}" for nation in one.nations),
        "-" if one.error_m is None else f"{one.error_m / 1e3:.1f}",
        f"{max(areas) / 1e3:.1f}" if areas else "-",
        ("yes" if one.holds else "NO") if one.seen else "not seen",
        f"{one.seconds:.1f}",
    ]

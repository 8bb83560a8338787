"""`beaconfire study time`: seconds to first detection, event and useful area, beside the bound."""

import argparse
import json
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from beaconfire.analysis.bound import Look
from beaconfire.analysis.first_area import FirstTimes, first_times, soonest_areas_s
from beaconfire.analysis.summary import Setting
from beaconfire.cli.assess import DELAY_MS, shipped_agreements
from beaconfire.cli.side_by_side import add_jobs, check_jobs, each_made
from beaconfire.errors import UsageError
from beaconfire.flight.ascent import Trajectory
from beaconfire.formats.flights import shipped_flights
from beaconfire.formats.launches import Launch
from beaconfire.formats.places import shipped_places
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation, Sharing
from beaconfire.sim.assessment import Task, assess
from beaconfire.sim.chain import nations_of
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.sensing import look_times_us, offsets_of, radar_view
from beaconfire.sim.world import build_world
from beaconfire.tracking.batch import PRIOR_LOG_INVERSE_BETA, PRIOR_SIGMA_LOG_INVERSE_BETA
from beaconfire.tracking.measurement import sensor_table
from beaconfire.units import MICROSECONDS_PER_SECOND

WANTED_S: Final = 1.0
PARTNER: Final = Nation("USA")
SHOWN: Final = (Sharing.ALONE, Sharing.BILATERAL, Sharing.TRILATERAL)
WIDTH: Final = 150


class TimeLine(msgspec.Struct, frozen=True):
    """One nation's picture of one flight under one sharing.

    Attributes:
        flight: Korean date.
        nation: whose picture.
        sharing: in force.
        times: when it first knew what, after the true launch.
        burnout_s: after the launch.
        soonest_s: when the bound of the same looks first allows each area, after the launch; None if never.
    """

    flight: str
    nation: Nation
    sharing: str
    times: FirstTimes
    burnout_s: float
    soonest_s: tuple[float | None, ...]

    @property
    def behind_s(self) -> tuple[float | None, ...]:
        """How long after the bound each area was held."""
        return tuple(
            None if held is None or soonest is None else round(held - soonest, 3)
            for held, soonest in zip(self.times.areas_s, self.soonest_s, strict=True)
        )


def add_parser(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this kind of study and its options."""
    parser = kinds.add_parser("time", help="seconds to first detection, event and useful area")
    parser.add_argument("--only", metavar="ID", help="only catalogue flights whose id begins so")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the simulated sensors")
    add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Fly the catalogue; returns 0 if every area under 100 km came within a second of the bound, else 1.

    Raises:
        UsageError: no such flight, or an option out of range.
    """
    check_jobs(arguments.jobs)
    launches = [
        one
        for one in shipped_flights()
        if one.launch_id.startswith(arguments.only or "") and one.manoeuvre == "ballistic"
    ]
    if not launches:
        raise UsageError(
            f"no ballistic flight begins with {arguments.only}", "--only", "an id of the catalogue"
        )
    work = [(launch, arguments.seed) for launch in launches]
    lines = [line for lines in each_made("flights", fly, work, arguments.jobs) for line in lines]
    late = [line for line in lines if (behind := line.behind_s[0]) is not None and behind > WANTED_S]
    if arguments.json:
        plain = [{**msgspec.to_builtins(one), "behind_s": one.behind_s} for one in lines]
        print(json.dumps({"lines": plain, "later_than_wanted": len(late), "wanted_s": WANTED_S}))
    else:
        _tell(lines, late)
    return 1 if late else 0


def fly(work: tuple[Launch, int]) -> list[TimeLine]:
    """Return the lines of one flight: every nation under every sharing."""
    launch, seed = work
    sensors = shipped_sensors()
    world = build_world([flight_of_launch(launch)], sensors, seed)
    truth = world.truths[0]
    task = Task(
        sensors=sensors,
        places=shipped_places(),
        arrangements=shipped_agreements(seed),
        main=Sharing.TRILATERAL.value,
        seed=seed,
        delay_us=DELAY_MS * 1_000,
    )
    runs = assess(world.detections, task).runs
    radars = [one for one in sensors if isinstance(one, Radar)]
    lines = []
    for nation in nations_of(sensors):
        for sharing in SHOWN:
            setting = Setting(sharing.value, truth.launched_at_us)
            times = first_times(runs[sharing.value].events[nation], setting)
            shared = [one for one in radars if _is_shared(one.nation, nation, sharing)]
            soonest = soonest_areas_s(*_geometry(truth, shared, seed))
            lines.append(
                TimeLine(
                    flight=launch.launch_id,
                    nation=nation,
                    sharing=sharing.value,
                    times=times,
                    burnout_s=truth.burnout_s,
                    soonest_s=tuple(None if one is None else truth.burnout_s + one for one in soonest),
                )
            )
    return lines


def _is_shared(owner: Nation, nation: Nation, sharing: Sharing) -> bool:
    """Return whether a nation's picture rests on the sensors of an owner under a sharing."""
    if owner == nation or sharing is Sharing.TRILATERAL:
        return True
    return sharing is Sharing.BILATERAL and PARTNER in {owner, nation}


def _geometry(
    truth: Trajectory, radars: Sequence[Radar], seed: int
) -> tuple[np.ndarray, list[Look], np.ndarray, np.ndarray]:
    """Return state at burnout, all looks after it that see the object, sensor table, prior information."""
    looks: list[Look] = []
    for number, radar in enumerate(radars):
        phase_s = offsets_of(radar, seed).phase_s
        at_us = look_times_us(radar, phase_s, truth.burnout_at_us, truth.impact_at_us)
        elapsed_s = (at_us - truth.launched_at_us) / MICROSECONDS_PER_SECOND
        seen = radar_view(radar, truth.states(elapsed_s)).visible
        looks += [Look(float(one) - truth.burnout_s, number) for one in elapsed_s[seen]]
    state = np.asarray(truth.states(np.array([truth.burnout_s]))[0]).copy()
    state[6] = PRIOR_LOG_INVERSE_BETA
    prior = np.zeros((7, 7))
    prior[6, 6] = PRIOR_SIGMA_LOG_INVERSE_BETA**-2
    return state, sorted(looks), np.asarray(sensor_table(radars)), prior


def _tell(lines: list[TimeLine], late: list[TimeLine]) -> None:
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    console.print(_table(lines))
    behind = [one for line in lines if (one := line.behind_s[0]) is not None]
    middle = float(np.median(behind)) if behind else 0.0
    console.print(
        f"area under 100 km: {len(behind)} pictures, {middle:.1f} s after the bound in the middle, "
        f"{len(late)} later than {WANTED_S:.0f} s after it",
        highlight=False,
    )


def _table(lines: list[TimeLine]) -> Table:
    table = Table(
        title="Seconds after the true launch (SIMULATED, notional sensors)",
        caption="bound: every look after burnout succeeds; +: area held so long after it",
    )
    names = ("flight", "nation", "sharing", "first", "by", "confirmed", "by", "burnout")
    for name in (*names, "< 100 km", "bound", "+", "< 25 km", "bound", "+"):
        table.add_column(name, justify="left" if name in {"flight", "nation", "sharing", "by"} else "right")
    for line in lines:
        if line.times.detection_s is not None:
            table.add_row(*_row(line))
    return table


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _row(line: TimeLine) -> list[str]:
    times = line.times
    cells = [line.flight, line.nation, line.sharing]
    cells += [_cell(times.detection_s), times.detection_by, _cell(times.confirmed_s), times.confirmed_by]
    cells.append(_cell(line.burnout_s))
    for held, soonest, behind in zip(times.areas_s, line.soonest_s, line.behind_s, strict=True):
        cells += [_cell(held), _cell(soonest), _cell(behind)]
    return cells

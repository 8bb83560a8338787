"""`beaconfire study accuracy`: error beside its bound, consistency and coverage, scenario by scenario."""

import argparse
import json
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from beaconfire.analysis import coast_cases, coast_trial, reentry_trial
from beaconfire.analysis.bound import Look, arc_bounds
from beaconfire.analysis.consistency import (
    Bounds,
    Coverage,
    coverage,
    normalised_error_bounds,
    normalised_errors,
    root_mean_square,
)
from beaconfire.cli.side_by_side import add_jobs, check_jobs, each_made
from beaconfire.cli.study_pair import PairResult, pair_figures, pair_line
from beaconfire.cli.study_real import RealResult, real_flights, real_tables
from beaconfire.errors import UsageError
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Phase
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.pair_trial import flight_of_least_energy, scan_times_s
from beaconfire.sim.phase_trial import PhaseMoment, fly_phases
from beaconfire.tracking.batch import PRIOR_SIGMA_LOG_INVERSE_BETA
from beaconfire.tracking.measurement import sensor_table

FULL_RUNS: Final = 10_000
PIECE: Final = 8
"""Runs handed to a process at once."""
SHORT_RUNS: Final = 60
RUNS_MAX: Final = 1_000_000
FAMILY: Final = 0.01
"""Chance that a study of consistent estimates fails anywhere, shared out over all that is checked."""
COAST_FIGURES: Final = 4
"""Figures of one line of the coast table that chance may fail: the normalised error and three coverages."""
PHASE_FLIGHTS: Final = (("2022-10-04", ""), ("2022-09-29b", "KOR"), ("2019-08-24a", "KOR"))
"""A long flight seen by all radars as if they were one nation's, and two that burn out low."""
LATE: Final = ("kor-2", 2.0)
PHASE_LOOKS_LEAST: Final = 3
WIDTH: Final = 150
SCENARIOS: Final = ("coast", "reentry", "pair", "real", "phases")


class PhaseCell(msgspec.Struct, frozen=True):
    """One phase of one flight through the whole tracker, over all runs.

    Attributes:
        flight: Korean date, and what is special.
        phase: true one.
        runs: in which something was stated in it.
        rmse_m: root mean square position error.
        bound_m: least possible from the plots since burnout; None in boost, which no model bounds.
        normalised: mean normalised error of position and velocity.
        bounds: within which it lies if consistent.
        covered: how often a stated area held the true impact; None where none was stated.
        passed: whether both are as they should be.
    """

    flight: str
    phase: Phase
    runs: int
    rmse_m: float
    bound_m: float | None
    normalised: float
    bounds: Bounds
    covered: Coverage | None
    passed: bool


def add_parser(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this kind of study and its options."""
    parser = kinds.add_parser("accuracy", help="error beside its bound, consistency and coverage")
    parser.add_argument("--short", action="store_true", help=f"{SHORT_RUNS} runs and fewer cases, as in CI")
    parser.add_argument("--runs", type=int, metavar="N", help=f"{FULL_RUNS} if not given")
    parser.add_argument("--only", choices=SCENARIOS, help="one scenario")
    parser.add_argument("--case", metavar="TEXT", help="only coast cases whose name holds this")
    parser.add_argument(
        "--telemetry",
        type=Path,
        metavar="DIR",
        help="recorded flights of stages (default: these are left out)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of every draw")
    add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do the study; returns 0 if every line passes, else 1.

    Raises:
        UsageError: an option is out of range.
    """
    check_jobs(arguments.jobs)
    runs = arguments.runs or (SHORT_RUNS if arguments.short else FULL_RUNS)
    if not 2 <= runs <= RUNS_MAX:
        raise UsageError(f"{runs}", "--runs", f"2 to {RUNS_MAX}")
    study = _Study(arguments, runs)
    chosen = [arguments.only] if arguments.only else list(SCENARIOS)
    for name in chosen:
        getattr(study, name)()
    study.tell(as_json=arguments.json)
    return 0 if study.passed else 1


class _Study:
    """One run of the study: what was asked for, and what came of it."""

    def __init__(self, arguments: argparse.Namespace, runs: int) -> None:
        self.arguments, self.runs, self.seed = arguments, runs, arguments.seed
        self.short: bool = arguments.short
        self.cells: list[coast_trial.Cell] = []
        self.again: reentry_trial.ReentryResult | None = None
        self.pairs: PairResult | None = None
        self.flown: RealResult | None = None
        self.phases_found: list[PhaseCell] = []
        self.passed = True

    def each(self, name: str, work: partial[Any], seeds: range) -> Iterator[Any]:
        """Yield the work done for each seed, with progress, in several processes if asked for."""
        yield from each_made(name, work, seeds, self.arguments.jobs, PIECE)

    def coast(self) -> None:
        """Scenario 1: a coast arc against its own bound, with each disturbance by itself."""
        cases = [one for one in coast_cases.CASES if (self.arguments.case or "") in one.name]
        each = 1.0 - FAMILY / max(1, COAST_FIGURES * len(cases) * len(coast_cases.TIMES_S))
        for case in cases:
            truth = coast_cases.truth_at_burnout(case)
            times_s = coast_cases.times_of(truth)
            work = partial(_coast_run, case, truth, times_s)
            seeds = range(self.seed, self.seed + self.runs)
            done = list(self.each(f"coast, {case.name}", work, seeds))
            self.cells += coast_trial.cells(case, done, coast_trial.bounds_m(case, truth, times_s), each)
        self.passed &= all(cell.passed for cell in self.cells)

    def reentry(self) -> None:
        """Scenario 2: re-entry of Julier and Uhlmann."""
        runs = max(40, min(self.runs // 10, 1_000))
        result = reentry_trial.reentry_trial(runs, self.seed)
        self.again = result
        chance = 3.0 / math.sqrt(runs)
        self.passed &= abs(result.ratio - 1.0) < max(0.02, 0.1 * chance)
        self.passed &= abs(result.rmse_m / reentry_trial.RMSE_PUBLISHED_M - 1.0) < max(0.02, 0.2 * chance)

    def pair(self) -> None:
        """Scenario 3: two objects close together."""
        seeds = range(self.seed, self.seed + max(4, self.runs // 100))
        start = flight_of_least_energy()
        done = list(self.each("two objects", partial(pair_figures, start, scan_times_s(start)), seeds))
        self.pairs = PairResult(len(done), *(float(value) for value in np.nanmean(np.array(done), axis=0)))
        self.passed &= self.pairs.passed(FAMILY)

    def real(self) -> None:
        """Scenario 4: recorded arcs of real stages, and public launches by their reported figures."""
        folder, runs = self.arguments.telemetry, 1 if self.short else max(1, self.runs // 500)
        with Console(stderr=True).status("real flights"):
            self.flown = real_flights(folder, self.seed, runs, short=self.short)
        self.passed &= self.flown.passed

    def phases(self) -> None:
        """Every phase of whole flights through the tracker, and once more with plots two seconds late."""
        flights = [(one, ("", 0.0)) for one in PHASE_FLIGHTS] + [(PHASE_FLIGHTS[1], LATE)]
        flights = flights[1:2] if self.short else flights
        each = 1.0 - FAMILY / (6 * len(flights))
        runs = max(6, self.runs // 50)
        for (flight, nation), late in flights:
            work = partial(_phase_run, flight, nation, late)
            done = list(self.each(f"phases, {flight}", work, range(self.seed, self.seed + runs)))
            name = f"{flight}, {late[0]} {late[1]:g} s late" if late[1] else flight
            self.phases_found += _phase_cells(name, done, each)
        self.passed &= all(cell.passed for cell in self.phases_found)

    def tell(self, *, as_json: bool) -> None:
        """Print what came of it."""
        if as_json:
            print(json.dumps(self._plain()))
            return
        console = Console()
        console = console if console.is_terminal else Console(width=WIDTH)
        if self.cells:
            console.print(_coast_table(self.cells))
        if self.again is not None:
            console.print(_reentry_line(self.again), highlight=False)
        if self.pairs is not None:
            console.print(pair_line(self.pairs), highlight=False)
        if self.flown is not None:
            console.print(*real_tables(self.flown))
            if not self.flown.arcs:
                console.print("recorded arcs not flown: no --telemetry", highlight=False)
        if self.phases_found:
            console.print(_phase_table(self.phases_found))
        console.print("passed" if self.passed else "NOT PASSED", highlight=False)

    def _plain(self) -> dict[str, Any]:
        cells = [
            {
                **msgspec.to_builtins(one),
                "ratio": one.ratio,
                "coverage": one.covered.share,
                "passed": one.passed,
            }
            for one in self.cells
        ]
        return {
            "runs": self.runs,
            "coast": cells,
            "reentry": msgspec.to_builtins(self.again),
            "pair": msgspec.to_builtins(self.pairs),
            "real": msgspec.to_builtins(self.flown),
            "phases": msgspec.to_builtins(self.phases_found),
            "passed": self.passed,
        }


def _coast_run(
    case: coast_cases.Case, truth: np.ndarray, times_s: tuple[float, ...], seed: int
) -> list[coast_trial.Moment]:
    return coast_trial.one_run(case, truth, seed, times_s)


def _phase_run(
    flight: str, nation: str, late: tuple[str, float], seed: int
) -> dict[Phase, tuple[PhaseMoment, float]]:
    """Return the moment of each phase, with its bound (nan in boost)."""
    sensors = [
        one for one in shipped_sensors() if isinstance(one, Radar) and (not nation or one.nation == nation)
    ]
    figures = flight_of_launch(find_launch(flight)).figures
    table = sensor_table(sensors)
    moments = fly_phases(figures, sensors, seed, late=late)[0]
    return {phase: (one, _phase_bound_m(one, table)) for phase, one in moments.items()}


def _phase_bound_m(moment: PhaseMoment, table: np.ndarray) -> float:
    """Return the least position error from the plots since burnout; nan with too few."""
    if len(moment.looks) < PHASE_LOOKS_LEAST:
        return math.nan
    prior = np.zeros((7, 7))
    prior[6, 6] = PRIOR_SIGMA_LOG_INVERSE_BETA**-2
    looks = [Look(*one) for one in moment.looks]
    bound, _, transition = arc_bounds(moment.burnt_out, looks, table, prior)[-1]
    covariance = transition @ bound.covariance() @ transition.T
    return math.sqrt(float(np.trace(covariance[:3, :3])))


def _phase_cells(
    name: str, done: list[dict[Phase, tuple[PhaseMoment, float]]], probability: float
) -> Iterator[PhaseCell]:
    for phase in Phase:
        moments = [one[phase][0] for one in done if phase in one]
        least = np.array([one[phase][1] for one in done if phase in one])
        if len(moments) < 2:
            continue
        errors = np.array([one.error for one in moments])
        mean = float(normalised_errors(errors, np.array([one.covariance for one in moments])).mean())
        bounds = normalised_error_bounds(len(moments), 6, probability)
        stated = [one.holds for one in moments if one.holds is not None]
        covered = coverage(sum(stated), len(stated), 0.95, probability) if stated else None
        consistent = min(0.95, bounds.low) <= mean <= max(1.05, bounds.high)
        covers = covered is None or covered.nominal or covered.share > covered.stated
        rmse_m = root_mean_square(errors[:, :3])
        bound_m = None if np.isnan(least).any() else math.sqrt(float(np.mean(least**2)))
        passed = consistent and covers
        yield PhaseCell(name, phase, len(moments), rmse_m, bound_m, mean, bounds, covered, passed)


def _verdict(passed: bool) -> str:  # noqa: FBT001 - the word for it
    return "yes" if passed else "NO"


def _coast_table(cells: list[coast_trial.Cell]) -> Table:
    title = "Coast arc, apogee 1,000 km and range 4,500 km if not said otherwise (SIMULATED)"
    table = Table(title=title, caption=f"{cells[0].runs} runs each; area and band are of 95 %")
    for name in ("case", "s", "RMSE m", "bound m", "RMSE/bound", "norm. error", "consistent", "area km"):
        table.add_column(name, justify="left" if name == "case" else "right")
    for name in ("50 %", "95 %", "99 %", "band", "passed"):
        table.add_column(name, justify="right")
    for one in cells:
        low, high = one.normalised_bounds
        table.add_row(
            one.case,
            f"{one.time_s:.0f}",
            f"{one.rmse_m:.1f}",
            f"{one.bound_m:.1f}",
            f"{one.ratio:.3f}",
            f"{one.normalised:.3f}",
            f"{low:.2f}-{high:.2f}",
            f"{one.semi_major_m / 1e3:.1f}",
            f"{one.covered_beside[0].share:.3f}",
            f"{one.covered.share:.3f}",
            f"{one.covered_beside[1].share:.3f}",
            f"{one.covered.bounds.low:.3f}-{one.covered.bounds.high:.3f}",
            _verdict(one.passed),
        )
    return table


def _phase_table(cells: list[PhaseCell]) -> Table:
    table = Table(title="Whole flights through the tracker, drag from the prior, sensor bias on, P_D 0.95")
    for name in (
        "flight",
        "phase",
        "runs",
        "RMSE m",
        "bound m",
        "norm. error",
        "consistent",
        "coverage",
        "passed",
    ):
        table.add_column(name, justify="left" if name in {"flight", "phase"} else "right")
    for one in cells:
        table.add_row(
            one.flight,
            one.phase.value,
            f"{one.runs}",
            f"{one.rmse_m:.1f}",
            "-" if one.bound_m is None else f"{one.bound_m:.1f}",
            f"{one.normalised:.3f}",
            f"{one.bounds.low:.2f}-{one.bounds.high:.2f}",
            "-" if one.covered is None else f"{one.covered.share:.3f}",
            _verdict(one.passed),
        )
    return table


def _reentry_line(one: reentry_trial.ReentryResult) -> str:
    return (
        f"re-entry of Julier and Uhlmann, {one.runs} runs, 20 to 200 s: RMSE {one.rmse_m:.3f} m, bound "
        f"{one.bound_m:.3f} m, ratio {one.ratio:.3f}, normalised error {one.normalised:.3f} "
        f"(published {reentry_trial.RMSE_PUBLISHED_M} m and {reentry_trial.BOUND_PUBLISHED_M} m)"
    )

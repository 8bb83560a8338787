"""`beaconfire simulate`: many seeds of the simulated house, with faults, every invariant checked.

A seed that fails is told with its plan of faults; `--plan FILE` runs such a plan again to the same bytes,
`--show` prints the plan of a seed, and `--shrink` makes a failing one small first.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from beaconfire.cli.assess import shipped_agreements
from beaconfire.cli.progress import LinesOfProgress
from beaconfire.cli.side_by_side import add_jobs, check_jobs, each_made
from beaconfire.errors import UsageError
from beaconfire.messages.words import Sharing
from beaconfire.sim.campaign import Campaign, SeedRun
from beaconfire.sim.faults import FaultPlan, format_plan, plan_faults, read_plan
from beaconfire.sim.passages import Breach
from beaconfire.sim.scenarios import shipped_scenario
from beaconfire.sim.shrink import shrink

SEEDS: Final = 100
SEEDS_MAX: Final = 10_000_000
KEY_SEED: Final = 1
PIECE: Final = 5
"""Seeds handed to a process at once."""


class Failure(msgspec.Struct, frozen=True):
    """One seed that broke an invariant, or a node.

    Attributes:
        seed: run it again with `--first-seed SEED --seeds 1`.
        invariant: its number, 0 if a node failed by itself.
        what: was seen.
        plan: of faults.
    """

    seed: int
    invariant: int
    what: str
    plan: FaultPlan


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("simulate", help="many seeds of the simulated network, with faults")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="how many")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="the first of them")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="run this plan of faults instead of seeds")
    parser.add_argument("--show", action="store_true", help="print the plan of the first seed and end")
    parser.add_argument("--shrink", action="store_true", help="make a failing plan small, and print it")
    parser.add_argument("--keep-going", action="store_true", help="go on after a seed that failed")
    add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the seeds; returns 0 if every invariant held, else 1.

    Raises:
        UsageError: a number out of range.
    """
    if not 1 <= arguments.seeds <= SEEDS_MAX or arguments.first_seed < 0:
        raise UsageError(
            f"{arguments.seeds} from {arguments.first_seed}", "--seeds", f"1 to {SEEDS_MAX} from 0"
        )
    check_jobs(arguments.jobs)
    if arguments.show:
        print(format_plan(plan_faults(arguments.first_seed, _campaign().field)).decode(), end="")
        return 0
    runs: list[SeedRun] = []
    failures: list[Failure] = []
    with suppress(KeyboardInterrupt):
        _run_all(arguments, runs, failures)
    _tell(runs, failures, as_json=arguments.json)
    return 1 if failures else 0


def _run_all(arguments: argparse.Namespace, runs: list[SeedRun], failures: list[Failure]) -> None:
    """Gather what came of each seed; an interrupt from the keyboard leaves what there is."""
    tell = LinesOfProgress()
    for outcome in _outcomes(arguments):
        tell(lambda: _so_far(arguments, runs, failures))
        if isinstance(outcome, SeedRun):
            runs.append(outcome)
            continue
        failures.append(outcome)
        print(f"seed {outcome.seed}: {outcome.what}", file=sys.stderr)
        if arguments.shrink:
            _print_shrunk(outcome)
        if not arguments.keep_going:
            break


def _so_far(arguments: argparse.Namespace, runs: list[SeedRun], failures: list[Failure]) -> dict[str, int]:
    done = len(runs) + len(failures)
    return {"seeds": done, "failed": len(failures), "next_seed": arguments.first_seed + done}


def _outcomes(arguments: argparse.Namespace) -> Iterator[SeedRun | Failure]:
    if arguments.plan is not None:
        yield _outcome(_plan_in(arguments.plan))
        return
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    yield from each_made("seeds", _outcome_of, seeds, arguments.jobs, PIECE)


@cache
def _campaign() -> Campaign:
    """Return what each seed is run on; made once in a process."""
    agreements = shipped_agreements(KEY_SEED)[Sharing.TRILATERAL.value]
    return Campaign(shipped_scenario(agreements, KEY_SEED))


def _outcome_of(seed: int) -> SeedRun | Failure:
    return _outcome(plan_faults(seed, _campaign().field))


def _plan_in(path: Path) -> FaultPlan:
    try:
        return read_plan(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(path), "a plan of faults") from error


def _outcome(plan: FaultPlan) -> SeedRun | Failure:
    try:
        return _campaign().run_plan(plan)
    except Breach as breach:
        return Failure(plan.seed, breach.invariant, str(breach), plan)
    except Exception as error:  # noqa: BLE001 - whatever kills a node is a finding, and its seed is what counts
        return Failure(plan.seed, 0, f"{type(error).__name__}: {error}", plan)


def _print_shrunk(failure: Failure) -> None:
    """Print the smallest plan found that breaks the same invariant; standard error, so JSON stays whole."""

    def fails(plan: FaultPlan) -> bool:
        outcome = _outcome(plan)
        return isinstance(outcome, Failure) and outcome.invariant == failure.invariant

    print(format_plan(shrink(failure.plan, fails)).decode(), end="", file=sys.stderr)


def _totals(runs: list[SeedRun], failures: list[Failure]) -> dict[str, float]:
    return {
        "seeds": len(runs) + len(failures),
        "failed": len(failures),
        "simulated_s": round(sum(one.simulated_s for one in runs), 1),
        "reports": sum(one.reports for one in runs),
        "deliveries": sum(one.deliveries for one in runs),
        "crashes": sum(one.crashes for one in runs),
        "messages_to_dead_nodes": sum(one.missed for one in runs),
        "checks": sum(one.checks for one in runs),
    }


def _tell(runs: list[SeedRun], failures: list[Failure], *, as_json: bool) -> None:
    totals = _totals(runs, failures)
    if as_json:
        print(json.dumps({**totals, "failures": [msgspec.to_builtins(one) for one in failures]}))
        return
    table = Table(
        "", "", title="Simulated runs with faults, every invariant at every step", show_header=False
    )
    for name, value in totals.items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    Console().print(table)
    for failure in failures:
        print(f"failed: beaconfire simulate --first-seed {failure.seed} --seeds 1")

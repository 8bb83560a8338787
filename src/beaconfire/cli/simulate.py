"""`beaconfire simulate`: many seeds of the simulated house, with faults, every invariant checked."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table

from beaconfire.cli.assess import shipped_agreements
from beaconfire.errors import UsageError
from beaconfire.messages.words import Sharing
from beaconfire.sim.campaign import Campaign, SeedRun
from beaconfire.sim.invariants import Breach
from beaconfire.sim.scenarios import shipped_scenario

SEEDS: Final = 100
SEEDS_MAX: Final = 10_000_000
KEY_SEED: Final = 1


class Failure(msgspec.Struct, frozen=True):
    """One seed that broke an invariant, or a node.

    Attributes:
        seed: run it again with `--first-seed SEED --seeds 1`.
        invariant: its number, 0 if a node failed by itself.
        what: was seen.
    """

    seed: int
    invariant: int
    what: str


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("simulate", help="many seeds of the simulated network, with faults")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="how many")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="the first of them")
    parser.add_argument("--keep-going", action="store_true", help="go on after a seed that failed")
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
    agreements = shipped_agreements(KEY_SEED)[Sharing.TRILATERAL.value]
    campaign = Campaign(shipped_scenario(agreements, KEY_SEED))
    runs: list[SeedRun] = []
    failures: list[Failure] = []
    for outcome in _outcomes(campaign, arguments):
        if isinstance(outcome, SeedRun):
            runs.append(outcome)
            continue
        failures.append(outcome)
        print(f"seed {outcome.seed}: {outcome.what}", file=sys.stderr)
        if not arguments.keep_going:
            break
    _tell(runs, failures, as_json=arguments.json)
    return 1 if failures else 0


def _outcomes(campaign: Campaign, arguments: argparse.Namespace) -> Iterator[SeedRun | Failure]:
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    shown = track(
        seeds, "seeds", console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    )
    for seed in shown:
        yield _outcome(campaign, seed)


def _outcome(campaign: Campaign, seed: int) -> SeedRun | Failure:
    try:
        return campaign.run(seed)
    except Breach as breach:
        return Failure(seed, breach.invariant, str(breach))
    except Exception as error:  # noqa: BLE001 - whatever kills a node is a finding, and its seed is what counts
        return Failure(seed, 0, f"{type(error).__name__}: {error}")


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

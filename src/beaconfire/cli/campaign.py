"""`beaconfire campaign`: a promise tried as often as asked, far beyond the short form of every change."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from beaconfire.cli import campaign_faults
from beaconfire.cli.progress import LinesOfProgress
from beaconfire.errors import UsageError
from beaconfire.sim.noninterference import Pairs
from beaconfire.sim.sight import Breach
from beaconfire.sim.tampering import Tampering

PAIRS: Final = 5_000
SPOILINGS: Final = 2_000
PAIRS_MAX: Final = 100_000_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("campaign", help="try a promise as often as asked")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    pairs = actions.add_parser(
        "noninterference", help="what a nation gets does not depend on what it may not have"
    )
    pairs.add_argument("--pairs", type=int, default=PAIRS, metavar="N", help="of runs to compare")
    pairs.add_argument("--first-story", type=int, default=0, metavar="N", help="the first of them")
    campaign_faults.add_parser(actions)
    audit = actions.add_parser("audit", help="whatever is done to an audit log is found")
    audit.add_argument("--spoilings", type=int, default=SPOILINGS, metavar="N", help="to try")
    for one in (pairs, audit):
        one.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run a campaign; returns 0 if the promise held, else 1.

    Raises:
        UsageError: a number out of range.
    """
    if arguments.action in {"faults", "restarts", "clocks", "upgrade"}:
        return campaign_faults.run(arguments)
    if arguments.action == "audit":
        return _spoil(arguments)
    if not 1 <= arguments.pairs <= PAIRS_MAX or arguments.first_story < 0:
        raise UsageError(f"{arguments.pairs} pairs", "--pairs", f"1 to {PAIRS_MAX}, from story 0 or later")
    pairs, number, breach = Pairs(), arguments.first_story, ""
    started_s, tell = time.monotonic(), LinesOfProgress()
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("pairs", total=arguments.pairs)
        while pairs.tally.pairs < arguments.pairs and not breach:
            breach = _tried(pairs.run, number)
            number += 1
            shown.update(task, completed=pairs.tally.pairs)
            tell(lambda: {**msgspec.to_builtins(pairs.tally), "next_story": number})  # noqa: B023 - called at once
    found = msgspec.to_builtins(pairs.tally) | {"seconds": round(time.monotonic() - started_s, 1)}
    title = "Runs that differ only in what a nation may not have"
    _tell(title, {**found, "next_story": number, "breach": breach}, as_json=arguments.json)
    return 1 if breach else 0


def _spoil(arguments: argparse.Namespace) -> int:
    if not 1 <= arguments.spoilings <= PAIRS_MAX:
        raise UsageError(f"{arguments.spoilings} spoilings", "--spoilings", f"1 to {PAIRS_MAX}")
    tampering, number, breach = Tampering(), 0, ""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("spoilings", total=arguments.spoilings)
        while sum(tampering.tried.values()) < arguments.spoilings and not breach:
            breach = _tried(tampering.run, number)
            number += 1
            shown.update(task, completed=sum(tampering.tried.values()))
    _tell(
        "Audit logs spoiled, and found to be", {**tampering.tried, "breach": breach}, as_json=arguments.json
    )
    return 1 if breach else 0


def _tried(one: Callable[[int], None], number: int) -> str:
    try:
        one(number)
    except Breach as breach:
        return str(breach)
    return ""


def _tell(title: str, found: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found))
        return
    table = Table("", "", title=title, show_header=False)
    for name, value in found.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
    Console().print(table)

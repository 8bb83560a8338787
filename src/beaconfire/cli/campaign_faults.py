"""`beaconfire campaign faults`: kill, stop and cut off every process and link of a running installation.

Beside it those that need no root: kills in a row, an upgrade, wrong clocks.
"""

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from beaconfire.adapters.arena import Arena, addresses_of
from beaconfire.adapters.fault_turns import (
    ROLES,
    Fault,
    clocks_for,
    faults_for,
    hold_back,
    restarts_for,
    upgrade_of,
)
from beaconfire.adapters.installation import Options, make_installation
from beaconfire.adapters.loopback import Loopback
from beaconfire.adapters.ordeal import Ordeal, Outcome, Pace
from beaconfire.adapters.wrong_clock import WrongClocks
from beaconfire.cli.progress import LinesOfProgress
from beaconfire.errors import UsageError
from beaconfire.messages.estimate import Ellipse, LaunchEstimate
from beaconfire.messages.report import Classification, Provenance, Report, SensorUse, Timing
from beaconfire.messages.words import HUB_INSTANCES, Mode, Nation, Status

COUNT: Final = 8
RESTARTS: Final = 20
QUICK: Final = Pace(1.5, 1.0)
"""On loopback, where nothing is slow but a start; resends need their time at the end all the same."""
WRONG_CLOCKS: Final = Pace(2.0, 9.0, 4.0)
"""A process that ends since its clock was set back is there again in the first half of the rest."""
COUNT_MAX: Final = 100_000
NATIONS: Final = (Nation("JPN"), Nation("KOR"), Nation("USA"))
EXERCISE: Final = "notional"
_WHERE: Final = {"JPN": 2.35, "KOR": 2.20, "USA": 2.05}
"""Longitude of each nation's notional object, radians: far apart, so that nothing is taken for another's."""


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the campaign and its options."""
    faults = actions.add_parser("faults", help="kill, stop and cut off processes and links; needs root")
    faults.add_argument("--count", type=int, default=COUNT, metavar="N", help="of faults")
    faults.add_argument("--first", type=int, default=0, metavar="N", help="go on from this one")
    restarts = actions.add_parser("restarts", help="kill each server and process again and again")
    restarts.add_argument("--count", type=int, default=RESTARTS, metavar="N", help="times in a row")
    restarts.add_argument("--only", nargs="+", default=[], metavar="PLACE", help="such as hub/HUB-1")
    clocks = actions.add_parser("clocks", help="put clocks wrong and right again; needs libfaketime")
    clocks.add_argument("--count", type=int, default=COUNT, metavar="N", help="of wrong clocks")
    clocks.add_argument("--first", type=int, default=0, metavar="N", help="go on from this one")
    upgrade = actions.add_parser("upgrade", help="upgrade one process after the other, and go half back")
    for one in (faults, restarts, clocks, upgrade):
        one.add_argument("--keep", type=Path, metavar="DIR", help="make the installation there and leave it")
        one.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the faults; returns 0 if nothing acknowledged was lost or is missing and nothing doubled, else 1.

    After a wrong clock nothing may be turned away either.

    Raises:
        UsageError: a number out of range.
        EnvironmentFault: this machine has no namespaces or no libfaketime, or something did not start.
    """
    if "first" in arguments and not 0 <= arguments.first <= COUNT_MAX:
        raise UsageError(f"{arguments.first}", "--first", f"0 to {COUNT_MAX}")
    if arguments.action != "upgrade" and not 1 <= arguments.count <= COUNT_MAX:
        raise UsageError(f"{arguments.count} faults", "--count", f"1 to {COUNT_MAX}")
    with tempfile.TemporaryDirectory(prefix="beaconfire-faults-") as folder:
        directory = arguments.keep or Path(folder) / "installation"
        if arguments.action == "faults":
            outcome = suffer(directory, arguments.count, arguments.first)
        elif arguments.action == "clocks":
            outcome = _with_wrong_clocks(directory, arguments.count, arguments.first)
        else:
            outcome = _on_loopback(directory, arguments)
    _tell(outcome, as_json=arguments.json)
    turned_away = outcome.turned_away if arguments.action == "clocks" else 0
    return 1 if outcome.lost or outcome.missing or outcome.doubled or turned_away else 0


def _with_wrong_clocks(directory: Path, count: int, first: int) -> Outcome:
    made = make_installation(directory, nations=NATIONS)
    faults = list(clocks_for(made, count, first))
    loopback = Loopback(made, ROLES, WrongClocks(directory))
    return _suffered(Ordeal(made, loopback, notional_report, WRONG_CLOCKS), faults, first)


def _on_loopback(directory: Path, arguments: argparse.Namespace) -> Outcome:
    made = make_installation(directory, nations=NATIONS)
    if arguments.action == "upgrade":
        hold_back(made)
        faults = upgrade_of(made)
    else:
        faults = restarts_for(made, arguments.count)
        known = [one.place for one in faults]
        for place in arguments.only:
            if place not in known:
                raise UsageError(f"no {place}", "--only", ", ".join(known))
        faults = [one for one in faults if not arguments.only or one.place in arguments.only]
    roles = ROLES | {one.place.split("/")[0] for one in faults}
    return _suffered(Ordeal(made, Loopback(made, frozenset(roles)), notional_report, QUICK), faults)


def suffer(directory: Path, count: int, first: int = 0) -> Outcome:
    """Make an installation, run it through so many faults and return what came of it."""
    addresses = addresses_of((*HUB_INSTANCES, *NATIONS))
    made = make_installation(directory, nations=NATIONS, options=Options(addresses=addresses))
    faults = list(faults_for(made, count, first))
    return _suffered(Ordeal(made, Arena(made, ROLES), notional_report), faults, first)


def _suffered(ordeal: Ordeal, faults: list[Fault], first: int = 0) -> Outcome:
    begun, tell = 0, LinesOfProgress()
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("starting", total=len(faults))

        def progress(fault: Fault) -> None:
            nonlocal begun
            tell(lambda: {"faults": begun, "next": first + begun})
            begun += 1
            shown.update(task, advance=1, description=f"{fault.kind} {fault.place}")

        return ordeal.run(faults, progress)


def notional_report(nation: Nation, number: int, now_us: int, mode: Mode = Mode.SIMULATED) -> Report:
    """Return what a nation states of a notional launch: each differs in status from the one before."""
    area = Ellipse(0.70, _WHERE[nation], 30_000.0, 30_000.0, 0.0, 0.95)
    status = Status.TENTATIVE if number % 2 else Status.CONFIRMED
    return Report(
        report_id=hashlib.sha256(f"{nation} {number} {now_us}".encode()).hexdigest()[:32],
        track=f"{nation}-{number // 200:04X}",
        supersedes=None,
        originator=nation,
        mode=mode,
        exercise="" if mode is Mode.REAL else EXERCISE,
        stated_at_us=now_us,
        launch_point=LaunchEstimate(now_us - 60_000_000, 5.0, area),
        timing=Timing(now_us - 40_000_000, now_us, None),
        classification=Classification(status, manoeuvring=False, thrust_possible=True),
        sensor=SensorUse((f"{nation.lower()}-ir",), ("ir",), 5),
        provenance=Provenance(own_sensors_only=True, transform="sight-line", producer="campaign"),
    )


def _gaps(outcome: Outcome) -> dict[str, dict[str, float | int]]:
    """Return the gaps of each kind of fault, milliseconds, apart where the nation itself was hit."""
    found: dict[str, list[float]] = {"nothing, before the next": list(outcome.calm_ms)}
    for trial in outcome.trials:
        if trial.gap_ms is not None:
            found.setdefault(trial.kind, []).append(trial.gap_ms)
        if trial.gap_hit_ms is not None:
            found.setdefault(f"{trial.kind}, own nation", []).append(trial.gap_hit_ms)
        if trial.kind == "kill" and trial.comeback is not None and trial.comeback.after_ms is not None:
            found.setdefault("kill, until it runs again", []).append(trial.comeback.after_ms)
    return {kind: _spread(sorted(gaps)) for kind, gaps in sorted(found.items()) if gaps}


def _spread(gaps: list[float]) -> dict[str, float | int]:
    p99 = gaps[min(len(gaps) - 1, int(0.99 * len(gaps)))]
    middle = statistics.median(gaps)
    return {"faults": len(gaps), "p50": round(middle), "p99": round(p99), "max": round(gaps[-1])}


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    gaps = _gaps(outcome)
    names = [one for one in Outcome.__struct_fields__ if one not in {"trials", "calm_ms"}]
    counts = {name: getattr(outcome, name) for name in names}
    if as_json:
        trials = msgspec.to_builtins(outcome.trials)
        print(json.dumps({"faults": len(outcome.trials), **counts, "gap_ms": gaps, "trials": trials}))
        return
    table = Table("fault", "count", "gap p50", "p99", "max", title="Longest way of a report meanwhile, ms")
    for kind, one in gaps.items():
        table.add_row(kind, *(f"{value:,}" for value in one.values()))
    console = Console()
    console.print(table)
    console.print(", ".join(f"{name} {value:,}" for name, value in counts.items()), highlight=False)

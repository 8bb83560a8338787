"""`beaconfire study clutter`: hours of false plots and nothing else; false events an hour of each nation."""

import argparse
import json
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from beaconfire.cli.side_by_side import add_jobs, check_jobs, each_made
from beaconfire.errors import UsageError
from beaconfire.formats.sensors import read_sensors, shipped_sensors
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import Nation
from beaconfire.sim.clutter_trial import Made, clutter_hour, most_likely_below

HOURS_MAX: Final = 10_000
PER_SCAN_MAX: Final = 50.0
WIDTH: Final = 100

Work = tuple[tuple[Sensor, ...], int, float]


class Rate(msgspec.Struct, frozen=True):
    """False events of one nation.

    Attributes:
        nation: whose tracker.
        radars: it has.
        hours: simulated.
        plots: false ones, in all.
        said: tracks of which anything was reported, in all.
        confirmed: of these, reported as confirmed.
        said_below: rate an hour that the true one lies below with 95 % confidence.
        confirmed_below: the same.
    """

    nation: Nation
    radars: int
    hours: int
    plots: int
    said: int
    confirmed: int
    said_below: float
    confirmed_below: float


def add_parser(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this kind of study and its options."""
    parser = kinds.add_parser("clutter", help="false events an hour from false plots alone")
    parser.add_argument("--hours", type=int, default=1, metavar="N", help="simulated, of each nation")
    parser.add_argument(
        "--per-scan", type=float, default=5.0, metavar="X", help="false plots of a radar and scan"
    )
    parser.add_argument("--sensors", type=Path, metavar="FILE", help="TOML (default: the shipped)")
    parser.add_argument("--nation", metavar="NAME", help="one nation")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of every draw")
    add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Count the false events and print the rates; returns 0.

    Raises:
        UsageError: an option out of range, or no such nation.
    """
    for name, value, most in (
        ("--hours", arguments.hours, HOURS_MAX),
        ("--per-scan", arguments.per_scan, PER_SCAN_MAX),
    ):
        if not 0 < value <= most:
            raise UsageError(f"{value}", name, f"more than 0, at most {most}")
    check_jobs(arguments.jobs)
    sensors = shipped_sensors() if arguments.sensors is None else read_sensors(arguments.sensors)
    nations = sorted({one.nation for one in sensors if isinstance(one, Radar)})
    nations = [one for one in nations if arguments.nation in (None, one)]
    if not nations:
        raise UsageError(f"no radar of {arguments.nation}", "--nation", "a nation of the sensors file")
    rates = [_rate(nation, sensors, arguments) for nation in nations]
    if arguments.json:
        print(json.dumps({"per_scan": arguments.per_scan, "rates": msgspec.to_builtins(rates)}))
    else:
        _tell(rates, arguments.per_scan)
    return 0


def _rate(nation: Nation, sensors: tuple[Sensor, ...], arguments: argparse.Namespace) -> Rate:
    own = tuple(one for one in sensors if one.nation == nation)
    work = [(own, arguments.seed + hour, arguments.per_scan) for hour in range(arguments.hours)]
    made = list(each_made(f"hours of {nation}", _hour, work, arguments.jobs))
    said, confirmed = sum(one.said for one in made), sum(one.confirmed for one in made)
    hours = arguments.hours
    return Rate(
        nation=nation,
        radars=sum(isinstance(one, Radar) for one in own),
        hours=hours,
        plots=sum(one.plots for one in made),
        said=said,
        confirmed=confirmed,
        said_below=round(most_likely_below(said, hours), 4),
        confirmed_below=round(most_likely_below(confirmed, hours), 4),
    )


def _hour(work: Work) -> Made:
    return clutter_hour(*work)


def _tell(rates: list[Rate], per_scan: float) -> None:
    table = Table(title=f"False plots alone, {per_scan:g} of each radar and scan (SIMULATED)")
    for name in ("nation", "radars", "hours", "plots", "events", "an hour", "confirmed", "an hour"):
        table.add_column(name, justify="left" if name == "nation" else "right")
    for one in rates:
        table.add_row(
            one.nation,
            str(one.radars),
            str(one.hours),
            str(one.plots),
            str(one.said),
            f"{one.said / one.hours:.2f} (< {one.said_below:.2f})",
            str(one.confirmed),
            f"{one.confirmed / one.hours:.2f} (< {one.confirmed_below:.2f})",
        )
    table.caption = "in brackets: what the true rate lies below with 95 % confidence"
    Console(width=WIDTH).print(table)

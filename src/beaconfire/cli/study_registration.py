"""`beaconfire study registration`: constant offsets of radars, from recorded flights that several saw."""

import argparse
import json
import math
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from beaconfire.analysis.registration import KINDS, Offset, Registration, coast_rows, register
from beaconfire.cli.feedfiles import read_feeds
from beaconfire.errors import UsageError
from beaconfire.formats.sensors import read_sensors
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation

SHOWN: Final = (("range m", 1.0), ("azimuth mdeg", 1e3), ("elevation mdeg", 1e3), ("clock ms", 1e3))
"""Column and factor of each of `KINDS`; angles are turned to degrees first."""
WIDTH: Final = 110


def add_parser(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this kind of study and its options."""
    parser = kinds.add_parser("registration", help="constant offsets of radars, from recorded flights")
    parser.add_argument("feeds", nargs="+", type=Path, metavar="FEED", help="detection JSON Lines, or TDM")
    parser.add_argument("--sensors", type=Path, required=True, metavar="FILE", help="TOML")
    parser.add_argument(
        "--nation", metavar="NAME", help="only the radars of one nation (default: all whose feeds are given)"
    )
    parser.add_argument("--strict", action="store_true", help="stop at the first bad line")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Estimate the offsets and print them; returns 1 if one lies beyond three sigmas of what is stated.

    Raises:
        UsageError: a file can't be used, or no two radars saw a common object in free flight.
    """
    sensors = read_sensors(arguments.sensors)
    wanted = (None, arguments.nation)
    radars = [
        one for one in sensors if isinstance(one, Radar) and (wanted[1] is None or one.nation in wanted)
    ]
    if len(radars) < 2:
        raise UsageError("fewer than two radars", str(arguments.sensors), "two or more to compare")
    known = {radar.sensor for radar in radars}
    feeds = read_feeds(arguments.feeds, sensors, strict=arguments.strict)
    detections = [one for one in feeds.detections if one.sensor in known]
    with Console(stderr=True).status(f"{len(detections)} detections of {len(radars)} radars"):
        arcs = coast_rows(detections, radars, Nation(radars[0].nation))
        found = register(arcs, radars)
    if found is None:
        raise UsageError(
            "no object in free flight that two of the radars saw",
            ", ".join(str(one) for one in arguments.feeds),
            "recordings of common flights",
        )
    surprising = [one for one in found.offsets if one.surprising]
    if arguments.json:
        print(json.dumps(_plain(found)))
    else:
        _tell(found, surprising)
    return 1 if surprising else 0


def _plain(found: Registration) -> dict[str, object]:
    names = ("sensor", "kind", "value", "sigma", "stated_sigma", "shown", "surprising")
    offsets = [{name: getattr(one, name) for name in names} for one in found.offsets]
    return {"offsets": offsets, "arcs": found.arcs, "plots": found.plots, "misfit": found.misfit}


def _tell(found: Registration, surprising: list[Offset]) -> None:
    console = Console(width=WIDTH)
    table = Table(
        title=f"Offsets from {found.arcs} objects, {found.plots} plots (misfit {found.misfit:.2f})",
        caption="value ± sigma (stated sigma); in brackets: what the flights do not show",
    )
    table.add_column("radar")
    for name, _ in SHOWN:
        table.add_column(name, justify="right")
    for sensor in dict.fromkeys(one.sensor for one in found.offsets):
        own = {one.kind: one for one in found.offsets if one.sensor == sensor}
        table.add_row(sensor, *(_cell(own[kind], number) for number, kind in enumerate(KINDS)))
    console.print(table)
    for one in surprising:
        console.print(f"{one.sensor}: {one.kind} lies beyond three sigmas of what its description states")


def _cell(one: Offset, number: int) -> str:
    factor = SHOWN[number][1] * (math.degrees(1.0) if one.kind.endswith("_rad") else 1.0)
    value, sigma, stated = (factor * x for x in (one.value, one.sigma, one.stated_sigma))
    text = f"{value:+.1f} ± {sigma:.1f} ({stated:.1f})" if stated else f"{value:+.1f} ± {sigma:.1f}"
    return text if one.shown else f"[{text}]".replace("[", "\\[")

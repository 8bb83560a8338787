"""`beaconfire assess`: the same nodes over recorded feeds, as fast as it goes; the same bytes each time."""

import argparse
import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from beaconfire.adapters.bundles import load_arrangements, make_agreements, shipped_templates
from beaconfire.adapters.forking import forked
from beaconfire.analysis.summary import (
    Counts,
    Setting,
    Summary,
    format_summary,
    link_latencies_ms,
    summarise,
    summary_to_json,
)
from beaconfire.analysis.table import summary_table
from beaconfire.cli.feedfiles import read_feeds
from beaconfire.cli.outputs import write_whole
from beaconfire.cli.progress import StageProgress
from beaconfire.errors import UsageError
from beaconfire.formats.detections import EARLIEST_US, LATEST_US
from beaconfire.formats.events import format_event
from beaconfire.formats.places import read_places, shipped_places
from beaconfire.formats.sensors import read_sensors
from beaconfire.messages.detection import Detection
from beaconfire.messages.words import Nation, Sharing, TimeUs
from beaconfire.release.arrangements import ARRANGEMENTS_OF, Agreement
from beaconfire.sim.assessment import Assessment, Task, assess, reference_launch
from beaconfire.sim.chain import simulation_keys
from beaconfire.sim.sharing import ChainRun

DELAY_MS: Final = 200
DELAY_MAX_MS: Final = 600_000
SEED: Final = 1
EVENTS_FILE: Final = "events.jsonl"
SUMMARY_FILE: Final = "summary.json"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("assess", help="run recorded feeds through the same nodes")
    parser.add_argument(
        "feeds", nargs="+", type=Path, metavar="FEED", help="detection JSON Lines, or CCSDS TDM"
    )
    parser.add_argument("--sensors", type=Path, required=True, metavar="FILE", help="TOML")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="events.jsonl, summary.json")
    parser.add_argument(
        "--sharing",
        default=Sharing.TRILATERAL.value,
        metavar="alone|bilateral|trilateral|DIR",
        help="arrangements in force: a shorthand, or a directory of bundles",
    )
    parser.add_argument(
        "--delay-ms", type=int, default=DELAY_MS, metavar="N", help="from a detection to a partner's picture"
    )
    parser.add_argument(
        "--places", type=Path, metavar="FILE", help="named areas, TOML (default: the shipped)"
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="of keys and ids")
    parser.add_argument("--strict", action="store_true", help="stop at the first bad line")
    parser.add_argument(
        "--launch-time-us", type=int, metavar="N", help="true launch, microseconds UTC, if it is known"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Assess the feeds, write the files, print the summary; returns 0.

    Raises:
        UsageError: a file is missing or malformed, an option out of range, or (strict) a line is bad.
        EnvironmentFault: the output can't be written.
    """
    _check(arguments)
    sensors = read_sensors(arguments.sensors)
    places = read_places(arguments.places) if arguments.places else shipped_places()
    feeds = read_feeds(arguments.feeds, sensors, strict=arguments.strict)
    arrangements, main = arrangements_for(arguments.sharing, arguments.seed, feeds.detections)
    task = Task(sensors, places, arrangements, main, arguments.seed, arguments.delay_ms * 1_000)
    with StageProgress(*_span(feeds.detections)) as progress:
        assessment = assess(feeds.detections, task, progress, partial(forked, ChainRun))
    summary = summary_of(assessment, feeds.detections, (main, arguments.launch_time_us))
    lines = (format_event(event) + b"\n" for event in assessment.events())
    write_whole(arguments.out, {EVENTS_FILE: lines, SUMMARY_FILE: [format_summary(summary)]})
    _tell(arguments, assessment, summary)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.delay_ms <= DELAY_MAX_MS:
        raise UsageError(f"{arguments.delay_ms}", "--delay-ms", f"0 to {DELAY_MAX_MS}")
    launch_us = arguments.launch_time_us
    if launch_us is not None and not EARLIEST_US <= launch_us <= LATEST_US:
        raise UsageError(f"{launch_us}", "--launch-time-us", "microseconds UTC since 1970-01-01")


def _span(detections: Sequence[Detection]) -> tuple[TimeUs, TimeUs]:
    return (detections[0].measured_at_us, detections[-1].measured_at_us) if detections else (0, 1)


def shipped_agreements(seed: int) -> dict[str, tuple[Agreement, ...]]:
    """Return the shipped arrangements that each shorthand puts in force, signed with keys of the seed."""
    parties = sorted({party for template in shipped_templates().values() for party in template.parties})
    keys = simulation_keys(seed, [Nation(party) for party in parties])
    return {
        sharing.value: make_agreements(
            keys, ARRANGEMENTS_OF[sharing], valid_from_us=EARLIEST_US, valid_until_us=LATEST_US
        )
        for sharing in Sharing
    }


def arrangements_for(
    sharing: str, seed: int, detections: Sequence[Detection]
) -> tuple[dict[str, tuple[Agreement, ...]], str]:
    """Return what is in force by the name of the sharing, and the name of the one asked for.

    Raises:
        UsageError: neither a shorthand nor a directory of arrangements in force.
    """
    arrangements = shipped_agreements(seed)
    if sharing in arrangements:
        return arrangements, sharing
    folder = Path(sharing)
    if not folder.is_dir():
        raise UsageError(
            f"no such sharing {sharing!r}", "--sharing", "alone, bilateral, trilateral or a directory"
        )
    name = folder.name or str(folder)
    if name in arrangements:
        name = str(folder)
    return arrangements | {name: agreements_in_force(folder, detections)}, name


def agreements_in_force(folder: Path, detections: Sequence[Detection]) -> tuple[Agreement, ...]:
    """Return the arrangements of a directory, in force at the first detection, or else today.

    Those in force today only are taken as in force for all of an older feed: that is what assessing a
    recording under them means.
    """
    if detections:
        try:
            return load_arrangements(folder, now_us=detections[0].measured_at_us, trusted=None)
        except UsageError:
            pass  # today decides, and words the error
    today = load_arrangements(folder, now_us=time.time_ns() // 1_000, trusted=None)
    return tuple(_always(agreement) for agreement in today)


def _always(agreement: Agreement) -> Agreement:
    bundle = msgspec.structs.replace(agreement.bundle, valid_from_us=EARLIEST_US, valid_until_us=LATEST_US)
    return msgspec.structs.replace(agreement, bundle=bundle)


def summary_of(
    assessment: Assessment, detections: Sequence[Detection], terms: tuple[str, TimeUs | None]
) -> Summary:
    """Return the summary of an assessment.

    Args:
        assessment: with a run for each sharing.
        detections: it rests on, in order of time.
        terms: name of the sharing in force, and the true launch time if it is known.
    """
    sharing, launch_us = terms
    basis = "truth"
    if launch_us is None:
        launch_us, basis = reference_launch(assessment, detections)
    main = assessment.main
    runs = {
        nation: {one: assessment.runs[one.value].events.get(nation, []) for one in Sharing}
        for nation in main.events
    }
    counts = Counts(main.released, main.refused, main.lost, main.doubled)
    return summarise(runs, Setting(sharing, launch_us, basis), counts, link_latencies_ms(assessment.events()))


def _tell(arguments: argparse.Namespace, assessment: Assessment, summary: Summary) -> None:
    errors = Console(stderr=True, highlight=False)
    for nation, reasons in sorted(assessment.rejected.items()):
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        errors.print(f"{nation}: detections not used by its node: {told}")
    if arguments.json:
        print(json.dumps(summary_to_json(summary)))
        return
    console = Console()
    console.print(summary_table(summary))
    console.print(
        f"{arguments.out / EVENTS_FILE}, {arguments.out / SUMMARY_FILE}", highlight=False, soft_wrap=True
    )

"""`beaconfire record`: what recordings there are, and the detections in them as a feed for `assess`.

An installation records by itself: every node whose configuration says `record` writes each input to its
journal.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from beaconfire.adapters.installation import Installation, read_installation
from beaconfire.adapters.journal import InputKind, recorded_inputs
from beaconfire.adapters.wiring import Role
from beaconfire.cli.demo import recordings_folder
from beaconfire.cli.outputs import write_whole
from beaconfire.errors import UsageError
from beaconfire.formats.detections import format_detection, merged
from beaconfire.messages.codec import decode
from beaconfire.messages.detection import Detection, DetectionBatch
from beaconfire.messages.words import Nation


class Listed(msgspec.Struct, frozen=True):
    """One recording: where it lies, what was in force, whose it holds, and how large it is."""

    recording: str
    sharing: str
    nations: tuple[Nation, ...]
    megabytes: float


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("record", help="list recordings, take the detections out of one")
    kinds = parser.add_subparsers(dest="kind", metavar="list|export", required=True)
    listing = kinds.add_parser("list", help="recordings of a folder")
    listing.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="default: where the demo keeps them"
    )
    listing.add_argument("--json", action="store_true", help="print as JSON")
    export = kinds.add_parser("export", help="write the detections that its national nodes were given")
    export.add_argument("recording", type=Path, metavar="DIR", help="as the demo or an installation left it")
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="detection JSON Lines")
    export.add_argument("--nation", metavar="NATION", help="only this one's")


def run(arguments: argparse.Namespace) -> int:
    """List or export; returns 0.

    Raises:
        UsageError: no such recording, or one that was altered.
        EnvironmentFault: the output can't be written.
    """
    if arguments.kind == "list":
        _list(arguments.folder or recordings_folder(), as_json=arguments.json)
    else:
        _export(arguments)
    return 0


def _list(folder: Path, *, as_json: bool) -> None:
    found = list(_recordings(folder))
    if as_json:
        print(json.dumps([msgspec.to_builtins(one) for one in found]))
        return
    table = Table(title=f"Recordings in {folder}")
    table.add_column("recording", overflow="fold")
    for name in ("in force", "nations", "MB"):
        table.add_column(name, no_wrap=True)
    for one in found:
        table.add_row(one.recording, one.sharing, " ".join(one.nations), f"{one.megabytes:.1f}")
    Console().print(table)


def _recordings(folder: Path) -> Iterator[Listed]:
    if not folder.is_dir():
        return
    for place in sorted(folder.iterdir()):
        try:
            made = read_installation(place)
        except UsageError:
            continue
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
        yield Listed(str(place), made.sharing.value, made.nations, round(size / 1e6, 1))


def _export(arguments: argparse.Namespace) -> None:
    installation = read_installation(arguments.recording)
    nations = _chosen(installation, arguments.nation)
    feeds = [list(_detections(arguments.recording, nation)) for nation in nations]
    lines = [format_detection(one) + b"\n" for one in merged(feeds)]
    write_whole(arguments.out.parent, {arguments.out.name: lines})
    Console(stderr=True).print(f"{arguments.out}: {len(lines)} detections", highlight=False, soft_wrap=True)


def _chosen(installation: Installation, nation: str | None) -> tuple[Nation, ...]:
    if nation is None:
        return installation.nations
    if nation not in installation.nations:
        raise UsageError(
            f"no nation {nation!r} in the recording", "--nation", ", ".join(installation.nations)
        )
    return (Nation(nation),)


def _detections(recording: Path, nation: Nation) -> Iterator[Detection]:
    """Yield what a national node was given, in order of arrival."""
    for one in recorded_inputs(recording / nation / f"{Role.NATIONAL.value}.journal"):
        if one.kind is InputKind.RECEIVE:
            message = decode(one.body)
            if isinstance(message, DetectionBatch):
                yield from message.detections

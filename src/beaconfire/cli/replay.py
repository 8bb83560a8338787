"""`beaconfire replay`: what a recording's picture nodes were given, given again to the same node."""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table

from beaconfire.adapters.building import build_node
from beaconfire.adapters.configuration import LoadedConfig, read_config
from beaconfire.adapters.installation import Installation, read_installation
from beaconfire.adapters.journal import InputKind, RecordedInput, inbound_of, recorded_inputs
from beaconfire.adapters.wiring import Role
from beaconfire.cli.outputs import write_whole
from beaconfire.errors import UsageError
from beaconfire.formats.events import format_event
from beaconfire.messages.codec import decode
from beaconfire.messages.event import Event
from beaconfire.messages.words import Nation
from beaconfire.nodes.commands import EVENTS_LOG, Command, Inbound, Node
from beaconfire.sim.disk import SimDisk

EVENTS_FILE: Final = "events.jsonl"


class Replayed(msgspec.Struct, frozen=True):
    """What came of one nation's picture.

    Attributes:
        nation: whose.
        inputs: given to it.
        starts: of its process.
        revisions: of its main events.
        same: they are, byte for byte, those of the recording.
        first_difference: line of `events.jsonl` from which on they are not; 0 if they are.
    """

    nation: Nation
    inputs: int
    starts: int
    revisions: int
    same: bool
    first_difference: int


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("replay", help="run a recording again and compare its events")
    parser.add_argument("recording", type=Path, metavar="DIR", help="as the demo or an installation left it")
    parser.add_argument("--nation", action="append", metavar="NATION", help="only this one; may be repeated")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write each nation's events here")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Replay; returns 0 if every nation's events are byte for byte those of the recording, else 1.

    Raises:
        UsageError: no recording, not one of its nations, or a record in it was altered.
        EnvironmentFault: the output can't be written.
    """
    installation = read_installation(arguments.recording)
    results: list[Replayed] = []
    for nation in _nations(installation, arguments.nation):
        result, lines = replay_nation(arguments.recording, nation)
        results.append(result)
        if arguments.out is not None:
            write_whole(arguments.out / nation, {EVENTS_FILE: lines})
    _tell(results, as_json=arguments.json)
    return 0 if all(result.same for result in results) else 1


def _nations(installation: Installation, wanted: list[str] | None) -> tuple[Nation, ...]:
    if not wanted:
        return installation.nations
    for name in wanted:
        if name not in installation.nations:
            raise UsageError(
                f"no nation {name!r} in the recording", "--nation", ", ".join(installation.nations)
            )
    return tuple(Nation(name) for name in wanted)


def replay_nation(recording: Path, nation: Nation) -> tuple[Replayed, list[bytes]]:
    """Return how one nation's picture compares, and the lines of its main events.

    Args:
        recording: folder of the installation.
        nation: one of it.

    Raises:
        UsageError: its configuration, journal or events are missing or altered.
    """
    loaded = read_config(recording / nation / f"{Role.PICTURE.value}.json")
    journal = recording / nation / f"{Role.PICTURE.value}.journal"
    inputs = track(
        recorded_inputs(journal),
        f"replaying {nation}",
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    player = _Player(loaded)
    for one in inputs:
        player.give(one)
    lines = [format_event(event) + b"\n" for event in player.events()]
    recorded = _recorded_lines(recording / nation / EVENTS_FILE)
    difference = _first_difference(lines, recorded)
    result = Replayed(nation, player.inputs, player.starts, len(lines), difference == 0, difference)
    return result, lines


class _Player:
    """One node and its disk, given again what was recorded."""

    def __init__(self, loaded: LoadedConfig) -> None:
        self._loaded = loaded
        self._disk = SimDisk()
        self._node: Node | None = None
        self.inputs = 0
        self.starts = 0

    def give(self, one: RecordedInput) -> None:
        self.inputs += 1
        if one.kind is InputKind.START:
            self.starts += 1
            self._node = build_node(self._loaded, self._disk)
            return
        self._disk.commit(self._answer(one))

    def _answer(self, one: RecordedInput) -> list[Command]:
        if self._node is None:
            raise UsageError("a recording without its start", str(self._loaded.path))
        if one.kind is InputKind.TICK:
            return self._node.tick(one.now)
        channel, sender, lane = inbound_of(one)
        inbound = Inbound(channel, sender, lane, decode(one.body), len(one.body))
        return self._node.receive(inbound, one.now)

    def events(self) -> list[Event]:
        """Return every revision of the main events, in order."""
        decoder = msgspec.msgpack.Decoder(Event)
        return [decoder.decode(body) for body in self._disk.log(EVENTS_LOG)]


def _recorded_lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise UsageError(f"cannot read the recorded events: {error.strerror}", str(path)) from error


def _first_difference(lines: list[bytes], recorded: list[bytes]) -> int:
    """Return the number of the first line that differs, 0 if none does."""
    for number, (one, other) in enumerate(zip(lines, recorded, strict=False), 1):
        if one != other:
            return number
    return 0 if len(lines) == len(recorded) else min(len(lines), len(recorded)) + 1


def _tell(results: list[Replayed], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([msgspec.to_builtins(one) for one in results]))
        return
    table = Table("nation", "inputs", "starts", "revisions", "byte for byte", title="Replayed (SIMULATED)")
    for one in results:
        told = "the same" if one.same else f"differs from line {one.first_difference}"
        table.add_row(one.nation, str(one.inputs), str(one.starts), str(one.revisions), told)
    Console().print(table)

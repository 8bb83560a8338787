"""`arrangement explain` and `status --shadow`: what becomes of a message or a recording; releases nothing."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from beaconfire.adapters.installation import read_installation
from beaconfire.adapters.journal import InputKind, recorded_inputs
from beaconfire.adapters.wiring import Role
from beaconfire.cli.arrangement.papers import print_rows, read_papers
from beaconfire.cli.arrangement.shown import fate_in_words, ordinary_label
from beaconfire.errors import PeerError, UsageError
from beaconfire.formats.label_xml import label_from_xml
from beaconfire.messages.arrangement import Bundle
from beaconfire.messages.codec import decode, decode_header, decode_sealed
from beaconfire.messages.envelope import Sealed
from beaconfire.messages.label import Label
from beaconfire.messages.report import Report
from beaconfire.messages.strict_json import decode_json
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import Level, Nation
from beaconfire.nodes.commands import Channel
from beaconfire.release.content import decode_content
from beaconfire.release.explanation import Reader, pairs_of
from beaconfire.release.label import RAW_ONLY_AT_HOME, tighten
from beaconfire.release.opening import report_from

MESSAGE_BYTES_MAX: Final = 1_000_000
KNOWN_POLICIES: Final = frozenset({"beaconfire-1"})
"""Labelling policies known here."""


class Said(msgspec.Struct, frozen=True):
    """A report, the label it bears, and how old it was."""

    report: Report
    label: Label | None
    age_us: int = 0


def add_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the actions."""
    explain = actions.add_parser("explain", help="say which rule lets each part of a message pass, or not")
    explain.add_argument("message", metavar="MESSAGE", help="file, or with --recording a report id or track")
    explain.add_argument("partner", metavar="PARTNER", help="who would receive it")
    explain.add_argument("--recording", type=Path, metavar="DIR", help="look for the message there")
    explain.set_defaults(act=_explain)
    explain.add_argument(
        "--arrangements",
        nargs="+",
        default=[],
        metavar="ARRANGEMENT",
        help="shipped names, bundles or templates taken to be in force (default: the shipped ones)",
    )
    explain.add_argument("--label", type=Path, metavar="FILE", help="XML label that the message bears")
    explain.add_argument("--level", choices=[level.name for level in Level], default=Level.RESTRICTED.name)
    explain.add_argument("--json", action="store_true", help="print JSON")


def _explain(arguments: argparse.Namespace) -> int:
    bundles = read_papers(arguments.arrangements)
    said = _found(arguments) if arguments.recording else _read_message(Path(arguments.message))
    partner = Nation(arguments.partner)
    nations = {party for one in bundles for party in one.parties}
    if partner not in nations:
        raise UsageError(f"no partner {partner}", "PARTNER", ", ".join(sorted(nations)))
    label = said.label or _label(said.report.originator, bundles, Level[arguments.level])
    if arguments.label is not None:
        label = label_from_xml(_read(arguments.label), str(arguments.label), KNOWN_POLICIES)
    lines = Reader(bundles, said.report.mode).lines_of(said.report, label, partner, said.age_us)
    rows = [
        {"group": line.group.value, "what happens": fate_in_words(line), "by": ", ".join(line.rules)}
        for line in lines
    ]
    report = said.report
    title = f"report {report.report_id[:12]} of {report.originator} ({report.track}) to {partner}"
    print_rows(rows, as_json=arguments.json, title=title)
    return 0


def _label(originator: Nation, bundles: list[Bundle], level: Level) -> Label:
    """Return a label that leaves all to the arrangements but raw measurements, which stay at home."""
    nations = {party for one in bundles for party in one.parties}
    return tighten(ordinary_label(originator, nations, level), RAW_ONLY_AT_HOME)


def _read_message(path: Path) -> Said:
    """Return the report in a file: a report as JSON, or a report, delivery or sealed report as MessagePack.

    Raises:
        UsageError: unreadable, or none of these.
    """
    data = _read(path)
    try:
        if data.lstrip()[:1] == b"{":
            return Said(decode_json(data, Report), None)
        return _said(data)
    except (msgspec.MsgspecError, PeerError, UnicodeDecodeError) as error:
        wanted = "a report as JSON, or a report, delivery or sealed report as it travels"
        raise UsageError(f"not a message: {error}", str(path), wanted) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MESSAGE_BYTES_MAX)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(path)) from error


def _said(data: bytes) -> Said:
    try:
        message = decode(data)
    except PeerError:
        return _opened(decode_sealed(data))
    if isinstance(message, Report):
        return Said(message, None)
    if isinstance(message, Delivery):
        return _opened(decode_sealed(message.sealed))
    raise PeerError("schema", f"a {type(message).__name__.lower()}")


def _opened(sealed: Sealed) -> Said:
    """Return what a sealed report says, unverified: this only looks."""
    header = decode_header(sealed.header)
    contents = {one.group: decode_content(one.group, one.content) for one in sealed.disclosures}
    age_us = max(0, header.sent_at_us - header.valid_from_us)
    return Said(report_from(header, contents), header.label, age_us)


def _found(arguments: argparse.Namespace) -> Said:
    wanted = arguments.message
    held = [
        one
        for one in reports_of(arguments.recording)
        if one.report.track == wanted or one.report.report_id.startswith(wanted)
    ]
    if not held:
        raise UsageError(f"no report or track {wanted}", str(arguments.recording))
    return held[-1]


def reports_of(recording: Path) -> Iterator[Said]:
    """Yield every report that the guards of a recording were given, once, nation by nation, in order.

    Raises:
        UsageError: not a recording, or one that was altered.
    """
    installation = read_installation(recording)
    for nation in installation.nations:
        last: dict[str, str] = {}
        for one in recorded_inputs(recording / nation / f"{Role.GUARD.value}.journal"):
            if one.kind is not InputKind.RECEIVE or one.channel != Channel.OWN_REPORT.value:
                continue
            message = decode(one.body)
            if isinstance(message, Report) and last.get(message.track) != message.report_id:
                last[message.track] = message.report_id
                yield Said(message, None, max(0, one.utc_us - message.stated_at_us))


def shadow(bundles: list[Bundle], recording: Path) -> list[dict[str, Any]]:
    """Return what would become of every report of a recording under some bundles; releases nothing.

    Raises:
        UsageError: not a recording, or one that was altered.
    """
    fates: Counter[tuple[str, str, str, str, str]] = Counter()
    readers: dict[str, Reader] = {}
    for said in reports_of(recording):
        report = said.report
        reader = readers.setdefault(report.mode, Reader(bundles, report.mode))
        label = _label(report.originator, bundles, Level.RESTRICTED)
        for giver, taker in pairs_of(bundles):
            if giver != report.originator:
                continue
            for line in reader.lines_of(report, label, taker, said.age_us):
                key = (giver, taker, line.group.value, fate_in_words(line), ", ".join(line.rules))
                fates[key] += 1
    return [
        {"from → to": f"{giver} → {taker}", "group": group, "would be": happens, "reports": count, "by": by}
        for (giver, taker, group, happens, by), count in sorted(fates.items())
    ]

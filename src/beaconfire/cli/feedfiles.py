"""Recorded feeds for the verbs that read them: JSON Lines or TDM, told apart by how a file begins."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from beaconfire.errors import UsageError
from beaconfire.formats.detections import Entry, Reject, merged, read_detections
from beaconfire.formats.tdm import is_tdm, read_tdm
from beaconfire.messages.detection import Detection
from beaconfire.messages.sensor import Sensor

REJECTS_SHOWN_MAX: Final = 100
"""Rejects of one feed that are printed one by one; the rest is counted."""
DETECTIONS_MAX: Final = 20_000_000


class Feeds(NamedTuple):
    """What the feeds held.

    Attributes:
        detections: of all feeds, in order of `measured_at_us`.
        rejected: lines that were no detection.
    """

    detections: list[Detection]
    rejected: int


def read_feeds(paths: Sequence[Path], sensors: Iterable[Sensor], *, strict: bool) -> Feeds:
    """Return the detections of recorded feeds, merged by time; rejects are told on standard error.

    Raises:
        UsageError: a feed can't be read, a TDM can't be understood, or, if `strict`, a line is no detection.
    """
    known = {sensor.sensor: sensor for sensor in sensors}
    rejected = 0
    feeds: list[list[Detection]] = []
    for path in paths:
        detections, refused = _read_feed(path, known, strict=strict)
        feeds.append(detections)
        rejected += refused
    return Feeds(merged(feeds), rejected)


def _read_feed(path: Path, sensors: Mapping[str, Sensor], *, strict: bool) -> tuple[list[Detection], int]:
    detections: list[Detection] = []
    rejected = 0
    for entry in _entries(path, sensors):
        if not isinstance(entry.value, Reject):
            detections.append(entry.value)
            if len(detections) > DETECTIONS_MAX:
                raise UsageError("too many detections", str(path), f"at most {DETECTIONS_MAX}")
            continue
        if strict:
            raise UsageError(entry.value.reason, f"{path}:{entry.line}")
        rejected += 1
        if rejected <= REJECTS_SHOWN_MAX:
            print(f"{path}:{entry.line}: rejected: {entry.value.reason}", file=sys.stderr)
    if rejected:
        print(f"{path}: {rejected} rejected, {len(detections)} taken", file=sys.stderr)
    return detections, rejected


def _entries(path: Path, sensors: Mapping[str, Sensor]) -> Iterable[Entry]:
    try:
        with path.open("rb") as stream:
            beginning = stream.read(256)
            stream.seek(0)
            reader = read_tdm if is_tdm(beginning) else read_detections
            yield from reader(stream, sensors)
    except OSError as error:
        raise UsageError(f"cannot read the feed: {error.strerror}", str(path)) from error
    except UsageError as error:
        if error.where.startswith(str(path)):
            raise
        raise UsageError(error.what, f"{path}: {error.where}", error.expected) from error

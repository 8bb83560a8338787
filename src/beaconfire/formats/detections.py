"""Detections as JSON Lines: degrees outside, radians inside, one line one detection. Size first, then strict.

Source: docs/interfaces.md, section "Detections".
"""

import heapq
import math
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import BinaryIO, Final, NamedTuple

import msgspec

from beaconfire.errors import UsageError
from beaconfire.messages.detection import Detection, Plot, SightLine
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import TimeUs
from beaconfire.units import (
    DEGREES_PER_RADIAN,
    MICROSECONDS_PER_SECOND,
    RADIANS_PER_DEGREE,
)

MAXIMUM_LINE_BYTES: Final = 4_096
"""A line longer than this is refused before anything reads it."""

EARLIEST_US: Final = -386_380_800 * MICROSECONDS_PER_SECOND
"""1957-10-04: nothing to detect before; catches some times in seconds or milliseconds."""
LATEST_US: Final = 7_258_118_400 * MICROSECONDS_PER_SECOND
"""2200-01-01: catches nanoseconds given as microseconds."""
RANGE_MAX_M: Final = 1.0e8
"""Nothing on a ballistic path is farther from a radar on the ground."""
RANGE_RATE_MAX_M_S: Final = 20_000.0
"""Above escape speed plus any platform's: a unit mistake."""
POSITION_RADIUS_MIN_M: Final = 6.3e6
POSITION_RADIUS_MAX_M: Final = 5.0e8
UNIT_TOLERANCE: Final = 1.0e-3
"""How far the length of a direction may be off 1 before it is refused; within, it is normalised."""
FAR_OFF_US: Final = 24 * 3_600 * MICROSECONDS_PER_SECOND
"""A jump in time larger than this, not confirmed by the next line, is a clock fault and not a detection."""


class DetectionLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line as it stands in a feed: a plot's fields or a sight line's, degrees and metres.

    Attributes:
        sensor: id of the sensor.
        measured_at_us: microseconds UTC.
        range_m: slant range, radar only.
        azimuth_deg: clockwise from true north, radar only.
        elevation_deg: above the horizon plane, radar only.
        range_rate_m_s: radar only, optional.
        position_ecef_m: of the sensor, infrared only, ECEF, metres.
        line_of_sight_ecef: unit vector, infrared only, ECEF axes.
    """

    sensor: str
    measured_at_us: int
    range_m: float | None = None
    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    range_rate_m_s: float | None = None
    position_ecef_m: tuple[float, float, float] | None = None
    line_of_sight_ecef: tuple[float, float, float] | None = None


class Reject(NamedTuple):
    """A line that is no detection: why, in one clause."""

    reason: str


DOUBTFUL_MAX: Final = 3
FAR_OFF: Final = Reject("measured_at_us: far off from the detections around it")


class Entry(NamedTuple):
    """What one line of a feed came to.

    Attributes:
        line: number in its file, from 1.
        value: the detection, or why there is none.
    """

    line: int
    value: Detection | Reject


_decoder: Final = msgspec.json.Decoder(DetectionLine)
_encoder: Final = msgspec.json.Encoder()


def _bounded_number(name: str, value: float | None, low: float, high: float) -> float:
    if value is None:
        raise UsageError("missing field", name)
    if not math.isfinite(value):
        raise UsageError("not a finite number", name)
    if not low <= value <= high:
        raise UsageError(f"{value!r} is out of range", name, f"{low:g} to {high:g}")
    return value


def _finite_vector(
    name: str, value: tuple[float, float, float] | None
) -> tuple[tuple[float, float, float], float]:
    """Return the vector and its length."""
    if value is None:
        raise UsageError("missing field", name)
    if not all(math.isfinite(component) for component in value):
        raise UsageError("not a finite number", name)
    return value, math.hypot(*value)


def _plot(line: DetectionLine) -> Plot:
    if line.position_ecef_m is not None or line.line_of_sight_ecef is not None:
        raise UsageError("an infrared field in a detection of a radar", line.sensor)
    azimuth_deg = _bounded_number("azimuth_deg", line.azimuth_deg, -360.0, 360.0)
    elevation_deg = _bounded_number("elevation_deg", line.elevation_deg, -90.0, 90.0)
    range_m = _bounded_number("range_m", line.range_m, 1.0, RANGE_MAX_M)
    rate = line.range_rate_m_s
    if rate is not None:
        rate = _bounded_number("range_rate_m_s", rate, -RANGE_RATE_MAX_M_S, RANGE_RATE_MAX_M_S)
    return Plot(
        line.sensor,
        line.measured_at_us,
        range_m,
        (azimuth_deg % 360.0) * RADIANS_PER_DEGREE,
        elevation_deg * RADIANS_PER_DEGREE,
        rate,
    )


def _sight_line(line: DetectionLine) -> SightLine:
    radar_fields = (
        line.range_m,
        line.azimuth_deg,
        line.elevation_deg,
        line.range_rate_m_s,
    )
    if any(field is not None for field in radar_fields):
        raise UsageError("a radar field in a detection of an infrared sensor", line.sensor)
    position, radius_m = _finite_vector("position_ecef_m", line.position_ecef_m)
    _bounded_number("position_ecef_m", radius_m, POSITION_RADIUS_MIN_M, POSITION_RADIUS_MAX_M)
    direction, length = _finite_vector("line_of_sight_ecef", line.line_of_sight_ecef)
    if abs(length - 1.0) > UNIT_TOLERANCE:
        raise UsageError(f"length {length!r}", "line_of_sight_ecef", "a unit vector")
    x, y, z = direction
    return SightLine(line.sensor, line.measured_at_us, position, (x / length, y / length, z / length))


def parse_line(line: bytes, sensors: Mapping[str, Sensor]) -> Detection:
    """Return the detection that stands in one line.

    Args:
        line: JSON, with or without the line's end.
        sensors: the sensors known, by id.

    Raises:
        UsageError: too long, not JSON, an unknown, missing or surplus field, an unknown sensor, a number
            that is not finite or out of range. `where` names the field, never the file or the line.
    """
    if len(line) > MAXIMUM_LINE_BYTES:
        raise UsageError("line too long", expected=f"at most {MAXIMUM_LINE_BYTES} bytes")
    try:
        fields = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not a detection: {error}") from error
    return detection_from_fields(fields, sensors)


def detection_from_fields(fields: DetectionLine, sensors: Mapping[str, Sensor]) -> Detection:
    """Return the detection of fields already read; raises `UsageError` as `parse_line` does."""
    sensor = sensors.get(fields.sensor)
    if sensor is None:
        raise UsageError(
            f"unknown sensor {fields.sensor[:64]!r}",
            "sensor",
            "an id of the sensors file",
        )
    if not EARLIEST_US <= fields.measured_at_us <= LATEST_US:
        raise UsageError(
            f"{fields.measured_at_us} is far off",
            "measured_at_us",
            "microseconds UTC since 1970-01-01",
        )
    return _plot(fields) if isinstance(sensor, Radar) else _sight_line(fields)


def format_detection(detection: Detection) -> bytes:
    """Return the line of a detection, without the line's end; the same bytes for equal detections."""
    if isinstance(detection, SightLine):
        fields = DetectionLine(
            detection.sensor,
            detection.measured_at_us,
            position_ecef_m=detection.position_ecef_m,
            line_of_sight_ecef=detection.line_of_sight_ecef,
        )
    else:
        fields = DetectionLine(
            detection.sensor,
            detection.measured_at_us,
            detection.range_m,
            detection.azimuth_rad * DEGREES_PER_RADIAN,
            detection.elevation_rad * DEGREES_PER_RADIAN,
            detection.range_rate_m_s,
        )
    return _encoder.encode(fields)


def bounded_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield (number from 1, line) of a feed; of a line too long only its first bytes, one too many.

    Memory stays bounded whatever the length of a line.
    """
    number = 0
    while piece := stream.readline(MAXIMUM_LINE_BYTES + 1):
        number += 1
        yield number, piece
        while len(piece) > MAXIMUM_LINE_BYTES and not piece.endswith(b"\n"):
            piece = stream.readline(65_536)
            if len(piece) < 65_536:
                break


def _parsed(stream: BinaryIO, sensors: Mapping[str, Sensor]) -> Iterator[Entry]:
    for number, line in bounded_lines(stream):
        if not line.strip():
            continue
        try:
            yield Entry(number, parse_line(line, sensors))
        except UsageError as error:
            yield Entry(number, Reject(str(error)))


def _far_apart(one: Detection, other: Detection) -> bool:
    return abs(one.measured_at_us - other.measured_at_us) > FAR_OFF_US


def without_far_off(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries, a detection whose clock is far off turned into a reject.

    Far off: more than `FAR_OFF_US` from the detection before it that was accepted, and none of the next
    `DOUBTFUL_MAX` confirms the jump. The doubtful ones wait for that; rejects meanwhile pass them. So a
    new session days later passes, and a single wrong clock does not, not even among the first lines.
    """
    reference: Detection | None = None
    doubtful: list[tuple[int, Detection]] = []
    for entry in entries:
        detection = entry.value
        if isinstance(detection, Reject):
            yield entry
            continue
        if reference is None or _far_apart(reference, detection):
            confirmed = [line for line, held in doubtful if not _far_apart(held, detection)]
            if not confirmed:
                doubtful.append((entry.line, detection))
                if len(doubtful) > DOUBTFUL_MAX:
                    yield Entry(doubtful.pop(0)[0], FAR_OFF)
                continue
            yield from _judged(doubtful, confirmed)
        else:
            yield from _judged(doubtful, [])
        doubtful = []
        reference = detection
        yield entry
    alone = reference is None and len(doubtful) == 1
    yield from _judged(doubtful, [doubtful[0][0]] if alone else [])


def _judged(doubtful: Iterable[tuple[int, Detection]], confirmed: Container[int]) -> Iterator[Entry]:
    for line, held in doubtful:
        yield Entry(line, held if line in confirmed else FAR_OFF)


def read_detections(stream: BinaryIO, sensors: Mapping[str, Sensor]) -> Iterator[Entry]:
    """Yield what each line of a feed came to, in order of arrival; blank lines are passed over.

    Args:
        stream: the feed, open for reading bytes.
        sensors: the sensors known, by id.
    """
    return without_far_off(_parsed(stream, sensors))


def measured_at(detection: Detection) -> TimeUs:
    """Return when a detection was measured: the key feeds are merged by."""
    return detection.measured_at_us


def merged(feeds: Iterable[Iterable[Detection]]) -> list[Detection]:
    """Return the detections of several feeds in order of `measured_at_us`.

    Equal times stand in order of feed and of arrival within it, so the result does not depend on chance.
    """
    return list(heapq.merge(*(sorted(feed, key=measured_at) for feed in feeds), key=measured_at))

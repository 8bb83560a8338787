"""CCSDS Tracking Data Message, key-value notation, as a feed of radar plots.

What is taken: one way RANGE in km, ANGLE_1 and ANGLE_2 as AZEL in degrees, DOPPLER_INSTANTANEOUS in km/s,
UTC. Every other keyword of the standard is read over; a keyword the standard does not have is an error.
Source: CCSDS 503.0-B-2 (June 2020), sections 3.2 (header), 3.3 (metadata), 3.5 (data), 4.3.9 (times).
"""

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, Final, NamedTuple

from beaconfire.errors import UsageError
from beaconfire.formats.detections import (
    DetectionLine,
    Entry,
    Reject,
    bounded_lines,
    detection_from_fields,
)
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import TimeUs
from beaconfire.units import MICROSECONDS_PER_SECOND

MAXIMUM_TDM_LINE: Final = 254
"""Source: CCSDS 503.0-B-2, section 4.3.3: a line holds at most 254 characters."""
MAXIMUM_EPOCHS: Final = 1_000_000
"""Epochs of one segment; more are refused."""

VERSION_KEYWORD: Final = "CCSDS_TDM_VERS"
VERSIONS: Final = ("1.0", "2.0")


def _numbered(*stems: str) -> frozenset[str]:
    return frozenset(f"{stem}_{number}" for stem in stems for number in range(1, 6))


HEADER_KEYWORDS: Final = frozenset({"CREATION_DATE", "ORIGINATOR", "MESSAGE_ID"})
METADATA_KEYWORDS: Final = frozenset(
    [
        "TRACK_ID",
        "DATA_TYPES",
        "TIME_SYSTEM",
        "START_TIME",
        "STOP_TIME",
        "MODE",
        "PATH",
        "PATH_1",
        "PATH_2",
        "TRANSMIT_BAND",
        "RECEIVE_BAND",
        "TURNAROUND_NUMERATOR",
        "TURNAROUND_DENOMINATOR",
        "TIMETAG_REF",
        "INTEGRATION_INTERVAL",
        "INTEGRATION_REF",
        "FREQ_OFFSET",
        "RANGE_MODE",
        "RANGE_MODULUS",
        "RANGE_UNITS",
        "ANGLE_TYPE",
        "REFERENCE_FRAME",
        "INTERPOLATION",
        "INTERPOLATION_DEGREE",
        "DOPPLER_COUNT_BIAS",
        "DOPPLER_COUNT_SCALE",
        "DOPPLER_COUNT_ROLLOVER",
        "DATA_QUALITY",
        "CORRECTION_ANGLE_1",
        "CORRECTION_ANGLE_2",
        "CORRECTION_DOPPLER",
        "CORRECTION_MAG",
        "CORRECTION_RANGE",
        "CORRECTION_RCS",
        "CORRECTION_RECEIVE",
        "CORRECTION_TRANSMIT",
        "CORRECTION_ABERRATION_YEARLY",
        "CORRECTION_ABERRATION_DIURNAL",
        "CORRECTIONS_APPLIED",
    ]
) | _numbered("PARTICIPANT", "EPHEMERIS_NAME", "TRANSMIT_DELAY", "RECEIVE_DELAY")
"""Source: CCSDS 503.0-B-2, table 3-3."""
USED_KEYWORDS: Final = frozenset({"ANGLE_1", "ANGLE_2", "RANGE", "DOPPLER_INSTANTANEOUS"})
DATA_KEYWORDS: Final = (
    USED_KEYWORDS
    | frozenset(
        [
            "CARRIER_POWER",
            "DOPPLER_COUNT",
            "DOPPLER_INTEGRATED",
            "PC_N0",
            "PR_N0",
            "RECEIVE_FREQ",
            "DOR",
            "VLBI_DELAY",
            "MAG",
            "RCS",
            "CLOCK_BIAS",
            "CLOCK_DRIFT",
            "STEC",
            "TROPO_DRY",
            "TROPO_WET",
            "PRESSURE",
            "RHUMIDITY",
            "TEMPERATURE",
        ]
    )
    | _numbered(
        "RECEIVE_FREQ", "RECEIVE_PHASE_CT", "TRANSMIT_FREQ", "TRANSMIT_FREQ_RATE", "TRANSMIT_PHASE_CT"
    )
)
"""Source: CCSDS 503.0-B-2, table 3-5."""

_CORRECTIONS: Final = {
    "ANGLE_1": "CORRECTION_ANGLE_1",
    "ANGLE_2": "CORRECTION_ANGLE_2",
    "RANGE": "CORRECTION_RANGE",
    "DOPPLER_INSTANTANEOUS": "CORRECTION_DOPPLER",
}
_TIME = re.compile(r"(\d{4})-(?:(\d{2})-(\d{2})|(\d{3}))T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,15}))?Z?")
_UNIX: Final = dt.date(1970, 1, 1).toordinal()


class _Line(NamedTuple):
    """One line of a message: its number, keyword and value; value None where there is no `=`."""

    number: int
    keyword: str
    value: str | None


class _Segment(NamedTuple):
    """What the metadata of one segment settle: the radar and what to add to each kind of value."""

    sensor: str
    corrections: Mapping[str, float]


def is_tdm(beginning: bytes) -> bool:
    """Return True if a file that begins so is a Tracking Data Message in key-value notation."""
    return beginning.lstrip().startswith(VERSION_KEYWORD.encode())


def time_us_from_text(text: str) -> TimeUs:
    """Return microseconds UTC of a calendar or day-of-year time, rounded to the nearest.

    Raises:
        UsageError: not a time of the standard. Source: CCSDS 503.0-B-2, section 4.3.9.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise UsageError(f"not a time {text[:40]!r}", expected="YYYY-MM-DDThh:mm:ss.d or YYYY-DDDThh:mm:ss.d")
    year, month, day, day_of_year, hour, minute, second, fraction = found.groups()
    try:
        if day_of_year is None:
            date = dt.date(int(year), int(month), int(day)).toordinal()
        else:
            date = dt.date(int(year), 1, 1).toordinal() + int(day_of_year) - 1
            if dt.date.fromordinal(date).year != int(year):
                raise ValueError("day of year")
    except ValueError as error:
        raise UsageError(f"no such day {text[:40]!r}") from error
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60:
        raise UsageError(f"no such time of day {text[:40]!r}")
    seconds = ((date - _UNIX) * 24 + int(hour)) * 3600 + int(minute) * 60 + int(second)
    digits = (fraction or "0").ljust(6, "0")
    rounded_up = len(digits) > 6 and digits[6] >= "5"
    return seconds * MICROSECONDS_PER_SECOND + int(digits[:6]) + int(rounded_up)


def _lines(stream: BinaryIO) -> Iterator[_Line]:
    for number, raw in bounded_lines(stream):
        text = raw.rstrip(b"\r\n")
        if len(text) > MAXIMUM_TDM_LINE:
            raise UsageError("line too long", f"line {number}", f"at most {MAXIMUM_TDM_LINE} characters")
        if not text.isascii():
            raise UsageError("not ASCII", f"line {number}")
        line = text.decode("ascii").strip()
        if not line or line == "COMMENT" or line.startswith("COMMENT "):
            continue
        keyword, equals, value = line.partition("=")
        yield _Line(number, keyword.strip(), value.strip() if equals else None)


def _unknown(line: _Line, section: str) -> UsageError:
    return UsageError(f"unknown keyword {line.keyword[:40]!r} in the {section}", f"line {line.number}")


def _read_header(lines: Iterator[_Line]) -> None:
    """Read up to the first META_START."""
    first = next(lines, None)
    if first is None or first.keyword != VERSION_KEYWORD:
        raise UsageError("not a Tracking Data Message", "line 1", VERSION_KEYWORD)
    if first.value not in VERSIONS:
        raise UsageError(f"version {first.value!r}", f"line {first.number}", " or ".join(VERSIONS))
    for line in lines:
        if line.keyword == "META_START" and line.value is None:
            return
        if line.keyword not in HEADER_KEYWORDS or line.value is None:
            raise _unknown(line, "header")
    raise UsageError("no META_START", "end of file")


def _read_metadata(lines: Iterator[_Line]) -> dict[str, _Line]:
    """Read up to META_STOP and return the lines by keyword."""
    metadata: dict[str, _Line] = {}
    for line in lines:
        if line.keyword == "META_STOP" and line.value is None:
            return metadata
        if line.keyword not in METADATA_KEYWORDS or line.value is None:
            raise _unknown(line, "metadata")
        if line.keyword in metadata:
            raise UsageError("keyword given twice", f"line {line.number}, {line.keyword}")
        metadata[line.keyword] = line
    raise UsageError("no META_STOP", "end of file")


def _require(metadata: Mapping[str, _Line], keyword: str, expected: str, default: str | None = None) -> None:
    line = metadata.get(keyword)
    if line is None:
        if default is None or default.upper() != expected.upper():
            raise UsageError("missing keyword", f"metadata, {keyword}", expected)
    elif (line.value or "").upper() != expected.upper():
        raise UsageError(f"{(line.value or '')[:40]!r}", f"line {line.number}, {keyword}", expected)


def _sensor(metadata: Mapping[str, _Line], sensors: Mapping[str, Sensor]) -> str:
    named = [line for keyword, line in metadata.items() if keyword.startswith("PARTICIPANT_")]
    known = [line for line in named if line.value in sensors]
    if len(known) != 1:
        given = ", ".join(repr((line.value or "")[:40]) for line in named) or "none"
        where = f"line {named[0].number}" if named else "metadata"
        raise UsageError(f"participants {given}", where, "exactly one that is an id of the sensors file")
    sensor = known[0].value
    if sensor is None or not isinstance(sensors[sensor], Radar):
        raise UsageError(f"{sensor!r} is no radar", f"line {known[0].number}")
    return sensor


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise UsageError(f"not a number {text[:40]!r}", where) from error
    if not math.isfinite(value):
        raise UsageError(f"not a finite number {text[:40]!r}", where)
    return value


def _corrections(metadata: Mapping[str, _Line]) -> dict[str, float]:
    """Return what is still to be added, by data keyword. Source: CCSDS 503.0-B-2, section 3.4.15."""
    applied = metadata.get("CORRECTIONS_APPLIED")
    if applied is None or (applied.value or "").upper() != "NO":
        return {}
    found = {data: metadata[name] for data, name in _CORRECTIONS.items() if name in metadata}
    return {data: _number(line.value or "", f"line {line.number}") for data, line in found.items()}


def _settle(metadata: Mapping[str, _Line], sensors: Mapping[str, Sensor]) -> _Segment:
    _require(metadata, "TIME_SYSTEM", "UTC")
    _require(metadata, "ANGLE_TYPE", "AZEL")
    _require(metadata, "MODE", "SEQUENTIAL", default="SEQUENTIAL")
    _require(metadata, "RANGE_UNITS", "km", default="km")
    modulus = metadata.get("RANGE_MODULUS")
    if modulus is not None and _number(modulus.value or "", f"line {modulus.number}") != 0.0:
        raise UsageError("an ambiguous range", f"line {modulus.number}, RANGE_MODULUS", "0")
    return _Segment(_sensor(metadata, sensors), _corrections(metadata))


def _read_data(lines: Iterator[_Line], segment: _Segment) -> tuple[dict[TimeUs, dict[str, float]], list[int]]:
    """Read up to DATA_STOP; return the values of each epoch by keyword and each epoch's first line."""
    start = next(lines, None)
    if start is None or start.keyword != "DATA_START":
        raise UsageError("no DATA_START", f"line {start.number}" if start else "end of file")
    epochs: dict[TimeUs, dict[str, float]] = {}
    first_lines: list[int] = []
    for line in lines:
        if line.keyword == "DATA_STOP" and line.value is None:
            return epochs, first_lines
        if line.keyword not in DATA_KEYWORDS or line.value is None:
            raise _unknown(line, "data")
        if line.keyword in USED_KEYWORDS:
            _take_value(line, segment, epochs, first_lines)
    raise UsageError("no DATA_STOP", "end of file")


def _take_value(
    line: _Line, segment: _Segment, epochs: dict[TimeUs, dict[str, float]], first_lines: list[int]
) -> None:
    where = f"line {line.number}, {line.keyword}"
    words = (line.value or "").split()
    if len(words) != 2:
        raise UsageError(f"{len(words)} words", where, "a time and a value")
    try:
        epoch_us = time_us_from_text(words[0])
    except UsageError as error:
        raise UsageError(error.what, where, error.expected) from error
    value = _number(words[1], where) + segment.corrections.get(line.keyword, 0.0)
    if epoch_us not in epochs:
        if len(epochs) >= MAXIMUM_EPOCHS:
            raise UsageError("too many epochs", where, f"at most {MAXIMUM_EPOCHS} in a segment")
        epochs[epoch_us] = {}
        first_lines.append(line.number)
    if line.keyword in epochs[epoch_us]:
        raise UsageError("a second value for one time", where)
    epochs[epoch_us][line.keyword] = value


def _plot(sensor: str, epoch_us: TimeUs, values: Mapping[str, float]) -> DetectionLine:
    """Return the detection's fields, kilometres turned into metres."""
    range_km, rate_km_s = values.get("RANGE"), values.get("DOPPLER_INSTANTANEOUS")
    return DetectionLine(
        sensor,
        epoch_us,
        None if range_km is None else range_km * 1e3,
        values.get("ANGLE_1"),
        values.get("ANGLE_2"),
        None if rate_km_s is None else rate_km_s * 1e3,
    )


def _entries(
    segment: _Segment, data: tuple[dict[TimeUs, dict[str, float]], list[int]], sensors: Mapping[str, Sensor]
) -> Iterable[Entry]:
    epochs, first_lines = data
    for number, (epoch_us, values) in zip(first_lines, epochs.items(), strict=True):
        try:
            fields = _plot(segment.sensor, epoch_us, values)
            yield Entry(number, detection_from_fields(fields, sensors))
        except UsageError as error:
            yield Entry(number, Reject(str(error)))


def read_tdm(stream: BinaryIO, sensors: Mapping[str, Sensor]) -> Iterator[Entry]:
    """Yield the plot of each epoch of each segment, or why there is none, with its first line's number.

    Args:
        stream: the message, open for reading bytes.
        sensors: the sensors known, by id; the one participant among them is the radar.

    Raises:
        UsageError: the message as a whole can't be read: an unknown keyword, another time system, angle
            type or range unit, no known participant, a value that is no number; `where` names the line.
    """
    lines = _lines(stream)
    _read_header(lines)
    while True:
        segment = _settle(_read_metadata(lines), sensors)
        yield from _entries(segment, _read_data(lines, segment), sensors)
        following = next(lines, None)
        if following is None:
            return
        if following.keyword != "META_START" or following.value is not None:
            raise _unknown(following, "message")

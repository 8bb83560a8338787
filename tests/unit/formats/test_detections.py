"""Detections as JSON Lines: strict, bounded, degrees to radians, merged by time."""

import io
import math

import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.detections import (
    MAXIMUM_LINE_BYTES,
    Entry,
    Reject,
    bounded_lines,
    format_detection,
    merged,
    parse_line,
    read_detections,
)
from beaconfire.messages.detection import Plot, SightLine
from beaconfire.messages.sensor import InfraredSensor, Radar, Sensor
from beaconfire.messages.words import Nation

SENSORS: dict[str, Sensor] = {
    "kor-1": Radar("kor-1", Nation("KOR"), 0.6, 2.2, 300.0, 30.0, 5e-4, 5e-4, 1.0),
    "usa-ir": InfraredSensor("usa-ir", Nation("USA"), 1e-4),
}
TIME_US = 1_664_835_785_000_000
PLOT = (
    b'{"sensor":"kor-1","measured_at_us":1664835785000000,"range_m":812345.6,'
    b'"azimuth_deg":12.3456,"elevation_deg":23.4567,"range_rate_m_s":-1234.5}'
)
SIGHT = (
    b'{"sensor":"usa-ir","measured_at_us":1664835781000000,'
    b'"position_ecef_m":[0,0,42164000.0],"line_of_sight_ecef":[0,0,-1]}'
)


def test_plot_of_interfaces_page() -> None:
    plot = parse_line(PLOT + b"\n", SENSORS)
    assert isinstance(plot, Plot)
    assert plot.measured_at_us == TIME_US
    assert plot.azimuth_rad == pytest.approx(math.radians(12.3456), abs=1e-15)
    assert plot.elevation_rad == pytest.approx(math.radians(23.4567), abs=1e-15)
    assert (plot.range_m, plot.range_rate_m_s) == (812345.6, -1234.5)


def test_sight_line_is_normalised() -> None:
    line = parse_line(SIGHT.replace(b"-1]", b"-1.0005]"), SENSORS)
    assert line == SightLine("usa-ir", 1_664_835_781_000_000, (0.0, 0.0, 42164000.0), (0.0, 0.0, -1.0))


def test_negative_azimuth_is_taken_as_a_turn() -> None:
    plot = parse_line(PLOT.replace(b"12.3456", b"-90"), SENSORS)
    assert isinstance(plot, Plot)
    assert plot.azimuth_rad == pytest.approx(1.5 * math.pi)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (PLOT.replace(b"812345.6", b"NaN"), "not a detection"),
        (PLOT.replace(b"812345.6", b"Infinity"), "not a detection"),
        (PLOT.replace(b"812345.6", b"1e400"), "not a detection"),
        (PLOT.replace(b"812345.6", b"-5"), "range_m"),
        (PLOT.replace(b"812345.6", b'"812345.6"'), "not a detection"),
        (PLOT.replace(b"23.4567", b"93"), "elevation_deg"),
        (PLOT.replace(b"12.3456", b"1234.5"), "azimuth_deg"),
        (PLOT.replace(b"-1234.5", b"-123450"), "range_rate_m_s"),
        (PLOT.replace(b'"elevation_deg":23.4567,', b""), "missing field"),
        (PLOT.replace(b"kor-1", b"prk-1"), "unknown sensor"),
        (PLOT.replace(b"kor-1", b"usa-ir"), "radar field"),
        (SIGHT.replace(b"usa-ir", b"kor-1"), "infrared field"),
        (SIGHT.replace(b"-1]", b"-2]"), "unit vector"),
        (SIGHT.replace(b"42164000.0", b"1.0"), "position_ecef_m"),
        (SIGHT.replace(b",-1]", b"]"), "not a detection"),
        (PLOT.replace(b"1664835785000000", b"1664835785000000000"), "far off"),
        (PLOT.replace(b"1664835785000000", b"1664835785000000.5"), "not a detection"),
        (PLOT.replace(b'"sensor"', b'"object":7,"sensor"'), "not a detection"),
        (PLOT[:-1], "not a detection"),
        (b"\xff\xfe", "not a detection"),
        (b"[" * 3000, "not a detection"),
        (PLOT + b" " * MAXIMUM_LINE_BYTES, "too long"),
    ],
)
def test_bad_line_is_one_clear_error(line: bytes, word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        parse_line(line, SENSORS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", [PLOT, SIGHT])
def test_format_gives_the_same_line_again(line: bytes) -> None:
    detection = parse_line(line, SENSORS)
    again = parse_line(format_detection(detection), SENSORS)
    assert format_detection(again) == format_detection(detection)
    assert again.measured_at_us == detection.measured_at_us


def test_reader_numbers_rejects_and_goes_on() -> None:
    feed = io.BytesIO(PLOT + b"\nnonsense\n\n" + SIGHT + b"\n")
    entries = sorted(read_detections(feed, SENSORS), key=lambda entry: entry.line)
    assert [entry.line for entry in entries] == [1, 2, 4]
    assert isinstance(entries[1].value, Reject)
    assert isinstance(entries[2].value, SightLine)


class CountingStream(io.BytesIO):
    """A stream that remembers the longest piece anybody asked for."""

    longest = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0
        self.longest = max(self.longest, size)
        return super().readline(size)


def test_a_ten_megabyte_line_is_refused_in_bounded_pieces() -> None:
    feed = CountingStream(b"x" * 10_000_000 + b"\n" + PLOT + b"\n")
    entries = list(read_detections(feed, SENSORS))
    assert feed.longest <= 65_536
    assert [entry.line for entry in entries] == [1, 2]
    assert entries[0].value == Reject("line too long (expected at most 4096 bytes)")
    assert isinstance(entries[1].value, Plot)


@pytest.mark.parametrize("length", [4095, 4096, 4097, 4097 + 65_535, 4097 + 65_536, 4097 + 65_537])
def test_line_numbers_hold_at_every_border_of_a_piece(length: int) -> None:
    lines = list(bounded_lines(io.BytesIO(b"x" * length + b"\nnext\n")))
    assert [number for number, _ in lines] == [1, 2]
    assert lines[1][1] == b"next\n"


def _at(time_us: int) -> bytes:
    return PLOT.replace(b"1664835785000000", str(time_us).encode()) + b"\n"


def _accepted(times: list[int]) -> list[int]:
    entries = read_detections(io.BytesIO(b"".join(_at(time) for time in times)), SENSORS)
    return [entry.line for entry in entries if not isinstance(entry.value, Reject)]


DAY_US = 86_400_000_000


def test_a_clock_far_off_is_rejected_and_a_later_session_is_not() -> None:
    assert _accepted([TIME_US, TIME_US + 1, TIME_US + 300 * DAY_US, TIME_US + 2]) == [
        1,
        2,
        4,
    ]
    assert _accepted([TIME_US - 300 * DAY_US, TIME_US, TIME_US + 1]) == [2, 3]
    assert _accepted([TIME_US, TIME_US + 1, TIME_US + 2 * DAY_US, TIME_US + 2 * DAY_US + 5]) == [1, 2, 3, 4]
    assert _accepted([TIME_US]) == [1]
    assert _accepted([TIME_US, 99, TIME_US - 5]) == [1, 3]
    assert _accepted([99, TIME_US, 300 * DAY_US, TIME_US + 1, TIME_US + 2]) == [2, 4, 5]
    assert _accepted([number * 9 * DAY_US for number in range(1, 9)]) == []
    assert _accepted([TIME_US, TIME_US + 1, TIME_US + 9 * DAY_US]) == [1, 2]


def test_merge_is_by_time_and_stable() -> None:
    def plot(sensor: str, time_us: int) -> Plot:
        return Plot(sensor, time_us, 1.0, 0.0, 0.0)

    first = [plot("a", 3), plot("b", 1), plot("c", 3)]
    second = [plot("d", 3), plot("e", 2)]
    assert [detection.sensor for detection in merged([first, second])] == [
        "b",
        "e",
        "a",
        "c",
        "d",
    ]


def test_entry_is_line_and_value() -> None:
    assert Entry(3, Reject("x")).line == 3

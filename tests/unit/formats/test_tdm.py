"""CCSDS TDM as a feed: values of one epoch form one plot; what is not understood is a clear error."""

import datetime as dt
import io
import math
from pathlib import Path

import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.detections import Entry, Reject
from beaconfire.formats.tdm import is_tdm, read_tdm, time_us_from_text
from beaconfire.messages.detection import Plot
from beaconfire.messages.sensor import InfraredSensor, Radar, Sensor
from beaconfire.messages.words import Nation

SENSORS: dict[str, Sensor] = {
    "kor-1": Radar("kor-1", Nation("KOR"), 0.6, 2.2, 300.0, 30.0, 5e-4, 5e-4, 1.0),
    "jpn-1": Radar("jpn-1", Nation("JPN"), 0.6, 2.4, 300.0, 30.0, 5e-4, 5e-4),
    "usa-ir": InfraredSensor("usa-ir", Nation("USA"), 1e-4),
}

MESSAGE = (Path(__file__).parents[2] / "golden" / "two_plots.tdm").read_text(encoding="ascii")


def _read(message: str) -> list[Entry]:
    return list(read_tdm(io.BytesIO(message.encode()), SENSORS))


def test_values_of_one_epoch_form_one_plot() -> None:
    entries = _read(MESSAGE)
    first, second = (entry.value for entry in entries)
    assert isinstance(first, Plot)
    assert isinstance(second, Plot)
    expected = dt.datetime(2022, 10, 3, 22, 23, 5, tzinfo=dt.UTC).timestamp() * 1e6
    assert first.measured_at_us == expected
    assert first.sensor == "kor-1"
    assert first.range_m == pytest.approx(812_345.6, abs=1e-6)
    assert first.azimuth_rad == pytest.approx(math.radians(12.3456))
    assert first.elevation_rad == pytest.approx(math.radians(23.4567))
    assert first.range_rate_m_s == pytest.approx(-1_234.5)
    assert second.measured_at_us - first.measured_at_us == 1_250_000
    assert second.range_rate_m_s is None


def test_several_segments_with_several_radars() -> None:
    second = MESSAGE[MESSAGE.index("META_START") :].replace("kor-1", "jpn-1")
    sensors = [entry.value.sensor for entry in _read(MESSAGE + second) if isinstance(entry.value, Plot)]
    assert sensors == ["kor-1", "kor-1", "jpn-1", "jpn-1"]


def test_epoch_without_a_range_is_a_reject_with_its_line() -> None:
    entries = _read(MESSAGE.replace("RANGE = 2022-276T22:23:06.25 811.1\n", ""))
    assert isinstance(entries[0].value, Plot)
    assert entries[1] == Entry(22, Reject("range_m: missing field"))


def test_corrections_not_yet_applied_are_applied() -> None:
    metadata = "CORRECTION_RANGE = 0.5\nCORRECTIONS_APPLIED = NO\nMETA_STOP"
    corrected = _read(MESSAGE.replace("META_STOP", metadata))[0].value
    applied = _read(MESSAGE.replace("META_STOP", metadata.replace("NO", "YES")))[0].value
    assert isinstance(corrected, Plot)
    assert isinstance(applied, Plot)
    assert corrected.range_m - applied.range_m == pytest.approx(500.0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("RCS", "ALTITUDE", "line 21: unknown keyword 'ALTITUDE' in the data"),
        ("RANGE_UNITS = km", "RANGE_UNIT = km", "line 13: unknown keyword 'RANGE_UNIT' in the metadata"),
        ("ORIGINATOR", "AUTHOR", "line 4: unknown keyword 'AUTHOR' in the header"),
        ("= UTC", "= TAI", "line 7, TIME_SYSTEM: 'TAI'"),
        ("TIME_SYSTEM = UTC\n", "", "TIME_SYSTEM: missing keyword"),
        ("AZEL", "RADEC", "line 12, ANGLE_TYPE"),
        ("RANGE_UNITS = km", "RANGE_UNITS = s", "line 13, RANGE_UNITS"),
        ("RANGE_UNITS = km", "RANGE_MODULUS = 100", "ambiguous"),
        ("MODE = SEQUENTIAL", "MODE = SINGLE_DIFF", "line 10, MODE"),
        ("kor-1", "prk-1", "line 8: participants 'prk-1', 'object'"),
        ("= object", "= jpn-1", "exactly one"),
        ("kor-1", "usa-ir", "no radar"),
        ("22:23:05.000000 812.3456", "22:23:05.000000 NaN", "line 19, RANGE: not a finite number"),
        ("22:23:05.000000 812.3456", "22:23:05.000000 far", "line 19, RANGE: not a number"),
        ("22:23:05.000000 812.3456", "22:23:05.000000", "line 19, RANGE: 1 words"),
        ("RANGE = 2022-10-03", "RANGE = 2022-02-30", "line 19, RANGE: no such day"),
        ("RANGE = 2022-10-03T", "RANGE = 2022-10-03 ", "line 19, RANGE: 3 words"),
        ("CCSDS_TDM_VERS = 2.0", "CCSDS_TDM_VERS = 9.0", "line 1: version '9.0'"),
        ("CCSDS_TDM_VERS = 2.0", "CCSDS_OEM_VERS = 2.0", "not a Tracking Data Message"),
        ("DATA_STOP\n", "", "no DATA_STOP"),
        ("COMMENT simulated", "COMMENT " + "x" * 300, "line 2: line too long"),
        ("COMMENT simulated", "COMMENT größe", "line 2: not ASCII"),
        ("DOPPLER_INSTANTANEOUS", "RANGE", "line 20, RANGE: a second value"),
        ("RANGE_UNITS = km", "MODE = SEQUENTIAL", "line 13, MODE: keyword given twice"),
    ],
)
def test_what_is_not_understood_is_named_with_its_line(old: str, new: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        _read(MESSAGE.replace(old, new, 1))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected_us"),
    [
        ("1970-01-01T00:00:00", 0),
        ("1970-001T00:00:00.5", 500_000),
        ("1970-01-01T00:00:00.1234565Z", 123_457),
        ("2016-366T00:00:00", 1_483_142_400_000_000),
    ],
)
def test_times(text: str, expected_us: int) -> None:
    assert time_us_from_text(text) == expected_us


@pytest.mark.parametrize("text", ["2017-366T00:00:00", "2017-01-01T24:00:00", "17-01-01T00:00:00", ""])
def test_wrong_times(text: str) -> None:
    with pytest.raises(UsageError):
        time_us_from_text(text)


def test_message_is_told_from_json_lines() -> None:
    assert is_tdm(b"\nCCSDS_TDM_VERS = 2.0\n")
    assert not is_tdm(b'{"sensor":"kor-1"}')

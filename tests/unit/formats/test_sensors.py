"""The sensors file: every field checked, each fault one clear error that names file and field."""

import math
from pathlib import Path

import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.sensors import parse_sensors, read_sensors, shipped_sensors
from beaconfire.messages.sensor import InfraredSensor, Radar

RADAR = """
[[sensor]]
id = "kor-1"
nation = "KOR"
kind = "radar"
latitude_deg = 36.0
longitude_deg = 127.8
height_m = 300.0
sigma_range_m = 30.0
sigma_azimuth_deg = 0.03
sigma_elevation_deg = 0.03
minimum_elevation_deg = 2.0
maximum_range_m = 1_000_000.0
"""
INFRARED = """
[[sensor]]
id = "usa-ir"
nation = "USA"
kind = "ir"
sigma_line_of_sight_deg = 0.003
"""


def test_degrees_become_radians_and_optional_fields_have_their_defaults() -> None:
    radar, infrared = parse_sensors(RADAR + INFRARED, "mine.toml")
    assert isinstance(radar, Radar)
    assert isinstance(infrared, InfraredSensor)
    assert radar.latitude_rad == pytest.approx(math.radians(36.0))
    assert radar.sigma_azimuth_rad == pytest.approx(math.radians(0.03))
    assert radar.minimum_elevation_rad == pytest.approx(math.radians(2.0))
    assert (radar.sigma_range_rate_m_s, radar.bias_sigma_range_m, radar.scan_period_s) == (None, 0.0, 1.0)
    assert infrared.sigma_line_of_sight_rad == pytest.approx(math.radians(0.003))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("sigma_range_m = 30.0", "", "sensor 1 ('kor-1'): sigma_range_m"),
        ("sigma_range_m = 30.0", "sigma_range_m = 0.0", "sigma_range_m"),
        ("sigma_range_m = 30.0", "sigma_range_m = -3", "sigma_range_m"),
        ("sigma_range_m = 30.0", "sigma_range_m = nan", "sigma_range_m"),
        ("sigma_range_m = 30.0", "sigma_range_m = inf", "sigma_range_m"),
        ("sigma_range_m = 30.0", "sigma_range_m = true", "sigma_range_m"),
        ("sigma_range_m = 30.0", 'sigma_range_m = "30"', "sigma_range_m"),
        ("latitude_deg = 36.0", "latitude_deg = 91.0", "latitude_deg"),
        ("longitude_deg = 127.8", "longitude_deg = 227.8", "longitude_deg"),
        ('nation = "KOR"', 'nation = "Korea"', "nation"),
        ('nation = "KOR"', 'nation = "kor"', "nation"),
        ('kind = "radar"', 'kind = "sonar"', "kind"),
        ('kind = "radar"', "", "kind"),
        ('id = "kor-1"', 'id = ""', "id"),
        ('id = "kor-1"', "id = 7", "id"),
        ('id = "kor-1"', 'id = "a\\nb"', "id"),
        ("height_m = 300.0", "heigth_m = 300.0", "heigth_m"),
        ("[[sensor]]", "[sensor]", "no [[sensor]] table"),
        ("[[sensor]]", "[[radar]]", "radar"),
        ("height_m = 300.0", "height_m = ", "not TOML"),
    ],
)
def test_a_fault_is_one_line_that_names_file_and_field(old: str, new: str, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sensors(RADAR.replace(old, new), "mine.toml")
    line = str(caught.value)
    assert line.startswith("mine.toml")
    assert named in line
    assert "\n" not in line


def test_an_id_that_stands_twice_is_refused() -> None:
    with pytest.raises(UsageError, match=r"sensor 2 \('kor-1'\): id: stands twice"):
        parse_sensors(RADAR + RADAR, "mine.toml")


def test_a_radar_field_at_an_infrared_sensor_is_refused() -> None:
    with pytest.raises(UsageError, match="latitude_deg: unknown field"):
        parse_sensors(INFRARED + "latitude_deg = 1.0\n", "mine.toml")


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no \[\[sensor\]\] table"):
        parse_sensors("", "mine.toml")


def test_files_that_can_not_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_sensors(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="can't be read"):
        read_sensors(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(UsageError, match="byte 5 is not UTF-8"):
        read_sensors(tmp_path / "latin.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(UsageError, match="too large"):
        read_sensors(tmp_path / "large.toml")


def test_what_ships_is_what_stands_in_the_sensors_folder(root: Path) -> None:
    assert read_sensors(root / "sensors" / "notional.toml") == shipped_sensors()
    assert "notional" in (root / "sensors" / "notional.toml").read_text(encoding="utf-8").lower()


def test_every_nation_has_sensors_and_one_is_infrared() -> None:
    sensors = shipped_sensors()
    assert {sensor.nation for sensor in sensors} == {"JPN", "KOR", "USA"}
    assert any(isinstance(sensor, InfraredSensor) for sensor in sensors)

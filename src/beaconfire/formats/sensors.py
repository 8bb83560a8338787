"""Sensors file: TOML tables `[[sensor]]`, degrees outside, radians inside, every field checked.

Source: docs/interfaces.md, section "Sensors". `scan_period_s` is an extension for the simulated sensors.
"""

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from beaconfire.errors import UsageError
from beaconfire.formats.tables import Bounds, Table, check_unique, parse_tables, read_text
from beaconfire.messages.sensor import InfraredSensor, Radar, Sensor
from beaconfire.units import RADIANS_PER_DEGREE

_SIGMA_METRES: Final = Bounds(0.01, 100_000.0, "m")
_SIGMA_DEGREES: Final = Bounds(1e-6, 30.0, "degrees")
_SIGMA_RATE: Final = Bounds(1e-4, 10_000.0, "m/s")
_BIAS_METRES: Final = Bounds(0.0, 100_000.0, "m")
_BIAS_DEGREES: Final = Bounds(0.0, 30.0, "degrees")
_BIAS_SECONDS: Final = Bounds(0.0, 60.0, "s")
_PERIOD: Final = Bounds(0.01, 120.0, "s")
_LATITUDE: Final = Bounds(-90.0, 90.0, "degrees")
_LONGITUDE: Final = Bounds(-180.0, 180.0, "degrees")
_HEIGHT: Final = Bounds(-500.0, 20_000.0, "m")
_ELEVATION: Final = Bounds(-10.0, 89.0, "degrees")
_RANGE: Final = Bounds(1_000.0, 100_000_000.0, "m")

_SHARED: Final = frozenset({"id", "nation", "kind", "bias_sigma_clock_s", "scan_period_s"})
_RADAR: Final = _SHARED | {
    "latitude_deg",
    "longitude_deg",
    "height_m",
    "sigma_range_m",
    "sigma_azimuth_deg",
    "sigma_elevation_deg",
    "sigma_range_rate_m_s",
    "bias_sigma_range_m",
    "bias_sigma_azimuth_deg",
    "bias_sigma_elevation_deg",
    "minimum_elevation_deg",
    "maximum_range_m",
}
_INFRARED: Final = _SHARED | {"sigma_line_of_sight_deg"}


def _radians(table: Table, name: str, bounds: Bounds, default: float | None = None) -> float:
    return table.number(name, bounds, default) * RADIANS_PER_DEGREE


def _radar(table: Table) -> Radar:
    table.only(_RADAR)
    rated = "sigma_range_rate_m_s" in table.values
    return Radar(
        sensor=table.text("id"),
        nation=table.nation(),
        latitude_rad=_radians(table, "latitude_deg", _LATITUDE),
        longitude_rad=_radians(table, "longitude_deg", _LONGITUDE),
        height_m=table.number("height_m", _HEIGHT),
        sigma_range_m=table.number("sigma_range_m", _SIGMA_METRES),
        sigma_azimuth_rad=_radians(table, "sigma_azimuth_deg", _SIGMA_DEGREES),
        sigma_elevation_rad=_radians(table, "sigma_elevation_deg", _SIGMA_DEGREES),
        sigma_range_rate_m_s=table.number("sigma_range_rate_m_s", _SIGMA_RATE) if rated else None,
        bias_sigma_range_m=table.number("bias_sigma_range_m", _BIAS_METRES, 0.0),
        bias_sigma_azimuth_rad=_radians(table, "bias_sigma_azimuth_deg", _BIAS_DEGREES, 0.0),
        bias_sigma_elevation_rad=_radians(table, "bias_sigma_elevation_deg", _BIAS_DEGREES, 0.0),
        bias_sigma_clock_s=table.number("bias_sigma_clock_s", _BIAS_SECONDS, 0.0),
        minimum_elevation_rad=_radians(table, "minimum_elevation_deg", _ELEVATION),
        maximum_range_m=table.number("maximum_range_m", _RANGE),
        scan_period_s=table.number("scan_period_s", _PERIOD, 1.0),
    )


def _infrared(table: Table) -> InfraredSensor:
    table.only(_INFRARED)
    return InfraredSensor(
        sensor=table.text("id"),
        nation=table.nation(),
        sigma_line_of_sight_rad=_radians(table, "sigma_line_of_sight_deg", _SIGMA_DEGREES),
        bias_sigma_clock_s=table.number("bias_sigma_clock_s", _BIAS_SECONDS, 0.0),
        scan_period_s=table.number("scan_period_s", _PERIOD, 1.0),
    )


def _sensor(table: Table) -> Sensor:
    kind = table.text("kind")
    if kind == "radar":
        return _radar(table)
    if kind == "ir":
        return _infrared(table)
    raise UsageError(f"bad value {kind!r}", f"{table.where}: kind", "radar or ir")


def parse_sensors(text: str, where: str) -> tuple[Sensor, ...]:
    """Return the sensors of a TOML text, in its order; `where` names it in errors.

    Raises:
        UsageError: not TOML, or a field is missing, unknown, malformed or out of bounds, or stands twice.
    """
    tables = parse_tables(text, "sensor", where)
    sensors = tuple(_sensor(table) for table in tables)
    check_unique([sensor.sensor for sensor in sensors], tables, "id")
    return sensors


def read_sensors(path: Traversable) -> tuple[Sensor, ...]:
    """Return the sensors of a file; raises `UsageError` as `parse_sensors` does, or if it can't be read."""
    return parse_sensors(read_text(path), str(path))


def shipped_sensors() -> tuple[Sensor, ...]:
    """Return the notional sensors that ship: simulated, at invented places, unaffiliated."""
    text = resources.files("beaconfire").joinpath("shipped/sensors.toml").read_text(encoding="utf-8")
    return parse_sensors(text, "shipped/sensors.toml")

"""Flights file: TOML tables `[[flight]]`, public figures of launches, such as the built-in catalogue.

Degrees and kilometres outside, radians and metres inside. Ids are Korean dates, with a letter where a day had
several.
"""

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from beaconfire.errors import UsageError
from beaconfire.formats.launches import BEARING, KILOMETRES, LATITUDE, LONGITUDE, MANOEUVRES, Launch, utc_us
from beaconfire.formats.tables import Bounds, Table, check_unique, parse_tables, read_text, shown
from beaconfire.frames.geodesy import Geodetic
from beaconfire.units import RADIANS_PER_DEGREE

_MINUTES: Final = Bounds(0.1, 120.0, "minutes")
_SHIPPED_FIELDS: Final = frozenset(
    {
        "id", "launched_utc", "missile", "manoeuvre", "site", "latitude_deg", "longitude_deg",
        "bearing_deg", "apogee_km", "range_km", "flight_time_min", "outcome", "source",
    }
)  # fmt: skip


def _flight(table: Table) -> Launch:
    table.only(_SHIPPED_FIELDS)
    latitude, longitude = table.number("latitude_deg", LATITUDE), table.number("longitude_deg", LONGITUDE)
    reported = "flight_time_min" in table.values
    manoeuvre = table.text("manoeuvre")
    if manoeuvre not in MANOEUVRES:
        where = f"{table.where}: manoeuvre"
        raise UsageError(f"bad value {shown(manoeuvre)}", where, ", ".join(MANOEUVRES))
    return Launch(
        launch_id=table.text("id"),
        launched_at_us=utc_us(table.text("launched_utc"), f"{table.where}: launched_utc"),
        missile=table.text("missile"),
        manoeuvre=manoeuvre,
        site_name=table.text("site"),
        site=Geodetic(latitude * RADIANS_PER_DEGREE, longitude * RADIANS_PER_DEGREE, 0.0),
        bearing_rad=table.number("bearing_deg", BEARING) * RADIANS_PER_DEGREE,
        apogee_m=table.number("apogee_km", KILOMETRES) * 1_000.0,
        range_m=table.number("range_km", KILOMETRES) * 1_000.0,
        outcome=table.text("outcome"),
        flight_time_s=table.number("flight_time_min", _MINUTES) * 60.0 if reported else None,
        source=table.text("source"),
    )


def parse_flights(text: str, where: str) -> tuple[Launch, ...]:
    """Return the flights of a TOML text of `[[flight]]` tables, all complete, in its order.

    Raises:
        UsageError: not TOML, or a field is missing, unknown, malformed out of bounds, or an id stands twice.
    """
    tables = parse_tables(text, "flight", where)
    flights = tuple(_flight(table) for table in tables)
    check_unique([flight.launch_id for flight in flights], tables, "id")
    return flights


def read_flights(path: Traversable) -> tuple[Launch, ...]:
    """Return the flights of a file; raises `UsageError` as `parse_flights` does, or if it can't be read."""
    return parse_flights(read_text(path), str(path))


def shipped_flights() -> tuple[Launch, ...]:
    """Return the built-in catalogue of publicly reported launches."""
    text = resources.files("beaconfire").joinpath("shipped/flights.toml").read_text(encoding="utf-8")
    return parse_flights(text, "shipped/flights.toml")

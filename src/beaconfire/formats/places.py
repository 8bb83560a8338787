"""Places file: TOML tables `[[place]]`, named areas people live in; degrees outside, radians inside.

Source: docs/interfaces.md, section "Events", `places`.
"""

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from beaconfire.formats.tables import Bounds, Table, check_unique, parse_tables, read_text
from beaconfire.messages.event import Place
from beaconfire.units import RADIANS_PER_DEGREE

_FIELDS: Final = frozenset({"name", "nation", "latitude_deg", "longitude_deg", "radius_m"})
_LATITUDE: Final = Bounds(-90.0, 90.0, "degrees")
_LONGITUDE: Final = Bounds(-180.0, 180.0, "degrees")
_RADIUS: Final = Bounds(100.0, 1_000_000.0, "m")


def _place(table: Table) -> Place:
    table.only(_FIELDS)
    return Place(
        name=table.text("name"),
        nation=table.nation(),
        latitude_rad=table.number("latitude_deg", _LATITUDE) * RADIANS_PER_DEGREE,
        longitude_rad=table.number("longitude_deg", _LONGITUDE) * RADIANS_PER_DEGREE,
        radius_m=table.number("radius_m", _RADIUS),
    )


def parse_places(text: str, where: str) -> tuple[Place, ...]:
    """Return the places of a TOML text, in its order; `where` names it in errors.

    Raises:
        UsageError: not TOML, or a field is missing, unknown, malformed or out of bounds, or stands twice.
    """
    tables = parse_tables(text, "place", where)
    places = tuple(_place(table) for table in tables)
    check_unique([place.name for place in places], tables, "name")
    return places


def read_places(path: Traversable) -> tuple[Place, ...]:
    """Return the places of a file; raises `UsageError` as `parse_places` does, or if it can't be read."""
    return parse_places(read_text(path), str(path))


def shipped_places() -> tuple[Place, ...]:
    """Return the named areas that ship."""
    text = resources.files("beaconfire").joinpath("shipped/places.toml").read_text(encoding="utf-8")
    return parse_places(text, "shipped/places.toml")

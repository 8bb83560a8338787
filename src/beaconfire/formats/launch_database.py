"""The public launch database's JSON: `data/test.*.json` of the repository nagix/nk-missile-tests.

`timeBins` holds years, each with `data`, one object a missile: date, time "HH:MM (UTC)" or "unknown", missile
and facility keys, apogee and distance in km (number, text or "unknown"), bearing in degrees, outcome.
Places are in `data/facility.*.json`, names and kind of manoeuvre in `data/missile.*.json`.
Source: CNS North Korea Missile Test Database, James Martin Center for Nonproliferation Studies (via NTI).
"""

import json
import re
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Final

from beaconfire.errors import UsageError
from beaconfire.formats.launches import Launch, Row, launches_of_rows
from beaconfire.formats.tables import read_text

_BEARING_FILLER: Final = "90"
"""The database writes it where no bearing was reported."""


def _json_object(text: str, where: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", where) from error
    if not isinstance(document, dict):
        raise UsageError("not an object", where, "a JSON object")
    return document


def _member(holder: object, name: str, where: str) -> object:
    if not isinstance(holder, dict) or name not in holder:
        raise UsageError("missing field", f"{where}: {name}")
    return holder[name]


def _entries(document: dict[str, object], where: str) -> list[tuple[dict[str, object], str]]:
    """Return the entries of all years with where each stands."""
    years = _member(document, "timeBins", where)
    if not isinstance(years, list):
        raise UsageError("not a list", f"{where}: timeBins")
    out: list[tuple[dict[str, object], str]] = []
    for number, year in enumerate(years):
        data = _member(year, "data", f"{where}: timeBins[{number}]")
        if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
            raise UsageError("not a list of objects", f"{where}: timeBins[{number}].data")
        out.extend((entry, f"{where}: timeBins[{number}].data[{k}]") for k, entry in enumerate(data))
    return out


def _database_time(date: str, time: str) -> str:
    """Return the CSV's form of the database's date and "22:22 (UTC)"; the date alone if there is no time."""
    clock = re.fullmatch(r"(\d{2}:\d{2}) \(UTC\)", time)
    return f"{date}T{clock[1]}Z" if clock else date


@dataclass(frozen=True)
class DatabaseTexts:
    """The three JSON texts of the public database.

    Attributes:
        launches: of `data/test.en.json`.
        facilities: of `data/facility.en.json`.
        missiles: of `data/missile.en.json`; empty if there is none (then all count as ballistic).
    """

    launches: str
    facilities: str
    missiles: str = "{}"


def _database_row(entry: dict[str, object], where: str, sites: object, missiles: dict[str, object]) -> Row:
    key = str(_member(entry, "facility", where))
    site = _member(sites, key, f"{where}: facility")
    missile = str(_member(entry, "missile", where))
    kind = missiles.get(missile)
    described = kind if isinstance(kind, dict) else {}
    bearing = str(_member(entry, "bearing", where))
    values = {
        "launch_utc": _database_time(str(_member(entry, "date", where)), str(entry.get("time", "unknown"))),
        "missile": str(described.get("name", missile)),
        "maneuver": str(entry.get("maneuver", described.get("maneuver", "ballistic"))),
        "facility": str(_member(site, "name", where)),
        "lat": str(_member(site, "lat", where)),
        "lon": str(_member(site, "lon", where)),
        "apogee_km": str(entry.get("apogee", "unknown")),
        "distance_km": str(entry.get("distance", "unknown")),
        "bearing_deg": bearing,
        "bearing_is_default": str(bearing == _BEARING_FILLER),
        "outcome": str(entry.get("outcome", "unknown")),
    }
    return Row(values, where)


def parse_launches_json(texts: DatabaseTexts, where: str) -> tuple[Launch, ...]:
    """Return the launches of the public database's JSON, in its order.

    A bearing of exactly 90 degrees is the database's filler and counts as not reported.

    Raises:
        UsageError: not JSON, a field is missing, a facility is unknown, or a value is malformed.
    """
    sites = _member(
        _json_object(texts.facilities, f"{where} facilities"), "facilities", f"{where} facilities"
    )
    missiles = _json_object(texts.missiles, f"{where} missiles")
    entries = _entries(_json_object(texts.launches, where), where)
    return launches_of_rows([_database_row(entry, at, sites, missiles) for entry, at in entries], where)


def read_launches_json(
    launches: Traversable, facilities: Traversable, missiles: Traversable | None = None
) -> tuple[Launch, ...]:
    """Return the launches of the public database's JSON files; raises as `parse_launches_json` does."""
    texts = DatabaseTexts(
        read_text(launches), read_text(facilities), read_text(missiles) if missiles else "{}"
    )
    return parse_launches_json(texts, str(launches))

"""Public launches: what is reported of one, its id by Korean date, and the CSV table of them.

The CSV is `launches_1984_2022.csv`, one row a missile. `launch_database` reads the public database's JSON,
`flights` the catalogue that ships.
Source: CNS North Korea Missile Test Database, James Martin Center for Nonproliferation Studies (via NTI).
"""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources.abc import Traversable
from typing import Final

from beaconfire.errors import UsageError
from beaconfire.formats.tables import Bounds, read_text, shown
from beaconfire.frames.geodesy import Geodetic
from beaconfire.messages.words import TimeUs
from beaconfire.units import MICROSECONDS_PER_SECOND, RADIANS_PER_DEGREE

MAXIMUM_LAUNCHES: Final = 10_000
KOREAN_TIME: Final = timedelta(hours=9)
"""Standard time of Seoul and Tokyo."""

MANOEUVRES: Final = ("ballistic", "pullup", "glide")
LATITUDE: Final = Bounds(-90.0, 90.0, "degrees")
LONGITUDE: Final = Bounds(-180.0, 180.0, "degrees")
BEARING: Final = Bounds(0.0, 360.0, "degrees")
KILOMETRES: Final = Bounds(1.0, 20_000.0, "km")


@dataclass(frozen=True)
class Launch:
    """What is publicly reported of one launch.

    Attributes:
        launch_id: Korean date, with a letter where a day had several; its row if the time is unknown.
        launched_at_us: reported time, microseconds UTC, to the minute; None if not reported.
        missile: name in the source.
        manoeuvre: "ballistic", "pullup" or "glide".
        site_name: of the launch site.
        site: geodetic, WGS-84, height 0.
        bearing_rad: of the impact from the site; None where it is not reported.
        apogee_m: None where it is not reported.
        range_m: None where it is not reported.
        outcome: as the source says, such as "success".
        flight_time_s: reported, None where it is not.
        source: of the figures.
    """

    launch_id: str
    launched_at_us: TimeUs | None
    missile: str
    manoeuvre: str
    site_name: str
    site: Geodetic
    bearing_rad: float | None
    apogee_m: float | None
    range_m: float | None
    outcome: str
    flight_time_s: float | None
    source: str

    @property
    def complete(self) -> bool:
        """Whether time, apogee, range and a real bearing are all known: it can be flown."""
        return None not in (self.launched_at_us, self.apogee_m, self.range_m, self.bearing_rad)

    @property
    def complete_ballistic(self) -> bool:
        """Whether it can be flown and did not manoeuvre."""
        return self.complete and self.manoeuvre == "ballistic"


def utc_us(text: str, where: str) -> TimeUs:
    """Return microseconds UTC of "2022-10-03T22:22Z".

    Raises:
        UsageError: it is not a UTC minute of this form.
    """
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise UsageError(f"bad value {shown(text)}", where, "a UTC minute like 2022-10-03T22:22Z") from error
    return int(moment.timestamp()) * MICROSECONDS_PER_SECOND


def korean_date(launched_at_us: TimeUs) -> str:
    """Return the calendar date at UTC+9, such as "2022-10-04"."""
    moment = datetime.fromtimestamp(launched_at_us // MICROSECONDS_PER_SECOND, UTC) + KOREAN_TIME
    return moment.strftime("%Y-%m-%d")


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else f"-{number + 1}"


def flight_ids(times_us: Iterable[TimeUs | None]) -> list[str]:
    """Return ids: Korean date, with a letter where a day had several; "row-N" without a time."""
    times = list(times_us)
    dates = [None if time is None else korean_date(time) for time in times]
    several = Counter(dates)
    order = sorted(range(len(times)), key=lambda row: (times[row] or 0, row))
    used: Counter[str] = Counter()
    ids = [f"row-{row}" for row in range(len(times))]
    for row in order:
        date = dates[row]
        if date is not None:
            ids[row] = date if several[date] == 1 else date + _letter(used[date])
            used[date] += 1
    return ids


_CSV_COLUMNS: Final = (
    "launch_utc", "missile", "maneuver", "facility", "lat", "lon",
    "apogee_km", "distance_km", "bearing_deg", "bearing_is_default", "outcome",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row of text fields.

    Attributes:
        values: by column of the CSV.
        where: file and line, for errors.
    """

    values: Mapping[str, str]
    where: str

    def number(self, name: str, bounds: Bounds) -> float | None:
        """Return a number within bounds, None where the field is empty or "unknown".

        Raises:
            UsageError: not a number, or out of bounds.
        """
        text = self.values[name].strip()
        if text in ("", "unknown"):
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not bounds.low <= value <= bounds.high:
            expected = f"a number from {bounds.low:g} to {bounds.high:g} {bounds.unit}, or nothing"
            raise UsageError(f"bad value {shown(text)}", f"{self.where}: {name}", expected)
        return value

    def needed(self, name: str, bounds: Bounds) -> float:
        """Return a number that may not be missing.

        Raises:
            UsageError: as `number` does, or missing.
        """
        value = self.number(name, bounds)
        if value is None:
            raise UsageError("missing value", f"{self.where}: {name}", "a number")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of a few words.

        Raises:
            UsageError: it is another word.
        """
        value = self.values[name].strip()
        if value not in choices:
            raise UsageError(f"bad value {shown(value)}", f"{self.where}: {name}", ", ".join(choices))
        return value


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _time_or_none(text: str, where: str) -> TimeUs | None:
    """Return the time, None where only a date or a month is reported."""
    return None if re.fullmatch(r"\d{4}(-\d{2}){0,2}|", text) else utc_us(text, where)


def _launch(row: Row, launch_id: str, launched_at_us: TimeUs | None, source: str) -> Launch:
    bearing = row.number("bearing_deg", BEARING)
    filler = row.choice("bearing_is_default", ("True", "False")) == "True"
    latitude, longitude = row.needed("lat", LATITUDE), row.needed("lon", LONGITUDE)
    return Launch(
        launch_id=launch_id,
        launched_at_us=launched_at_us,
        missile=row.values["missile"],
        manoeuvre=row.choice("maneuver", MANOEUVRES),
        site_name=row.values["facility"],
        site=Geodetic(latitude * RADIANS_PER_DEGREE, longitude * RADIANS_PER_DEGREE, 0.0),
        bearing_rad=None if filler else _scaled(bearing, RADIANS_PER_DEGREE),
        apogee_m=_scaled(row.number("apogee_km", KILOMETRES), 1_000.0),
        range_m=_scaled(row.number("distance_km", KILOMETRES), 1_000.0),
        outcome=row.values["outcome"],
        flight_time_s=None,
        source=source,
    )


def launches_of_rows(rows: list[Row], source: str) -> tuple[Launch, ...]:
    """Return the launches of rows with the columns of the CSV; raises as `parse_launches_csv` does."""
    if len(rows) > MAXIMUM_LAUNCHES:
        raise UsageError(f"{len(rows)} launches", source, f"at most {MAXIMUM_LAUNCHES}")
    times = [_time_or_none(row.values["launch_utc"].strip(), f"{row.where}: launch_utc") for row in rows]
    named = zip(rows, flight_ids(times), times, strict=True)
    return tuple(_launch(row, launch_id, time, source) for row, launch_id, time in named)


def parse_launches_csv(text: str, where: str) -> tuple[Launch, ...]:
    """Return the launches of a CSV text, one a row, in its order.

    Raises:
        UsageError: a column is missing, a row has too few fields, or a value is malformed.
    """
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    rows = []
    try:
        for name in _CSV_COLUMNS:
            if name not in (reader.fieldnames or ()):
                raise UsageError("missing column", f"{where}: {name}", ", ".join(_CSV_COLUMNS))
        for values in reader:
            at = f"{where}: line {reader.line_num}"
            if None in values or None in values.values():
                raise UsageError("wrong number of fields", at, str(len(reader.fieldnames or ())))
            rows.append(Row(values, at))
    except csv.Error as error:
        raise UsageError(f"not CSV: {error}", where) from error
    return launches_of_rows(rows, where)


def read_launches_csv(path: Traversable) -> tuple[Launch, ...]:
    """Return the launches of a CSV file; raises `UsageError` as `parse_launches_csv` does."""
    return parse_launches_csv(read_text(path), str(path))

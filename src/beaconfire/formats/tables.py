"""TOML files that are arrays of flat tables: size first, then strict; errors name file and field."""

import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Final

from beaconfire.errors import UsageError
from beaconfire.messages.words import Nation

MAXIMUM_FILE_BYTES: Final = 1_000_000
MAXIMUM_TABLES: Final = 10_000
MAXIMUM_NAME_CHARACTERS: Final = 64


@dataclass(frozen=True)
class Bounds:
    """Closed range of legal values and their unit, for checks and for the wording of errors."""

    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class Table:
    """One table of a file.

    Attributes:
        values: as TOML gave them.
        where: file and table, such as "sensors.toml: sensor 2 (kor-2)".
    """

    values: Mapping[str, object]
    where: str

    def only(self, fields: AbstractSet[str]) -> None:
        """Check that the table has no other fields; raises `UsageError`."""
        for name in self.values:
            if name not in fields:
                raise UsageError("unknown field", f"{self.where}: {name}", ", ".join(sorted(fields)))

    def text(self, name: str) -> str:
        """Return a printable, non-empty string; raises `UsageError`."""
        value = self._present(name)
        if (
            not isinstance(value, str)
            or not value.strip()
            or not value.isprintable()
            or len(value) > MAXIMUM_NAME_CHARACTERS
        ):
            expected = f"a printable text of 1 to {MAXIMUM_NAME_CHARACTERS} characters"
            raise UsageError(f"bad value {shown(value)}", f"{self.where}: {name}", expected)
        return value

    def nation(self) -> Nation:
        """Return the field `nation`, three capital letters; raises `UsageError`."""
        value = self.text("nation")
        if len(value) != 3 or not value.isascii() or not value.isalpha() or not value.isupper():
            expected = "three capital letters, ISO 3166-1 alpha-3"
            raise UsageError(f"bad value {shown(value)}", f"{self.where}: nation", expected)
        return Nation(value)

    def number(self, name: str, bounds: Bounds, default: float | None = None) -> float:
        """Return a finite number within bounds; `default` where it is absent, if there is one.

        Raises:
            UsageError: absent without default, not a number, not finite, or out of bounds.
        """
        if default is not None and name not in self.values:
            return default
        value = self._present(name)
        usable = isinstance(value, int | float) and not isinstance(value, bool)
        if not usable or not bounds.low <= value <= bounds.high:  # type: ignore[operator]
            expected = f"a number from {bounds.low:g} to {bounds.high:g} {bounds.unit}".rstrip()
            raise UsageError(f"bad value {shown(value)}", f"{self.where}: {name}", expected)
        return float(value)  # type: ignore[arg-type]

    def _present(self, name: str) -> object:
        if name not in self.values:
            raise UsageError("missing field", f"{self.where}: {name}")
        return self.values[name]


def shown(value: object) -> str:
    """Return a value as an error may show it, short."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def read_text(file: Traversable) -> str:
    """Return the text of a small UTF-8 file, a path or a packaged one, handed over by the edge.

    Raises:
        UsageError: missing, not readable, too large or not UTF-8.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MAXIMUM_FILE_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise UsageError(f"can't be read: {reason}", str(file)) from error
    if len(data) > MAXIMUM_FILE_BYTES:
        raise UsageError("too large", str(file), f"at most {MAXIMUM_FILE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"byte {error.start} is not UTF-8", str(file)) from error


def parse_tables(text: str, kind: str, where: str) -> list[Table]:
    """Return the tables `[[kind]]` of a TOML text that holds nothing else.

    Raises:
        UsageError: not TOML, no such tables, something else beside them, or too many.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not TOML: {error}", where) from error
    tables = document.pop(kind, None)
    if document:
        raise UsageError("unknown table or field", f"{where}: {next(iter(document))}", f"only [[{kind}]]")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"no [[{kind}]] table", where, f"one or more [[{kind}]]")
    if len(tables) > MAXIMUM_TABLES:
        raise UsageError(f"{len(tables)} tables", where, f"at most {MAXIMUM_TABLES}")
    return [_table(values, kind, number, where) for number, values in enumerate(tables, start=1)]


def _table(values: Mapping[str, object], kind: str, number: int, where: str) -> Table:
    name = values.get("id", values.get("name"))
    called = f" ({shown(name)})" if isinstance(name, str) else ""
    return Table(values, f"{where}: {kind} {number}{called}")


def check_unique(names: list[str], tables: list[Table], field: str) -> None:
    """Check that no name stands twice; raises `UsageError`."""
    seen: set[str] = set()
    for name, table in zip(names, tables, strict=True):
        if name in seen:
            raise UsageError("stands twice in this file", f"{table.where}: {field}")
        seen.add(name)

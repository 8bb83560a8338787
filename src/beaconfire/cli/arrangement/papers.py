"""What the actions read and print: bundles, templates, shipped arrangements; tables or JSON."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from beaconfire.adapters.bundles import example_templates, read_bounded, read_template, shipped_templates
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.arrangement import ArrangementTemplate, Bundle, SignedBundle
from beaconfire.release.arrangements import bundle_of, read_bundle
from beaconfire.release.explanation import bundle_from

WIDTH: Final = 150
"""Columns of a table where nothing says how wide the screen is."""
DAY_US: Final = 86_400_000_000
DAYS_MAX: Final = 3_660


def now_us() -> int:
    """Return UTC."""
    return time.time_ns() // 1_000


def read_signed(file: Path) -> SignedBundle:
    """Return the signed bundle in a file, unverified; raises `UsageError`."""
    return read_bundle(read_bounded(file), str(file))


def read_paper(name: str) -> Bundle:
    """Return an arrangement by the name of a shipped one, or from a file: a bundle or a template (`.toml`).

    Nothing is verified, and a template has neither keys nor validity.

    Raises:
        UsageError: neither a shipped arrangement nor a file that holds one.
    """
    shipped = shipped_templates() | example_templates()
    if name in shipped:
        return bundle_from(shipped[name])
    path = Path(name)
    if path.suffix == ".toml":
        return bundle_from(read_template(path))
    if not path.is_file():
        raise UsageError(f"no arrangement {name}", expected=f"a file, or {', '.join(shipped)}")
    return bundle_of(read_signed(path), name)


def read_papers(names: Sequence[str]) -> list[Bundle]:
    """Return several arrangements; all shipped ones in force by default if none is named."""
    return [read_paper(name) for name in names or shipped_templates()]


def template_of(name: str) -> ArrangementTemplate:
    """Return a template by the name of a shipped one or from its `.toml` file; raises `UsageError`."""
    shipped = shipped_templates() | example_templates()
    if name not in shipped and Path(name).suffix != ".toml":
        raise UsageError(f"no template {name}", expected=f"a .toml file, or {', '.join(shipped)}")
    return shipped[name] if name in shipped else read_template(Path(name))


def write_signed(file: Path, signed: SignedBundle) -> None:
    """Write a bundle.

    Raises:
        EnvironmentFault: it can't be written.
    """
    write_file(file, msgspec.json.encode(signed))


def write_file(file: Path, data: bytes) -> None:
    """Write a file, with its folder; raises `EnvironmentFault`."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {file}: {error.strerror}") from error


def print_rows(rows: Iterable[dict[str, Any]], *, as_json: bool, title: str = "") -> None:
    """Print rows of one shape as a table, or as JSON."""
    held = list(rows)
    if as_json:
        print(msgspec.json.encode(held).decode())
        return
    table = Table(*(held[0] if held else ()), title=title or None, title_justify="left")
    for row in held:
        table.add_row(*map(_cell, row.values()))
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(table, highlight=False, markup=False)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)

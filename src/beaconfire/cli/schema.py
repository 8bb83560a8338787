"""`beaconfire schema`: write the JSON Schema of messages and files, or compare with what was written."""

import argparse
from pathlib import Path

from beaconfire.errors import UsageError
from beaconfire.formats.schema import schema_files


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("schema", help="write the JSON Schema of messages and files")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="one file for each type")
    parser.add_argument("--check", action="store_true", help="compare instead; exit 1 if a file differs")


def run(arguments: argparse.Namespace) -> int:
    """Write or compare the schema files; returns 0, or 1 if a compared file differs or is not there.

    Raises:
        UsageError: the folder can't be read or written.
    """
    folder: Path = arguments.out
    try:
        return _compare(folder) if arguments.check else _write(folder)
    except OSError as error:
        raise UsageError(error.strerror or "not usable", str(folder), "a folder") from error


def _write(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in schema_files().items():
        (folder / name).write_bytes(content)
    return 0


def _compare(folder: Path) -> int:
    differing = [
        name
        for name, content in schema_files().items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != content
    ]
    for name in differing:
        print(f"{folder / name}: differs from the types")
    return int(bool(differing))

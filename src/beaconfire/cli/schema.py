"""`beaconfire schema`: write the JSON Schema of the messages, or check that the files are up to date."""

import argparse
from pathlib import Path

from beaconfire.errors import EnvironmentFault
from beaconfire.formats.schema import schema_files


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("schema", help="write the JSON Schema of the messages")
    parser.add_argument("--out", type=Path, default=Path("docs/schema"), metavar="DIR", help="where to")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")


def run(arguments: argparse.Namespace) -> int:
    """Write or check the files; returns 1 if a checked one differs.

    Raises:
        EnvironmentFault: the directory can't be written.
    """
    files = schema_files()
    if arguments.check:
        stale = [name for name, text in files.items() if _stored(arguments.out / name) != text]
        for name in stale:
            print(f"{arguments.out / name}: differs from the types")
        return 1 if stale else 0
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (arguments.out / name).write_bytes(text)
            print(arguments.out / name)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot write {arguments.out}: {error.strerror}", "choose another place"
        ) from error
    return 0


def _stored(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None

"""`beaconfire schema`: write the JSON Schema of the messages."""

import argparse
from pathlib import Path

import msgspec

from beaconfire.errors import UsageError
from beaconfire.messages.schema import message_schema


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("schema", help="write the JSON Schema of the messages")
    parser.add_argument("--out", type=Path, metavar="FILE", help="file (default: standard output)")
    parser.add_argument("--check", action="store_true", help="compare instead; exit 1 if FILE differs")


def run(arguments: argparse.Namespace) -> int:
    """Write or compare the schema; returns 0, or 1 if the file compared differs.

    Raises:
        UsageError: the file can't be read or written, or `--check` has no file.
    """
    text = msgspec.json.format(msgspec.json.encode(message_schema()), indent=1).decode() + "\n"
    if arguments.out is None:
        if arguments.check:
            raise UsageError("nothing to compare with", "--check", "--out FILE")
        print(text, end="")
        return 0
    try:
        if arguments.check:
            return int(arguments.out.read_text() != text)
        arguments.out.write_text(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(str(error), "--out", "a file") from error
    return 0

"""`beaconfire arrangement`: read, change, prove, compare, sign and suspend sharing arrangements."""

import argparse
from collections.abc import Callable
from typing import cast

from beaconfire.cli.arrangement import explaining, life, proving, shown, words


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("arrangement", help="propose, prove, sign, show and suspend arrangements")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for part in (shown, proving, explaining, life, words):
        part.add_actions(actions)


def run(arguments: argparse.Namespace) -> int:
    """Do one action; returns 0, or 1 if a check, a proof or a status found something open.

    Raises:
        UsageError: a file or a value is not usable.
        EnvironmentFault: a file can't be written, or a guard did not answer.
    """
    return cast("Callable[[argparse.Namespace], int]", arguments.act)(arguments)

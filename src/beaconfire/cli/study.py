"""`beaconfire study`: many simulated flights held against their truth; one module for each kind of study."""

import argparse
import importlib
from typing import Final, Protocol, cast

from beaconfire.errors import UsageError

KINDS: Final = {
    "flights": "every complete ballistic launch of a table, flown and held to its truth",
    "accuracy": "error beside its bound, consistency and coverage, scenario by scenario",
    "clutter": "false events an hour from false plots alone",
    "registration": "constant offsets of radars, from recorded flights that several of them saw",
    "time": "seconds to first detection, event and useful area, beside the bound of the same geometry",
}
"""Each kind and its one line of help; `beaconfire.cli.study_<kind>` holds it."""


class Kind(Protocol):
    """What a module of a kind provides."""

    def add_parser(self, kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        """Add the kind's parser, with its options."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it and return the exit status."""
        ...


def _load(kind: str) -> Kind:
    return cast("Kind", importlib.import_module(f"beaconfire.cli.study_{kind}"))


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and the options of each kind."""
    parser = subparsers.add_parser("study", help="many simulated flights, held against their truth")
    kinds = parser.add_subparsers(dest="kind", metavar="ACTION", required=True)
    for kind in KINDS:
        _load(kind).add_parser(kinds)


def run(arguments: argparse.Namespace) -> int:
    """Do the study of the kind that was asked for; returns 0 if what it checks holds, else 1.

    Raises:
        UsageError: an option is out of range, or a file is not usable.
    """
    if arguments.kind not in KINDS:
        raise UsageError(f"no such study: {arguments.kind}", "study", ", ".join(KINDS))
    return _load(arguments.kind).run(arguments)

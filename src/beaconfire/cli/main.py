"""The command `beaconfire`: one table of verbs, each in a module that is imported only when it is called."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final, Protocol, TypeAlias, cast

import beaconfire
from beaconfire.errors import EnvironmentFault, PeerError, UsageError

EXIT_BROKEN_PIPE: Final = 1
EXIT_CANNOT: Final = 2
EXIT_INTERRUPTED: Final = 130

VERBS: Final = {
    "demo": "fly a launch past notional sensors and show who is warned, when, on this machine",
    "assess": "run recorded feeds through the same nodes, as fast as it goes",
    "run": "run one process of an installation",
    "sensors": "play detections to a live feed at the pace of a clock",
    "replay": "run a recording again",
    "record": "record what a running installation receives",
    "arrangement": "propose, sign, prove, show and suspend sharing arrangements",
    "audit": "verify and show what was released and refused",
    "export": "write events in an outside format",
    "study": "what sharing buys, over many flights",
    "doctor": "what is missing on this machine, and how to get it",
    "tail": "follow what a running installation says",
    "sandbox": "fly a catalogue flight past placed sensors: alone, bilateral, trilateral",
    "keys": "make and show keys",
    "setup": "set up one party's own side: keys, configurations, units; cards for the others",
    "simulate": "many seeds of the simulated network, with faults, every invariant checked",
    "campaign": "try a promise as often as asked, far beyond the checks of every change",
    "schema": "write the JSON Schema of messages and files",
}
"""Each verb and its one line of help; `beaconfire.cli.<verb>` holds it."""

_EPILOG: Final = (
    "Warning only. Simulated and notional: not connected with, and not endorsed by, any government."
)


Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where the module of a verb adds its parser."""


class Verb(Protocol):
    """What a module of a verb provides."""

    def add_parser(self, subparsers: Subparsers) -> None:
        """Add the verb's parser, with its options."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it and return the exit status."""
        ...


def module_of(verb: str) -> str:
    """Return the name of the module that holds a verb."""
    return f"beaconfire.cli.{verb}"


def verbs() -> dict[str, str]:
    """Return the verbs of this installation with their help, in the order of the table."""
    return {verb: text for verb, text in VERBS.items() if find_spec(module_of(verb)) is not None}


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="beaconfire", description="Shared early warning of ballistic missile launches.", epilog=_EPILOG
    )
    parser.add_argument("--version", action="version", version=f"beaconfire {beaconfire.__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, text in verbs().items():
        if verb == chosen:
            _load(verb).add_parser(subparsers)
        else:
            subparsers.add_parser(verb, help=text)
    return parser


def _load(verb: str) -> Verb:
    return cast("Verb", importlib.import_module(module_of(verb)))


def _first_word(words: Sequence[str]) -> str | None:
    return next((word for word in words if not word.startswith("-")), None)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 done; 1 the check it was asked for failed; 2 wrong use, bad input, or this machine lacks something,
    with one line saying what and where; 130 interrupted.

    Args:
        words: the command line without the program's name; that of the process if None.
    """
    given = list(sys.argv[1:] if words is None else words)
    try:
        arguments = _parser(_first_word(given)).parse_args(given)
        return _load(arguments.verb).run(arguments)
    except (UsageError, EnvironmentFault, PeerError) as error:
        return _complain(error)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_BROKEN_PIPE


def _complain(error: Exception) -> int:
    line = " ".join(str(error).split())
    print(f"beaconfire: {line}", file=sys.stderr)
    return EXIT_CANNOT


if __name__ == "__main__":
    sys.exit(main())

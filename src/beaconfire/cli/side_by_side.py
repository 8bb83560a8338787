"""Independent pieces of long work, in several processes if asked for, with a bar on a terminal."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import track

from beaconfire.errors import UsageError

JOBS_MAX: Final = 64
WAITING_MAX: Final = 1_000
"""Pieces handed out before the next are."""

Piece = TypeVar("Piece")
Made = TypeVar("Made")


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how many processes."""
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes side by side")


def check_jobs(jobs: int) -> None:
    """Raise if nobody could run so many processes.

    Raises:
        UsageError: fewer than one, or more than `JOBS_MAX`.
    """
    if not 1 <= jobs <= JOBS_MAX:
        raise UsageError(f"{jobs}", "--jobs", f"1 to {JOBS_MAX}")


def each_made(
    name: str, work: Callable[[Piece], Made], pieces: Sequence[Piece], jobs: int, at_once: int = 1
) -> Iterator[Made]:
    """Yield what comes of each piece, in their order, and show how far it is.

    Args:
        name: stands before the bar.
        work: done on each; with more than one process it and the pieces are pickled.
        pieces: independent of each other.
        jobs: processes.
        at_once: pieces handed to a process together.
    """
    yield from track(
        _made(work, pieces, jobs, at_once),
        name,
        total=len(pieces),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _made(work: Callable[[Piece], Made], pieces: Sequence[Piece], jobs: int, at_once: int) -> Iterator[Made]:
    if jobs == 1:
        yield from map(work, pieces)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _leave_interrupts) as pool:
        for first in range(0, len(pieces), WAITING_MAX):
            yield from pool.map(work, pieces[first : first + WAITING_MAX], chunksize=at_once)


def _leave_interrupts() -> None:
    """Leave an interrupt from the keyboard to the process that gathers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

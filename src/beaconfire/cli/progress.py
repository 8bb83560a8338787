"""Progress of long work on standard error: a bar on a terminal, lines of JSON in a log."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from beaconfire.messages.words import TimeUs

TELL_S: Final = 60.0
"""Between lines of progress in a log."""


class LinesOfProgress:
    """A line of JSON on standard error once a minute: how far it is, and where to go on after a stop.

    Silent where standard error is a terminal, for there a bar is shown.
    """

    def __init__(self, every_s: float = TELL_S) -> None:
        """Start counting."""
        self._every_s = every_s
        self._began_s = self._told_s = time.monotonic()
        self._silent = sys.stderr.isatty()

    def __call__(self, words: Callable[[], Mapping[str, object]]) -> None:
        """Write what `words` returns, and the seconds so far, if a line is due."""
        now_s = time.monotonic()
        if self._silent or now_s - self._told_s < self._every_s:
            return
        self._told_s = now_s
        line = json.dumps({**words(), "seconds": round(now_s - self._began_s)})
        print(line, file=sys.stderr, flush=True)


class StageProgress:
    """A bar for each stage, filled as simulated time passes; shows nothing where nobody looks.

    Use as a context; call it with the stage's name and the simulated time.
    """

    def __init__(self, first_us: TimeUs, last_us: TimeUs) -> None:
        """Take the time of the first and the last detection."""
        self._first_us = first_us
        self._span_us = max(1, last_us - first_us)
        self._bars: dict[str, TaskID] = {}
        self._current: str | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )

    def __enter__(self) -> Self:
        """Start showing."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""
        self._progress.stop()

    def __call__(self, stage: str, at_us: TimeUs) -> None:
        """Fill the bar of a stage up to a simulated time; a new stage completes the one before."""
        if stage not in self._bars:
            self._bars[stage] = self._progress.add_task(stage, total=1.0)
        if self._current is not None and self._current != stage:
            self._progress.update(self._bars[self._current], completed=1.0)
        self._current = stage
        done = min(1.0, max(0.0, (at_us - self._first_us) / self._span_us))
        self._progress.update(self._bars[stage], completed=done)

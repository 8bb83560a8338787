"""Reports that the pictures for comparison have yet to be given: after the main one, when there is time.

What would be known alone or under the bilaterals is looked at, never warned from. So what has come for the
main picture meanwhile goes first; of a track only the newest report waits; and no more than twenty are given
on in a second, in turn of their tracks: with up to twenty tracks the comparison has every report, with sixty
every third, and takes no more of the processors that warnings need.
"""

from collections import OrderedDict
from typing import Final

from beaconfire.fusion.source import Source, TrackKey
from beaconfire.messages.words import Nation, Sharing

BEHIND_MAX: Final = 2_048
"""Tracks of which a report waits; past it the one that has waited longest is left out of the comparison."""
BILATERAL_PREFIX: Final = "bilateral-"
AT_ONCE: Final = 4
"""Reports that are taken before what has come meanwhile is looked at."""
PERIOD_US: Final = 50_000
"""Of monotonic time for each report, on average."""
SAVED_UP_US: Final = 1_000_000
"""As many may be taken in one go as fit in this time, if none were taken before."""


class Behind:
    """The newest report of each track that waits, in the order in which the tracks came."""

    def __init__(self, clock_speed: float = 1.0) -> None:
        """Start with nothing waiting; under a clock that runs fast more are given on in a second."""
        self._period_us = max(1, round(PERIOD_US / clock_speed))
        self._waiting: OrderedDict[TrackKey, Source] = OrderedDict()
        self._next_us = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def put(self, source: Source) -> None:
        """Let a report wait, in the place of an older one of its track."""
        self._waiting[source.key] = source
        if len(self._waiting) > BEHIND_MAX:
            self._waiting.popitem(last=False)

    def due_us(self) -> int | None:
        """Return when the next may be taken, monotonic, None if nothing waits."""
        return self._next_us if self._waiting else None

    def take(self, monotonic_us: int) -> list[Source]:
        """Return those whose turn it is now; they wait no more."""
        self._next_us = max(self._next_us, monotonic_us - SAVED_UP_US + self._period_us)
        taken: list[Source] = []
        while self._waiting and len(taken) < AT_ONCE and self._next_us <= monotonic_us:
            taken.append(self._waiting.popitem(last=False)[1])
            self._next_us += self._period_us
        return taken


def belongs(source: Source, sharing: Sharing | None, nation: Nation) -> bool:
    """Return whether a report would have been there with no more than a set of arrangements in force."""
    if sharing is None or source.report.originator == nation:
        return True
    return sharing is Sharing.BILATERAL and any(one.startswith(BILATERAL_PREFIX) for one in source.basis)

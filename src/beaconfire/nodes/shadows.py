"""Reports that the pictures for comparison have yet to be given: after the main one, when there is time.

What would be known alone or under the bilaterals is looked at, never warned from. So what has come for the
main picture meanwhile goes first; of a track only the newest report waits.
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


class Behind:
    """The newest report of each track that waits, in the order in which the tracks came."""

    def __init__(self) -> None:
        """Start with nothing waiting."""
        self._waiting: OrderedDict[TrackKey, Source] = OrderedDict()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def put(self, source: Source) -> None:
        """Let a report wait, in the place of an older one of its track."""
        self._waiting[source.key] = source
        if len(self._waiting) > BEHIND_MAX:
            self._waiting.popitem(last=False)

    def take(self) -> list[Source]:
        """Return those whose turn it is; they wait no more."""
        return [self._waiting.popitem(last=False)[1] for _ in range(min(AT_ONCE, len(self._waiting)))]


def belongs(source: Source, sharing: Sharing | None, nation: Nation) -> bool:
    """Return whether a report would have been there with no more than a set of arrangements in force."""
    if sharing is None or source.report.originator == nation:
        return True
    return sharing is Sharing.BILATERAL and any(one.startswith(BILATERAL_PREFIX) for one in source.basis)

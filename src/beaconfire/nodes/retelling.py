"""Tell again what is told within a nation, where nothing is receipted: for whoever was not up then.

What is said anew soon is not told again: the next word stands for it. The last word on something is, after
five seconds and then less and less often; and a node that was started again tells what it holds at once,
since it may have died between writing a thing down and saying it.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

import msgspec

from beaconfire.messages.event import Event, Warning
from beaconfire.messages.report import Report
from beaconfire.nodes.commands import Now

FIRST_US: Final = 5_000_000
KEYS_MAX: Final = 1_024
"""Things told again; of one more the one unsaid for longest is let go."""
HEARD_MAX: Final = 4_096
"""Things of which a listener remembers the last; one more than it forgets is taken for news."""
FOR_US: Final = 3_600_000_000
"""What ended longer ago is told again to nobody."""

Word = TypeVar("Word", Event, Warning, Report)


class _Told(msgspec.Struct, Generic[Word]):
    """The last word on a thing; times and waits in monotonic microseconds, without an end if that is None."""

    word: Word
    next_us: int
    wait_us: int
    until_us: int | None


class Retelling(Generic[Word]):
    """The last word on each event, or track, and when it is told again."""

    def __init__(self, longest_us: int, held: Iterable[tuple[Word, int]] = ()) -> None:
        """Start, or start anew.

        Args:
            longest_us: wait between two times, monotonic microseconds.
            held: words that a node held when it was started, each with when it was said, UTC: told at once.
        """
        self._longest_us = longest_us
        self._held: tuple[tuple[Word, int], ...] = tuple(held)
        self._told: OrderedDict[str, _Told[Word]] = OrderedDict()

    def tell(self, word: Word, now: Now, *, for_us: int | None = FOR_US, first_us: int = FIRST_US) -> None:
        """Note what is being said now.

        Args:
            word: of an event or a track.
            now: the time.
            for_us: it is told again for so long, None until something else is said.
            first_us: after which it is for the first time.
        """
        until_us = None if for_us is None else now.monotonic_us + for_us
        key = _key(word)
        self._told.pop(key, None)
        self._told[key] = _Told(word, now.monotonic_us + first_us, FIRST_US, until_us)
        if len(self._told) > KEYS_MAX:
            self._told.popitem(last=False)

    def forget(self, keys: Iterable[str]) -> None:
        """Tell nothing of some events or tracks any more."""
        for key in keys:
            self._told.pop(key, None)

    def due(self, now: Now) -> list[Word]:
        """Return what is to be told again now, in the order in which it was said."""
        for word, said_us in self._held:
            if _key(word) not in self._told and now.utc_us - said_us < FOR_US:
                self.tell(word, now, first_us=0)
        self._held = ()
        words: list[Word] = []
        for key, told in list(self._told.items()):
            if told.until_us is not None and now.monotonic_us >= told.until_us:
                del self._told[key]
            elif now.monotonic_us >= told.next_us:
                words.append(told.word)
                told.next_us = now.monotonic_us + told.wait_us
                told.wait_us = min(2 * told.wait_us, self._longest_us)
        return words


class LastHeard:
    """What a listener heard last of each event or track, so that it knows what is told again; bounded."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._marks: OrderedDict[str, object] = OrderedDict()

    def is_told_again(self, key: str, mark: object) -> bool:
        """Return whether a mark, such as a revision, is the last that was heard of something; note it."""
        known = self._marks.pop(key, None)
        self._marks[key] = mark
        if len(self._marks) > HEARD_MAX:
            self._marks.popitem(last=False)
        return known == mark


def _key(word: Event | Warning | Report) -> str:
    return word.track if isinstance(word, Report) else word.event_id

"""Hold back a notice that repeats: the first is said at once, then one a period says how many there were.

Who gives notices that may stop repeating asks `left_to_say` too, so that the last of them are said.
"""

from typing import Final

from beaconfire.messages.words import Severity
from beaconfire.nodes.voice import Said

NOTICE_PERIOD_US: Final = 10_000_000
CODES_MAX: Final = 64


class Repetition:
    """Which notices, by code, are to be said now."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self._said_us: dict[str, int] = {}
        self._held_back: dict[str, int] = {}

    def count_to_say(self, code: str, monotonic_us: int) -> int:
        """Return how many notices of a code one said now stands for, 0 if it is to be held back.

        Codes are words of the program, fewer than `CODES_MAX`; one more is always said.
        """
        said_us = self._said_us.get(code)
        if said_us is not None and monotonic_us - said_us < NOTICE_PERIOD_US:
            self._held_back[code] = self._held_back.get(code, 0) + 1
            return 0
        if said_us is not None or len(self._said_us) < CODES_MAX:
            self._said_us[code] = monotonic_us
        return 1 + self._held_back.pop(code, 0)

    def routine_expired(self, towards: str, monotonic_us: int, *, happened: bool) -> list[Said]:
        """Return what is to be said now of ROUTINE reports that expired before a recipient had them.

        Args:
            towards: party that was to have them.
            monotonic_us: now.
            happened: since this was last asked.
        """
        say = self.count_to_say if happened else self.left_to_say
        count = say(f"routine-expired {towards}", monotonic_us)
        if not count:
            return []
        text = f"{count} times, towards {towards}"
        return [Said("routine-expired", Severity.FAULT, text, {"party": towards, "count": count})]

    def left_to_say(self, code: str, monotonic_us: int) -> int:
        """Return how many notices of a code were held back, once their period is over; 0 if none were."""
        said_us = self._said_us.get(code)
        if said_us is None or code not in self._held_back or monotonic_us - said_us < NOTICE_PERIOD_US:
            return 0
        self._said_us[code] = monotonic_us
        return self._held_back.pop(code)

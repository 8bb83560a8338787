"""After a restart: a receiver asks its senders for what they remember until they answer.

A sender answers now and then, with whatever is to be sent again and a word of its own: a hub sends a picture
its word back, a guard tells a hub all that its nation has suspended.
"""

from collections.abc import Iterable
from typing import Final

from beaconfire.messages.transfer import Restarted

ASK_PERIOD_US: Final = 1_000_000
ASKED_MOST: Final = 120
"""A peer that is heard for so many periods and gives no answer is of an older version, which has none."""
ANSWER_PERIOD_US: Final = 5_000_000


class Asking:
    """What a receiver that was started owes each of its senders: its word that it was.

    A link may be heard and carry nothing the other way, so the word is said until it is answered.
    """

    def __init__(self, own: str, peers: Iterable[str]) -> None:
        self._own = own
        self._owed = dict.fromkeys(peers, ASKED_MOST)
        self._asked_us: dict[str, int] = {}

    def heard(self, peer: str, monotonic_us: int) -> tuple[Restarted, ...]:
        """Return what to say to a peer that was just heard: its link is there."""
        due_us = self._asked_us.get(peer, monotonic_us - ASK_PERIOD_US) + ASK_PERIOD_US
        if not self._owed.get(peer) or monotonic_us < due_us:
            return ()
        self._owed[peer] -= 1
        self._asked_us[peer] = monotonic_us
        return (Restarted(self._own, peer),)

    def answered(self, peer: str) -> None:
        """Ask a peer no more: the word came through."""
        self._owed.pop(peer, None)


class Answering:
    """Whether a sender answers a receiver's word, at most once in `ANSWER_PERIOD_US`."""

    def __init__(self) -> None:
        self._answered_us: int | None = None

    def may(self, monotonic_us: int) -> bool:
        """Return whether to answer now."""
        answered_us = self._answered_us
        if answered_us is not None and monotonic_us - answered_us < ANSWER_PERIOD_US:
            return False
        self._answered_us = monotonic_us
        return True

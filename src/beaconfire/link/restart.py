"""After a restart: a receiver asks its senders once for what they remember; a sender answers now and then."""

from collections.abc import Iterable
from typing import Final

from beaconfire.messages.transfer import Restarted

ASKED_TIMES: Final = 2
"""Once may be lost with a connection that is just being made."""
ANSWER_PERIOD_US: Final = 5_000_000


class Asking:
    """What a receiver that was started owes each of its senders: its word that it was."""

    def __init__(self, own: str, peers: Iterable[str]) -> None:
        self._own = own
        self._owed = dict.fromkeys(peers, ASKED_TIMES)

    def heard(self, peer: str) -> tuple[Restarted, ...]:
        """Return what to say to a peer that was just heard: its link is there."""
        if not self._owed.get(peer):
            return ()
        self._owed[peer] -= 1
        return (Restarted(self._own, peer),)


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

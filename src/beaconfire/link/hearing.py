"""Hearing: when each instance of a peer was last heard on each lane, and whether one is alone without it."""

from collections.abc import Sequence
from typing import Final

from beaconfire.messages.health import LinkHealth
from beaconfire.messages.words import Lane
from beaconfire.units import seconds_from_microseconds

SILENT_US: Final = 2_500_000
"""A peer asks once a second whether we live: two questions and a half without one, and it is silent."""
ALONE_AGAIN_US: Final = 10_000_000


class Hearing:
    """Whether the instances of one peer are heard.

    Attributes:
        peers: names of the instances.
        alone: none is heard; None while it is too early to say.
        lost: instances that are not heard while another is.
    """

    def __init__(self, peers: Sequence[str]) -> None:
        """Start before anything was heard."""
        self.peers = tuple(peers)
        self.alone: bool | None = None
        self.lost: frozenset[str] = frozenset()
        self._heard_us: dict[tuple[str, Lane], int] = {}
        self._since_us: int | None = None
        self._told_us = 0

    def hear(self, peer: str, lane: Lane, monotonic_us: int) -> None:
        """Note that something came from an instance over a lane."""
        self._heard_us[peer, lane] = monotonic_us

    def _last_us(self, peer: str) -> int:
        assert self._since_us is not None
        return max(self._heard_us.get((peer, lane), self._since_us) for lane in Lane)

    def look(self, monotonic_us: int) -> "tuple[bool | None, frozenset[str]] | None":
        """Return what is to be said now, None if nothing is.

        That is whether one is alone, said again every `ALONE_AGAIN_US` while one is, and None if that has
        not changed; and which instances alone are silent, when that has changed.
        """
        if self._since_us is None:
            self._since_us = monotonic_us
        silent = frozenset(one for one in self.peers if monotonic_us - self._last_us(one) > SILENT_US)
        if not silent and not self._heard_us:
            return None
        alone = len(silent) == len(self.peers)
        lost = frozenset() if alone else silent
        again = alone and monotonic_us - self._told_us >= ALONE_AGAIN_US
        if alone is self.alone and lost == self.lost and not again:
            return None
        changed = alone is not self.alone or again
        self.alone, self.lost = alone, lost
        if alone:
            self._told_us = monotonic_us
        return (alone if changed else None), lost

    def health(self, monotonic_us: int) -> tuple[LinkHealth, ...]:
        """Return the state of each lane of each instance; up once it was heard and is not silent."""
        return tuple(self._lane(peer, lane, monotonic_us) for peer in self.peers for lane in Lane)

    def _lane(self, peer: str, lane: Lane, monotonic_us: int) -> LinkHealth:
        last_us = self._heard_us.get((peer, lane))
        silent_us = None if last_us is None else monotonic_us - last_us
        return LinkHealth(
            peer=peer,
            lane=lane,
            up=silent_us is not None and silent_us <= SILENT_US,
            round_trip_ms=None,
            silent_for_s=None if silent_us is None else seconds_from_microseconds(silent_us),
            queued=0,
        )

"""Probes of one link, both lanes: asked each second, answered at once. Not a node; guard and hub share it."""

from typing import Final

import msgspec

from beaconfire.messages.health import LinkHealth
from beaconfire.messages.transfer import Probe
from beaconfire.messages.words import Lane
from beaconfire.nodes.commands import Now

PROBE_LIMIT_US: Final = 3_000_000
"""A lane whose last probe was answered longer ago than this is down."""


class Heartbeat:
    """What one party knows of the lanes to one other."""

    def __init__(self, own: str, peer: str) -> None:
        """Start with nothing heard."""
        self._own = own
        self._peer = peer
        self._number = 0
        self._answered: dict[Lane, tuple[int, float]] = {}

    def probes(self, now: Now) -> list[Probe]:
        """Return the next question for each lane."""
        self._number += 1
        return [
            Probe(
                sender=self._own,
                recipient=self._peer,
                lane=lane,
                number=self._number,
                sent_monotonic_us=now.monotonic_us,
                echo=False,
            )
            for lane in Lane
        ]

    def echo(self, probe: Probe, now: Now) -> Probe | None:
        """Return the answer to a question of the peer, or None if it is not one to us."""
        if probe.echo or (probe.sender, probe.recipient) != (self._peer, self._own):
            return None
        return msgspec.structs.replace(probe, echo=True, answered_at_us=now.utc_us)

    def came_up(self, probe: Probe, now: Now) -> bool:
        """Take an answer; return whether its lane was down until now."""
        mine = probe.echo and (probe.sender, probe.recipient) == (self._own, self._peer)
        if not mine or not 0 < probe.number <= self._number:
            return False
        was_up = self.is_up(probe.lane, now)
        round_trip_ms = max(0.0, (now.monotonic_us - probe.sent_monotonic_us) / 1_000.0)
        self._answered[probe.lane] = (now.monotonic_us, round_trip_ms)
        return not was_up

    def is_up(self, lane: Lane, now: Now) -> bool:
        """Return whether the last probe was answered in time."""
        answered = self._answered.get(lane)
        return answered is not None and now.monotonic_us - answered[0] <= PROBE_LIMIT_US

    def health(self, lane: Lane, now: Now, queued: int) -> LinkHealth:
        """Return the state of a lane."""
        answered = self._answered.get(lane)
        return LinkHealth(
            peer=self._peer,
            lane=lane,
            up=self.is_up(lane, now),
            round_trip_ms=answered[1] if answered else None,
            silent_for_s=(now.monotonic_us - answered[0]) / 1.0e6 if answered else None,
            queued=queued,
        )

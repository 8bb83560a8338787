"""Liveness: a probe each second on each lane, whether it is answered, how long the peer has been silent."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from beaconfire.link.peer_clock import PeerClock
from beaconfire.messages.health import LinkHealth
from beaconfire.messages.transfer import Probe
from beaconfire.messages.words import Lane
from beaconfire.units import seconds_from_microseconds

PROBE_PERIOD_US: Final = 1_000_000
ANSWER_WAIT_US: Final = 2_500_000
"""A lane is down once the newest answer is older than this: two probes and a half."""
OUTSTANDING_MAX: Final = 16


class Change(msgspec.Struct, frozen=True):
    """A lane went up or down."""

    lane: Lane
    up: bool


class _LaneLife:
    """What is known of one lane."""

    def __init__(self) -> None:
        self.number = 0
        self.asked_at_us: int | None = None
        self.outstanding: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self.answered_at_us: int | None = None
        self.heard_at_us: int | None = None
        self.round_trip_us: int | None = None
        self.was_up = False

    def is_up(self, monotonic_us: int) -> bool:
        return self.answered_at_us is not None and monotonic_us - self.answered_at_us <= ANSWER_WAIT_US


class Liveness:
    """Whether one peer lives, lane by lane.

    Attributes:
        own: own end.
        peer: the other end.
        peer_clock: how far its clock is from the own one.
    """

    def __init__(self, own: str, peer: str, lanes: Iterable[Lane] = tuple(Lane)) -> None:
        self.peer_clock = PeerClock()
        self.own = own
        self.peer = peer
        self._lanes = {lane: _LaneLife() for lane in lanes}

    def probes(self, monotonic_us: int, utc_us: int = 0) -> tuple[Probe, ...]:
        """Return the probes to be sent now: one a lane once a second."""
        made: list[Probe] = []
        for lane, life in self._lanes.items():
            if life.asked_at_us is not None and monotonic_us - life.asked_at_us < PROBE_PERIOD_US:
                continue
            life.asked_at_us = monotonic_us
            life.number += 1
            life.outstanding[life.number] = (monotonic_us, utc_us)
            if len(life.outstanding) > OUTSTANDING_MAX:
                life.outstanding.popitem(last=False)
            made.append(Probe(self.own, self.peer, lane, life.number, monotonic_us, echo=False))
        return tuple(made)

    def answer(self, probe: Probe, *, utc_us: int) -> Probe | None:
        """Return the echo of the peer's probe, or None if it is none of this link's.

        An echo keeps the asker as its sender: it is the question, answered.
        """
        if probe.echo or (probe.sender, probe.recipient) != (self.peer, self.own):
            return None
        return msgspec.structs.replace(probe, echo=True, answered_at_us=utc_us)

    def heard(self, lane: Lane, monotonic_us: int) -> None:
        """Note that anything acceptable came from the peer over a lane."""
        if lane in self._lanes:
            self._lanes[lane].heard_at_us = monotonic_us

    def echoed(self, probe: Probe, *, lane: Lane, monotonic_us: int, utc_us: int | None = None) -> bool:
        """Take an echo; return whether it answers a probe that was sent and is still open.

        Args:
            probe: the echo.
            lane: connection it came over.
            monotonic_us: now.
            utc_us: now, for the estimate of the peer's clock; None leaves that out.
        """
        life = self._lanes.get(lane)
        fits = probe.echo and probe.lane is lane
        if life is None or not fits or (probe.sender, probe.recipient) != (self.own, self.peer):
            return False
        asked = life.outstanding.pop(probe.number, None)
        if asked is None:
            return False
        asked_at_us, asked_utc_us = asked
        life.answered_at_us = monotonic_us
        life.round_trip_us = monotonic_us - asked_at_us
        if utc_us is not None and probe.answered_at_us is not None:
            self.peer_clock.take(asked_utc_us, probe.answered_at_us, utc_us)
        return True

    def up(self, lane: Lane, monotonic_us: int) -> bool:
        """Return whether a lane's newest answer is recent."""
        return self._lanes[lane].is_up(monotonic_us)

    def any_up(self, monotonic_us: int) -> bool:
        """Return whether any lane to the peer is up."""
        return any(life.is_up(monotonic_us) for life in self._lanes.values())

    def changes(self, monotonic_us: int) -> tuple[Change, ...]:
        """Return the lanes that went up or down since the last call; all start down."""
        found: list[Change] = []
        for lane, life in self._lanes.items():
            now_up = life.is_up(monotonic_us)
            if now_up is not life.was_up:
                life.was_up = now_up
                found.append(Change(lane, now_up))
        return tuple(found)

    def health(self, queued: Mapping[Lane, int], monotonic_us: int) -> tuple[LinkHealth, ...]:
        """Return the state of each lane; `queued` gives the open rows of the outbox by lane."""
        return tuple(
            LinkHealth(
                peer=self.peer,
                lane=lane,
                up=life.is_up(monotonic_us),
                round_trip_ms=None if life.round_trip_us is None else life.round_trip_us / 1_000.0,
                silent_for_s=None
                if life.heard_at_us is None
                else seconds_from_microseconds(monotonic_us - life.heard_at_us),
                queued=queued.get(lane, 0),
                clock_offset_ms=self.peer_clock.offset_ms,
            )
            for lane, life in self._lanes.items()
        )

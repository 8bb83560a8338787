"""How far a peer's clock is from one's own, from questions and answers over the link.

Source: RFC 5905, section 8 (offset of one exchange) and section 10 (of several, the one of least delay).
"""

from collections import deque
from typing import Final

from beaconfire.messages.words import ClockQuality
from beaconfire.units import MICROSECONDS_PER_SECOND

EXCHANGES: Final = 8
FLAGGED_US: Final = 100_000
"""Over this, beyond what the delay of the exchange leaves open, the clocks are said to differ."""
BARRED_US: Final = 1_000_000
"""Over this, what one end states is not fused with what the other sees."""
STEPPED_US: Final = 10_000
"""Two exchanges that can't both be right by more than this: one of the clocks was set in between."""


class PeerClock:
    """The newest exchanges with one peer."""

    def __init__(self) -> None:
        self._newest: deque[tuple[int, int]] = deque(maxlen=EXCHANGES)
        self.flagged = False

    def take(self, asked_us: int, answered_us: int, heard_us: int) -> None:
        """Take one exchange.

        Args:
            asked_us: UTC of the own clock at the question.
            answered_us: UTC of the peer's clock at its answer.
            heard_us: UTC of the own clock when the answer came.
        """
        delay_us = max(0, heard_us - asked_us)
        offset_us = answered_us - asked_us - delay_us // 2
        if self._newest:
            best_delay_us, best_offset_us = min(self._newest)
            if abs(offset_us - best_offset_us) > (delay_us + best_delay_us) // 2 + STEPPED_US:
                self._newest.clear()
        self._newest.append((delay_us, offset_us))

    @property
    def best(self) -> tuple[int, int] | None:
        """Delay and offset of the exchange of least delay, microseconds; None before the first."""
        return min(self._newest, default=None)

    @property
    def offset_us(self) -> int | None:
        """The peer's clock minus the own, by the exchange of least delay; None before the first."""
        return min(self._newest)[1] if self._newest else None

    @property
    def offset_ms(self) -> float | None:
        """The same in milliseconds."""
        offset_us = self.offset_us
        return None if offset_us is None else 1_000.0 * offset_us / MICROSECONDS_PER_SECOND

    @property
    def surely_off_us(self) -> int:
        """By how much the clocks differ at least: the offset less half the delay it was found with."""
        if not self._newest:
            return 0
        delay_us, offset_us = min(self._newest)
        return max(0, abs(offset_us) - (delay_us + 1) // 2)

    def apart_from(self, other: "PeerClock") -> ClockQuality:
        """Return how far this peer's clock is from another peer's, beyond what the delays leave open."""
        own, others = self.best, other.best
        if own is None or others is None:
            return ClockQuality.UNKNOWN
        (delay_us, offset_us), (other_delay_us, other_offset_us) = own, others
        surely_us = abs(offset_us - other_offset_us) - (delay_us + other_delay_us + 1) // 2
        if surely_us > BARRED_US:
            return ClockQuality.BARRED
        return ClockQuality.FLAGGED if surely_us > FLAGGED_US else ClockQuality.GOOD

    def changed(self) -> bool | None:
        """Return whether the clocks are to be flagged or no longer, None if that is as it was."""
        off = self.surely_off_us > FLAGGED_US
        if off is self.flagged:
            return None
        self.flagged = off
        return off

"""How far a peer's clock is from one's own, from questions and answers over the link.

Source: RFC 5905, section 8 (offset of one exchange) and section 10 (of several, the one of least delay).
"""

from collections import deque
from typing import Final

from beaconfire.units import MICROSECONDS_PER_SECOND

EXCHANGES: Final = 8
FLAGGED_US: Final = 100_000
"""Over this, beyond what the delay of the exchange leaves open, the clocks are said to differ."""


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
        self._newest.append((delay_us, answered_us - asked_us - delay_us // 2))

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

    def changed(self) -> bool | None:
        """Return whether the clocks are to be flagged or no longer, None if that is as it was."""
        off = self.surely_off_us > FLAGGED_US
        if off is self.flagged:
            return None
        self.flagged = off
        return off

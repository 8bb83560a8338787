"""Seeded draws for faults: the same seed and name give the same numbers on every machine and release."""

import hashlib
from typing import Final

_MASK: Final = (1 << 64) - 1


class Chance:
    """One named stream of draws.

    Streams of different names are independent, so that a fault more of one kind moves none of another.
    Source: G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014, figure 14 (SplitMix64).
    """

    def __init__(self, seed: int, name: str) -> None:
        """Start the stream of a seed and a name."""
        digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
        self._state = int.from_bytes(digest[:8], "big")

    def bits(self) -> int:
        """Return 64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def fraction(self) -> float:
        """Return a number from 0 to below 1."""
        return (self.bits() >> 11) / (1 << 53)

    def happens(self, probability: float) -> bool:
        """Return True with that probability; draws nothing if it is 0, so a fault left out costs nothing."""
        return probability > 0.0 and self.fraction() < probability

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both possible."""
        return low + self.bits() % (high - low + 1)

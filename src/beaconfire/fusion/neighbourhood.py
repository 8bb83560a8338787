"""Neighbourhood: which events could be the one at hand, found in one pass over a table.

A look at two events costs a tenth of a millisecond, and a raid has hundreds. The table holds, for every
event, where it is, how fast and how surely, and the pass leaves out what is certainly far away. It errs to
the safe side: what it leaves out is farther than `ALONE_M` at any common time and more than twice outside the
gate, however the estimates are carried there.
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from beaconfire.frames.types import Vector
from beaconfire.fusion.correlation import ALONE_M
from beaconfire.fusion.information import CHI_SQUARE_6, THRUST_SIGMA_M_S2
from beaconfire.fusion.source import Estimate
from beaconfire.units import seconds_from_microseconds

CARRY_MAX_S: Final = 15.0
"""Epochs farther apart than this aren't judged: the events count as near."""
CARRY_GROWTH: Final = 4.0
"""Over 15 s a covariance grows by no more than this, beside what its velocities bring."""
ACCELERATION_MAX_M_S2: Final = 150.0
"""More than drag on the way down does to anything that flies on."""
REGISTRATION_M2: Final = 3.0 * 200.0**2
FIRST_ROWS: Final = 64
COLUMNS: Final = 9


class Neighbourhood:
    """Where every open event is, as far as anybody can say."""

    def __init__(self) -> None:
        self._row_of: dict[str, int] = {}
        self._names: list[str | None] = []
        self._table = np.zeros((FIRST_ROWS, COLUMNS))
        self._origin_us: int | None = None

    def place(self, event_id: str, estimate: Estimate | None) -> None:
        """Note where an event is now.

        Args:
            event_id: of it.
            estimate: None if nobody can say; it is near everything then.
        """
        row = self._row_of.get(event_id)
        if row is None:
            row = self._free_row()
            self._row_of[event_id], self._names[row] = row, event_id
        self._table[row] = self._entry(estimate)

    def remove(self, event_id: str) -> None:
        """Forget an event; nothing happens if it isn't there."""
        row = self._row_of.pop(event_id, None)
        if row is not None:
            self._names[row] = None
            self._table[row] = 0.0

    def near(self, estimate: Estimate | None) -> set[str]:
        """Return the events that could be at an estimate, or whose place or its place nobody knows."""
        if estimate is None:
            return set(self._row_of)
        found = _near_rows(self._table[: len(self._names)], self._entry(estimate))
        return {name for row in found.tolist() if (name := self._names[row]) is not None}

    def _free_row(self) -> int:
        if len(self._row_of) < len(self._names):
            return self._names.index(None)
        if len(self._names) == len(self._table):
            self._table = np.vstack((self._table, np.zeros_like(self._table)))
        self._names.append(None)
        return len(self._names) - 1

    def _entry(self, estimate: Estimate | None) -> Vector:
        """Return a row: known, epoch (s), position, speed, the two variances, wander; shape (9,)."""
        entry = np.zeros(COLUMNS)
        if estimate is None:
            return entry
        if self._origin_us is None:
            self._origin_us = estimate.epoch_us
        state, variances = estimate.state, estimate.covariance.diagonal()
        entry[0] = 1.0
        entry[1] = seconds_from_microseconds(estimate.epoch_us - self._origin_us)
        entry[2:5] = state[:3]
        entry[5] = math.sqrt(state[3] ** 2 + state[4] ** 2 + state[5] ** 2)
        entry[6] = variances[0] + variances[1] + variances[2]
        entry[7] = variances[3] + variances[4] + variances[5]
        entry[8] = THRUST_SIGMA_M_S2 if estimate.process_noise else 0.0
        return entry


@njit(cache=True)
def _near_rows(table: Vector, own: Vector) -> NDArray[np.int64]:
    """Return the rows that aren't certainly far from one: distance bounded below, spread above."""
    found = np.empty(table.shape[0], dtype=np.int64)
    count = 0
    for row in range(table.shape[0]):
        there = table[row]
        interval_s = abs(there[1] - own[1])
        far = there[0] > 0.0 and interval_s <= CARRY_MAX_S
        if far:
            apart = math.sqrt((there[2] - own[2]) ** 2 + (there[3] - own[3]) ** 2 + (there[4] - own[4]) ** 2)
            speed = max(there[5], own[5]) + ACCELERATION_MAX_M_S2 * interval_s
            least = apart - speed * interval_s
            spread = REGISTRATION_M2 + CARRY_GROWTH * (
                there[6] + own[6] + (there[7] + own[7]) * interval_s * interval_s
            )
            spread += 3.0 * (0.5 * max(there[8], own[8]) * interval_s * interval_s) ** 2
            far = least > ALONE_M and least * least > 4.0 * CHI_SQUARE_6 * spread
        if not far:
            found[count] = row
            count += 1
    return found[:count]

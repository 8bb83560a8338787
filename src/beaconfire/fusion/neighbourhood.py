"""Neighbourhood: which events could be the one at hand, found in one pass over a table.

A look at two events costs a tenth of a millisecond, and a raid has hundreds. The tables hold, for every
event, where it is, how fast and how surely, and where and when it began; a pass leaves out what is certainly
far away. It errs to the safe side: what it leaves out is farther than `ALONE_M` at any common time and more
than twice outside the gate, however the estimates are carried there. Where one of two has no estimate their
launches are judged alone, by the same measure as a close look (`launch.launch_gate_ratio`).
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from beaconfire.flight.impact import covariance_from_ellipse
from beaconfire.frames.geodesy import great_circle_kernel
from beaconfire.frames.types import Vector
from beaconfire.fusion.correlation import ALONE_M
from beaconfire.fusion.information import CHI_SQUARE_3, CHI_SQUARE_6, THRUST_SIGMA_M_S2
from beaconfire.fusion.launch import launch_distance_kernel
from beaconfire.fusion.source import Estimate
from beaconfire.messages.estimate import LaunchEstimate
from beaconfire.messages.words import TimeUs
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
LAUNCH_COLUMNS: Final = 8
SLACK: Final = 1.0 + 1e-6
"""So that no rounding leaves out what a close look would take."""


class Neighbourhood:
    """Where every open event is, as far as anybody can say."""

    def __init__(self) -> None:
        self._row_of: dict[str, int] = {}
        self._names: list[str | None] = []
        self._table = np.zeros((FIRST_ROWS, COLUMNS))
        self._launches = np.zeros((FIRST_ROWS, LAUNCH_COLUMNS))
        self._origin_us: int | None = None

    def place(self, event_id: str, estimate: Estimate | None, launch: LaunchEstimate | None = None) -> None:
        """Note where an event is now, and where it began; near everything if nobody can say either.

        Args:
            event_id: of it.
            estimate: None if nobody can say.
            launch: None if nobody can say.
        """
        row = self._row_of.get(event_id)
        if row is None:
            row = self._free_row()
            self._row_of[event_id], self._names[row] = row, event_id
        self._table[row] = self._entry(estimate)
        self._launches[row] = self._launch_entry(launch)

    def remove(self, event_id: str) -> None:
        """Forget an event; nothing happens if it isn't there."""
        row = self._row_of.pop(event_id, None)
        if row is not None:
            self._names[row] = None
            self._table[row] = self._launches[row] = 0.0

    def near(self, estimate: Estimate | None, launch: LaunchEstimate | None = None) -> set[str]:
        """Return the events that an object at an estimate, from a launch, could be, as far as these tell."""
        rows = len(self._names)
        found = _near_rows(
            self._table[:rows],
            self._entry(estimate),
            self._launches[:rows],
            self._launch_entry(launch),
        )
        return self._named(found)

    def launched_near(self, launch: LaunchEstimate, distance_m: float, interval_s: float) -> set[str]:
        """Return the events that began no farther from a launch than so much, in place and time."""
        own = self._launch_entry(launch)
        return self._named(_launched_rows(self._launches[: len(self._names)], own, distance_m, interval_s))

    def _named(self, rows: NDArray[np.int64]) -> set[str]:
        return {name for row in rows.tolist() if (name := self._names[row]) is not None}

    def _free_row(self) -> int:
        if len(self._row_of) < len(self._names):
            return self._names.index(None)
        if len(self._names) == len(self._table):
            self._table = np.vstack((self._table, np.zeros_like(self._table)))
            self._launches = np.vstack((self._launches, np.zeros_like(self._launches)))
        self._names.append(None)
        return len(self._names) - 1

    def _entry(self, estimate: Estimate | None) -> Vector:
        """Return a row: known, epoch (s), position, speed, the two variances, wander; shape (9,)."""
        entry = np.zeros(COLUMNS)
        if estimate is None:
            return entry
        state, variances = estimate.state, estimate.covariance.diagonal()
        entry[0] = 1.0
        entry[1] = self._seconds(estimate.epoch_us)
        entry[2:5] = state[:3]
        entry[5] = math.sqrt(state[3] ** 2 + state[4] ** 2 + state[5] ** 2)
        entry[6] = variances[0] + variances[1] + variances[2]
        entry[7] = variances[3] + variances[4] + variances[5]
        entry[8] = THRUST_SIGMA_M_S2 if estimate.process_noise else 0.0
        return entry

    def _launch_entry(self, launch: LaunchEstimate | None) -> Vector:
        """Return a row: known, latitude, longitude, three covariances, time (s), its variance; shape (8,)."""
        entry = np.zeros(LAUNCH_COLUMNS)
        if launch is None:
            return entry
        spread = covariance_from_ellipse(launch.area)
        entry[:3] = 1.0, launch.area.latitude_rad, launch.area.longitude_rad
        entry[3:6] = spread[0, 0], spread[0, 1], spread[1, 1]
        entry[6:] = self._seconds(launch.time_us), launch.sigma_time_s**2
        return entry

    def _seconds(self, time_us: TimeUs) -> float:
        if self._origin_us is None:
            self._origin_us = time_us
        return seconds_from_microseconds(time_us - self._origin_us)


@njit(cache=True)
def _launched_rows(launches: Vector, own: Vector, distance_m: float, interval_s: float) -> NDArray[np.int64]:
    """Return the rows whose launch is known and no farther from one than so much."""
    found = np.empty(launches.shape[0], dtype=np.int64)
    count = 0
    for row in range(launches.shape[0]):
        there = launches[row]
        if there[0] == 0.0 or abs(there[6] - own[6]) > interval_s:
            continue
        if great_circle_kernel(own[1], own[2], there[1], there[2])[0] <= distance_m:
            found[count] = row
            count += 1
    return found[:count]


@njit(cache=True)
def _is_other_launch(there: Vector, own: Vector) -> bool:
    """Return whether two known launches are certainly not one, by `launch.launch_gate_ratio`."""
    if there[0] == 0.0 or own[0] == 0.0:
        return False
    distance, bearing = great_circle_kernel(own[1], own[2], there[1], there[2])
    east, north = distance * math.sin(bearing), distance * math.cos(bearing)
    spread = (there[3] + own[3], there[4] + own[4], there[5] + own[5])
    late = (there[6] - own[6], there[7] + own[7])
    return bool(launch_distance_kernel(east, north, spread, late) > SLACK * CHI_SQUARE_3)


@njit(cache=True)
def _near_rows(table: Vector, own: Vector, launches: Vector, launch: Vector) -> NDArray[np.int64]:
    """Return the rows that aren't certainly far from one: distance bounded below, spread above."""
    found = np.empty(table.shape[0], dtype=np.int64)
    count = 0
    for row in range(table.shape[0]):
        there = table[row]
        interval_s = abs(there[1] - own[1])
        if there[0] == 0.0 or own[0] == 0.0:
            far = _is_other_launch(launches[row], launch)
        elif interval_s > CARRY_MAX_S:
            far = False
        else:
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

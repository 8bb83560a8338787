"""Two objects so close that a plot could be either's: which plot was whose, asked again over all kept.

When a plot comes, the nearest track takes it; of two young tracks side by side the nearest is not yet the
right one, and each then follows a mean of both. The rows that a batch keeps allow the question again: scan by
scan each plot goes to the arc that explains it better, both are solved anew, and so on until nothing moves,
as long as both together explain what was seen better than before.
Source: S. Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129, with arcs in the place of means and, of each scan, at
most one plot to each arc.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from beaconfire.frames.types import Vector
from beaconfire.tracking.arc import PLOTS_MIN, Arc, explained, fresh_arc_kernel, resolve
from beaconfire.tracking.batch import solve_kernel
from beaconfire.tracking.motion import Motion

TURNS_MAX: Final = 6
GAIN: Final = 4.0
"""Robust cost (squared sigmas) that a new division must save. Own choice: noise alone shall move nothing."""

GROWTH: Final = 1.1
"""Share by which the plots of a pair must have grown before it is asked about again."""
RIVALS_MAX: Final = 1_024

Arcs = tuple[Arc, Arc]
Owners = NDArray[np.intp]


class Pool(NamedTuple):
    """Rows of two motions that either may have had.

    Attributes:
        early: rows before both arcs had begun: each keeps its own.
        rows: the others of both, in order of time, shape (n, 9).
        pairs: number of the first of each two that one sensor saw at one instant.
        sensors: sensor table.
    """

    early: tuple[Vector, Vector]
    rows: Vector
    pairs: Owners
    sensors: Vector

    def of(self, owners: Owners, number: int) -> Vector:
        """Return all rows of one of the two."""
        return np.concatenate((self.early[number], self.rows[owners == number]))

    def solved(self, owners: Owners, arcs: Arcs) -> Arcs:
        """Return both arcs over their rows."""
        first, second = (resolve(arc, self.of(owners, n), self.sensors) for n, arc in enumerate(arcs))
        return first, second


class Rivals:
    """Which pairs of tracks could have had each other's plots, and when each is to be looked at again.

    A pair is asked about when it has grown by a share, so that many side by side cost little; at most
    `RIVALS_MAX` pairs are known.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._now: set[tuple[str, str]] = set()
        self._asked: dict[tuple[str, str], int] = {}

    def note(self, could: Iterable[tuple[str, int]]) -> None:
        """Take which tracks could have had which plots of a scan, as (name, number of the plot)."""
        names: dict[int, list[str]] = {}
        for name, plot in could:
            names.setdefault(plot, []).append(name)
        self._now |= {(a, b) for held in names.values() for a in held for b in held if a < b}

    def divide(self, motions: Mapping[str, Motion]) -> int:
        """Ask anew about the pairs noted since the last time; return how many were divided otherwise."""
        known = [pair for pair in sorted(self._now) if pair[0] in motions and pair[1] in motions]
        self._now.clear()
        self._asked = {
            pair: n for pair, n in self._asked.items() if pair[0] in motions and pair[1] in motions
        }
        changed = 0
        for pair in known:
            first, second = motions[pair[0]], motions[pair[1]]
            plots = first.plots + second.plots
            room = pair in self._asked or len(self._asked) < RIVALS_MAX
            if room and plots >= GROWTH * self._asked.get(pair, 0):
                self._asked[pair] = plots
                changed += reassign(first, second)
        return changed


def reassign(first: Motion, second: Motion) -> bool:
    """Divide the rows that two motions keep anew between them; return whether any row changed hands.

    One that is not known to coast is tried as if it did: mixed plots look like thrust. The division holds
    only if free flight then explains both.
    """
    if min(len(first.rows), len(second.rows)) < PLOTS_MIN:
        return False
    start = (_arc(first), _arc(second))
    pool, owners = _pooled((np.array(first.rows), np.array(second.rows)), start, first.sensors)
    now = pool.solved(owners, start)
    found = [_settled(pool, arcs) for arcs in (now, _side_by_side(pool, owners, start)) if arcs is not None]
    better, arcs = min(
        (one for one in found if one is not None), key=lambda one: _cost(one[1]), default=(owners, now)
    )
    if _cost(arcs) > _cost(now) - GAIN or not (explained(arcs[0]) and explained(arcs[1])):
        return False
    first.divide(list(pool.of(better, 0)), arcs[0])
    second.divide(list(pool.of(better, 1)), arcs[1])
    return True


def _arc(motion: Motion) -> Arc:
    if motion.arc is not None:
        return motion.arc
    return fresh_arc_kernel(np.array(motion.rows), motion.state, motion.time_s, motion.sensors)


def _cost(arcs: Arcs) -> float:
    return arcs[0].solution.cost + arcs[1].solution.cost


def _pooled(rows: tuple[Vector, Vector], arcs: Arcs, sensors: Vector) -> tuple[Pool, Owners]:
    """Return the rows that may change hands, and whose each is now."""
    begin_s = max(arc.reference_s for arc in arcs)
    early, late = zip(*((one[one[:, 0] < begin_s], one[one[:, 0] >= begin_s]) for one in rows), strict=True)
    both, owners = np.concatenate(late), np.repeat((0, 1), [len(one) for one in late])
    order = np.lexsort((both[:, 1], both[:, 0]))
    both, owners = both[order], owners[order]
    pairs = np.flatnonzero((both[1:, 0] == both[:-1, 0]) & (both[1:, 1] == both[:-1, 1]))
    return Pool((early[0], early[1]), both, pairs, sensors), owners


def _settled(pool: Pool, arcs: Arcs) -> tuple[Owners, Arcs] | None:
    """Return a division, begun at two arcs, at which no plot is better off with the other one."""
    best: tuple[Owners, Arcs] | None = None
    for _ in range(TURNS_MAX):
        owners = _chosen(pool, arcs if best is None else best[1])
        if owners is None or (best is not None and (owners == best[0]).all()):
            break
        tried = pool.solved(owners, arcs if best is None else best[1])
        if best is not None and _cost(tried) >= _cost(best[1]):
            break
        best = (owners, tried)
    return best


def _side_by_side(pool: Pool, owners: Owners, arcs: Arcs) -> Arcs | None:
    """Return arcs over those scans that have two plots: the nearer ones, and the farther ones.

    From two arcs that are both a mean nothing may lead out; two objects keep their order in range for long.
    """
    if len(pool.pairs) < PLOTS_MIN:
        return None
    nearer = pool.rows[pool.pairs, 2] <= pool.rows[pool.pairs + 1, 2]
    near, far = np.where(nearer, pool.pairs, pool.pairs + 1), np.where(nearer, pool.pairs + 1, pool.pairs)
    if 2 * (owners[near] == 0).sum() < len(near):  # so that fewer plots change hands
        near, far = far, near
    return resolve(arcs[0], pool.rows[near], pool.sensors), resolve(arcs[1], pool.rows[far], pool.sensors)


def _chosen(pool: Pool, arcs: Arcs) -> Owners | None:
    """Return whose each row is by which arc explains it better; None if that leaves one with too few."""
    costs = np.array([_chi_square(arc, pool.rows, pool.sensors) for arc in arcs])
    owners = np.where(costs[0] <= costs[1], 0, 1)
    crossed = (
        costs[1, pool.pairs] + costs[0, pool.pairs + 1] < costs[0, pool.pairs] + costs[1, pool.pairs + 1]
    )
    owners[pool.pairs], owners[pool.pairs + 1] = np.where(crossed, 1, 0), np.where(crossed, 0, 1)
    return None if min((owners == 0).sum(), (owners == 1).sum()) < PLOTS_MIN else owners


def _chi_square(arc: Arc, rows: Vector, sensors: Vector) -> Vector:
    """Return how badly an arc explains each of some rows."""
    solution = solve_kernel(arc.solution.state.copy(), arc.reference_s, rows, sensors, arc.prior, 0)
    return solution.chi_square

"""New tracks from three plots: a fit with gravity and a free acceleration, never two-point differencing.

Two-point differencing takes no notice of gravity, of bearing noise, of other sensors' plots; the fit does,
and its covariance says what three plots can say.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from beaconfire.frames.types import Vector
from beaconfire.tracking.batch import THRUST, Solution, broad_prior_kernel, covariance_kernel, solve_kernel
from beaconfire.tracking.measurement import plot_position_kernel, plot_sigma_m_kernel

STORE_MAX: Final = 256
STORE_AGE_S: Final = 12.0
SPEED_MAX_M_S: Final = 9_000.0
SPEED_MIN_M_S: Final = 200.0
SPAN_MIN_S: Final = 0.15
SPEED_SIGMA_M_S: Final = 4_000.0
ACCELERATION_SIGMA_M_S2: Final = 25.0
CHI_SQUARE_MAX: Final = 22.0
FITS_MAX: Final = 8


class Seed(NamedTuple):
    """A fitted triple: state of ten and covariance at the newest plot's time, and its rows in order."""

    state: Vector
    covariance: Vector
    time_s: float
    rows: tuple[Vector, ...]


class PlotStore:
    """Radar plots that belong to no track, for a few seconds; the oldest go first when it is full."""

    def __init__(self, sensors: Vector) -> None:
        """Take the sensor table."""
        self._sensors = sensors
        self._rows: list[Vector] = []
        self._positions: list[Vector] = []
        self._sigmas: list[float] = []

    def add(self, row: Vector) -> None:
        """Keep a plot, dropping what is too old beside it, or the oldest when full."""
        sensor = self._sensors[int(row[1])]
        self._rows.append(row)
        self._positions.append(plot_position_kernel(row, sensor))
        self._sigmas.append(plot_sigma_m_kernel(row, sensor))
        newest = max(kept[0] for kept in self._rows)
        keep = [i for i, kept in enumerate(self._rows) if kept[0] > newest - STORE_AGE_S]
        self._select(keep[-STORE_MAX:])

    def _select(self, keep: list[int]) -> None:
        self._rows = [self._rows[i] for i in keep]
        self._positions = [self._positions[i] for i in keep]
        self._sigmas = [self._sigmas[i] for i in keep]

    def rows(self) -> tuple[Vector, ...]:
        """Return the plots kept."""
        return tuple(self._rows)

    def remove(self, rows: tuple[Vector, ...]) -> None:
        """Forget plots (the same objects)."""
        gone = {id(row) for row in rows}
        self._select([i for i, row in enumerate(self._rows) if id(row) not in gone])

    def _partners(self, index: int) -> list[int]:
        """Return earlier plots that one body could have reached `index` from, nearest in speed first."""
        row, out = self._rows[index], []
        for other, earlier in enumerate(self._rows):
            gap = row[0] - earlier[0]
            if other == index or gap < 0.0 or (gap == 0.0 and (other > index or earlier[1] == row[1])):
                continue
            reach = SPEED_MAX_M_S * gap + 4.0 * (self._sigmas[index] + self._sigmas[other])
            distance = float(np.linalg.norm(self._positions[index] - self._positions[other]))
            if distance <= reach:
                out.append(other)
        return out

    def _triples(self, index: int) -> list[tuple[float, int, int]]:
        """Return (bend, middle, first) of possible triples that end at `index`, straightest first."""
        out: list[tuple[float, int, int]] = []
        for middle in self._partners(index)[-24:]:
            for first in self._partners(middle)[-24:]:
                span = self._rows[index][0] - self._rows[first][0]
                if span < SPAN_MIN_S or not self._distinct(index, middle, first):
                    continue
                share = (self._rows[middle][0] - self._rows[first][0]) / span
                chord = share * self._positions[index] + (1.0 - share) * self._positions[first]
                bend = float(np.linalg.norm(self._positions[middle] - chord))
                sigma = self._sigmas[index] + self._sigmas[middle] + self._sigmas[first]
                if bend <= 4.0 * sigma + 12.0 * span * span:
                    out.append((bend / sigma, middle, first))
        return sorted(out)[:FITS_MAX]

    def _distinct(self, *indices: int) -> bool:
        scans = {(self._rows[i][0], self._rows[i][1]) for i in indices}
        return len(scans) == len(indices)

    def seed(self, row: Vector) -> Seed | None:
        """Return the best triple that ends at a stored plot, or None if none fits."""
        index = next(i for i, kept in enumerate(self._rows) if kept is row)
        best: tuple[float, Seed] | None = None
        for _, middle, first in self._triples(index):
            fitted = fit_triple(tuple(self._rows[i] for i in (first, middle, index)), self._sensors)
            if fitted is not None and (best is None or fitted[0] < best[0]):
                best = fitted
        return None if best is None else best[1]


def fit_triple(rows: tuple[Vector, ...], sensors: Vector) -> tuple[float, Seed] | None:
    """Return chi-square and seed of plots in order of time, or None if no flying body fits them."""
    stacked = np.array(rows)
    start = start_from_plots(stacked, sensors)
    prior = broad_prior_kernel(
        len(sensors), np.concatenate((start[:3], np.zeros(7))), SPEED_SIGMA_M_S, ACCELERATION_SIGMA_M_S2
    )
    solution = solve_kernel(start, float(stacked[-1, 0]), stacked, sensors, prior, THRUST)
    chi_square = float(solution.chi_square.sum())
    covariance = covariance_kernel(solution, THRUST)
    freedom = float(solution.components.sum()) - 9.0
    if chi_square > CHI_SQUARE_MAX + 1.5 * freedom or not _plausible(solution, covariance):
        return None
    return chi_square, Seed(solution.state, covariance, float(stacked[-1, 0]), rows)


def start_from_plots(rows: Vector, sensors: Vector) -> Vector:
    """Return a first guess, state of ten at the newest plot: where a fit starts, never an estimate."""
    first = plot_position_kernel(rows[0], sensors[int(rows[0, 1])])
    last = plot_position_kernel(rows[-1], sensors[int(rows[-1, 1])])
    start = np.zeros(10)
    start[:3] = last
    start[3:6] = (last - first) / max(rows[-1, 0] - rows[0, 0], 0.1)
    start[6] = broad_prior_kernel(0, start, 0.0, 0.0).mean[6]
    return start


def _plausible(solution: Solution, covariance: Vector) -> bool:
    speed = float(np.linalg.norm(solution.state[3:6]))
    sigma = math.sqrt(max(float(np.trace(covariance[3:6, 3:6])), 0.0))
    finite = bool(np.isfinite(solution.state).all() and np.isfinite(covariance).all())
    return finite and speed - 2.0 * sigma < SPEED_MAX_M_S and speed + 2.0 * sigma > SPEED_MIN_M_S

"""Registration: constant offsets of a nation's radars, from objects that several saw in free flight.

Within one event offsets are never fitted: they widen (consider parameters). Over many recorded flights they
can be: each arc has its own state of seven, all arcs share one offset of range, azimuth, elevation and clock
for each radar. What a radar's offsets do to a plot is known to first order; the arcs are eliminated one by
one and what is left is a small system. A prior of one stated sigma on each offset keeps what no flight shows
(all radars off by the same azimuth and the flights turned with them) as uncertain as it was.
Source: B. Tapley, B. Schutz and G. Born, Statistical Orbit Determination (2004), sections 4.7 (elimination of
arc parameters) and 6.3 (consider parameters); Y. Bar-Shalom, X. R. Li and T. Kirubarajan, Estimation with
Applications to Tracking and Navigation (2001), section 11.5 on registration.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from beaconfire.flight.propagation import propagate_with_transition_kernel
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Detection
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation
from beaconfire.tracking.algebra import inverse_kernel
from beaconfire.tracking.arc import PLOTS_MIN, fresh_arc_kernel
from beaconfire.tracking.batch import (
    COAST,
    HUBER_K,
    PRIOR_LOG_INVERSE_BETA,
    PRIOR_SIGMA_LOG_INVERSE_BETA,
    broad_prior_kernel,
    solve_kernel,
)
from beaconfire.tracking.filter import integration_step_kernel
from beaconfire.tracking.initiation import fit_triple
from beaconfire.tracking.measurement import BIAS, residual_kernel, sensor_table
from beaconfire.tracking.tracker import Tracker
from beaconfire.units import seconds_from_microseconds

KINDS: Final = ("range_m", "azimuth_rad", "elevation_rad", "clock_s")
TURNS: Final = 4
MISFIT_MAX: Final = 3.0
"""Chi-square of a component, offsets counted as noise, from which an arc is two flights, or driven."""
ROWS_MAX: Final = 4_000
"""Plots of one object that are used."""
UNSTATED: Final = (50.0, 1e-3, 1e-3, 0.05)
"""Prior sigma where a radar states none: own choice, wide beside what registered radars have."""
_SECRET: Final = bytes(32)
_PRIOR: Final = np.diag((0.0,) * 6 + (PRIOR_SIGMA_LOG_INVERSE_BETA**-2,))
"""Information on the state of seven before any plot."""


class Offset(NamedTuple):
    """One constant offset of one radar.

    Attributes:
        sensor: id of the radar.
        kind: one of `KINDS`; what the radar measures less what is true, or its clock less the true time.
        value: in the unit of the kind.
        sigma: one standard deviation of it.
        stated_sigma: what the radar's description states; 0 if nothing.
    """

    sensor: str
    kind: str
    value: float
    sigma: float
    stated_sigma: float

    @property
    def shown(self) -> bool:
        """Whether the flights showed it: it is known better than a third of what was supposed."""
        return self.sigma < (self.stated_sigma or UNSTATED[KINDS.index(self.kind)]) / 3.0

    @property
    def surprising(self) -> bool:
        """Whether it lies beyond three sigmas of what is stated."""
        return self.stated_sigma > 0.0 and abs(self.value) > 3.0 * math.hypot(self.stated_sigma, self.sigma)


class Registration(NamedTuple):
    """What the flights told.

    Attributes:
        offsets: four of each radar that saw a common object.
        arcs: objects used; one that no free flight explains is left out.
        plots: of them.
        misfit: chi-square over degrees of freedom, about 1 if noise and offsets explain the plots.
    """

    offsets: tuple[Offset, ...]
    arcs: int
    plots: int
    misfit: float


def coast_rows(detections: Sequence[Detection], sensors: Sequence[Radar], nation: Nation) -> list[Vector]:
    """Return the plots of each object in free flight that two radars or more saw, shape (n, 9) each.

    Args:
        detections: of all radars, in order of time.
        sensors: the radars.
        nation: in whose name the objects are followed.
    """
    tracker, kept = Tracker(sensors, nation, _SECRET), dict[str, dict[tuple[float, float], Vector]]()
    for second in _seconds(detections):
        tracker.add(second, second[-1].measured_at_us)
        tracker.step(second[-1].measured_at_us)
        for track in tracker.tracks:
            motion = track.motion
            if motion is None or motion.arc is None or motion.likely or motion.manoeuvring:
                continue
            rows = kept.setdefault(track.name, {})
            rows.update({(float(row[0]), float(row[1])): row for row in motion.rows if len(rows) < ROWS_MAX})
    arcs = [np.array([rows[key] for key in sorted(rows)]) for rows in kept.values() if len(rows) > PLOTS_MIN]
    return [rows for rows in arcs if len(np.unique(rows[:, 1])) > 1]


def _seconds(detections: Sequence[Detection]) -> list[list[Detection]]:
    """Return the detections in groups of a second."""
    groups: dict[int, list[Detection]] = {}
    first_us = detections[0].measured_at_us if detections else 0
    for one in detections:
        groups.setdefault(int(seconds_from_microseconds(one.measured_at_us - first_us)), []).append(one)
    return [groups[second] for second in sorted(groups)]


def register(arcs: Sequence[Vector], sensors: Sequence[Radar]) -> Registration | None:
    """Return the offsets of the radars, None if no two of them saw a common object.

    Args:
        arcs: plots of one object each, see `coast_rows`.
        sensors: the radars, in the order of the rows' indices.
    """
    table, truth = _with_priors(sensor_table(sensors)), np.zeros(4 * len(sensors))
    started = [(rows, _first_state(rows, table)) for rows in arcs]
    used = [(rows, state) for rows, state in started if _is_one_flight(rows, state, table)]
    arcs, states = [rows for rows, _ in used], [state for _, state in used]
    seen = sorted({int(index) for rows in arcs for index in np.unique(rows[:, 1])})
    if not seen:
        return None
    covariance, chi_square, freedom = np.eye(truth.size), 0.0, 1
    for _ in range(TURNS):
        information, gradient = np.eye(truth.size), -truth
        chi_square, freedom = 0.0, 0
        for number, rows in enumerate(arcs):
            moved = _corrected(rows, table, truth)
            states[number] = _fitted(moved, states[number], table)
            residual, partials, offsets = _linearised(moved, states[number], table)
            inverse = inverse_kernel(partials.T @ partials + _PRIOR)
            known = partials.T @ residual + _prior_gradient(states[number])
            cross = partials.T @ offsets
            information += offsets.T @ offsets - cross.T @ inverse @ cross
            gradient += offsets.T @ residual - cross.T @ inverse @ known
            chi_square, freedom = chi_square + float(residual @ residual), freedom + len(residual) - 6
        covariance = inverse_kernel(information)
        truth = truth + covariance @ gradient
    return Registration(
        _offsets(sensors, seen, truth, covariance),
        len(arcs),
        sum(map(len, arcs)),
        chi_square / max(freedom, 1),
    )


def _with_priors(table: Vector) -> Vector:
    """Return the sensor table with a prior sigma for each offset that none is stated of."""
    for row in table:
        for kind, unstated in enumerate(UNSTATED):
            row[BIAS + kind] = row[BIAS + kind] or unstated
    return table


def _first_state(rows: Vector, table: Vector) -> Vector:
    """Return a first guess of the state of ten at the first plot, from the first few that fit together."""
    for first in range(len(rows) - 3):
        fitted = fit_triple(tuple(rows[first : first + 8]), table)
        if fitted is not None:
            state = fitted[1].state
            return fresh_arc_kernel(rows, state, float(fitted[1].time_s), table).solution.state
    raise AssertionError("a followed object has plots that fit together")


def _is_one_flight(rows: Vector, state: Vector, table: Vector) -> bool:
    """Return whether one free flight, with offsets as large as supposed, explains the plots."""
    prior = broad_prior_kernel(len(table), state, 0.0, 0.0)
    fit = solve_kernel(state, float(rows[0, 0]), rows, table, prior, 0)
    return float(fit.chi_square.sum() / fit.components.sum()) < MISFIT_MAX


def _fitted(rows: Vector, state: Vector, table: Vector) -> Vector:
    """Return the state of ten at the first plot that fits an arc best, the offsets held."""
    prior = broad_prior_kernel(len(table), state, 0.0, 0.0)
    return solve_kernel(state, float(rows[0, 0]), rows, table, prior, COAST).state


def _corrected(rows: Vector, table: Vector, truth: Vector) -> Vector:
    """Return the rows without the offsets, which are given in numbers of prior sigmas."""
    which = rows[:, 1].astype(np.intp)
    offsets = truth.reshape(-1, 4)[which] * table[which, BIAS : BIAS + 4]
    out = rows.copy()
    out[:, 2:5] -= offsets[:, :3]
    out[:, 0] += offsets[:, 3]
    return out[np.argsort(out[:, 0], kind="stable")]


def _prior_gradient(state: Vector) -> Vector:
    gradient = np.zeros(7)
    gradient[6] = (PRIOR_LOG_INVERSE_BETA - state[6]) * PRIOR_SIGMA_LOG_INVERSE_BETA**-2
    return gradient


def _linearised(rows: Vector, state: Vector, table: Vector) -> tuple[Vector, Vector, Vector]:
    """Return whitened residuals (m,), partials with the arc's state (m, 7) and with all offsets (m, 4 n)."""
    residuals, partials, offsets = [], [], []
    residual, jacobian, offset = np.empty(4), np.zeros((4, 6)), np.empty((4, 4))
    there, transition, at_s = state[:7].copy(), np.eye(7), float(rows[0, 0])
    for row in rows:
        there, transition = propagate_with_transition_kernel(
            there, transition, float(row[0]) - at_s, integration_step_kernel(there)
        )
        at_s = float(row[0])
        size = residual_kernel(row, table, there, residual, jacobian, offset)
        first = 4 * int(row[1])
        wide = np.zeros((size, 4 * len(table)))
        wide[:, first : first + 4] = offset[:size]
        left = residual[:size]
        weight = np.sqrt(np.minimum(1.0, HUBER_K / np.maximum(np.abs(left), 1e-12)))
        residuals.append(weight * left)
        partials.append(weight[:, None] * (jacobian[:size] @ transition[:6]))
        offsets.append(weight[:, None] * wide)
    return np.concatenate(residuals), np.concatenate(partials), np.concatenate(offsets)


def _offsets(
    sensors: Sequence[Radar], seen: Sequence[int], truth: Vector, covariance: Vector
) -> tuple[Offset, ...]:
    """Return values and sigmas in units, from numbers of prior sigmas."""
    out = []
    for index in seen:
        stated, prior = sensor_table([sensors[index]])[0], _with_priors(sensor_table([sensors[index]]))[0]
        for kind, name in enumerate(KINDS):
            place, unit = 4 * index + kind, float(prior[BIAS + kind])
            sigma = unit * math.sqrt(float(covariance[place, place]))
            sign = -1.0 if name == "clock_s" else 1.0  # a late clock states the place of a while ago
            value = sign * unit * float(truth[place])
            out.append(Offset(sensors[index].sensor, name, value, sigma, float(stated[BIAS + kind])))
    return tuple(out)

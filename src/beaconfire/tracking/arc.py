"""The coast arc: finding where it begins, solving it, and judging whether free flight explains the plots."""

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.flight.propagation import propagate_kernel, propagate_with_transition_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.algebra import inverse_kernel
from beaconfire.tracking.batch import (
    COAST,
    Prior,
    Solution,
    broad_prior_kernel,
    covariance_kernel,
    extra_acceleration_kernel,
    roll_up_kernel,
    solve_kernel,
)
from beaconfire.tracking.curvature import posterior_kernel
from beaconfire.tracking.ending import (
    BACK_S,
    BEFORE_S,
    DOUBT_MOST,
    DRIVE_LEAST_M_S2,
    DRIVE_SIGMAS,
    QUIET_S,
    drive_kernel,
    ending_kernel,
    knowledge_before_kernel,
    may_have_ended_kernel,
)
from beaconfire.tracking.filter import integration_step_kernel, predict_kernel

SPANS_S: Final = (
    *(2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.5),
    *(13.0, 15.0, 17.0, 22.0, 28.0, 36.0, 46.0, 60.0, 80.0, 110.0),
)
PLOTS_MIN: Final = 6
POWER_M_S2: Final = 2.5
"""A window rules out thrust once one sigma is this much: a rising body is driven by 10 or more."""
LIKELY_M_S2: Final = 8.0
LIKELY_SHARE: Final = 6.0
"""A window that could not hide a sixth of the thrust seen before makes burnout likely, though not sure."""
SEEN_M_S2: Final = 15.0
"""Above this sigma a window says nothing of thrust: in thick air drag and thrust are hard to tell apart."""
REJECT_SIGMAS: Final = 2.5
DRAWN_MOST: Final = 16.3
"""Chi-square of three: one arc in a thousand by chance."""
FIT_SIGMAS: Final = 3.5
GUARD: Final = 0.25
GUARD_PLOTS_MIN: Final = 5
START_SIGMAS: Final = 1.65
"""Above this (one arc in twenty by chance, which then loses a quarter of its plots) the start is left out."""
TOLD_LEAST: Final = 0.05
"""Directions of which the first plots say less than this share are no evidence about them."""
RECENT_ROWS: Final = 12
ROWS_MAX: Final = 256
"""Rows kept for a batch; when it is full the older half is rolled up into the prior."""


class Verdict(NamedTuple):
    """How well free flight explains a window.

    Attributes:
        misfit: sigmas above the chi-square of noise alone.
        along_m_s2: acceleration along the velocity that the residuals ask for.
        sigma_along_m_s2: one standard deviation of it.
    """

    misfit: float
    along_m_s2: float
    sigma_along_m_s2: float

    @property
    def powerful(self) -> bool:
        """Whether thrust would have been seen in this window."""
        return self.sigma_along_m_s2 <= POWER_M_S2

    @property
    def coasting(self) -> bool:
        """Whether free flight explains the window."""
        return bool(coasting_kernel(self))

    @property
    def thrusting(self) -> bool:
        """Whether the window shows thrust beyond doubt."""
        return bool(thrusting_kernel(self))


class Search(NamedTuple):
    """What a search for a coast arc found.

    Attributes:
        arc: the longest that free flight explains, or None.
        sure: no thrust worth the name could hide in it; else burnout is likely only.
        drive_m_s2: thrust seen beyond doubt in a window up to now, 0 if none.
    """

    arc: "Arc | None"
    sure: bool
    drive_m_s2: float


class Arc(NamedTuple):
    """A solved coast arc: reference time, knowledge before its rows, and the fit."""

    reference_s: float
    prior: Prior
    solution: Solution


@njit(cache=True)
def misfit_kernel(chi_square: Vector, components: Vector, parameters: int) -> float:
    """Return how many sigmas a chi-square lies above what noise alone gives.

    Source: E. Wilson and M. Hilferty, Proc. Nat. Acad. Sci. 17 (1931) 684: the cube root is nearly normal.
    """
    freedom = components.sum() - parameters
    if freedom <= 0.0:
        return 0.0
    share = 2.0 / (9.0 * freedom)
    return float(((chi_square.sum() / freedom) ** (1.0 / 3.0) - 1.0 + share) / math.sqrt(share))


@njit(cache=True)
def judge_kernel(solution: Solution) -> Verdict:
    """Return the verdict on a coast fit without earlier knowledge."""
    extra, covariance = extra_acceleration_kernel(solution)
    if not (math.isfinite(solution.cost) and np.isfinite(extra).all() and np.isfinite(covariance).all()):
        return Verdict(math.inf, 0.0, math.inf)  # taken back through thick air it grew beyond all bounds
    speed = math.sqrt(solution.state[3] ** 2 + solution.state[4] ** 2 + solution.state[5] ** 2)
    along = solution.state[3:6] / speed
    sigma = math.sqrt(max(float(along @ covariance @ along), 0.0))
    return Verdict(misfit_kernel(solution.chi_square, solution.components, 6), float(along @ extra), sigma)


@njit(cache=True)
def drawn_kernel(solution: Solution) -> float:
    """Return the chi-square (of three) of the acceleration in any direction that a coast fit left over."""
    extra, covariance = extra_acceleration_kernel(solution)
    return float(extra @ inverse_kernel(covariance) @ extra)


@njit(cache=True)
def suffices_kernel(verdict: Verdict, drive_m_s2: float) -> bool:
    """Return whether thrust such as was seen before, or a weak one, would have been seen.

    Args:
        verdict: on a window.
        drive_m_s2: acceleration along the velocity that was seen last, 0 if none was.
    """
    return verdict.sigma_along_m_s2 <= max(POWER_M_S2, min(LIKELY_M_S2, drive_m_s2 / LIKELY_SHARE))


@njit(cache=True)
def coasting_kernel(verdict: Verdict) -> bool:
    """Return whether free flight explains a window."""
    return verdict.misfit < FIT_SIGMAS and abs(verdict.along_m_s2) < REJECT_SIGMAS * verdict.sigma_along_m_s2


@njit(cache=True)
def thrusting_kernel(verdict: Verdict) -> bool:
    """Return whether a window shows thrust beyond doubt."""
    sigma = verdict.sigma_along_m_s2
    return sigma < SEEN_M_S2 and verdict.along_m_s2 > max(4.0 * sigma, 4.0)


@njit(cache=True)
def fresh_arc_kernel(rows: Vector, state: Vector, time_s: float, sensors: Vector) -> Arc:
    """Return a coast arc over all of `rows`, started from a state of ten at `time_s`."""
    reference = rows[0, 0]
    start = np.zeros(10)
    start[:7] = propagate_kernel(state[:7].copy(), reference - time_s, integration_step_kernel(state))
    prior = broad_prior_kernel(sensors.shape[0], start, 0.0, 0.0)
    return Arc(reference, prior, solve_kernel(start, reference, rows, sensors, prior, COAST))


@njit(cache=True)
def _first_from(rows: Vector, time_s: float) -> int:
    """Return the number of the first row not before a time; rows stand in order of time."""
    return int(np.searchsorted(rows[:, 0], time_s - 1e-6))


@njit(cache=True)
def _find_kernel(
    rows: Vector, state: Vector, time_s: float, sensors: Vector, drive_m_s2: float
) -> tuple[int, Arc, bool, float]:
    """Return the number of the arc's first row (-1 for no arc), the arc, whether it is sure, thrust seen."""
    found, sure, driven, before = -1, False, 0.0, 0
    best = fresh_arc_kernel(rows[-PLOTS_MIN:], state, time_s, sensors)
    for span in SPANS_S:
        first = _first_from(rows, time_s - span)
        count = rows.shape[0] - first
        if count < PLOTS_MIN or count == before:
            continue
        before = count
        arc = fresh_arc_kernel(rows[first:], state, time_s, sensors)
        verdict = judge_kernel(arc.solution)
        if found < 0 and driven == 0.0 and thrusting_kernel(verdict):
            driven = verdict.along_m_s2
        if not suffices_kernel(verdict, drive_m_s2):
            continue
        if not coasting_kernel(verdict):
            break
        found, sure = first, verdict.sigma_along_m_s2 <= POWER_M_S2
        best = arc
    return found, best, sure, driven


def find_coast(rows: Vector, state: Vector, time_s: float, sensors: Vector, drive_m_s2: float) -> Search:
    """Return the longest window up to now that free flight explains, and what thrust was seen.

    Windows grow until thrust would show; the first such one decides, longer ones that pass extend it.

    Args:
        rows: all rows kept, in order of time, at least `PLOTS_MIN`, shape (n, 9).
        state: filter's state of ten at `time_s`.
        time_s: time of the newest row.
        sensors: sensor table.
        drive_m_s2: thrust that was seen last, 0 if none was.
    """
    found, arc, sure, driven = _find_kernel(rows, state, time_s, sensors, drive_m_s2)
    if found < 0:
        return Search(None, sure, driven)
    arc = guarded(arc, rows[found:], state, time_s, sensors)
    if not sure and drawn_kernel(arc.solution) > DRAWN_MOST:
        return Search(None, False, driven)
    return Search(arc, sure, driven)


def guarded(arc: Arc, part: Vector, state: Vector, time_s: float, sensors: Vector) -> Arc:
    """Return the arc without its first part, where a tail of thrust too short to show may hide."""
    later = part[_first_from(part, part[0, 0] + GUARD * (part[-1, 0] - part[0, 0])) :]
    return fresh_arc_kernel(later, state, time_s, sensors) if len(later) >= GUARD_PLOTS_MIN else arc


def without_start(arc: Arc, rows: Vector, sensors: Vector) -> Arc | None:
    """Return the arc without its first part if the rest says something else, None if it says the same.

    A tail of thrust in the first plots bends an arc before its residuals show it. Of two estimates,
    one from all plots and one from a part, the difference has the difference of their covariances.
    Source: J. Hausman, Econometrica 46 (1978) 1251, section 2.
    """
    part = rows[np.searchsorted(rows[:, 0], rows[0, 0] + GUARD * (rows[-1, 0] - rows[0, 0]) - 1e-6) :]
    if len(part) < 2 * PLOTS_MIN or len(part) == len(rows):
        return None
    state, _ = arc_at(arc, float(part[0, 0]))
    later = fresh_arc_kernel(part, state, float(part[0, 0]), sensors)
    rest = inverse_kernel(later.solution.information[:7, :7].copy())
    whole = inverse_kernel(arc.solution.information[:7, :7].copy())
    interval = later.reference_s - arc.reference_s
    moved, transition = propagate_with_transition_kernel(
        arc.solution.state[:7].copy(), np.eye(7), interval, integration_step_kernel(arc.solution.state)
    )
    lower = np.linalg.cholesky(rest)
    shares = np.linalg.solve(lower, transition @ whole @ transition.T)
    shares = np.linalg.solve(lower, shares.T)
    values, vectors = np.linalg.eigh(0.5 * (shares + shares.T))
    turned = vectors.T @ np.linalg.solve(lower, moved - later.solution.state[:7])
    told = values < 1.0 - TOLD_LEAST
    if not told.any():
        return None
    squares = turned[told] ** 2 / (1.0 - values[told])
    return later if misfit_kernel(squares, np.ones(squares.size), 0) > START_SIGMAS else None


def resolve(arc: Arc, rows: Vector, sensors: Vector) -> Arc:
    """Return the arc solved again over `rows`, started where it was."""
    solution = solve_kernel(arc.solution.state.copy(), arc.reference_s, rows, sensors, arc.prior, COAST)
    return Arc(arc.reference_s, arc.prior, solution)


def roll_up(arc: Arc, rows: Vector, sensors: Vector) -> tuple[Arc, int]:
    """Return the arc with the older half of its rows turned into prior knowledge, and how many that were."""
    half = len(rows) // 2
    older = solve_kernel(arc.solution.state.copy(), arc.reference_s, rows[:half], sensors, arc.prior, 0)
    reference = float(rows[half, 0])
    prior = roll_up_kernel(older, reference - arc.reference_s)
    start = arc.solution.state.copy()
    start[:7] = propagate_kernel(
        start[:7].copy(), reference - arc.reference_s, integration_step_kernel(start)
    )
    warm = solve_kernel(start, reference, rows[half:], sensors, prior, 0)
    return Arc(reference, prior, warm), half


def explained(arc: Arc) -> bool:
    """Return whether free flight still explains the whole arc and its newest rows."""
    solution = arc.solution
    parameters = 6 if arc.prior.information[0, 0] == 0.0 else 0
    whole = misfit_kernel(solution.chi_square, solution.components, parameters)
    return whole < FIT_SIGMAS and recent_misfit(arc) < FIT_SIGMAS + 1.5


def recent_misfit(arc: Arc) -> float:
    """Return how many sigmas the newest rows lie off free flight."""
    solution = arc.solution
    return misfit_kernel(solution.chi_square[-RECENT_ROWS:], solution.components[-RECENT_ROWS:], 0)


def stated(arc: Arc, rows: Vector, sensors: Vector) -> tuple[Vector, Vector]:
    """Return what is told of an arc over `rows`, at its reference: state of ten and covariance (10, 10)."""
    covariance = np.zeros((10, 10))
    mean, covariance[:7, :7] = posterior_kernel(arc.solution, arc.reference_s, rows, sensors)
    return mean, covariance


def arc_at(arc: Arc, time_s: float) -> tuple[Vector, Vector]:
    """Return the likeliest state of ten of an arc at `time_s` and the covariance (10, 10) of its tangent."""
    covariance = np.zeros((10, 10))
    covariance[:7, :7] = covariance_kernel(arc.solution, COAST)
    return predict_kernel(arc.solution.state, covariance, time_s - arc.reference_s, 0.0)


def arc_after_thrust(rows: Vector, state: Vector, time_s: float, sensors: Vector) -> Arc | None:
    """Return the coast arc since thrust ended, with what was known before; None if it goes on or may.

    Args:
        rows: all rows kept, in order of time, shape (n, 9).
        state: filter's state of ten at `time_s`.
        time_s: time of the newest row.
        sensors: sensor table.
    """
    used = rows[_first_from(rows, time_s - BACK_S - BEFORE_S) :]
    if len(used) < 2 * PLOTS_MIN or not may_have_ended_kernel(used, state, time_s, sensors):
        return None
    ending = ending_kernel(used, state, time_s, sensors)
    size, sigma_drive = drive_kernel(ending.solution)
    first = _first_from(used, ending.until_s)
    if (
        ending.doubt > DOUBT_MOST
        or time_s - ending.until_s < QUIET_S
        or size < DRIVE_LEAST_M_S2 + DRIVE_SIGMAS * sigma_drive
    ):
        return None
    prior = knowledge_before_kernel(ending, used[:first], sensors)
    start = ending.solution.state.copy()
    start[7:] = 0.0
    arc = Arc(ending.until_s, prior, solve_kernel(start, ending.until_s, used[first:], sensors, prior, COAST))
    return arc if explained(arc) else None

"""Flights of 4,500 km range and 1,000 km apogee, and low ones, their free flight held to its own bound.

Many runs of the same notional geometry: what is drawn anew in each is the noise of the plots and, where the
case says so, the ballistic coefficient, the height of the ground and the wind, the registration offsets, and
which plots are missing or late.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec
import numpy as np

from beaconfire.analysis.bound import ArcBound, Look, arc_bounds
from beaconfire.analysis.coast_cases import TIMES_S, Case, sensors_of
from beaconfire.analysis.consistency import (
    Bounds,
    Coverage,
    coverage,
    normalised_error_bounds,
    normalised_errors,
    root_mean_square,
)
from beaconfire.flight.coefficient import CoefficientPrior
from beaconfire.flight.fall import fall_kernel
from beaconfire.flight.impact import (
    LEFT_OUT_HEIGHT_M,
    LEFT_OUT_M,
    LEVELS,
    covariance_from_ellipse,
    ellipses_of_landing,
    landing_of,
)
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.geodesy import destination, geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.arc import Arc, stated
from beaconfire.tracking.batch import (
    COAST,
    LINEAR_ENOUGH,
    PRIOR_LOG_INVERSE_BETA,
    PRIOR_SIGMA_LOG_INVERSE_BETA,
    broad_prior_kernel,
    solve_kernel,
)
from beaconfire.tracking.drag import carried_kernel

WANTED_FROM_S: Final = 15.0
TRUTH_STEP_S: Final = 0.25
"""Step of the true path: short enough where there is air (`docs/studies/integration_step.py`)."""
SOLVED_AGAIN_MAX: Final = 5
_PRIOR: Final = CoefficientPrior(PRIOR_LOG_INVERSE_BETA, PRIOR_SIGMA_LOG_INVERSE_BETA)
_GUESS_SIGMA: Final = np.array((2e3, 2e3, 2e3, 30.0, 30.0, 30.0))

Estimator: TypeAlias = Callable[[Vector, Vector, Vector, float], tuple[Vector, Vector]]
"""Rows, sensor table, first guess of ten at time 0, and a time: state of seven and covariance then."""


class Moment(NamedTuple):
    """What one run gave at one time.

    Attributes:
        error: estimate minus truth, position and velocity, shape (6,), ECEF, SI.
        covariance: stated, shape (6, 6).
        holds: the stated area of each of `LEVELS` holds the true impact; None without an area.
        semi_major_m: of the 95 % area; nan without one.
    """

    error: Vector
    covariance: Vector
    holds: tuple[bool, ...] | None
    semi_major_m: float


class Cell(msgspec.Struct, frozen=True):
    """One line of the table: one case at one time, over all runs.

    Attributes:
        case: its name.
        time_s: since burnout.
        runs: that were made.
        rmse_m: root mean square position error.
        bound_m: least possible.
        normalised: mean normalised error of position and velocity.
        normalised_bounds: within which it lies if consistent.
        covered: how often the stated 95 % area held the true impact.
        covered_beside: the same of the areas of 50 and 99 %.
        cautious: the area may hold it more often than stated.
        semi_major_m: of the 95 % area, median.
    """

    case: str
    time_s: float
    runs: int
    rmse_m: float
    bound_m: float
    normalised: float
    normalised_bounds: Bounds
    covered: Coverage
    covered_beside: tuple[Coverage, ...]
    cautious: bool
    semi_major_m: float

    @property
    def ratio(self) -> float:
        """Error over bound."""
        return self.rmse_m / self.bound_m

    @property
    def efficient(self) -> bool:
        """Whether the error is at most 1.05 of the bound, or more by chance at most (three sigmas)."""
        chance = 1.0 + 3.0 / math.sqrt(2.0 * self.runs)
        return self.time_s < WANTED_FROM_S or self.ratio <= max(1.05, chance)

    @property
    def consistent(self) -> bool:
        """Whether the normalised error lies in 0.95 to 1.05, or outside by chance at most."""
        low, high = self.normalised_bounds
        return self.time_s < WANTED_FROM_S or min(0.95, low) <= self.normalised <= max(1.05, high)

    @property
    def covers(self) -> bool:
        """Whether the areas hold the truth as often as they state."""
        areas = (self.covered, *self.covered_beside)
        return all(one.nominal or (self.cautious and one.share > one.stated) for one in areas)

    @property
    def passed(self) -> bool:
        """Whether error, consistency and coverage are all as wanted."""
        return self.efficient and self.consistent and self.covers


def batch_estimate(rows: Vector, sensors: Vector, start: Vector, time_s: float) -> tuple[Vector, Vector]:
    """Return what the batch of the national tracker makes of the rows; an `Estimator`.

    A tracker starts from its fit of the second before; from a rough guess one call is not always enough.
    """
    prior = broad_prior_kernel(len(sensors), start, 0.0, 0.0)
    solution = solve_kernel(start, 0.0, rows, sensors, prior, COAST)
    for _ in range(SOLVED_AGAIN_MAX):
        step = np.linalg.solve(solution.information[:COAST, :COAST], solution.gradient[:COAST])
        if step @ solution.gradient[:COAST] < LINEAR_ENOUGH:
            break
        solution = solve_kernel(solution.state, 0.0, rows, sensors, prior, COAST)
    mean, covariance = stated(Arc(0.0, prior, solution), rows, sensors)
    state, spread = carried_kernel(mean, covariance, time_s)
    return state[:7], spread[:7, :7]


def _looks(case: Case, until_s: float) -> list[Look]:
    """Return all looks in order of time: each radar once a second, the second half a second later."""
    looks = [
        Look(second + 0.5 * radar, radar)
        for second in range(int(until_s) + 1)
        for radar in range(case.radars)
    ]
    return [look for look in looks if look.time_s <= until_s]


def _path(state: Vector, looks: Sequence[Look]) -> Vector:
    """Return the true states of seven at the looks, shape (n, 7)."""
    out, at_s = np.empty((len(looks), 7)), 0.0
    for number, look in enumerate(looks):
        state = propagate_kernel(state, look.time_s - at_s, TRUTH_STEP_S) if look.time_s > at_s else state
        at_s, out[number] = look.time_s, state
    return out


def _arrived(case: Case, looks: Sequence[Look], time_s: float) -> np.ndarray:
    """Return which looks have come in by a time, shape (n,)."""
    late = [case.late_s if look.sensor == case.radars - 1 else 0.0 for look in looks]
    return np.array([look.time_s + wait <= time_s for look, wait in zip(looks, late, strict=True)])


def _rows(
    case: Case, sensors: Vector, looks: Sequence[Look], path: Vector, draw: np.random.Generator
) -> tuple[Vector, np.ndarray]:
    """Return the rows of all looks, shape (n, 9), and which of them saw something."""
    offsets = draw.standard_normal((len(sensors), 4)) * sensors[:, 17:21]
    rows = np.zeros((len(looks), 9))
    for radar in range(len(sensors)):
        mine = np.array([look.sensor == radar for look in looks])
        place, rotation = sensors[radar, 1:4], sensors[radar, 4:13].reshape(3, 3)
        east, north, up = ((path[mine, :3] - place) @ rotation.T).T
        level = np.hypot(east, north)
        seen = np.column_stack((np.hypot(level, up), np.arctan2(east, north), np.arctan2(up, level)))
        seen += offsets[radar, :3] + draw.standard_normal(seen.shape) * sensors[radar, 13:16]
        times = np.array([look.time_s for look in looks if look.sensor == radar])
        rows[mine, 0], rows[mine, 1] = times + offsets[radar, 3], radar
        rows[mine, 2:5], rows[mine, 5] = seen, math.nan
    return rows, draw.random(len(looks)) < case.detection_probability


def _holds(
    state: Vector, covariance: Vector, impact: tuple[float, float]
) -> tuple[tuple[bool, ...] | None, float]:
    """Return whether each stated area holds the true impact, and the semi-major axis of 95 %, metres."""
    landing = landing_of(state, covariance, _PRIOR)
    if landing is None:
        return None, math.nan
    areas = ellipses_of_landing(landing)
    distance, bearing = great_circle_kernel(areas[0].latitude_rad, areas[0].longitude_rad, *impact)
    off = np.array((distance * math.sin(bearing), distance * math.cos(bearing)))
    squares = [off @ np.linalg.solve(covariance_from_ellipse(one), off) for one in areas]
    held = (square <= -2.0 * math.log(1.0 - level) for square, level in zip(squares, LEVELS, strict=True))
    return tuple(bool(one) for one in held), areas[1].semi_major_m


def _impact(case: Case, truth: Vector, draw: np.random.Generator) -> tuple[float, float]:
    """Return where a flight comes down, on ground and in wind as drawn: latitude and longitude, rad."""
    height_m, wind_m = LEFT_OUT_HEIGHT_M * draw.standard_normal(), LEFT_OUT_M * draw.standard_normal(2)
    landed = fall_kernel(truth, height_m if case.drag else 0.0)[1]
    latitude, longitude, _ = geodetic_from_ecef_kernel(landed[0], landed[1], landed[2])
    if not case.drag:
        return latitude, longitude
    return destination(latitude, longitude, math.atan2(*wind_m), math.hypot(*wind_m))


def one_run(
    case: Case,
    truth: Vector,
    seed: int,
    times_s: Sequence[float] = TIMES_S,
    estimate: Estimator = batch_estimate,
) -> list[Moment]:
    """Return what one run gave at each time; the same seed gives the same.

    Args:
        case: variant.
        truth: state of seven at burnout, see `truth_at_burnout`.
        seed: of every draw.
        times_s: after burnout, rising.
        estimate: what is tried.
    """
    draw = np.random.default_rng((seed, len(case.name), case.radars))
    truth = truth.copy()
    if case.drag:
        truth[6] += PRIOR_SIGMA_LOG_INVERSE_BETA * draw.standard_normal()
    sensors, looks = sensors_of(case), _looks(case, times_s[-1])
    path = _path(truth, looks)
    rows, seen = _rows(case, sensors, looks, path, draw)
    start = np.zeros(10)
    start[:7] = truth
    start[:6] += _GUESS_SIGMA * draw.standard_normal(6)
    start[6] = PRIOR_LOG_INVERSE_BETA
    impact = _impact(case, truth, draw)
    found = []
    for time_s in times_s:
        used = rows[seen & _arrived(case, looks, time_s)]
        used = used[np.argsort(used[:, 0], kind="stable")]
        state, covariance = estimate(used, sensors, start, time_s)
        there = propagate_kernel(truth, time_s, TRUTH_STEP_S)
        holds, semi_major_m = _holds(state, covariance, impact)
        found.append(Moment(state[:6] - there[:6], covariance[:6, :6], holds, semi_major_m))
    return found


def bounds_m(case: Case, truth: Vector, times_s: Sequence[float] = TIMES_S) -> list[float]:
    """Return the least root mean square position error at each time, metres.

    With missing plots it is that of the mean information, which is a little too low.
    """
    sensors, looks = sensors_of(case), _looks(case, times_s[-1])
    prior = np.zeros((7, 7))
    prior[6, 6] = PRIOR_SIGMA_LOG_INVERSE_BETA**-2
    found = []
    for time_s in times_s:
        used = [look for look, here in zip(looks, _arrived(case, looks, time_s), strict=True) if here]
        bound, _, _ = arc_bounds(truth, used, sensors, prior)[-1]
        thinned = ArcBound(
            information=prior + case.detection_probability * (bound.information - prior),
            consider=case.detection_probability * bound.consider,
        )
        _, _, transition = arc_bounds(truth, [Look(time_s, 0)], sensors, prior)[-1]
        covariance = transition @ thinned.covariance() @ transition.T
        found.append(math.sqrt(float(np.trace(covariance[:3, :3]))))
    return found


def cells(
    case: Case, runs: Sequence[list[Moment]], bounds: Sequence[float], probability: float
) -> Iterator[Cell]:
    """Yield the lines of a case.

    Args:
        case: variant.
        runs: moments of each run, in the order of the times.
        bounds: least error at each time.
        probability: of the bounds of normalised error and coverage.
    """
    for number, (time_s, bound_m) in enumerate(zip(TIMES_S, bounds, strict=False)):
        moments = [run[number] for run in runs]
        errors = np.array([one.error for one in moments])
        stated = np.array([one.covariance for one in moments])
        held = np.sum([one.holds or (False,) * len(LEVELS) for one in moments], axis=0)
        middle, wide, widest = (
            coverage(int(count), len(moments), level, probability)
            for count, level in zip(held, LEVELS, strict=True)
        )
        yield Cell(
            case=case.name,
            time_s=time_s,
            runs=len(moments),
            rmse_m=root_mean_square(errors[:, :3]),
            bound_m=bound_m,
            normalised=float(normalised_errors(errors, stated).mean()),
            normalised_bounds=normalised_error_bounds(len(moments), 6, probability),
            covered=wide,
            covered_beside=(middle, widest),
            cautious=not case.drag,
            semi_major_m=float(np.nanmedian([one.semi_major_m for one in moments])),
        )

"""A flight of 4,500 km range and 1,000 km apogee, its free flight held to its own bound.

Many runs of the same notional geometry: what is drawn anew in each is the noise of the plots and, where the
case says so, the ballistic coefficient, the registration offsets, and which plots are missing or late.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec
import numpy as np

from beaconfire.analysis.bound import ArcBound, Look, arc_bounds
from beaconfire.analysis.consistency import (
    Bounds,
    Coverage,
    coverage,
    normalised_error_bounds,
    normalised_errors,
    root_mean_square,
)
from beaconfire.flight.ascent import FlightFigures, build_trajectory
from beaconfire.flight.fall import fall_kernel
from beaconfire.flight.impact import covariance_from_ellipse, predict_impact
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.geodesy import Geodetic, geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.frames.types import Vector
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation
from beaconfire.tracking.batch import (
    COAST,
    PRIOR_LOG_INVERSE_BETA,
    PRIOR_SIGMA_LOG_INVERSE_BETA,
    broad_prior_kernel,
    covariance_kernel,
    solve_kernel,
)
from beaconfire.tracking.filter import predict_kernel
from beaconfire.tracking.measurement import sensor_table

TIMES_S: Final = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
WANTED_FROM_S: Final = 15.0
FIGURES: Final = FlightFigures(
    site=Geodetic(math.radians(40.0), math.radians(126.0), 100.0),
    bearing_rad=math.radians(80.0),
    apogee_m=1_000e3,
    range_m=4_500e3,
)
PLACES_DEG: Final = ((36.5, 128.5), (39.1, 141.3))
_GUESS_SIGMA: Final = np.array((2e3, 2e3, 2e3, 30.0, 30.0, 30.0))

Estimator: TypeAlias = Callable[[Vector, Vector, Vector, float], tuple[Vector, Vector]]
"""Rows, sensor table, first guess of ten at time 0, and a time: state of seven and covariance then."""


class Case(NamedTuple):
    """One variant of the scenario.

    Attributes:
        name: for tables.
        radars: one or two.
        sigma_m: of range.
        sigma_rad: of azimuth and elevation.
        drag: the ballistic coefficient is drawn from the estimator's own prior; else it is the prior's mean,
            and an area that allows for any coefficient must hold the truth too often, never too seldom.
        biased: each run draws registration offsets by the sensors' bias sigmas.
        detection_probability: of each look.
        late_s: by which the plots of the last radar come later than those of the others.
    """

    name: str
    radars: int = 1
    sigma_m: float = 30.0
    sigma_rad: float = 5e-4
    drag: bool = True
    biased: bool = False
    detection_probability: float = 1.0
    late_s: float = 0.0


CASES: Final = (
    Case("one radar"),
    Case("two radars", radars=2),
    Case("10 m, 5 mrad", sigma_m=10.0, sigma_rad=5e-3),
    Case("drag as expected", radars=2, drag=False),
    Case("sensor bias on", radars=2, biased=True),
    Case("P_D 0.9", radars=2, detection_probability=0.9),
    Case("plots 2 s late", radars=2, late_s=2.0),
)


class Moment(NamedTuple):
    """What one run gave at one time.

    Attributes:
        error: estimate minus truth, position and velocity, shape (6,), ECEF, SI.
        covariance: stated, shape (6, 6).
        holds: the stated 95 % area holds the true impact; None without an area.
        semi_major_m: of the area; nan without one.
    """

    error: Vector
    covariance: Vector
    holds: bool | None
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
        covered: how often the stated area held the true impact.
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
        return self.covered.nominal or (self.cautious and self.covered.share > self.covered.stated)

    @property
    def passed(self) -> bool:
        """Whether error, consistency and coverage are all as wanted."""
        return self.efficient and self.consistent and self.covers


def batch_estimate(rows: Vector, sensors: Vector, start: Vector, time_s: float) -> tuple[Vector, Vector]:
    """Return what the batch of the national tracker makes of the rows; an `Estimator`."""
    prior = broad_prior_kernel(len(sensors), start, 0.0, 0.0)
    solution = solve_kernel(start, 0.0, rows, sensors, prior, COAST)
    covariance = np.zeros((10, 10))
    covariance[:7, :7] = covariance_kernel(solution, COAST)
    state, spread = predict_kernel(solution.state, covariance, time_s, 0.0)
    return state[:7], spread[:7, :7]


def sensors_of(case: Case) -> Vector:
    """Return the sensor table of a case: notional radars at invented places."""
    bias = (10.0, 1e-4, 2e-3) if case.biased else (0.0, 0.0, 0.0)
    radars = [
        Radar(
            sensor=f"trial-{number}",
            nation=Nation("KOR"),
            latitude_rad=math.radians(latitude),
            longitude_rad=math.radians(longitude),
            height_m=300.0,
            sigma_range_m=case.sigma_m,
            sigma_azimuth_rad=case.sigma_rad,
            sigma_elevation_rad=case.sigma_rad,
            bias_sigma_range_m=bias[0],
            bias_sigma_azimuth_rad=bias[1],
            bias_sigma_elevation_rad=bias[1],
            bias_sigma_clock_s=bias[2],
        )
        for number, (latitude, longitude) in enumerate(PLACES_DEG[: case.radars])
    ]
    return sensor_table(radars)


def truth_at_burnout() -> Vector:
    """Return the true state of seven one second after burnout, ECEF, SI."""
    trajectory = build_trajectory(FIGURES, 0)
    state = np.asarray(trajectory.states(np.array([trajectory.burnout_at_us / 1e6 + 1.0]))[0]).copy()
    state[6] = PRIOR_LOG_INVERSE_BETA
    return state


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
        state = propagate_kernel(state, look.time_s - at_s, 1.0) if look.time_s > at_s else state
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


def _holds(state: Vector, covariance: Vector, impact: tuple[float, float]) -> tuple[bool | None, float]:
    """Return whether the stated area holds the true impact, and its semi-major axis, metres."""
    stated = predict_impact(state, covariance, 0)
    if stated is None:
        return None, math.nan
    area = stated.area
    distance, bearing = great_circle_kernel(area.latitude_rad, area.longitude_rad, *impact)
    off = np.array((distance * math.sin(bearing), distance * math.cos(bearing)))
    radius = -2.0 * math.log(1.0 - area.probability)
    return bool(off @ np.linalg.solve(covariance_from_ellipse(area), off) <= radius), area.semi_major_m


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
    landed = fall_kernel(truth, 0.0)[1]
    latitude, longitude, _ = geodetic_from_ecef_kernel(landed[0], landed[1], landed[2])
    start = np.zeros(10)
    start[:7] = truth
    start[:6] += _GUESS_SIGMA * draw.standard_normal(6)
    start[6] = PRIOR_LOG_INVERSE_BETA
    found = []
    for time_s in times_s:
        used = rows[seen & _arrived(case, looks, time_s)]
        used = used[np.argsort(used[:, 0], kind="stable")]
        state, covariance = estimate(used, sensors, start, time_s)
        there = propagate_kernel(truth, time_s, 1.0)
        holds, semi_major_m = _holds(state, covariance, (latitude, longitude))
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
        held = sum(one.holds is True for one in moments)
        yield Cell(
            case=case.name,
            time_s=time_s,
            runs=len(moments),
            rmse_m=root_mean_square(errors[:, :3]),
            bound_m=bound_m,
            normalised=float(normalised_errors(errors, stated).mean()),
            normalised_bounds=normalised_error_bounds(len(moments), 6, probability),
            covered=coverage(held, len(moments), 0.95, probability),
            cautious=not case.drag,
            semi_major_m=float(np.nanmedian([one.semi_major_m for one in moments])),
        )

"""A generic flight that meets a reported apogee, range and bearing: simulated truth, kinematic only.

The boost is a constant specific acceleration along a direction that turns smoothly from the vertical to a
final elevation; then the body flies free (gravity with J2, Earth rotation, drag) to the ground. A flight
may pull up on its way down. Three unknowns (acceleration, final elevation, heading) are solved so that it
meets three public figures. Nothing here describes a vehicle: no mass, thrust, stage or propellant, and
burn time is one generic function of the flight's energy.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import least_squares

from beaconfire.flight.driven import (
    DRIVE_SIZE,
    STEP_S,
    figures_kernel,
    fly_kernel,
    height_kernel,
    states_kernel,
)
from beaconfire.frames.geodesy import (
    Geodetic,
    ecef_from_geodetic_kernel,
    enu_from_ecef_rotation_kernel,
    geodetic_from_ecef_kernel,
)
from beaconfire.frames.types import Vector
from beaconfire.messages.words import Phase, TimeUs
from beaconfire.units import (
    EARTH_GM_M3_S2,
    EARTH_MEAN_RADIUS_M,
    EARTH_ROTATION_RAD_S,
    MICROSECONDS_PER_SECOND,
    STANDARD_GRAVITY_M_S2,
)

TOLERANCE: Final = 0.001
"""Solved apogee and range meet the wanted ones within this fraction; the bearing within this of the range."""
BETA_KG_M2: Final = 3_000.0
REENTRY_HEIGHT_M: Final = 80_000.0
FLIGHT_TIME_MAX_S: Final = 7_200.0

_TURN_END_SHARES: Final = (0.65, 0.45, 0.3, 0.2)
_BURN_SHARES: Final = (1.0, 0.85, 0.7, 0.55, 0.4)
_BOOST_LOG_INVERSE_BETA: Final = -math.log(10_000.0)


class AscentError(ValueError):
    """No generic flight was found that meets the wanted figures."""


@dataclass(frozen=True)
class FlightFigures:
    """What is publicly reported of one flight, or wanted of an invented one.

    Attributes:
        site: where it starts, geodetic, WGS-84.
        bearing_rad: of the impact seen from the site, clockwise from north, on the mean sphere.
        apogee_m: highest point above the ellipsoid.
        range_m: from the site to the impact on the mean sphere.
        pull_up: it pulls up once on its way down.
        beta_kg_m2: ballistic coefficient after burnout.
    """

    site: Geodetic
    bearing_rad: float
    apogee_m: float
    range_m: float
    pull_up: bool = False
    beta_kg_m2: float = BETA_KG_M2


@dataclass(frozen=True)
class VacuumArc:
    """The Kepler arc of an apogee and a range over a sphere that does not turn.

    Attributes:
        speed_m_s: at the ground.
        elevation_rad: of the velocity at the ground.
        duration_s: from ground to ground.
    """

    speed_m_s: float
    elevation_rad: float
    duration_s: float


def vacuum_arc(apogee_m: float, range_m: float) -> VacuumArc:
    """Return the symmetric Kepler arc with this apogee height and ground range.

    Source: Bate, Mueller and White, Fundamentals of Astrodynamics (1971), section 6.2: the arc lies about
    the apogee, with the half range angle on each side.
    """
    half_angle = 0.5 * range_m / EARTH_MEAN_RADIUS_M
    ground, top = EARTH_MEAN_RADIUS_M, EARTH_MEAN_RADIUS_M + apogee_m
    eccentricity = (top - ground) / (top - ground * math.cos(half_angle))
    semi_major = top / (1.0 + eccentricity)
    speed = math.sqrt(EARTH_GM_M3_S2 * (2.0 / ground - 1.0 / semi_major))
    momentum = math.sqrt(EARTH_GM_M3_S2 * semi_major * (1.0 - eccentricity**2))
    elevation = math.acos(min(1.0, momentum / (ground * speed)))
    anomaly = 2.0 * math.atan2(
        math.sqrt(1.0 - eccentricity) * math.cos(0.5 * half_angle),
        math.sqrt(1.0 + eccentricity) * math.sin(0.5 * half_angle),
    )
    mean = anomaly - eccentricity * math.sin(anomaly)
    duration = 2.0 * (math.pi - mean) * math.sqrt(semi_major**3 / EARTH_GM_M3_S2)
    return VacuumArc(speed, elevation, duration)


def generic_burn_time_s(arc: VacuumArc) -> float:
    """Return a burn time of about 60 s for short ranges and 300 s for intercontinental ones."""
    return 55.0 + 3.8 * (arc.speed_m_s / 1_000.0) ** 2


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The true flight of one simulated object. For simulated sensors, tests and analysis; never for a node.

    Attributes:
        figures: what it was made to meet.
        launched_at_us: start, microseconds UTC.
        burnout_s: seconds after the start.
        impact_s: seconds after the start.
        apogee_s: seconds after the start.
        apogee_m: highest point above the ellipsoid.
        impact: geodetic, WGS-84, height 0.
        times_s: of the nodes, shape (n,), seconds after the start.
        nodes: states at those times, shape (n, 7), ECEF, SI, last column ln(1/beta).
        drive: of the compiled functions, opaque.
    """

    figures: FlightFigures
    launched_at_us: TimeUs
    burnout_s: float
    impact_s: float
    apogee_s: float
    apogee_m: float
    impact: Geodetic
    times_s: Vector
    nodes: Vector
    drive: Vector

    @property
    def burnout_at_us(self) -> TimeUs:
        """Burnout, microseconds UTC."""
        return self.launched_at_us + round(self.burnout_s * MICROSECONDS_PER_SECOND)

    @property
    def impact_at_us(self) -> TimeUs:
        """Impact, microseconds UTC."""
        return self.launched_at_us + round(self.impact_s * MICROSECONDS_PER_SECOND)

    def states(self, elapsed_s: Vector) -> Vector:
        """Return states of seven at these seconds after the start, shape (n, 7), ECEF, SI.

        Before the start and after the impact the body rests where it is.
        """
        wanted = np.ascontiguousarray(elapsed_s, dtype=np.float64)
        return states_kernel(wanted, self.times_s, self.nodes, self.drive)

    def state_at(self, at_us: TimeUs) -> Vector:
        """Return the state of seven at a moment, shape (7,), ECEF, SI."""
        elapsed_s = (at_us - self.launched_at_us) / MICROSECONDS_PER_SECOND
        return np.asarray(self.states(np.array([elapsed_s]))[0])

    def phase(self, elapsed_s: float) -> Phase:
        """Return the phase at some seconds after the start."""
        if elapsed_s < self.burnout_s:
            return Phase.BOOST
        if elapsed_s <= self.apogee_s:
            return Phase.COAST
        x_m, y_m, z_m = self.states(np.array([elapsed_s]))[0, :3]
        height_m = geodetic_from_ecef_kernel(x_m, y_m, z_m)[2]
        return Phase.REENTRY if height_m < REENTRY_HEIGHT_M else Phase.COAST


def _drive(figures: FlightFigures, burn_s: float, turn_end_s: float) -> Vector:
    drive = np.zeros(DRIVE_SIZE)
    drive[0], drive[16] = burn_s, turn_end_s
    drive[4:13] = enu_from_ecef_rotation_kernel(*figures.site[:2]).ravel()
    if figures.pull_up:
        drive[13], drive[14] = 0.6 * figures.apogee_m, 0.25 * figures.apogee_m
    drive[15] = -math.log(figures.beta_kg_m2)
    return drive


def _start(site: Geodetic) -> Vector:
    start = np.zeros(7)
    start[:3] = ecef_from_geodetic_kernel(*site)
    start[6] = _BOOST_LOG_INVERSE_BETA
    return start


@dataclass(frozen=True)
class _Problem:
    """One flight to be solved with one burn time. Unknowns scaled to about 1: see `first_guess`."""

    figures: FlightFigures
    start: Vector
    drive: Vector
    times: Vector
    nodes: Vector

    def place(self, unknowns: Vector) -> None:
        """Write acceleration (in 10 m/s^2), elevation (rad) and heading (rad) into the drive."""
        self.drive[1] = 10.0 * unknowns[0]
        self.drive[2], self.drive[3] = unknowns[1], unknowns[2]

    def misses(self, unknowns: Vector) -> Vector:
        """Return misses of apogee and range, as fractions, and of bearing, radians; shape (3,)."""
        self.place(unknowns)
        apogee, distance, bearing = figures_kernel(self.start, self.drive, self.times, self.nodes)
        if math.isnan(distance):
            return np.full(3, 10.0)
        turn = (bearing - self.figures.bearing_rad + math.pi) % (2.0 * math.pi) - math.pi
        high = math.log(max(apogee, 1.0) / self.figures.apogee_m)
        return np.array([high, math.log(max(distance, 1.0) / self.figures.range_m), turn])


def _first_guess(figures: FlightFigures, arc: VacuumArc, burn_s: float) -> Vector:
    """Return acceleration (10 m/s^2), elevation and heading of the arc with the turning Earth taken in."""
    eastward = EARTH_ROTATION_RAD_S * EARTH_MEAN_RADIUS_M * math.cos(figures.site.latitude_rad)
    # The ground moves east under the arc, and the start gives the body nearly the same motion.
    lag_m = eastward * arc.duration_s * min(1.0, figures.apogee_m / EARTH_MEAN_RADIUS_M)
    east = figures.range_m * math.sin(figures.bearing_rad) + lag_m
    north = figures.range_m * math.cos(figures.bearing_rad)
    acceleration = arc.speed_m_s / burn_s + 0.8 * STANDARD_GRAVITY_M_S2
    return np.array([acceleration / 10.0, arc.elevation_rad, math.atan2(east, north)])


def _trajectory(problem: _Problem, unknowns: Vector, launched_at_us: TimeUs) -> Trajectory:
    problem.place(unknowns)
    count, top = fly_kernel(problem.start, problem.drive, problem.times, problem.nodes)
    times, nodes = problem.times[:count].copy(), problem.nodes[:count].copy()
    heights = np.array([height_kernel(node) for node in nodes])
    end = geodetic_from_ecef_kernel(*nodes[-1, :3])
    return Trajectory(
        figures=problem.figures,
        launched_at_us=launched_at_us,
        burnout_s=float(problem.drive[0]),
        impact_s=float(times[-1]),
        apogee_s=float(times[int(np.argmax(heights))]),
        apogee_m=float(top),
        impact=Geodetic(end[0], end[1], 0.0),
        times_s=times,
        nodes=nodes,
        drive=problem.drive.copy(),
    )


def _solve(problem: _Problem, guess: Vector) -> Vector | None:
    bounds = ([1.0, -0.15, -math.inf], [12.0, 1.57, math.inf])
    found = least_squares(problem.misses, guess, bounds=bounds)
    return found.x if np.max(np.abs(found.fun)) < TOLERANCE else None


def build_trajectory(
    figures: FlightFigures, launched_at_us: TimeUs, burn_time_s: float | None = None
) -> Trajectory:
    """Return the generic flight that meets the figures within `TOLERANCE`.

    Where a low flight can't be met it turns earlier, and where that does not do it burns shorter.

    Raises:
        AscentError: no flight was found.
    """
    arc = vacuum_arc(figures.apogee_m, figures.range_m)
    longest_s = burn_time_s if burn_time_s is not None else generic_burn_time_s(arc)
    size = int(FLIGHT_TIME_MAX_S / STEP_S)
    times, nodes = np.zeros(size), np.zeros((size, 7))
    for burn_share, turn_share in itertools.product(_BURN_SHARES, _TURN_END_SHARES):
        burn_s = burn_share * longest_s
        drive = _drive(figures, burn_s, turn_share * burn_s)
        problem = _Problem(figures, _start(figures.site), drive, times, nodes)
        found = _solve(problem, _first_guess(figures, arc, burn_s))
        if found is not None:
            return _trajectory(problem, found, launched_at_us)
    raise AscentError(
        f"no generic flight of apogee {figures.apogee_m:.0f} m and range {figures.range_m:.0f} m"
    )

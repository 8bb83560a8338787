"""What the coast trial flies: variants of a notional flight in free flight, and who sees it."""

import math
from typing import Final, NamedTuple

import numpy as np

from beaconfire.flight.ascent import FlightFigures, build_trajectory
from beaconfire.flight.fall import fall_kernel
from beaconfire.frames.geodesy import Geodetic
from beaconfire.frames.types import Vector
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation
from beaconfire.tracking.batch import PRIOR_LOG_INVERSE_BETA
from beaconfire.tracking.measurement import sensor_table

TIMES_S: Final = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
LAST_S: Final = 10.0
"""No instant is reported in the last seconds before a flight comes down."""
SITE: Final = Geodetic(math.radians(40.0), math.radians(126.0), 100.0)
BEARING_RAD: Final = math.radians(80.0)
PLACES_DEG: Final = ((36.5, 128.5), (39.1, 141.3))


class Case(NamedTuple):
    """One variant of the scenario.

    Attributes:
        name: for tables.
        radars: one or two.
        sigma_m: of range.
        sigma_rad: of azimuth and elevation.
        drag: the ballistic coefficient is drawn from the estimator's own prior, the ground's height and the
            wind from what areas allow for; else all are as expected, and an area that allows for any must
            hold the truth too often, never too seldom.
        biased: each run draws registration offsets by the sensors' bias sigmas.
        detection_probability: of each look.
        late_s: by which the plots of the last radar come later than those of the others.
        apogee_m: of the flight.
        range_m: of the flight.
    """

    name: str
    radars: int = 1
    sigma_m: float = 30.0
    sigma_rad: float = 5e-4
    drag: bool = True
    biased: bool = False
    detection_probability: float = 1.0
    late_s: float = 0.0
    apogee_m: float = 1_000e3
    range_m: float = 4_500e3


CASES: Final = (
    Case("one radar"),
    Case("two radars", radars=2),
    Case("10 m, 5 mrad", sigma_m=10.0, sigma_rad=5e-3),
    Case("drag as expected", radars=2, drag=False),
    Case("sensor bias on", radars=2, biased=True),
    Case("P_D 0.9", radars=2, detection_probability=0.9),
    Case("plots 2 s late", radars=2, late_s=2.0),
    Case("apogee 110 km", apogee_m=110e3, range_m=600e3),
    Case("apogee 80 km", radars=2, apogee_m=80e3, range_m=450e3),
    Case("apogee 50 km", radars=2, apogee_m=50e3, range_m=300e3),
)


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


def truth_at_burnout(case: Case = CASES[0]) -> Vector:
    """Return the true state of seven of a case one second after burnout, ECEF, SI."""
    figures = FlightFigures(site=SITE, bearing_rad=BEARING_RAD, apogee_m=case.apogee_m, range_m=case.range_m)
    trajectory = build_trajectory(figures, 0)
    state = np.asarray(trajectory.states(np.array([trajectory.burnout_at_us / 1e6 + 1.0]))[0]).copy()
    state[6] = PRIOR_LOG_INVERSE_BETA
    return state


def times_of(truth: Vector) -> tuple[float, ...]:
    """Return those of `TIMES_S` at which a flight is still up."""
    down_s = fall_kernel(truth, 0.0)[0]
    return tuple(one for one in TIMES_S if one < down_s - LAST_S)

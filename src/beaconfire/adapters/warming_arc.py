"""The made-up arc that numerics are compiled on: a slow climb under thrust, then free fall."""

import math
from typing import Final

import numpy as np

from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.frames.types import Vector
from beaconfire.messages.words import Nation

OWN: Final = Nation("XXA")
PARTNER: Final = Nation("XXB")
START_US: Final = 1_600_000_000_000_000
ARC_S: Final = 60
BOOST_S: Final = 12
LATITUDE_RAD: Final = 0.61
LONGITUDE_RAD: Final = 2.21


def state_at(time_s: float) -> Vector:
    """Return the state of seven, ECEF."""
    place = Geodetic(LATITUDE_RAD, LONGITUDE_RAD, 2_000.0)
    rotation = np.asarray(enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad))
    thrust_s = min(time_s, float(BOOST_S))
    along = np.array([0.2, 0.5, 1.0]) / math.sqrt(1.29)
    speed_m_s = 200.0 + 100.0 * thrust_s
    climbed_m = 200.0 * thrust_s + 50.0 * thrust_s**2
    position = np.asarray(ecef_from_geodetic(place)) + climbed_m * (along @ rotation)
    state = np.concatenate((position, speed_m_s * (along @ rotation), [math.log(1.0 / 3_000.0)]))
    free_s = time_s - thrust_s
    return np.asarray(propagate_kernel(state, free_s, 0.5)) if free_s > 0.0 else state

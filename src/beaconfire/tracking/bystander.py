"""What flies and is no missile: satellites that don't come down, aircraft that fly level in thick air.

Their plots are taken by tracks of their own, so that they begin no others, and nothing is said of them. Each
rule asks for what a missile never shows: an orbit without thrust before it, or slow and level flight low in
the air by something that was never high or fast.
"""

import math
from typing import Final

import numpy as np

from beaconfire.tracking.motion import Motion

ORBIT_SIGMA_M_S: Final = 60.0
"""Three of these at orbital speed move the perigee by some 600 km: coarser arcs say nothing of orbits."""
PERIGEE_MIN_M: Final = 100_000.0
CEILING_M: Final = 22_000.0
"""Source: public service ceilings: airliners 13 km, the highest aircraft in service 21 km."""
LEVEL_SPEED_M_S: Final = 450.0
CLIMB_SHARE: Final = 0.4
"""Climb over speed. Source: aircraft climb at under 20 degrees for long; a rising missile at over 30."""
SURE_PLOTS: Final = 8
FAST_M_S: Final = 600.0
HIGH_M: Final = 30_000.0
_GM: Final = 3.986_004_418e14
_EARTH_M: Final = 6.371e6
_ROTATION_RAD_S: Final = 7.292_115e-5


def _speed_sigma_m_s(motion: Motion) -> float:
    return math.sqrt(max(float(np.trace(motion.covariance[3:6, 3:6])), 0.0))


def perigee_height_m(motion: Motion) -> float:
    """Return the lowest height of the two-body orbit through a state, above the mean sphere."""
    position = motion.state[:3]
    velocity = motion.state[3:6] + np.cross((0.0, 0.0, _ROTATION_RAD_S), position)
    radius = float(np.linalg.norm(position))
    energy = 0.5 * float(velocity @ velocity) - _GM / radius
    if energy >= 0.0:
        return math.inf
    momentum = float(np.linalg.norm(np.cross(position, velocity)))
    eccentricity = math.sqrt(max(0.0, 1.0 + 2.0 * energy * (momentum / _GM) ** 2))
    return -0.5 * _GM / energy * (1.0 - eccentricity) - _EARTH_M


def is_orbiting(motion: Motion) -> bool:
    """Return whether free flight, seen without thrust before it, never comes down."""
    if motion.arc is None or motion.likely or motion.thrust_seen:
        return False
    return _speed_sigma_m_s(motion) < ORBIT_SIGMA_M_S and perigee_height_m(motion) > PERIGEE_MIN_M


def is_level(motion: Motion) -> bool:
    """Return whether it is slow, low and nearly level just now."""
    speed = float(np.linalg.norm(motion.state[3:6]))
    climb = float(motion.state[:3] @ motion.state[3:6]) / float(np.linalg.norm(motion.state[:3]))
    return motion.height_m() < CEILING_M and speed < LEVEL_SPEED_M_S and abs(climb) < CLIMB_SHARE * speed


def was_missile(motion: Motion) -> bool:
    """Return whether it is by now so high or so fast, beyond doubt, that it is no aircraft."""
    if motion.plots < SURE_PLOTS:
        return False
    fast = float(np.linalg.norm(motion.state[3:6])) - 3.0 * _speed_sigma_m_s(motion) > FAST_M_S
    return fast or motion.height_m() > HIGH_M

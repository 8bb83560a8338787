"""Flight under a drive: a turning boost, then free flight, perhaps with a pull-up, as compiled functions.

What `ascent` solves and `Trajectory` evaluates. State of seven as in `dynamics`.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.dynamics import acceleration_kernel, density_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.frames.types import Vector

STEP_S: Final = 1.0
_BOOST_STEP_S: Final = 0.5
_AIR_STEP_S: Final = 0.25
_AIR_HEIGHT_M: Final = 100_000.0
_VERTICAL_SHARE: Final = 0.1
_LIFT_MAX_M_S2: Final = 60.0
_LIFT_PER_PRESSURE: Final = 1.0 / 2_000.0

# The drive of one flight, as an array for the compiled functions:
# 0 burn time (s), 1 specific acceleration (m/s^2), 2 final elevation (rad), 3 heading (rad),
# 4 to 12 rows east, north, up at the site, 13 height below which it pulls up (m, 0 for never),
# 14 height below which it no longer does, 15 ln(1/beta) after burnout, 16 end of the turn (s).
DRIVE_SIZE: Final = 17


@njit(cache=True)
def _drive_kernel(elapsed_s: float, drive: Vector, acceleration: Vector) -> None:
    """Add the specific acceleration of the boost, ECEF."""
    start, end = _VERTICAL_SHARE * drive[16], drive[16]
    u = min(1.0, max(0.0, (elapsed_s - start) / (end - start)))
    elevation = 0.5 * math.pi - (0.5 * math.pi - drive[2]) * u * u * (3.0 - 2.0 * u)
    across = drive[1] * math.cos(elevation)
    east, north = across * math.sin(drive[3]), across * math.cos(drive[3])
    up = drive[1] * math.sin(elevation)
    for i in range(3):
        acceleration[i] += east * drive[4 + i] + north * drive[7 + i] + up * drive[10 + i]


@njit(cache=True)
def _lift_kernel(state: Vector, drive: Vector, acceleration: Vector) -> None:
    """Add the lift of a pull-up: across the velocity, in the vertical plane, bounded, air permitting."""
    _, _, height = geodetic_from_ecef_kernel(state[0], state[1], state[2])
    speed = math.sqrt(state[3] ** 2 + state[4] ** 2 + state[5] ** 2)
    radius = math.sqrt(state[0] ** 2 + state[1] ** 2 + state[2] ** 2)
    edge = 0.15 * (drive[13] - drive[14])
    share = min(1.0, (drive[13] - height) / edge, (height - drive[14]) / edge)
    if share <= 0.0 or speed < 1.0:
        return
    sine = (state[0] * state[3] + state[1] * state[4] + state[2] * state[5]) / (radius * speed)
    cosine = math.sqrt(max(1e-12, 1.0 - sine * sine))
    if sine >= 0.0:
        return
    density, _ = density_kernel(height)
    lift = min(_LIFT_MAX_M_S2, 0.5 * density * speed * speed * _LIFT_PER_PRESSURE)
    lift *= share * min(1.0, -math.asin(sine) / 0.1)
    for i in range(3):
        acceleration[i] += lift * (state[i] / radius - sine * state[3 + i] / speed) / cosine


@njit(cache=True)
def _acceleration_kernel(elapsed_s: float, state: Vector, drive: Vector, acceleration: Vector) -> None:
    acceleration_kernel(state, acceleration)
    if elapsed_s < drive[0]:
        _drive_kernel(elapsed_s, drive, acceleration)
    elif drive[13] > 0.0:
        _lift_kernel(state, drive, acceleration)


@njit(cache=True)
def step_kernel(elapsed_s: float, state: Vector, step_s: float, drive: Vector) -> Vector:
    """Return the state of seven one Runge-Kutta step later. Never step across the burnout."""
    boosting = elapsed_s < drive[0] - 1e-9
    acceleration = np.empty(3)
    middle, out = state.copy(), state.copy()
    for stage in range(4):
        offset = 0.0 if stage == 0 else (step_s if stage == 3 else 0.5 * step_s)
        when = elapsed_s + offset
        if boosting:
            when = min(when, drive[0] - 1e-9)
        _acceleration_kernel(when, middle, drive, acceleration)
        weight = step_s / 6.0 if stage % 3 == 0 else step_s / 3.0
        ahead = step_s if stage == 2 else 0.5 * step_s
        for i in range(3):
            velocity = middle[3 + i]
            out[i] += weight * velocity
            out[3 + i] += weight * acceleration[i]
            middle[i] = state[i] + ahead * velocity
            middle[3 + i] = state[3 + i] + ahead * acceleration[i]
    return out


@njit(cache=True)
def height_kernel(state: Vector) -> float:
    """Return the height above the ellipsoid of a state of seven, metres."""
    return geodetic_from_ecef_kernel(state[0], state[1], state[2])[2]


@njit(cache=True)
def _ground_kernel(elapsed_s: float, state: Vector, step_s: float, drive: Vector) -> float:
    """Return the part of a step after which a body that ends it below ground reached the ground."""
    low, high = 0.0, step_s
    for _ in range(40):
        middle = 0.5 * (low + high)
        if height_kernel(step_kernel(elapsed_s, state, middle, drive)) > 0.0:
            low = middle
        else:
            high = middle
    return high


@njit(cache=True)
def fly_kernel(start: Vector, drive: Vector, times: Vector, nodes: Vector) -> tuple[int, float]:
    """Fly to the ground; write the time and state of each node; return their number and the apogee, metres.

    The last node is the impact. The number is 0 if it never came down within the time, or never rose.
    """
    steps = math.ceil(drive[0] / _BOOST_STEP_S)
    times[0] = 0.0
    nodes[0] = start
    top = 0.0
    for k in range(1, steps + 1):
        times[k] = drive[0] * k / steps
        nodes[k] = step_kernel(times[k - 1], nodes[k - 1], drive[0] / steps, drive)
        top = max(top, height_kernel(nodes[k]))
    nodes[steps, 6] = drive[15]
    k = steps
    height = height_kernel(nodes[k])
    if height < 0.0:
        return 0, top
    while k < times.size - 1:
        step = _AIR_STEP_S if height < _AIR_HEIGHT_M else STEP_S
        after = step_kernel(times[k], nodes[k], step, drive)
        height = height_kernel(after)
        if height <= 0.0:
            rest = _ground_kernel(times[k], nodes[k], step, drive)
            times[k + 1] = times[k] + rest
            nodes[k + 1] = step_kernel(times[k], nodes[k], rest, drive)
            return k + 2, top
        times[k + 1] = times[k] + step
        nodes[k + 1] = after
        top = max(top, height)
        k += 1
    return 0, top


@njit(cache=True)
def figures_kernel(start: Vector, drive: Vector, times: Vector, nodes: Vector) -> tuple[float, float, float]:
    """Return apogee (m), range (m) and bearing (rad) of the flight; nan where it does not come down."""
    count, top = fly_kernel(start, drive, times, nodes)
    if count == 0:
        return top, math.nan, math.nan
    site_lat, site_lon, _ = geodetic_from_ecef_kernel(start[0], start[1], start[2])
    end = nodes[count - 1]
    latitude, longitude, _ = geodetic_from_ecef_kernel(end[0], end[1], end[2])
    distance, bearing = great_circle_kernel(site_lat, site_lon, latitude, longitude)
    return top, distance, bearing


@njit(cache=True)
def states_kernel(elapsed_s: Vector, times: Vector, nodes: Vector, drive: Vector) -> Vector:
    """Return the states of seven at these times, shape (n, 7): one step on from the node before."""
    out = np.empty((elapsed_s.size, 7))
    for k in range(elapsed_s.size):
        when = min(times[-1], max(0.0, elapsed_s[k]))
        node = min(np.searchsorted(times, when, side="right"), times.size) - 1
        rest = when - times[node]
        out[k] = step_kernel(times[node], nodes[node], rest, drive) if rest > 0.0 else nodes[node]
    return out

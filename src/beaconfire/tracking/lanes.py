"""Many coasting tracks in one call: extended Kalman filter over lanes, laid out so that it vectorises.

State of six: position and velocity, ECEF, m and m/s; gravity with J2 and the turning Earth, no air: for free
flight above the atmosphere. Tracks stand in *lanes*: blocks of `LANES` tracks, and within a block all first
components side by side, then all second ones. The compiler then does one operation for several tracks at
once. `lanes_of_states` and its neighbours bring arrays of tracks into that order and back.

Everything on one lane is a number or a tuple of numbers: tuples never touch memory.
Source: Y. Bar-Shalom, X. R. Li and T. Kirubarajan, Estimation with Applications to Tracking and Navigation
(2001), sections 5.2 (components taken one by one) and 10.3; Montenbruck and Gill, Satellite Orbits (2000),
sections 3.2 and 7.2.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.frames.types import Vector
from beaconfire.tracking.lane_arithmetic import (
    Index,
    Six,
    Three,
    TwentyOne,
    angle_kernel,
    arctangent_kernel,
    dot3_kernel,
    sandwich_kernel,
    turn_kernel,
    wrapped_kernel,
)
from beaconfire.tracking.lane_flight import step_kernel, transition_rows_kernel

LANES: Final = 16
"""Tracks in a block: two vectors of eight; fewer and the compiler will not vectorise."""
STATE: Final = 6
UPPER: Final = 21
PLOT: Final = 3
RADAR_COLUMNS: Final = 15
NEVER: Final = 1e300
"""Variance of a component that was not measured: its gain is zero."""

_U = np.uint64


def lanes_of_states(states: Vector) -> Vector:
    """Return states of shape (n, c) as lanes, flat; the last block is filled up with the last track.

    Any number of columns: states (6), the upper triangle of covariances (21), plots (3).
    """
    count, columns = states.shape
    blocks = -(-count // LANES)
    padded = np.concatenate((states, np.repeat(states[-1:], blocks * LANES - count, axis=0)))
    return np.ascontiguousarray(padded.reshape(blocks, LANES, columns).transpose(0, 2, 1)).ravel()


def states_of_lanes(lanes: Vector, columns: int, count: int) -> Vector:
    """Return `count` tracks, shape (count, columns), from lanes."""
    return lanes.reshape(-1, columns, LANES).transpose(0, 2, 1).reshape(-1, columns)[:count].copy()


def lanes_of_covariances(covariances: Vector) -> Vector:
    """Return covariances of shape (n, 6, 6) as lanes of their upper triangles, row by row."""
    rows, columns = np.triu_indices(STATE)
    return lanes_of_states(covariances[:, rows, columns])


def covariances_of_lanes(lanes: Vector, count: int) -> Vector:
    """Return `count` covariances, shape (count, 6, 6), from lanes."""
    upper = states_of_lanes(lanes, UPPER, count)
    rows, columns = np.triu_indices(STATE)
    out = np.empty((count, STATE, STATE))
    out[:, rows, columns] = upper
    out[:, columns, rows] = upper
    return out


def radar_numbers(sensor: Vector) -> Vector:
    """Return one radar's row of a sensor table as the lanes need it, shape (15,).

    0-2 position (ECEF, m), 3-11 rotation to east, north, up, row by row, 12-14 variances of range (m^2),
    azimuth and elevation (rad^2).
    """
    return np.concatenate((sensor[1:13], sensor[13:16] ** 2))


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def predicted_plot_kernel(state: Six, radar: Vector) -> tuple[Three, tuple[Three, Three, Three]]:
    """Return range (m), azimuth, elevation (rad) of a state, and their partials with the position."""
    x, y, z = state[0] - radar[0], state[1] - radar[1], state[2] - radar[2]
    first = (radar[3], radar[4], radar[5])
    second = (radar[6], radar[7], radar[8])
    third = (radar[9], radar[10], radar[11])
    sight = (x, y, z)
    east, north, up = dot3_kernel(first, sight), dot3_kernel(second, sight), dot3_kernel(third, sight)
    level2 = max(east * east + north * north, 1.0)
    level, distance2 = math.sqrt(level2), level2 + up * up
    distance = math.sqrt(distance2)
    plot = (distance, angle_kernel(east, north), arctangent_kernel(up / level))
    rise = -up / (level * distance2)
    along = (east / distance, north / distance, up / distance)
    across = (north / level2, -east / level2, 0.0)
    above = (rise * east, rise * north, level / distance2)
    return plot, (
        turn_kernel(along, first, second, third),
        turn_kernel(across, first, second, third),
        turn_kernel(above, first, second, third),
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _component(
    state: Six, spread: TwentyOne, partials: Three, residual: float, variance: float
) -> tuple[Six, TwentyOne]:
    """Return state and covariance after one component of a plot; `residual` is against `state`."""
    p, (a, b, c) = spread, partials
    g0 = p[0] * a + p[1] * b + p[2] * c
    g1 = p[1] * a + p[6] * b + p[7] * c
    g2 = p[2] * a + p[7] * b + p[11] * c
    g3 = p[3] * a + p[8] * b + p[12] * c
    g4 = p[4] * a + p[9] * b + p[13] * c
    g5 = p[5] * a + p[10] * b + p[14] * c
    share = 1.0 / (a * g0 + b * g1 + c * g2 + variance)
    k0, k1, k2, k3, k4, k5 = share * g0, share * g1, share * g2, share * g3, share * g4, share * g5
    moved = (
        state[0] + k0 * residual,
        state[1] + k1 * residual,
        state[2] + k2 * residual,
        state[3] + k3 * residual,
        state[4] + k4 * residual,
        state[5] + k5 * residual,
    )
    left = (
        p[0] - k0 * g0, p[1] - k0 * g1, p[2] - k0 * g2, p[3] - k0 * g3, p[4] - k0 * g4, p[5] - k0 * g5,
        p[6] - k1 * g1, p[7] - k1 * g2, p[8] - k1 * g3, p[9] - k1 * g4, p[10] - k1 * g5,
        p[11] - k2 * g2, p[12] - k2 * g3, p[13] - k2 * g4, p[14] - k2 * g5,
        p[15] - k3 * g3, p[16] - k3 * g4, p[17] - k3 * g5,
        p[18] - k4 * g4, p[19] - k4 * g5, p[20] - k5 * g5,
    )  # fmt: skip
    return moved, left


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _updated(state: Six, spread: TwentyOne, plot: Three, radar: Vector) -> tuple[Six, TwentyOne]:
    """Return state and covariance after one plot; unchanged if its range is not above zero."""
    predicted, (by_range, by_azimuth, by_elevation) = predicted_plot_kernel(state, radar)
    seen = plot[0] > 0.0
    d0 = plot[0] - predicted[0]
    d1 = wrapped_kernel(plot[1] - predicted[1])
    d2 = plot[2] - predicted[2]
    w0 = radar[12] if seen else NEVER
    w1 = radar[13] if seen else NEVER
    w2 = radar[14] if seen else NEVER
    one, p1 = _component(state, spread, by_range, d0, w0)
    moved = (one[0] - state[0], one[1] - state[1], one[2] - state[2])
    two, p2 = _component(one, p1, by_azimuth, d1 - dot3_kernel(by_azimuth, moved), w1)
    moved = (two[0] - state[0], two[1] - state[1], two[2] - state[2])
    return _component(two, p2, by_elevation, d2 - dot3_kernel(by_elevation, moved), w2)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def six_at(lanes: Vector, at: Index) -> Six:
    """Return the six components of the lane whose first stands at `at` (unsigned: no index wraps)."""
    return (
        float(lanes[at]),
        lanes[at + _U(LANES)],
        lanes[at + _U(2 * LANES)],
        lanes[at + _U(3 * LANES)],
        lanes[at + _U(4 * LANES)],
        lanes[at + _U(5 * LANES)],
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def upper_at(lanes: Vector, at: Index) -> TwentyOne:
    """Return the covariance of the lane whose first component stands at `at`."""
    a = six_at(lanes, at)
    b = six_at(lanes, at + _U(6 * LANES))
    c = six_at(lanes, at + _U(12 * LANES))
    d, e, f = lanes[at + _U(18 * LANES)], lanes[at + _U(19 * LANES)], lanes[at + _U(20 * LANES)]
    return (
        a[0], a[1], a[2], a[3], a[4], a[5], b[0], b[1], b[2], b[3], b[4], b[5],
        c[0], c[1], c[2], c[3], c[4], c[5], d, e, f,
    )  # fmt: skip


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def write_six(lanes: Vector, at: Index, six: Six) -> None:
    """Write six components of the lane whose first stands at `at`."""
    lanes[at] = six[0]
    lanes[at + _U(LANES)] = six[1]
    lanes[at + _U(2 * LANES)] = six[2]
    lanes[at + _U(3 * LANES)] = six[3]
    lanes[at + _U(4 * LANES)] = six[4]
    lanes[at + _U(5 * LANES)] = six[5]


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def write_upper(lanes: Vector, at: Index, p: TwentyOne) -> None:
    """Write the covariance of the lane whose first component stands at `at`."""
    write_six(lanes, at, (p[0], p[1], p[2], p[3], p[4], p[5]))
    write_six(lanes, at + _U(6 * LANES), (p[6], p[7], p[8], p[9], p[10], p[11]))
    write_six(lanes, at + _U(12 * LANES), (p[12], p[13], p[14], p[15], p[16], p[17]))
    lanes[at + _U(18 * LANES)] = p[18]
    lanes[at + _U(19 * LANES)] = p[19]
    lanes[at + _U(20 * LANES)] = p[20]


@njit(cache=True, fastmath=True, error_model="numpy")
def update_lanes_kernel(
    before: tuple[Vector, Vector],
    plots: Vector,
    radar: Vector,
    interval: tuple[float, int],
    after: tuple[Vector, Vector],
) -> None:
    """Predict all tracks over one Runge-Kutta step and use one plot for each; write to `after`.

    Args:
        before: states and covariances, lanes of 6 and of 21.
        plots: lanes of 3: range (m), azimuth, elevation (rad); a range of zero is no plot.
        radar: that saw them, see `radar_numbers`.
        interval: seconds of the step (at most about 2), and the number of tracks.
        after: states and covariances, out; other arrays than `before`.
    """
    states, spreads = before
    states_out, spreads_out = after
    step_s, count = interval
    for block in range((count + LANES - 1) // LANES):
        first: Index = _U(block * LANES)
        many: Index = _U(min(LANES, count - block * LANES))
        at6, at21, at3 = first * _U(STATE), first * _U(UPPER), first * _U(PLOT)
        for lane in range(many):
            moved, places = step_kernel(six_at(states, at6 + lane), step_s)
            rows = transition_rows_kernel(places, step_s)
            spread = sandwich_kernel(rows, upper_at(spreads, at21 + lane))
            here = at3 + lane
            plot = (plots[here], plots[here + _U(LANES)], plots[here + _U(2 * LANES)])
            state, upper = _updated(moved, spread, plot, radar)
            write_six(states_out, at6 + lane, state)
            write_upper(spreads_out, at21 + lane, upper)

"""Many coasting tracks in one call: unscented Kalman filter over lanes, where an extended one is not fair.

State, lanes and radar as in `tracking.lanes`. The thirteen points of each track go through the flight and
the radar once; free flight has no process noise, so they are not drawn anew in between.
Source: S. Julier and J. Uhlmann, Proc. IEEE 92 (2004) 401-422; weights by R. van der Merwe, Sigma-Point
Kalman Filters (2004), section 3.2.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.frames.types import Vector
from beaconfire.tracking.lane_arithmetic import Index, Six, Three, TwentyOne, wrapped_kernel
from beaconfire.tracking.lane_flight import step_kernel
from beaconfire.tracking.lanes import (
    LANES,
    NEVER,
    PLOT,
    STATE,
    UPPER,
    predicted_plot_kernel,
    six_at,
    upper_at,
    write_six,
    write_upper,
)

POINTS: Final = 13
SUMS: Final = 48
"""Products added up: 21 of the state, 6 of the plot, 18 of the two, 3 to fill up."""
ORIGIN: Final = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
ALPHA: Final = 0.5
BETA: Final = 2.0
KAPPA: Final = -3.0

_U = np.uint64


class Weights(NamedTuple):
    """Weights of the points.

    Attributes:
        scale: of the covariance whose root the points stand on.
        mean: of the first point in the mean.
        spread: of the first point in the covariance.
        other: of every other point, in both.
    """

    scale: float
    mean: float
    spread: float
    other: float


class Scratch(NamedTuple):
    """Room for one block of lanes, made once and used again.

    Attributes:
        points: thirteen states.
        plots: what the radar would say of each, as differences from the first.
        means: mean state and mean plot difference.
        sums: covariances of the state, of the state with the plot, and of the plot.
    """

    points: Vector
    plots: Vector
    means: Vector
    sums: Vector


def weights(alpha: float = ALPHA, beta: float = BETA, kappa: float = KAPPA) -> Weights:
    """Return the weights of van der Merwe for six dimensions."""
    scale = alpha * alpha * (STATE + kappa)
    first = (scale - STATE) / scale
    return Weights(scale, first, first + 1.0 - alpha * alpha + beta, 0.5 / scale)


def scratch() -> Scratch:
    """Return room for one block."""
    return Scratch(
        np.zeros(POINTS * STATE * LANES),
        np.zeros(POINTS * PLOT * LANES),
        np.zeros((STATE + PLOT) * LANES),
        np.zeros(SUMS * LANES),
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _root_kernel(p: TwentyOne, scale: float) -> TwentyOne:
    """Return the lower Cholesky factor of `scale` times a covariance, column by column."""
    a0 = math.sqrt(scale * p[0])
    a1, a2, a3 = scale * p[1] / a0, scale * p[2] / a0, scale * p[3] / a0
    a4, a5 = scale * p[4] / a0, scale * p[5] / a0
    b1 = math.sqrt(scale * p[6] - a1 * a1)
    b2, b3 = (scale * p[7] - a1 * a2) / b1, (scale * p[8] - a1 * a3) / b1
    b4, b5 = (scale * p[9] - a1 * a4) / b1, (scale * p[10] - a1 * a5) / b1
    c2 = math.sqrt(scale * p[11] - a2 * a2 - b2 * b2)
    c3 = (scale * p[12] - a2 * a3 - b2 * b3) / c2
    c4 = (scale * p[13] - a2 * a4 - b2 * b4) / c2
    c5 = (scale * p[14] - a2 * a5 - b2 * b5) / c2
    d3 = math.sqrt(scale * p[15] - a3 * a3 - b3 * b3 - c3 * c3)
    d4 = (scale * p[16] - a3 * a4 - b3 * b4 - c3 * c4) / d3
    d5 = (scale * p[17] - a3 * a5 - b3 * b5 - c3 * c5) / d3
    e4 = math.sqrt(scale * p[18] - a4 * a4 - b4 * b4 - c4 * c4 - d4 * d4)
    e5 = (scale * p[19] - a4 * a5 - b4 * b5 - c4 * c5 - d4 * d5) / e4
    f5 = math.sqrt(scale * p[20] - a5 * a5 - b5 * b5 - c5 * c5 - d5 * d5 - e5 * e5)
    return (
        a0, a1, a2, a3, a4, a5, b1, b2, b3, b4, b5, c2, c3, c4, c5, d3, d4, d5, e4, e5, f5,
    )  # fmt: skip


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _pair(points: Vector, at: Index, mean: Six, column: Six) -> None:
    """Write the two points on either side of the mean."""
    m, c = mean, column
    up = (m[0] + c[0], m[1] + c[1], m[2] + c[2], m[3] + c[3], m[4] + c[4], m[5] + c[5])
    down = (m[0] - c[0], m[1] - c[1], m[2] - c[2], m[3] - c[3], m[4] - c[4], m[5] - c[5])
    write_six(points, at, up)
    write_six(points, at + _U(STATE * LANES), down)


@njit(cache=True, fastmath=True, error_model="numpy")
def _draw(mean: Vector, spread: Vector, at: tuple[Index, Index, Index], points: Vector, scale: float) -> None:
    """Write the thirteen points of each track of a block."""
    at6, at21, many = at
    for lane in range(many):
        m, p = six_at(mean, at6 + lane), upper_at(spread, at21 + lane)
        r = _root_kernel(p, scale)
        write_six(points, lane, m)
        _pair(points, _U(6 * LANES) + lane, m, (r[0], r[1], r[2], r[3], r[4], r[5]))
        _pair(points, _U(18 * LANES) + lane, m, (0.0, r[6], r[7], r[8], r[9], r[10]))
        _pair(points, _U(30 * LANES) + lane, m, (0.0, 0.0, r[11], r[12], r[13], r[14]))
        _pair(points, _U(42 * LANES) + lane, m, (0.0, 0.0, 0.0, r[15], r[16], r[17]))
        _pair(points, _U(54 * LANES) + lane, m, (0.0, 0.0, 0.0, 0.0, r[18], r[19]))
        _pair(points, _U(66 * LANES) + lane, m, (0.0, 0.0, 0.0, 0.0, 0.0, r[20]))


@njit(cache=True, fastmath=True, error_model="numpy")
def _fly(room: Scratch, radar: Vector, step_s: float, weight: Weights, many: Index) -> None:
    """Move every point one step, note what the radar would say of it, and add up the means."""
    room.means[:] = 0.0
    points, plots, means = room.points, room.plots, room.means
    for number in range(POINTS):
        at6, at3 = _U(number * STATE * LANES), _U(number * PLOT * LANES)
        share = weight.mean if number == 0 else weight.other
        for lane in range(many):
            moved, _ = step_kernel(six_at(points, at6 + lane), step_s)
            plot, _ = predicted_plot_kernel(moved, radar)
            write_six(points, at6 + lane, moved)
            plots[at3 + lane] = plot[0]
            plots[at3 + _U(LANES) + lane] = plot[1]
            plots[at3 + _U(2 * LANES) + lane] = plot[2]
        for lane in range(many):
            moved = six_at(points, at6 + lane)
            first = six_at(points, lane)
            held = six_at(means, lane)
            write_six(means, lane, _plus(held, moved, first, share))
            d0 = plots[at3 + lane] - plots[lane]
            d1 = wrapped_kernel(plots[at3 + _U(LANES) + lane] - plots[_U(LANES) + lane])
            d2 = plots[at3 + _U(2 * LANES) + lane] - plots[_U(2 * LANES) + lane]
            means[_U(6 * LANES) + lane] += share * d0
            means[_U(7 * LANES) + lane] += share * d1
            means[_U(8 * LANES) + lane] += share * d2


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _plus(held: Six, point: Six, first: Six, share: float) -> Six:
    """Return a sum of differences from the first point with one more in it."""
    return (
        held[0] + share * (point[0] - first[0]),
        held[1] + share * (point[1] - first[1]),
        held[2] + share * (point[2] - first[2]),
        held[3] + share * (point[3] - first[3]),
        held[4] + share * (point[4] - first[4]),
        held[5] + share * (point[5] - first[5]),
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _apart(room: Scratch, number: Index, lane: Index) -> tuple[Six, Three]:
    """Return how far a point and its plot lie from their means."""
    at6, at3 = _U(number * STATE * LANES) + lane, _U(number * PLOT * LANES) + lane
    point, first = six_at(room.points, at6), six_at(room.points, lane)
    mean = six_at(room.means, lane)
    x = _plus((-mean[0], -mean[1], -mean[2], -mean[3], -mean[4], -mean[5]), point, first, 1.0)
    plots, means = room.plots, room.means
    d0 = plots[at3] - plots[lane] - means[_U(6 * LANES) + lane]
    d1 = wrapped_kernel(plots[at3 + _U(LANES)] - plots[_U(LANES) + lane]) - means[_U(7 * LANES) + lane]
    d2 = plots[at3 + _U(2 * LANES)] - plots[_U(2 * LANES) + lane] - means[_U(8 * LANES) + lane]
    return x, (d0, d1, d2)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _add(sums: Vector, at: Index, share: float, six: Six) -> None:
    """Add `share` of six products to the sums of a lane."""
    held = six_at(sums, at)
    more = (
        held[0] + share * six[0],
        held[1] + share * six[1],
        held[2] + share * six[2],
        held[3] + share * six[3],
        held[4] + share * six[4],
        held[5] + share * six[5],
    )
    write_six(sums, at, more)


@njit(cache=True, fastmath=True, error_model="numpy")
def _spread(room: Scratch, weight: Weights, many: Index) -> None:
    """Add up, over the points: covariance of the state (21), of the plot (6), of the two (18)."""
    sums = room.sums
    sums[:] = 0.0
    for number in range(POINTS):
        share = weight.spread if number == 0 else weight.other
        for lane in range(many):
            (a, b, c, d, e, f), (u, v, w) = _apart(room, number, lane)
            _add(sums, lane, share * a, (a, b, c, d, e, f))
            _add(sums, _U(6 * LANES) + lane, share, (b * b, b * c, b * d, b * e, b * f, c * c))
            _add(sums, _U(12 * LANES) + lane, share, (c * d, c * e, c * f, d * d, d * e, d * f))
            _add(sums, _U(18 * LANES) + lane, share, (e * e, e * f, f * f, u * u, u * v, u * w))
            _add(sums, _U(24 * LANES) + lane, share, (v * v, v * w, w * w, a * u, a * v, a * w))
            _add(sums, _U(30 * LANES) + lane, share, (b * u, b * v, b * w, c * u, c * v, c * w))
            _add(sums, _U(36 * LANES) + lane, share, (d * u, d * v, d * w, e * u, e * v, e * w))
            _add(sums, _U(42 * LANES) + lane, share, (f * u, f * v, f * w, 0.0, 0.0, 0.0))


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _inverse_kernel(s: Six) -> Six:
    """Return the inverse of a symmetric (3, 3), upper triangles in and out."""
    a, b, c, d, e, f = s
    x, y, z = d * f - e * e, c * e - b * f, b * e - c * d
    share = 1.0 / (a * x + b * y + c * z)
    return (
        share * x,
        share * y,
        share * z,
        share * (a * f - c * c),
        share * (b * c - a * e),
        share * (a * d - b * b),
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _gain(cross: Three, inverse: Six) -> Three:
    """Return one row of the gain."""
    u, v, w = cross
    return (
        u * inverse[0] + v * inverse[1] + w * inverse[2],
        u * inverse[1] + v * inverse[3] + w * inverse[4],
        u * inverse[2] + v * inverse[4] + w * inverse[5],
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _dot(a: Three, b: Three) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _updated(mean: Six, room: Scratch, lane: Index, misses: Three, variances: Three) -> tuple[Six, TwentyOne]:
    """Return state and covariance of a lane after its plot."""
    p = upper_at(room.sums, lane)
    at = lane + _U(UPPER * LANES)
    s = six_at(room.sums, at)
    front, back = six_at(room.sums, at + _U(6 * LANES)), six_at(room.sums, at + _U(12 * LANES))
    last = six_at(room.sums, at + _U(18 * LANES))
    inverse = _inverse_kernel(
        (s[0] + variances[0], s[1], s[2], s[3] + variances[1], s[4], s[5] + variances[2])
    )
    c0, c1 = (front[0], front[1], front[2]), (front[3], front[4], front[5])
    c2, c3 = (back[0], back[1], back[2]), (back[3], back[4], back[5])
    c4, c5 = (last[0], last[1], last[2]), (last[3], last[4], last[5])
    k0, k1, k2 = _gain(c0, inverse), _gain(c1, inverse), _gain(c2, inverse)
    k3, k4, k5 = _gain(c3, inverse), _gain(c4, inverse), _gain(c5, inverse)
    moved = (
        mean[0] + _dot(k0, misses),
        mean[1] + _dot(k1, misses),
        mean[2] + _dot(k2, misses),
        mean[3] + _dot(k3, misses),
        mean[4] + _dot(k4, misses),
        mean[5] + _dot(k5, misses),
    )
    left = (
        p[0] - _dot(k0, c0), p[1] - _dot(k0, c1), p[2] - _dot(k0, c2), p[3] - _dot(k0, c3),
        p[4] - _dot(k0, c4), p[5] - _dot(k0, c5), p[6] - _dot(k1, c1), p[7] - _dot(k1, c2),
        p[8] - _dot(k1, c3), p[9] - _dot(k1, c4), p[10] - _dot(k1, c5), p[11] - _dot(k2, c2),
        p[12] - _dot(k2, c3), p[13] - _dot(k2, c4), p[14] - _dot(k2, c5), p[15] - _dot(k3, c3),
        p[16] - _dot(k3, c4), p[17] - _dot(k3, c5), p[18] - _dot(k4, c4), p[19] - _dot(k4, c5),
        p[20] - _dot(k5, c5),
    )  # fmt: skip
    return moved, left


@njit(cache=True, fastmath=True, error_model="numpy")
def update_unscented_lanes_kernel(
    before: tuple[Vector, Vector],
    plots: Vector,
    radar: Vector,
    setting: tuple[float, int, Weights, Scratch],
    after: tuple[Vector, Vector],
) -> None:
    """Predict all tracks over one Runge-Kutta step and use one plot for each; write to `after`.

    Args:
        before: states and covariances, lanes of 6 and of 21.
        plots: lanes of 3: range (m), azimuth, elevation (rad); a range of zero is no plot.
        radar: that saw them, see `lanes.radar_numbers`.
        setting: seconds of the step (at most about 2), number of tracks, weights, scratch room.
        after: states and covariances, out; other arrays than `before`.
    """
    step_s, count, weight, room = setting
    for block in range((count + LANES - 1) // LANES):
        first: Index = _U(block * LANES)
        many: Index = _U(min(LANES, count - block * LANES))
        at6, at21, at3 = first * _U(STATE), first * _U(UPPER), first * _U(PLOT)
        _draw(before[0], before[1], (at6, at21, many), room.points, weight.scale)
        _fly(room, radar, step_s, weight, many)
        _spread(room, weight, many)
        for lane in range(many):
            here = at3 + lane
            seen = plots[here] > 0.0
            variances = (
                radar[12] if seen else NEVER,
                radar[13] if seen else NEVER,
                radar[14] if seen else NEVER,
            )
            mean = _plus(six_at(room.points, lane), six_at(room.means, lane), ORIGIN, 1.0)
            said, off = room.plots, room.means
            misses = (
                plots[here] - said[lane] - off[_U(6 * LANES) + lane],
                wrapped_kernel(plots[here + _U(LANES)] - said[_U(LANES) + lane] - off[_U(7 * LANES) + lane]),
                plots[here + _U(2 * LANES)] - said[_U(2 * LANES) + lane] - off[_U(8 * LANES) + lane],
            )
            state, upper = _updated(mean, room, lane, misses, variances)
            write_six(after[0], at6 + lane, state)
            write_upper(after[1], at21 + lane, upper)

"""Propagation of a free body: fourth-order Runge-Kutta, with or without the transition matrix.

Deterministic: the same state, interval and largest step give the same bits. The step is the interval
divided into equal parts no longer than `STEP_S` (or `step_s`), so a flight cut at other instants
differs by the truncation error only (below 1 cm over 20 minutes; see docs/studies).
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.flight.dynamics import acceleration_of_kernel, acceleration_partials_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.frames.types import Vector

STEP_S: Final = 1.0
FLIGHT_TIME_MAX_S: Final = 7_200.0
SHORT_S: Final = 2.0
"""Longest step whose transition matrix may come of the partials at its middle alone."""


class Room(NamedTuple):
    """Arrays to work in: a state (7,), accelerations (4, 3) and their partials (4, 3, 7) of the stages."""

    middle: Vector
    rates: Vector
    partials: Vector


@njit(cache=True)
def rk4_step_kernel(state: Vector, step_s: float) -> Vector:
    """Return the state of seven after one step."""
    inverse_beta = math.exp(state[6])
    half, sixth = 0.5 * step_s, step_s / 6.0
    p1 = (state[0], state[1], state[2])
    v1 = (state[3], state[4], state[5])
    a1 = acceleration_of_kernel(p1, v1, inverse_beta)
    v2 = (v1[0] + half * a1[0], v1[1] + half * a1[1], v1[2] + half * a1[2])
    p2 = (p1[0] + half * v1[0], p1[1] + half * v1[1], p1[2] + half * v1[2])
    a2 = acceleration_of_kernel(p2, v2, inverse_beta)
    v3 = (v1[0] + half * a2[0], v1[1] + half * a2[1], v1[2] + half * a2[2])
    p3 = (p1[0] + half * v2[0], p1[1] + half * v2[1], p1[2] + half * v2[2])
    a3 = acceleration_of_kernel(p3, v3, inverse_beta)
    v4 = (v1[0] + step_s * a3[0], v1[1] + step_s * a3[1], v1[2] + step_s * a3[2])
    p4 = (p1[0] + step_s * v3[0], p1[1] + step_s * v3[1], p1[2] + step_s * v3[2])
    a4 = acceleration_of_kernel(p4, v4, inverse_beta)
    out = np.empty(7)
    for i in range(3):
        out[i] = p1[i] + sixth * (v1[i] + 2.0 * v2[i] + 2.0 * v3[i] + v4[i])
        out[3 + i] = v1[i] + sixth * (a1[i] + 2.0 * a2[i] + 2.0 * a3[i] + a4[i])
    out[6] = state[6]
    return out


@njit(cache=True)
def propagate_kernel(state: Vector, interval_s: float, step_s: float) -> Vector:
    """Return the state of seven after `interval_s` (negative goes back)."""
    steps = max(1, math.ceil(abs(interval_s) / step_s - 1e-9))
    out = state.copy()
    for _ in range(steps):
        out = rk4_step_kernel(out, interval_s / steps)
    return out


@njit(cache=True)
def _stages_kernel(x: Vector, step_s: float, accelerations: Vector, partials: Vector) -> None:
    """Write the acceleration (4, 3) and its partials (4, 3, 7) at the four stages of a step from `x` (7,)."""
    middle = x.copy()
    for stage in range(4):
        acceleration_partials_kernel(middle, accelerations[stage], partials[stage])
        offset = 0.5 * step_s if stage < 2 else step_s
        for i in range(3):
            # The velocity that carries the position on is the one of this stage, not yet moved.
            middle[i] = x[i] + offset * middle[3 + i]
        for i in range(3):
            middle[3 + i] = x[3 + i] + offset * accelerations[stage, i]


@njit(cache=True)
def _column_rate_kernel(
    partials: Vector, place: tuple[float, float, float], speed: tuple[float, float, float], beta: float
) -> tuple[float, float, float]:
    """Return the rate of the velocity rows of one column of the transition matrix."""
    (p0, p1, p2), (v0, v1, v2) = place, speed
    a, b, c = partials[0], partials[1], partials[2]
    return (
        a[0] * p0 + a[1] * p1 + a[2] * p2 + a[3] * v0 + a[4] * v1 + a[5] * v2 + a[6] * beta,
        b[0] * p0 + b[1] * p1 + b[2] * p2 + b[3] * v0 + b[4] * v1 + b[5] * v2 + b[6] * beta,
        c[0] * p0 + c[1] * p1 + c[2] * p2 + c[3] * v0 + c[4] * v1 + c[5] * v2 + c[6] * beta,
    )


@njit(cache=True)
def _column_step_kernel(phi: Vector, column: int, step_s: float, partials: Vector) -> None:
    """Carry one column of the transition matrix (7, 7) over a step, in place."""
    p = (phi[0, column], phi[1, column], phi[2, column])
    v1 = (phi[3, column], phi[4, column], phi[5, column])
    beta, half, sixth = phi[6, column], 0.5 * step_s, step_s / 6.0
    a1 = _column_rate_kernel(partials[0], p, v1, beta)
    p2 = (p[0] + half * v1[0], p[1] + half * v1[1], p[2] + half * v1[2])
    v2 = (v1[0] + half * a1[0], v1[1] + half * a1[1], v1[2] + half * a1[2])
    a2 = _column_rate_kernel(partials[1], p2, v2, beta)
    p3 = (p[0] + half * v2[0], p[1] + half * v2[1], p[2] + half * v2[2])
    v3 = (v1[0] + half * a2[0], v1[1] + half * a2[1], v1[2] + half * a2[2])
    a3 = _column_rate_kernel(partials[2], p3, v3, beta)
    p4 = (p[0] + step_s * v3[0], p[1] + step_s * v3[1], p[2] + step_s * v3[2])
    v4 = (v1[0] + step_s * a3[0], v1[1] + step_s * a3[1], v1[2] + step_s * a3[2])
    a4 = _column_rate_kernel(partials[3], p4, v4, beta)
    for i in range(3):
        phi[i, column] = p[i] + sixth * (v1[i] + 2.0 * v2[i] + 2.0 * v3[i] + v4[i])
        phi[3 + i, column] = v1[i] + sixth * (a1[i] + 2.0 * a2[i] + 2.0 * a3[i] + a4[i])


@njit(cache=True, error_model="numpy")
def _short_columns_kernel(phi: Vector, step_s: float, partials: Vector) -> None:
    """Carry a transition matrix (7, 7) over a short step by the series of exp(h A), A at its middle."""
    second, third = 0.5 * step_s * step_s, step_s * step_s * step_s / 6.0
    (a0, a1, a2, a3, a4, a5, a6) = partials[0]
    (b0, b1, b2, b3, b4, b5, b6) = partials[1]
    (c0, c1, c2, c3, c4, c5, c6) = partials[2]
    felt = a6 != 0.0 or b6 != 0.0 or c6 != 0.0
    for i in range(6):
        felt = felt or phi[i, 6] != 0.0
    for k in range(7 if felt else 6):  # where no air was felt the last column stays as it is
        p, q, r = phi[0, k], phi[1, k], phi[2, k]
        u, v, w, beta = phi[3, k], phi[4, k], phi[5, k], phi[6, k]
        du = a0 * p + a1 * q + a2 * r + a3 * u + a4 * v + a5 * w + a6 * beta
        dv = b0 * p + b1 * q + b2 * r + b3 * u + b4 * v + b5 * w + b6 * beta
        dw = c0 * p + c1 * q + c2 * r + c3 * u + c4 * v + c5 * w + c6 * beta
        ddu = a0 * u + a1 * v + a2 * w + a3 * du + a4 * dv + a5 * dw
        ddv = b0 * u + b1 * v + b2 * w + b3 * du + b4 * dv + b5 * dw
        ddw = c0 * u + c1 * v + c2 * w + c3 * du + c4 * dv + c5 * dw
        phi[0, k] = p + step_s * u + second * du + third * ddu
        phi[1, k] = q + step_s * v + second * dv + third * ddv
        phi[2, k] = r + step_s * w + second * dw + third * ddw
        phi[3, k] += step_s * du + second * ddu + third * (a0 * du + a1 * dv + a2 * dw)
        phi[4, k] += step_s * dv + second * ddv + third * (b0 * du + b1 * dv + b2 * dw)
        phi[5, k] += step_s * dw + second * ddw + third * (c0 * du + c1 * dv + c2 * dw)


@njit(cache=True, error_model="numpy")
def _short_step_kernel(x: Vector, phi: Vector, step_s: float, room: Room) -> None:
    """Carry a state of seven and its transition matrix over a step of at most `SHORT_S`, in place."""
    inverse_beta = math.exp(x[6])
    half, sixth = 0.5 * step_s, step_s / 6.0
    p1, v1 = (x[0], x[1], x[2]), (x[3], x[4], x[5])
    a1 = acceleration_of_kernel(p1, v1, inverse_beta)
    v2 = (v1[0] + half * a1[0], v1[1] + half * a1[1], v1[2] + half * a1[2])
    p2 = (p1[0] + half * v1[0], p1[1] + half * v1[1], p1[2] + half * v1[2])
    a2 = acceleration_of_kernel(p2, v2, inverse_beta)
    middle, a3 = room.middle, room.rates[0]
    for i in range(3):
        middle[i], middle[3 + i] = p1[i] + half * v2[i], v1[i] + half * a2[i]
    middle[6] = x[6]
    acceleration_partials_kernel(middle, a3, room.partials[0])
    p4 = (p1[0] + step_s * middle[3], p1[1] + step_s * middle[4], p1[2] + step_s * middle[5])
    v4 = (v1[0] + step_s * a3[0], v1[1] + step_s * a3[1], v1[2] + step_s * a3[2])
    a4 = acceleration_of_kernel(p4, v4, inverse_beta)
    for i in range(3):
        x[i] += sixth * (v1[i] + 2.0 * v2[i] + 2.0 * middle[3 + i] + v4[i])
        x[3 + i] += sixth * (a1[i] + 2.0 * a2[i] + 2.0 * a3[i] + a4[i])
    _short_columns_kernel(phi, step_s, room.partials[0])


@njit(cache=True, error_model="numpy")
def _long_step_kernel(x: Vector, phi: Vector, step_s: float, room: Room) -> None:
    """Carry a state of seven and its transition matrix over a step of any length, in place."""
    rates, partials = room.rates, room.partials
    _stages_kernel(x, step_s, rates, partials)
    for column in range(7):
        _column_step_kernel(phi, column, step_s, partials)
    for i in range(3):
        # The Runge-Kutta sums, with the velocities of the stages put in.
        x[i] += step_s * x[3 + i] + step_s * step_s / 6.0 * (rates[0, i] + rates[1, i] + rates[2, i])
        x[3 + i] += step_s / 6.0 * (rates[0, i] + 2.0 * rates[1, i] + 2.0 * rates[2, i] + rates[3, i])


@njit(cache=True)
def room_kernel() -> Room:
    """Return room for `carry_kernel` to work in: made once for many steps."""
    return Room(np.empty(7), np.empty((4, 3)), np.empty((4, 3, 7)))


@njit(cache=True, error_model="numpy")
def carry_kernel(state: Vector, transition: Vector, interval_s: float, step_s: float, room: Room) -> None:
    """Carry a state (7,) and a transition matrix (7, 7) over `interval_s`, in place.

    In steps of at most `SHORT_S` the matrix follows the series of the exponential to third order, with the
    partials at the middle of the step: off by 1e-6 in a minute without air, and by what it costs to step
    over the bends of the layered atmosphere in it. In longer ones it is integrated as the state is.
    Source: W. Magnus, Comm. Pure Appl. Math. 7 (1954) 649, first term.
    """
    steps = max(1, math.ceil(abs(interval_s) / step_s - 1e-9))
    h = interval_s / steps
    for _ in range(steps):
        if abs(h) <= SHORT_S:
            _short_step_kernel(state, transition, h, room)
        else:
            _long_step_kernel(state, transition, h, room)


@njit(cache=True)
def propagate_with_transition_kernel(
    state: Vector, transition: Vector, interval_s: float, step_s: float
) -> tuple[Vector, Vector]:
    """Return state (7,) and transition matrix (7, 7) after `interval_s`.

    `transition` is the partial derivative of `state` with some earlier state; the one returned is that
    of the new state with the same earlier one. Start from the identity.
    """
    x, phi = state.copy(), transition.copy()
    carry_kernel(x, phi, interval_s, step_s, room_kernel())
    return x, phi


@njit(cache=True)
def time_to_ground_kernel(state: Vector, height_m: float, step_s: float) -> float:
    """Return seconds until a falling body passes `height_m` above the ellipsoid; nan if it does not.

    Only a downward pass counts, so a body that still climbs from below is followed over its apogee.
    Bounded by `FLIGHT_TIME_MAX_S`.
    """
    elapsed = 0.0
    current = state.copy()
    _, _, before = geodetic_from_ecef_kernel(current[0], current[1], current[2])
    while elapsed < FLIGHT_TIME_MAX_S:
        after_state = rk4_step_kernel(current, step_s)
        _, _, after = geodetic_from_ecef_kernel(after_state[0], after_state[1], after_state[2])
        if after <= height_m and after < before:
            low, high = 0.0, step_s
            for _ in range(40):
                middle = 0.5 * (low + high)
                there = rk4_step_kernel(current, middle)
                _, _, height = geodetic_from_ecef_kernel(there[0], there[1], there[2])
                if height > height_m:
                    low = middle
                else:
                    high = middle
            return elapsed + 0.5 * (low + high)
        current, before = after_state, after
        elapsed += step_s
    return math.nan

"""Free flight of one lane above the air: one Runge-Kutta step of the state, and of its transition.

As `flight.propagation` without drag, on numbers and tuples.
Source: Montenbruck and Gill, Satellite Orbits (2000), sections 3.2 (gravity with J2), 3.5 (turning axes)
and 7.2 (variational equations; J2 is left out of the gradient, a thousandth of it).
"""

import math
from typing import TypeAlias

from numba import njit

from beaconfire.tracking.lane_arithmetic import Six, Three
from beaconfire.units import EARTH_GM_M3_S2, EARTH_J2, EARTH_ROTATION_RAD_S, WGS84_SEMI_MAJOR_M

Gradient: TypeAlias = Six
"""Upper triangle of the gradient of the acceleration with the position, 1/s^2."""

_OBLATE_M2 = 1.5 * EARTH_J2 * WGS84_SEMI_MAJOR_M * WGS84_SEMI_MAJOR_M


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def acceleration_kernel(position: Three, velocity: Three) -> Three:
    """Return the acceleration of the ECEF coordinates, m/s^2: gravity with J2, centrifugal and Coriolis."""
    x, y, z = position
    inverse2 = 1.0 / (x * x + y * y + z * z)
    central = -EARTH_GM_M3_S2 * inverse2 * math.sqrt(inverse2)
    oblate = _OBLATE_M2 * inverse2
    tilt = 5.0 * z * z * inverse2
    across = central * (1.0 + oblate * (1.0 - tilt)) + EARTH_ROTATION_RAD_S * EARTH_ROTATION_RAD_S
    turn = 2.0 * EARTH_ROTATION_RAD_S
    return (
        across * x + turn * velocity[1],
        across * y - turn * velocity[0],
        central * (1.0 + oblate * (3.0 - tilt)) * z,
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def gradient_kernel(position: Three) -> Gradient:
    """Return the gradient of the acceleration: xx, xy, xz, yy, yz, zz."""
    x, y, z = position
    inverse2 = 1.0 / (x * x + y * y + z * z)
    central = -EARTH_GM_M3_S2 * inverse2 * math.sqrt(inverse2)
    pull = -3.0 * central * inverse2
    turning = central + EARTH_ROTATION_RAD_S * EARTH_ROTATION_RAD_S
    return (
        pull * x * x + turning,
        pull * x * y,
        pull * x * z,
        pull * y * y + turning,
        pull * y * z,
        pull * z * z + central,
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def on_kernel(start: Three, rate: Three, step: float) -> Three:
    """Return `start` moved on by `rate` for a while."""
    return start[0] + step * rate[0], start[1] + step * rate[1], start[2] + step * rate[2]


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def mixed_kernel(start: Three, rates: tuple[Three, Three, Three, Three], sixth: float) -> Three:
    """Return `start` moved on by the mean of four rates, as Runge and Kutta weigh them."""
    a, b, c, d = rates
    return (
        start[0] + sixth * (a[0] + 2.0 * (b[0] + c[0]) + d[0]),
        start[1] + sixth * (a[1] + 2.0 * (b[1] + c[1]) + d[1]),
        start[2] + sixth * (a[2] + 2.0 * (b[2] + c[2]) + d[2]),
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def step_kernel(state: Six, step_s: float) -> tuple[Six, tuple[Three, Three, Three, Three]]:
    """Return the state after one step, and the four positions at which the step took the forces."""
    half, sixth = 0.5 * step_s, step_s / 6.0
    p1, v1 = (state[0], state[1], state[2]), (state[3], state[4], state[5])
    a1 = acceleration_kernel(p1, v1)
    p2, v2 = on_kernel(p1, v1, half), on_kernel(v1, a1, half)
    a2 = acceleration_kernel(p2, v2)
    p3, v3 = on_kernel(p1, v2, half), on_kernel(v1, a2, half)
    a3 = acceleration_kernel(p3, v3)
    p4, v4 = on_kernel(p1, v3, step_s), on_kernel(v1, a3, step_s)
    a4 = acceleration_kernel(p4, v4)
    p = mixed_kernel(p1, (v1, v2, v3, v4), sixth)
    v = mixed_kernel(v1, (a1, a2, a3, a4), sixth)
    return (p[0], p[1], p[2], v[0], v[1], v[2]), (p1, p2, p3, p4)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def _bend_kernel(g: Gradient, shift: Three, rate: Three) -> Three:
    """Return the rate of change of a small difference's rate."""
    turn = 2.0 * EARTH_ROTATION_RAD_S
    return (
        g[0] * shift[0] + g[1] * shift[1] + g[2] * shift[2] + turn * rate[1],
        g[1] * shift[0] + g[3] * shift[1] + g[4] * shift[2] - turn * rate[0],
        g[2] * shift[0] + g[4] * shift[1] + g[5] * shift[2],
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def column_kernel(
    gradients: tuple[Gradient, Gradient, Gradient, Gradient], shift: Three, rate: Three, step_s: float
) -> Six:
    """Return a small difference of position and rate after the step: one column of the transition."""
    half, sixth = 0.5 * step_s, step_s / 6.0
    a1 = _bend_kernel(gradients[0], shift, rate)
    p2, v2 = on_kernel(shift, rate, half), on_kernel(rate, a1, half)
    a2 = _bend_kernel(gradients[1], p2, v2)
    p3, v3 = on_kernel(shift, v2, half), on_kernel(rate, a2, half)
    a3 = _bend_kernel(gradients[2], p3, v3)
    p4, v4 = on_kernel(shift, v3, step_s), on_kernel(rate, a3, step_s)
    a4 = _bend_kernel(gradients[3], p4, v4)
    p = mixed_kernel(shift, (rate, v2, v3, v4), sixth)
    v = mixed_kernel(rate, (a1, a2, a3, a4), sixth)
    return p[0], p[1], p[2], v[0], v[1], v[2]


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def transition_rows_kernel(
    places: tuple[Three, Three, Three, Three], step_s: float
) -> tuple[Six, Six, Six, Six, Six, Six]:
    """Return the rows of the transition of a step from the positions at which it took the forces."""
    g = (
        gradient_kernel(places[0]),
        gradient_kernel(places[1]),
        gradient_kernel(places[2]),
        gradient_kernel(places[3]),
    )
    none = (0.0, 0.0, 0.0)
    a = column_kernel(g, (1.0, 0.0, 0.0), none, step_s)
    b = column_kernel(g, (0.0, 1.0, 0.0), none, step_s)
    c = column_kernel(g, (0.0, 0.0, 1.0), none, step_s)
    d = column_kernel(g, none, (1.0, 0.0, 0.0), step_s)
    e = column_kernel(g, none, (0.0, 1.0, 0.0), step_s)
    f = column_kernel(g, none, (0.0, 0.0, 1.0), step_s)
    return (
        (a[0], b[0], c[0], d[0], e[0], f[0]),
        (a[1], b[1], c[1], d[1], e[1], f[1]),
        (a[2], b[2], c[2], d[2], e[2], f[2]),
        (a[3], b[3], c[3], d[3], e[3], f[3]),
        (a[4], b[4], c[4], d[4], e[4], f[4]),
        (a[5], b[5], c[5], d[5], e[5], f[5]),
    )

"""Arithmetic of one lane: small products and angles on tuples, without branches, so that lanes vectorise.

A covariance is the upper triangle of a symmetric (6, 6), row by row: 21 numbers.
"""

import math
from typing import Any, Final, TypeAlias

from numba import njit

Three: TypeAlias = tuple[float, float, float]
Six: TypeAlias = tuple[float, float, float, float, float, float]
TwentyOne: TypeAlias = tuple[
    float, float, float, float, float, float, float, float, float, float, float,
    float, float, float, float, float, float, float, float, float, float,
]  # fmt: skip
Index: TypeAlias = Any
"""An unsigned index, np.uint64: a signed one might wrap, and the compiler would then not vectorise."""

_TURN: Final = 2.0 * math.pi
_TAN_3_PI_8: Final = 2.414_213_562_373_095_0
_P: Final = (
    -8.750608600031904122785e-1,
    -1.615753718733365076637e1,
    -7.500855792314704667340e1,
    -1.228866684490136173410e2,
    -6.485021904942025371773e1,
)
_Q: Final = (
    2.485846490142306297962e1,
    1.650270098316988542046e2,
    4.328810604912902668951e2,
    4.853903996359136964868e2,
    1.945506571482613964425e2,
)


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def arctangent_kernel(tangent: float) -> float:
    """Return the angle of a tangent, -pi/2 to pi/2, to two units in the last place, without a branch.

    Source: S. Moshier, Cephes Mathematical Library 2.8 (2000), atan: reduction and rational coefficients.
    """
    size = abs(tangent)
    big, middle = size > _TAN_3_PI_8, size > 0.66
    reduced = -1.0 / size if big else ((size - 1.0) / (size + 1.0) if middle else size)
    base = 0.5 * math.pi if big else (0.25 * math.pi if middle else 0.0)
    z = reduced * reduced
    above = (((_P[0] * z + _P[1]) * z + _P[2]) * z + _P[3]) * z + _P[4]
    below = ((((z + _Q[0]) * z + _Q[1]) * z + _Q[2]) * z + _Q[3]) * z + _Q[4]
    angle = base + reduced + reduced * (z * above / below)
    return -angle if tangent < 0.0 else angle


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def angle_kernel(east: float, north: float) -> float:
    """Return the azimuth of a direction, -pi to pi, clockwise from north."""
    half = arctangent_kernel(east / north)
    shift = 0.0 if north > 0.0 else (math.pi if east >= 0.0 else -math.pi)
    return half + shift


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def wrapped_kernel(angle_rad: float) -> float:
    """Return an angle less than two turns from zero brought to -pi to pi."""
    once = angle_rad - _TURN if angle_rad > math.pi else angle_rad
    return once + _TURN if once < -math.pi else once


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def dot3_kernel(a: Three, b: Three) -> float:
    """Return the product of two vectors of three."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def dot6_kernel(a: Six, b: Six) -> float:
    """Return the product of two vectors of six."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] + a[4] * b[4] + a[5] * b[5]


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def turn_kernel(enu: Three, east: Three, north: Three, up: Three) -> Three:
    """Return a vector of east, north and up in the axes that these three unit vectors are given in."""
    return (
        enu[0] * east[0] + enu[1] * north[0] + enu[2] * up[0],
        enu[0] * east[1] + enu[1] * north[1] + enu[2] * up[1],
        enu[0] * east[2] + enu[1] * north[2] + enu[2] * up[2],
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def times_symmetric_kernel(row: Six, p: TwentyOne) -> Six:
    """Return a row of six times a symmetric matrix."""
    a, b, c, d, e, f = row
    return (
        a * p[0] + b * p[1] + c * p[2] + d * p[3] + e * p[4] + f * p[5],
        a * p[1] + b * p[6] + c * p[7] + d * p[8] + e * p[9] + f * p[10],
        a * p[2] + b * p[7] + c * p[11] + d * p[12] + e * p[13] + f * p[14],
        a * p[3] + b * p[8] + c * p[12] + d * p[15] + e * p[16] + f * p[17],
        a * p[4] + b * p[9] + c * p[13] + d * p[16] + e * p[18] + f * p[19],
        a * p[5] + b * p[10] + c * p[14] + d * p[17] + e * p[19] + f * p[20],
    )


@njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
def sandwich_kernel(rows: tuple[Six, Six, Six, Six, Six, Six], p: TwentyOne) -> TwentyOne:
    """Return F P F' for the rows of F: the covariance after a linear step."""
    r0, r1, r2, r3, r4, r5 = rows
    m0, m1, m2 = times_symmetric_kernel(r0, p), times_symmetric_kernel(r1, p), times_symmetric_kernel(r2, p)
    m3, m4, m5 = times_symmetric_kernel(r3, p), times_symmetric_kernel(r4, p), times_symmetric_kernel(r5, p)
    return (
        dot6_kernel(m0, r0), dot6_kernel(m0, r1), dot6_kernel(m0, r2), dot6_kernel(m0, r3),
        dot6_kernel(m0, r4), dot6_kernel(m0, r5), dot6_kernel(m1, r1), dot6_kernel(m1, r2),
        dot6_kernel(m1, r3), dot6_kernel(m1, r4), dot6_kernel(m1, r5), dot6_kernel(m2, r2),
        dot6_kernel(m2, r3), dot6_kernel(m2, r4), dot6_kernel(m2, r5), dot6_kernel(m3, r3),
        dot6_kernel(m3, r4), dot6_kernel(m3, r5), dot6_kernel(m4, r4), dot6_kernel(m4, r5),
        dot6_kernel(m5, r5),
    )  # fmt: skip

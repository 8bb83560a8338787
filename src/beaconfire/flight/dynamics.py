"""Forces on a free body near the Earth, in rotating ECEF axes, and their partial derivatives.

State of seven: x y z (m), vx vy vz (m/s, rates of the ECEF coordinates), ln(1/beta) (beta in kg/m^2).
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.frames.types import Vector
from beaconfire.units import (
    EARTH_GM_M3_S2,
    EARTH_J2,
    EARTH_ROTATION_RAD_S,
    WGS84_FLATTENING,
    WGS84_SEMI_MAJOR_M,
)

# Base height (m), density (kg/m^3) and scale height (m) of each layer.
# Source: U.S. Standard Atmosphere 1976, densities at the base heights; scale heights join neighbours,
# so density is continuous. Above the last row the last scale height goes on.
_LAYER_HEIGHT_M: Final = np.array(
    [0.0, 5e3, 10e3, 15e3, 20e3, 25e3, 30e3, 40e3, 50e3, 60e3, 70e3, 80e3, 90e3, 100e3, 110e3, 120e3, 150e3]
)
_LAYER_DENSITY: Final = np.array(
    [
        1.225, 7.3643e-1, 4.1351e-1, 1.9476e-1, 8.8910e-2, 4.0084e-2, 1.8410e-2, 3.9957e-3, 1.0269e-3,
        3.0968e-4, 8.2829e-5, 1.8458e-5, 3.416e-6, 5.604e-7, 9.708e-8, 2.222e-8, 2.076e-9,
    ]
)  # fmt: skip
_SCALE_HEIGHT_M: Final = np.append(-np.diff(_LAYER_HEIGHT_M) / np.diff(np.log(_LAYER_DENSITY)), 22_500.0)
DRAG_CEILING_M: Final = 200_000.0
"""Above this the air is left out: at beta 100 kg/m^2 and 7 km/s it slows by under 1e-4 m/s^2."""


@njit(cache=True, error_model="numpy")
def density_kernel(height_m: float) -> tuple[float, float]:
    """Return air density (kg/m^3) and its slope with height (kg/m^4)."""
    layer = 0
    while layer < _LAYER_HEIGHT_M.size - 1 and height_m >= _LAYER_HEIGHT_M[layer + 1]:
        layer += 1
    scale = _SCALE_HEIGHT_M[layer]
    density = _LAYER_DENSITY[layer] * math.exp(-(height_m - _LAYER_HEIGHT_M[layer]) / scale)
    return density, -density / scale


@njit(cache=True, error_model="numpy")
def approximate_height_kernel(x_m: float, y_m: float, z_m: float) -> float:
    """Return the height above the ellipsoid to first order in the flattening (within 50 m below 200 km)."""
    radius = math.sqrt(x_m * x_m + y_m * y_m + z_m * z_m)
    sine_squared = (z_m / radius) ** 2
    surface = WGS84_SEMI_MAJOR_M * (
        1.0
        - WGS84_FLATTENING * sine_squared
        - 1.5 * WGS84_FLATTENING**2 * sine_squared * (1.0 - sine_squared)
    )
    return radius - surface


@njit(cache=True, error_model="numpy")
def acceleration_of_kernel(
    position: tuple[float, float, float], velocity: tuple[float, float, float], inverse_beta: float
) -> tuple[float, float, float]:
    """Return the acceleration of the ECEF coordinates, m/s^2, without touching the heap.

    Gravity with J2, the centrifugal and Coriolis terms of the rotating axes, and drag
    -rho |v| v / (2 beta) against air that turns with the Earth. Arguments in m, m/s and m^2/kg.
    Source: Montenbruck and Gill, Satellite Orbits (2000), sections 3.2 and 3.5.
    """
    x, y, z = position
    vx, vy, vz = velocity
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    central = -EARTH_GM_M3_S2 / (r2 * r)
    k = 1.5 * EARTH_J2 * (WGS84_SEMI_MAJOR_M * WGS84_SEMI_MAJOR_M) / r2
    z2 = z * z / r2
    across = central * (1.0 + k * (1.0 - 5.0 * z2))
    w = EARTH_ROTATION_RAD_S
    ax = across * x + w * w * x + 2.0 * w * vy
    ay = across * y + w * w * y - 2.0 * w * vx
    az = central * (1.0 + k * (3.0 - 5.0 * z2)) * z
    height = approximate_height_kernel(x, y, z)
    if height < DRAG_CEILING_M:
        density, _ = density_kernel(max(height, -1_000.0))
        factor = -0.5 * density * math.sqrt(vx * vx + vy * vy + vz * vz) * inverse_beta
        ax += factor * vx
        ay += factor * vy
        az += factor * vz
    return ax, ay, az


@njit(cache=True, error_model="numpy")
def acceleration_kernel(state: Vector, acceleration: Vector) -> None:
    """Write the acceleration of a state of seven, shape (3,), m/s^2; see `acceleration_of_kernel`."""
    acceleration[0], acceleration[1], acceleration[2] = acceleration_of_kernel(
        (state[0], state[1], state[2]), (state[3], state[4], state[5]), math.exp(state[6])
    )


@njit(cache=True, error_model="numpy")
def acceleration_partials_kernel(state: Vector, acceleration: Vector, partials: Vector) -> None:
    """Write the acceleration and its partials with the state of seven, shape (3, 7).

    J2 is left out of the gradient: its share is 1e-3 of the central term's.
    """
    acceleration_kernel(state, acceleration)
    x, y, z = state[0], state[1], state[2]
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    central = -EARTH_GM_M3_S2 / (r2 * r)
    w = EARTH_ROTATION_RAD_S
    for i in range(3):
        for j in range(3):
            partials[i, j] = -3.0 * central * state[i] * state[j] / r2
            partials[i, 3 + j] = 0.0
        partials[i, i] += central
        partials[i, 6] = 0.0
    partials[0, 0] += w * w
    partials[1, 1] += w * w
    partials[0, 4] = 2.0 * w
    partials[1, 3] = -2.0 * w
    height = approximate_height_kernel(x, y, z)
    if height < DRAG_CEILING_M:
        density, slope = density_kernel(max(height, -1_000.0))
        speed = math.sqrt(state[3] ** 2 + state[4] ** 2 + state[5] ** 2) + 1e-12
        inverse_beta = math.exp(state[6])
        for i in range(3):
            drag = -0.5 * density * speed * inverse_beta * state[3 + i]
            partials[i, 6] += drag
            for j in range(3):
                partials[i, j] += drag * slope / density * state[j] / r
                partials[i, 3 + j] += -0.5 * density * inverse_beta * state[3 + i] * state[3 + j] / speed
            partials[i, 3 + i] += -0.5 * density * speed * inverse_beta

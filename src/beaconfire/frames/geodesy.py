"""Geodetic, ECEF and ENU coordinates on WGS-84, as scalar compiled functions and typed wrappers.

The functions that end in `_kernel` are compiled and called from other compiled code; the others are
what everyone else uses.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from beaconfire.frames.types import PositionEcef, RotationEnuFromEcef, Vector
from beaconfire.units import (
    EARTH_MEAN_RADIUS_M,
    WGS84_ECCENTRICITY_SQUARED,
    WGS84_SEMI_MAJOR_M,
    WGS84_SEMI_MINOR_M,
)


class Geodetic(NamedTuple):
    """Geodetic coordinates, WGS-84: latitude and longitude in radians, height in metres."""

    latitude_rad: float
    longitude_rad: float
    height_m: float


@njit(cache=True)
def ecef_from_geodetic_kernel(
    latitude_rad: float, longitude_rad: float, height_m: float
) -> tuple[float, float, float]:
    """Return ECEF x, y, z in metres.

    Source: NIMA TR8350.2, section 4.2.
    """
    sine, cosine = math.sin(latitude_rad), math.cos(latitude_rad)
    prime_vertical_m = WGS84_SEMI_MAJOR_M / math.sqrt(1.0 - WGS84_ECCENTRICITY_SQUARED * sine * sine)
    across_m = (prime_vertical_m + height_m) * cosine
    return (
        across_m * math.cos(longitude_rad),
        across_m * math.sin(longitude_rad),
        (prime_vertical_m * (1.0 - WGS84_ECCENTRICITY_SQUARED) + height_m) * sine,
    )


@njit(cache=True)
def geodetic_from_ecef_kernel(x_m: float, y_m: float, z_m: float) -> tuple[float, float, float]:
    """Return geodetic latitude and longitude in radians and height in metres.

    Bowring's first estimate, then two fixed-point turns: below 1e-9 rad from -5 km to 10,000 km.
    Source: B. R. Bowring, Survey Review 23 (1976) 323-327.
    """
    across_m = math.hypot(x_m, y_m)
    second = WGS84_ECCENTRICITY_SQUARED / (1.0 - WGS84_ECCENTRICITY_SQUARED)
    parametric = math.atan2(z_m * WGS84_SEMI_MAJOR_M, across_m * WGS84_SEMI_MINOR_M)
    latitude = 0.0
    for _ in range(3):
        sine, cosine = math.sin(parametric), math.cos(parametric)
        latitude = math.atan2(
            z_m + second * WGS84_SEMI_MINOR_M * sine**3,
            across_m - WGS84_ECCENTRICITY_SQUARED * WGS84_SEMI_MAJOR_M * cosine**3,
        )
        parametric = math.atan2(
            WGS84_SEMI_MINOR_M * math.sin(latitude), WGS84_SEMI_MAJOR_M * math.cos(latitude)
        )
    sine, cosine = math.sin(latitude), math.cos(latitude)
    prime_vertical_m = WGS84_SEMI_MAJOR_M / math.sqrt(1.0 - WGS84_ECCENTRICITY_SQUARED * sine * sine)
    height_m = across_m * cosine + z_m * sine - WGS84_SEMI_MAJOR_M * WGS84_SEMI_MAJOR_M / prime_vertical_m
    return latitude, math.atan2(y_m, x_m), height_m


@njit(cache=True)
def enu_from_ecef_rotation_kernel(latitude_rad: float, longitude_rad: float) -> Vector:
    """Return the matrix whose rows are east, north, up in ECEF components, shape (3, 3)."""
    sine_lat, cosine_lat = math.sin(latitude_rad), math.cos(latitude_rad)
    sine_lon, cosine_lon = math.sin(longitude_rad), math.cos(longitude_rad)
    rotation = np.empty((3, 3))
    rotation[0, 0], rotation[0, 1], rotation[0, 2] = -sine_lon, cosine_lon, 0.0
    rotation[1, 0] = -sine_lat * cosine_lon
    rotation[1, 1] = -sine_lat * sine_lon
    rotation[1, 2] = cosine_lat
    rotation[2, 0] = cosine_lat * cosine_lon
    rotation[2, 1] = cosine_lat * sine_lon
    rotation[2, 2] = sine_lat
    return rotation


def ecef_from_geodetic(place: Geodetic) -> PositionEcef:
    """Return the ECEF position of a geodetic place, shape (3,), metres."""
    return PositionEcef(np.array(ecef_from_geodetic_kernel(*place)))


def geodetic_from_ecef(position_ecef_m: PositionEcef) -> Geodetic:
    """Return the geodetic place of one ECEF position of shape (3,), metres."""
    x_m, y_m, z_m = position_ecef_m
    return Geodetic(*geodetic_from_ecef_kernel(float(x_m), float(y_m), float(z_m)))


def enu_from_ecef_rotation(latitude_rad: float, longitude_rad: float) -> RotationEnuFromEcef:
    """Return the matrix that turns ECEF components into east, north, up at a place."""
    return RotationEnuFromEcef(enu_from_ecef_rotation_kernel(latitude_rad, longitude_rad))


@njit(cache=True)
def great_circle_kernel(
    latitude_a_rad: float, longitude_a_rad: float, latitude_b_rad: float, longitude_b_rad: float
) -> tuple[float, float]:
    """Return distance in metres and initial bearing in radians on the sphere of mean radius."""
    delta = longitude_b_rad - longitude_a_rad
    sine_a, cosine_a = math.sin(latitude_a_rad), math.cos(latitude_a_rad)
    sine_b, cosine_b = math.sin(latitude_b_rad), math.cos(latitude_b_rad)
    east = math.sin(delta) * cosine_b
    north = cosine_a * sine_b - sine_a * cosine_b * math.cos(delta)
    along = sine_a * sine_b + cosine_a * cosine_b * math.cos(delta)
    angle = math.atan2(math.hypot(east, north), along)
    return EARTH_MEAN_RADIUS_M * angle, math.atan2(east, north) % (2.0 * math.pi)


def great_circle_distance_m(
    latitude_a_rad: float, longitude_a_rad: float, latitude_b_rad: float, longitude_b_rad: float
) -> float:
    """Return the distance between two places on the sphere of mean radius, metres."""
    return great_circle_kernel(latitude_a_rad, longitude_a_rad, latitude_b_rad, longitude_b_rad)[0]


@njit(cache=True)
def destination_kernel(
    latitude_rad: float, longitude_rad: float, bearing_rad: float, distance_m: float
) -> tuple[float, float]:
    """Return latitude and longitude reached along a great circle of the mean sphere, radians."""
    angle = distance_m / EARTH_MEAN_RADIUS_M
    sine = math.sin(latitude_rad) * math.cos(angle) + math.cos(latitude_rad) * math.sin(angle) * math.cos(
        bearing_rad
    )
    latitude = math.asin(max(-1.0, min(1.0, sine)))
    east = math.sin(bearing_rad) * math.sin(angle) * math.cos(latitude_rad)
    north = math.cos(angle) - math.sin(latitude_rad) * math.sin(latitude)
    longitude = longitude_rad + math.atan2(east, north)
    return latitude, (longitude + math.pi) % (2.0 * math.pi) - math.pi


def destination(
    latitude_rad: float, longitude_rad: float, bearing_rad: float, distance_m: float
) -> tuple[float, float]:
    """Return latitude and longitude reached along a great circle of the mean sphere, radians."""
    return destination_kernel(latitude_rad, longitude_rad, bearing_rad, distance_m)

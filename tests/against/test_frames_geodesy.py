"""Frames held against pymap3d and pyproj, from below sea level to beyond geostationary height."""

import math

import numpy as np
import pymap3d
import pyproj
import pytest
from numpy.typing import NDArray

from beaconfire.frames.geodesy import (
    Geodetic,
    destination,
    ecef_from_geodetic,
    enu_from_ecef_rotation,
    geodetic_from_ecef,
    great_circle_kernel,
)
from beaconfire.frames.types import PositionEcef
from beaconfire.units import EARTH_MEAN_RADIUS_M

HEIGHTS_M = [-500.0, 0.0, 1_000.0, 100_000.0, 1_000_000.0, 6_300_000.0, 35_786_000.0]
LATITUDES_DEG = [-90.0, -89.9999, -45.0, -1e-9, 0.0, 30.0, 40.85, 60.0, 89.9999, 90.0]
LONGITUDES_DEG = [-180.0, -66.0, 0.0, 126.4, 179.999]

to_ecef = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)


def places() -> list[tuple[float, float, float]]:
    return [(lat, lon, h) for lat in LATITUDES_DEG for lon in LONGITUDES_DEG for h in HEIGHTS_M]


def test_ecef_agrees_with_pyproj_and_pymap3d() -> None:
    for lat, lon, height in places():
        ours = ecef_from_geodetic(Geodetic(math.radians(lat), math.radians(lon), height))
        assert np.allclose(ours, to_ecef.transform(lon, lat, height), rtol=0, atol=1e-5)
        assert np.allclose(ours, pymap3d.geodetic2ecef(lat, lon, height), rtol=0, atol=1e-5)


def test_geodetic_goes_there_and_back_to_a_millimetre() -> None:
    for lat, lon, height in places():
        there = ecef_from_geodetic(Geodetic(math.radians(lat), math.radians(lon), height))
        back = ecef_from_geodetic(geodetic_from_ecef(there))
        assert np.linalg.norm(back - there) < 1e-3, (lat, lon, height)
        assert geodetic_from_ecef(there).height_m == pytest.approx(height, abs=1e-3)


def test_geodetic_agrees_with_pyproj_below_1000_km() -> None:
    # Higher up PROJ, which takes one turn of Bowring's formula, is itself centimetres off.
    rng = np.random.default_rng(7)
    for _ in range(300):
        direction = rng.standard_normal(3)
        position: NDArray[np.float64] = direction / np.linalg.norm(direction) * rng.uniform(6.36e6, 7.35e6)
        x, y, z = position
        lon, lat, height = to_ecef.transform(x, y, z, direction="INVERSE")
        ours = geodetic_from_ecef(PositionEcef(position))
        assert ours.latitude_rad == pytest.approx(math.radians(lat), abs=1e-9)
        assert ours.longitude_rad == pytest.approx(math.radians(lon), abs=1e-12)
        assert ours.height_m == pytest.approx(height, abs=0.02)


def test_azimuth_elevation_and_range_agree_with_pymap3d() -> None:
    rng = np.random.default_rng(11)
    for _ in range(200):
        lat, lon, height = rng.uniform(-89, 89), rng.uniform(-180, 180), rng.uniform(0, 3_000)
        place = Geodetic(math.radians(lat), math.radians(lon), height)
        body = ecef_from_geodetic(place) + rng.uniform(-2e6, 2e6, 3)
        rotation = enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad)
        east, north, up = rotation @ (body - ecef_from_geodetic(place))
        theirs = pymap3d.ecef2aer(*body, lat, lon, height)
        azimuth = math.degrees(math.atan2(east, north)) % 360.0
        assert azimuth == pytest.approx(theirs[0], abs=1e-7)
        assert math.degrees(math.atan2(up, math.hypot(east, north))) == pytest.approx(theirs[1], abs=1e-7)
        assert math.hypot(east, north, up) == pytest.approx(theirs[2], abs=1e-3)


def test_great_circles_agree_with_pyproj_on_the_same_sphere() -> None:
    sphere = pyproj.Geod(a=EARTH_MEAN_RADIUS_M, b=EARTH_MEAN_RADIUS_M)
    rng = np.random.default_rng(13)
    for _ in range(200):
        lat_a, lat_b = rng.uniform(-80, 80, 2)
        lon_a, lon_b = rng.uniform(-180, 180, 2)
        bearing, _, distance = sphere.inv(lon_a, lat_a, lon_b, lat_b)
        ours = great_circle_kernel(*(math.radians(angle) for angle in (lat_a, lon_a, lat_b, lon_b)))
        assert ours[0] == pytest.approx(distance, rel=1e-9)
        assert math.degrees(ours[1]) == pytest.approx(bearing % 360.0, abs=1e-6)
        lon, lat, _ = sphere.fwd(lon_a, lat_a, bearing, distance / 2.0)
        there = destination(math.radians(lat_a), math.radians(lon_a), ours[1], distance / 2.0)
        assert great_circle_kernel(*there, math.radians(lat), math.radians(lon))[0] < 0.1

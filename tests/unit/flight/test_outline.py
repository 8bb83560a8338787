"""Contours hold what they say where the map to the ground bends, and are asked for only there."""

import math

import numpy as np
import pytest

from beaconfire.flight.fall import fall_kernel
from beaconfire.flight.impact import LEVELS, landing_of
from beaconfire.flight.outline import POINTS, contours_of, share_inside
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.frames.types import Vector
from picture_world import covariance_of, state_at

BENT = (state_at(speed_m_s=2_000.0, climb_deg=10.0, height_m=60e3), covariance_of(1_000.0, 300.0))
STRAIGHT = (state_at(speed_m_s=3_500.0), covariance_of(150.0, 3.0))


def _offset(reference: Vector, latitude_rad: float, longitude_rad: float) -> tuple[float, float]:
    distance, bearing = great_circle_kernel(
        float(reference[0]), float(reference[1]), latitude_rad, longitude_rad
    )
    return distance * math.sin(bearing), distance * math.cos(bearing)


@pytest.mark.parametrize(("flight", "is_bent"), [(BENT, True), (STRAIGHT, False)], ids=["bent", "straight"])
def test_areas_of_each_level_hold_what_they_say(flight: tuple[Vector, Vector], *, is_bent: bool) -> None:
    state, covariance = flight
    landing = landing_of(state, covariance)
    assert landing is not None
    assert landing.is_bent is is_bent
    rng, count = np.random.default_rng(5), 1_500
    landed = []
    for _ in range(count):
        elapsed, ground = fall_kernel(state + np.linalg.cholesky(covariance) @ rng.standard_normal(7), 0.0)
        if not math.isnan(elapsed):
            place = geodetic_from_ecef_kernel(*(float(x) for x in ground[:3]))
            landed.append(_offset(landing.reference, place[0], place[1]))
    points = np.array(landed)
    assert len(points) == count
    apart = points - landing.mean[:2]
    distances = np.einsum("ni,ij,nj->n", apart, np.linalg.inv(landing.spread[:2, :2]), apart)
    contours = contours_of(state, covariance, landing.reference)
    assert [one.probability for one in contours] == list(LEVELS)
    # 99 % binomial bounds of 1,500, and the wider side for what 64 samples can tell.
    for level, scale, contour in zip(LEVELS, landing.scales, contours, strict=True):
        bound = 2.6 * math.sqrt(level * (1.0 - level) / count)
        outline = np.array([_offset(landing.reference, *place) for place in contour.points_rad])
        assert len(outline) == POINTS
        inside = share_inside(points, outline)
        assert level - bound - 0.01 < inside < level + bound + 0.09
        assert level - bound - 0.01 < float(np.mean(distances <= scale**2)) < level + bound + 0.09


def test_inside_and_outside_of_a_shape_that_is_hollow() -> None:
    horseshoe = np.array([(0, 0), (4, 0), (4, 4), (3, 4), (3, 1), (1, 1), (1, 4), (0, 4)], dtype=float)
    points = np.array([(0.5, 3.0), (3.5, 3.0), (2.0, 3.0), (2.0, 0.5), (9.0, 1.0)])
    inside = [share_inside(one[None], horseshoe) for one in points]
    assert inside == [1.0, 1.0, 0.0, 1.0, 0.0]

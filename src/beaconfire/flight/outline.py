"""The outline of where a body comes down, where the map to the ground bends and an ellipse does not fit.

Points of the linear ellipse are carried to the ground through the flight itself: to each belongs the most
likely change of the state that lands there, and the body is let fall from the state so changed. What the
change does not decide is left to the samples that set how wide the outline is.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.fall import fall_kernel, fall_with_transition_kernel
from beaconfire.flight.impact import (
    LEVEL_SCALES,
    LEVELS,
    MATRIX_STRETCH,
    NORMAL_SAMPLES,
    ground_jacobian_kernel,
    ground_offset_kernel,
)
from beaconfire.frames.geodesy import (
    destination,
    enu_from_ecef_rotation_kernel,
)
from beaconfire.frames.types import Vector
from beaconfire.messages.event import Contour

POINTS: Final = 32
_STRETCH_MAX: Final = 2.0
_STRETCH_STEP: Final = 0.1


@njit(cache=True)
def _rays_kernel(state: Vector, covariance: Vector, reference: Vector) -> Vector:
    """Return the changes of the state, at one standard deviation, that the outline goes through.

    Shape (32, 7): evenly turned in the whitened plane of the ground. Source: conditional mean of a normal
    distribution given its linear image, e.g. Bar-Shalom, Li and Kirubarajan (2001), section 1.4.14.
    """
    ground, transition = fall_with_transition_kernel(state, reference[2], MATRIX_STRETCH)
    enu = enu_from_ecef_rotation_kernel(reference[0], reference[1])
    jacobian = np.ascontiguousarray(ground_jacobian_kernel(ground, transition, enu)[:2])
    gain = covariance @ jacobian.T
    values, vectors = np.linalg.eigh(jacobian @ gain)
    out = np.empty((POINTS, 7))
    for i in range(POINTS):
        angle = 2.0 * math.pi * i / POINTS
        weights = np.array(
            [
                math.cos(angle) / math.sqrt(max(values[0], 1e-12)),
                math.sin(angle) / math.sqrt(max(values[1], 1e-12)),
            ]
        )
        out[i] = gain @ (np.ascontiguousarray(vectors) @ weights)
    return out


@njit(cache=True)
def _offsets_kernel(states: Vector, reference: Vector) -> Vector:
    """Return east and north (m) of each landing from the reference, nan of those that never land."""
    out = np.full((states.shape[0], 2), math.nan)
    for i in range(states.shape[0]):
        elapsed, ground = fall_kernel(states[i], 0.0)
        if not math.isnan(elapsed):
            out[i] = ground_offset_kernel(reference[0], reference[1], ground)
    return out


def share_inside(points: Vector, outline: Vector) -> float:
    """Return the share of points inside a closed outline, by counting crossings.

    Args:
        points: east and north, metres, shape (n, 2).
        outline: the same, shape (m, 2), the last joins the first.
    """
    after = np.roll(outline, -1, axis=0)
    east, north = points[:, :1], points[:, 1:]
    between = (outline[:, 1] > north) != (after[:, 1] > north)
    rise = np.where(between, after[:, 1] - outline[:, 1], 1.0)
    crossing = outline[:, 0] + (north - outline[:, 1]) * (after[:, 0] - outline[:, 0]) / rise
    return float(np.mean(np.sum(between & (east < crossing), axis=1) % 2))


def contours_of(state: Vector, covariance: Vector, reference: Vector) -> tuple[Contour, ...]:
    """Return the outlines of 50, 95 and 99 %; none where part of an outline never comes down.

    Each is widened until it holds its share of fixed samples, as far as 64 can tell.

    Args:
        state: of seven at the epoch, ECEF, SI.
        covariance: of it, shape (7, 7).
        reference: latitude, longitude (rad) and elapsed time (s) of the landing of the state, shape (3,).
    """
    rays = _rays_kernel(state, covariance, reference)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    samples = _offsets_kernel(state + NORMAL_SAMPLES @ root.T, reference)
    samples = samples[~np.isnan(samples[:, 0])]
    found = []
    for probability, scale in zip(LEVELS, LEVEL_SCALES, strict=True):
        outline = _wide_enough(state, rays * scale, reference, (samples, probability))
        if outline is None:
            return ()
        found.append(Contour(probability, _places(outline, reference)))
    return tuple(found)


def _wide_enough(
    state: Vector, rays: Vector, reference: Vector, wanted: tuple[Vector, float]
) -> Vector | None:
    """Return the outline, widened step by step until it holds the wanted share of the samples."""
    samples, share = wanted
    stretch, outline = 1.0, None
    while stretch <= _STRETCH_MAX:
        wider = _offsets_kernel(state + rays * stretch, reference)
        if np.isnan(wider).any():
            return outline
        outline = wider
        if share_inside(samples, outline) >= share:
            break
        stretch += _STRETCH_STEP
    return outline


def _places(outline: Vector, reference: Vector) -> tuple[tuple[float, float], ...]:
    return tuple(
        destination(
            float(reference[0]),
            float(reference[1]),
            math.atan2(east, north),
            math.hypot(east, north),
        )
        for east, north in outline.tolist()
    )

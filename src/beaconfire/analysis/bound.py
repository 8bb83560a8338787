"""Cramér-Rao bound: the least covariance that any unbiased estimator of a flight can have.

By recursion for a path with process noise, and at once for free flight, whose path is fixed by its state:
there the bound is the inverse of what all plots together say.
Source: P. Tichavský, C. Muravchik and A. Nehorai, IEEE Trans. Signal Processing 46 (1998) 1386-1396;
H. Van Trees, Detection, Estimation, and Modulation Theory, part I (1968), section 2.4.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from beaconfire.flight.propagation import propagate_with_transition_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.filter import integration_step_kernel
from beaconfire.tracking.measurement import residual_kernel

STATE: Final = 7
_RADIUS_95: Final = math.sqrt(-2.0 * math.log(0.05))


def next_information(information: Vector, transition: Vector, noise: Vector, measured: Vector) -> Vector:
    """Return the Fisher information one step later, shape (n, n); or of many paths at once, (..., n, n).

    For a path with a known transition the recursion of Tichavský (eq. 21) is a Kalman filter's covariance
    along the truth; written so that the noise may be singular.

    Args:
        information: before, shape (n, n), positive definite.
        transition: partials of the new state with the old one at the truth, shape (n, n).
        noise: covariance of the process noise, shape (n, n), may be zero.
        measured: information of the new measurement, H' R^-1 H at the truth, shape (n, n).
    """
    if not noise.any():
        back = np.linalg.inv(transition)
        return np.asarray(np.swapaxes(back, -1, -2) @ information @ back + measured)
    spread = transition @ np.linalg.inv(information) @ np.swapaxes(transition, -1, -2) + noise
    return np.asarray(np.linalg.inv(spread) + measured)


def bound_along(information: Vector, steps: Iterable[tuple[Vector, Vector]], noise: Vector) -> list[Vector]:
    """Return the bound (covariance) after each step of a path, each of shape (n, n).

    Args:
        information: before the first step, shape (n, n).
        steps: transition and information of the measurement of each.
        noise: covariance of the process noise of one step.
    """
    bounds: list[Vector] = []
    for transition, measured in steps:
        information = next_information(information, transition, noise, measured)
        bounds.append(np.asarray(np.linalg.inv(information)))
    return bounds


class Look(NamedTuple):
    """One look of one sensor: seconds after the reference, and the row of the sensor in the table."""

    time_s: float
    sensor: int


def _probe(look: Look, state: Vector, sensors: Vector) -> Vector:
    """Return a row as the sensor would give it: only an infrared line's own direction matters."""
    row = np.zeros(9)
    row[0], row[1] = look
    if sensors[look.sensor, 0] == 1.0:
        row[6:9] = sensors[look.sensor, 1:4]
        line = state[:3] - row[6:9]
        row[2:5] = line / np.linalg.norm(line)
    return row


def look_information(look: Look, state: Vector, sensors: Vector) -> tuple[Vector, Vector]:
    """Return information of one look with position and velocity (6, 6) and its offset sensitivity (6, 4).

    Args:
        look: when and by which sensor.
        state: true state of seven then, ECEF, SI.
        sensors: sensor table (`tracking.measurement`); an infrared sensor's position in columns 1 to 3.
    """
    residual, jacobian, offset = np.empty(4), np.zeros((4, 6)), np.empty((4, 4))
    count = residual_kernel(_probe(look, state, sensors), sensors, state, residual, jacobian, offset)
    partials = jacobian[:count]
    return partials.T @ partials, partials.T @ offset[:count]


class ArcBound(NamedTuple):
    """Bound of a coast arc.

    Attributes:
        information: of the state of seven at the reference, shape (7, 7), prior included.
        consider: effect of one sigma of each offset of each sensor, shape (sensors, 7, 4).
    """

    information: Vector
    consider: Vector

    def covariance(self, *, biased: bool = True) -> Vector:
        """Return the least covariance of the state of seven at the reference, shape (7, 7).

        Args:
            biased: with the sensors' registration offsets as consider parameters, which widen it.
        """
        scale = 1.0 / np.sqrt(np.diag(self.information))
        noise = np.linalg.inv(self.information * np.outer(scale, scale)) * np.outer(scale, scale)
        total = noise.copy()
        for effect in self.consider if biased else ():
            moved = noise @ effect
            total += moved @ moved.T
        return np.asarray(total)


def arc_bounds(
    state: Vector, looks: Sequence[Look], sensors: Vector, prior: Vector
) -> list[tuple[ArcBound, Vector, Vector]]:
    """Return the bound after each look of a free flight, with the true state and transition at that look.

    Args:
        state: true state of seven at the reference, ECEF, SI.
        looks: in order of time, none before the reference.
        sensors: sensor table.
        prior: information before the first look, shape (7, 7).
    """
    current, transition, at_s = state.copy(), np.eye(STATE), 0.0
    information, consider = prior.copy(), np.zeros((len(sensors), STATE, 4))
    found = []
    for look in looks:
        if look.time_s > at_s:
            step_s = integration_step_kernel(current)
            current, transition = propagate_with_transition_kernel(
                current, transition, look.time_s - at_s, step_s
            )
            at_s = look.time_s
        said, moved = look_information(look, current, sensors)
        rows = transition[:6]
        information = information + rows.T @ said @ rows
        consider = consider.copy()
        consider[look.sensor] += rows.T @ moved
        found.append((ArcBound(information, consider), current.copy(), transition.copy()))
    return found


def semi_major_95_m(ground: Vector, covariance: Vector) -> float:
    """Return the semi-major axis of the 95 % ellipse on the ground, metres.

    Args:
        ground: partials of east and north of the landing with the state, shape (2, n).
        covariance: of the state, shape (n, n).

    Source: the radius of probability p of a plane Gaussian of unit variance is sqrt(-2 ln(1 - p)).
    """
    plane = ground @ covariance @ ground.T
    return _RADIUS_95 * math.sqrt(max(float(np.linalg.eigvalsh(plane)[-1]), 0.0))

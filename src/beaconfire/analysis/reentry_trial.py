"""Re-entry of Julier and Uhlmann in Särkkä's parameters: the field's own test, its bound published.

In a plane, kilometres and seconds, with a drag of its own; so it is flown here by its own filter, all runs
side by side. It tries the recursion of the bound and the measures of consistency on published numbers.
Source: S. Julier and J. Uhlmann, Proc. IEEE 92 (2004) 401-422, section V; parameters of J. Hartikainen and
S. Särkkä, EKF/UKF Toolbox (EEA-sensors/ekfukf), reentry_param.m.
"""

import math
from typing import Final

import msgspec
import numpy as np

from beaconfire.analysis.bound import next_information
from beaconfire.analysis.consistency import normalised_errors
from beaconfire.frames.types import Vector

STEP_S: Final = 0.1
STEPS: Final = 2_000
FROM_STEP: Final = 200
"""Scored from 20 s on, once the first transient is over."""
RMSE_PUBLISHED_M: Final = 6.634
BOUND_PUBLISHED_M: Final = 6.633
DRAG: Final = -0.59783
SCALE_HEIGHT_KM: Final = 13.406
GRAVITY_KM3_S2: Final = 3.9860e5
EARTH_KM: Final = 6374.0
SIGMA_RANGE_KM: Final = 1e-3
SIGMA_BEARING_RAD: Final = 0.17e-3
START: Final = np.array((6500.4, 349.14, -1.8093, -6.7967, 0.6932))
START_VARIANCE: Final = np.array((1e-6, 1e-6, 1e-6, 1e-6, 0.0))
GUESS_VARIANCE: Final = np.array((1e-6, 1e-6, 1e-6, 1e-6, 1.0))
NOISE: Final = np.array((0.0, 0.0, 2.4064e-5, 2.4064e-5, 0.0))
"""Variance of the true path's noise in one step."""
FILTER_NOISE: Final = np.array((0.0, 0.0, 2.4064e-5, 2.4064e-5, 1e-6))


class ReentryResult(msgspec.Struct, frozen=True):
    """What came of the runs.

    Attributes:
        runs: that were made.
        rmse_m: root mean square position error from 20 to 200 s.
        bound_m: root of the mean bound over the same time, each run's along its own path.
        normalised: mean normalised error of position and velocity.
    """

    runs: int
    rmse_m: float
    bound_m: float
    normalised: float

    @property
    def ratio(self) -> float:
        """Error over bound."""
        return self.rmse_m / self.bound_m


def _rates(states: Vector) -> Vector:
    """Return the rates of states, shape (n, 5)."""
    radius = np.hypot(states[:, 0], states[:, 1])
    speed = np.hypot(states[:, 2], states[:, 3])
    drag = DRAG * np.exp(states[:, 4] + (EARTH_KM - radius) / SCALE_HEIGHT_KM) * speed
    pull = -GRAVITY_KM3_S2 / radius**3
    out = np.zeros_like(states)
    out[:, :2] = states[:, 2:4]
    out[:, 2:4] = drag[:, None] * states[:, 2:4] + pull[:, None] * states[:, :2]
    return out


def moved(states: Vector) -> Vector:
    """Return the states one step later, shape (n, 5), as the toolbox steps."""
    return np.asarray(states + STEP_S * _rates(states))


def transitions(states: Vector) -> Vector:
    """Return the partials of the step, shape (n, 5, 5), by central differences."""
    out = np.empty((len(states), 5, 5))
    for column in range(5):
        step = np.zeros(5)
        step[column] = 1e-5
        out[:, :, column] = (moved(states + step) - moved(states - step)) / 2e-5
    return out


def _plots(states: Vector) -> Vector:
    """Return range and bearing from the radar at the foot of the first axis, shape (n, 2)."""
    across, along = states[:, 0] - EARTH_KM, states[:, 1]
    return np.column_stack((np.hypot(across, along), np.arctan2(along, across)))


def _plot_partials(states: Vector) -> Vector:
    """Return the partials of the plots, shape (n, 2, 5)."""
    across, along = states[:, 0] - EARTH_KM, states[:, 1]
    square = across**2 + along**2
    out = np.zeros((len(states), 2, 5))
    out[:, 0, 0], out[:, 0, 1] = across / np.sqrt(square), along / np.sqrt(square)
    out[:, 1, 0], out[:, 1, 1] = -along / square, across / square
    return out


class _Filters:
    """Extended filters of all runs, side by side."""

    def __init__(self, runs: int) -> None:
        self.states = np.repeat(START[None], runs, axis=0)
        self.states[:, 4] = 0.0
        self.spreads = np.repeat(np.diag(GUESS_VARIANCE)[None], runs, axis=0)

    def step(self, plots: Vector, noise: Vector) -> None:
        partials = transitions(self.states)
        self.states = moved(self.states)
        self.spreads = partials @ self.spreads @ partials.transpose(0, 2, 1) + np.diag(FILTER_NOISE)
        h = _plot_partials(self.states)
        gain = self.spreads @ h.transpose(0, 2, 1)
        total = h @ gain + noise
        gain = gain @ np.linalg.inv(total)
        missed = plots - _plots(self.states)
        missed[:, 1] = (missed[:, 1] + math.pi) % (2.0 * math.pi) - math.pi
        self.states = self.states + np.einsum("nij,nj->ni", gain, missed)
        self.spreads = self.spreads - gain @ total @ gain.transpose(0, 2, 1)


def reentry_trial(runs: int, seed: int = 1, path_noise: float = 1.0) -> ReentryResult:
    """Return error, bound and consistency over some runs; the same seed gives the same.

    Args:
        runs: side by side.
        seed: of every draw.
        path_noise: of the true path, as a share of what the filter believes; 1 is the scenario.
    """
    draw = np.random.default_rng(seed)
    truth = START + draw.standard_normal((runs, 5)) * np.sqrt(START_VARIANCE)
    measured = np.diag((SIGMA_RANGE_KM**2, SIGMA_BEARING_RAD**2))
    filters = _Filters(runs)
    information = np.repeat(np.diag(1.0 / GUESS_VARIANCE)[None], runs, axis=0)
    errors, bounds, normalised = [], [], []
    for step in range(1, STEPS + 1):
        partials = transitions(truth)
        truth = moved(truth) + draw.standard_normal((runs, 5)) * np.sqrt(path_noise * NOISE)
        plots = _plots(truth) + draw.standard_normal((runs, 2)) * (SIGMA_RANGE_KM, SIGMA_BEARING_RAD)
        filters.step(plots, measured)
        h = _plot_partials(truth)
        told = h.transpose(0, 2, 1) @ np.linalg.inv(measured) @ h
        information = next_information(information, partials, np.diag(FILTER_NOISE), told)
        if step >= FROM_STEP:
            error = filters.states - truth
            errors.append(np.mean(np.sum(error[:, :2] ** 2, axis=1)))
            bounds.append(np.mean(np.trace(np.linalg.inv(information)[:, :2, :2], axis1=1, axis2=2)))
            normalised.append(normalised_errors(error[:, :4], filters.spreads[:, :4, :4]).mean())
    return ReentryResult(
        runs=runs,
        rmse_m=1e3 * math.sqrt(float(np.mean(errors))),
        bound_m=1e3 * math.sqrt(float(np.mean(bounds))),
        normalised=float(np.mean(normalised)),
    )

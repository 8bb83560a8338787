"""Is an estimate as good as it says: normalised error, its chi-square bounds, coverage, binomial bounds.

Pure functions on arrays of many runs. An estimate is *consistent* when its errors are as large as its
covariance says: then the normalised error is 1 on average and areas of 95 % hold the truth in 95 % of runs.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.stats import beta, chi2

from beaconfire.frames.types import Vector


class Bounds(NamedTuple):
    """An interval: low and high end."""

    low: float
    high: float

    def hold(self, value: float) -> bool:
        """Return whether a value lies within."""
        return self.low <= value <= self.high


def normalised_errors(errors: Vector, covariances: Vector) -> Vector:
    """Return the normalised estimation error squared of each run, divided by its dimension, shape (n,).

    Args:
        errors: estimate minus truth, shape (n, d), any units.
        covariances: stated, shape (n, d, d), in the same units.

    Raises:
        ValueError: shapes don't fit.

    Source: Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation (2001),
    section 5.4.2 (NEES); divided by the dimension as in X. R. Li, Z. Zhao and V. Jilkov, Proc. Workshop on
    Estimation, Tracking and Fusion (2001): ANEES, 1 if consistent.
    """
    if errors.ndim != 2 or covariances.shape != (*errors.shape, errors.shape[1]):
        raise ValueError(f"errors {errors.shape} and covariances {covariances.shape} don't fit")
    scale = np.sqrt(np.einsum("nii->ni", covariances))
    unit = covariances / (scale[:, :, None] * scale[:, None, :])
    solved = np.linalg.solve(unit, (errors / scale)[:, :, None])[:, :, 0]
    return np.asarray(np.sum(errors / scale * solved, axis=1) / errors.shape[1])


def normalised_error_bounds(runs: int, dimension: int, probability: float = 0.99) -> Bounds:
    """Return between which values the mean normalised error of consistent runs lies.

    Args:
        runs: independent ones that the mean was taken over.
        dimension: of the error.
        probability: of lying within, two-sided.

    Source: as `normalised_errors`: `runs * dimension` times the mean is chi-square with as many degrees.
    """
    freedom = runs * dimension
    tail = 0.5 * (1.0 - probability)
    return Bounds(float(chi2.ppf(tail, freedom)) / freedom, float(chi2.ppf(1.0 - tail, freedom)) / freedom)


def binomial_bounds(successes: int, trials: int, probability: float = 0.99) -> Bounds:
    """Return between which values the true share of successes lies.

    Args:
        successes: that were counted.
        trials: independent ones.
        probability: of the statement, two-sided.

    Raises:
        ValueError: more successes than trials, or no trial.

    Source: C. Clopper and E. Pearson, Biometrika 26 (1934) 404: exact, never too narrow.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} successes of {trials} trials")
    tail = 0.5 * (1.0 - probability)
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0 if successes == trials else float(beta.ppf(1.0 - tail, successes + 1, trials - successes))
    return Bounds(low, high)


class Coverage(NamedTuple):
    """How often stated areas held the truth.

    Attributes:
        held: runs in which they did.
        runs: all of them.
        stated: the share they state.
        bounds: of the true share.
    """

    held: int
    runs: int
    stated: float
    bounds: Bounds

    @property
    def share(self) -> float:
        """Share of the runs in which the truth lay within."""
        return self.held / self.runs

    @property
    def nominal(self) -> bool:
        """Whether what is stated lies within the bounds of the true share."""
        return self.bounds.hold(self.stated)


def coverage(held: int, runs: int, stated: float = 0.95, probability: float = 0.99) -> Coverage:
    """Return the coverage of areas that state to hold the truth with probability `stated`."""
    return Coverage(held, runs, stated, binomial_bounds(held, runs, probability))


def within(errors: Vector, covariances: Vector, stated: float = 0.95) -> int:
    """Return in how many runs the error lies in the ellipsoid of a stated probability.

    Args:
        errors: estimate minus truth, shape (n, d).
        covariances: stated, shape (n, d, d).
        stated: probability of the ellipsoid, normal distribution.
    """
    dimension = errors.shape[1]
    return int(np.sum(normalised_errors(errors, covariances) * dimension <= chi2.ppf(stated, dimension)))


def root_mean_square(errors: Vector) -> float:
    """Return the root of the mean squared length of errors, shape (n, d), in their unit."""
    return math.sqrt(float(np.mean(np.sum(errors * errors, axis=1))))

"""Consistent errors pass, errors larger or smaller than stated are found."""

import numpy as np
import pytest
from scipy.stats import binom

from beaconfire.analysis.consistency import (
    binomial_bounds,
    coverage,
    normalised_error_bounds,
    normalised_errors,
    root_mean_square,
    within,
)

RUNS = 2_000
SHAPE = np.array(((4e6, 1e3, 0.0), (1e3, 9.0, 0.2), (0.0, 0.2, 0.5)))
STATED = np.repeat(SHAPE[None], RUNS, axis=0)


def _errors(factor: float = 1.0) -> np.ndarray:
    draw = np.random.default_rng(3)
    return factor * draw.multivariate_normal(np.zeros(3), SHAPE, RUNS)


def test_errors_as_large_as_stated_are_consistent() -> None:
    bounds = normalised_error_bounds(RUNS, 3)
    assert bounds.hold(float(normalised_errors(_errors(), STATED).mean()))
    assert bounds.low < 1.0 < bounds.high


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_errors_of_another_size_are_found(factor: float) -> None:
    mean = float(normalised_errors(_errors(factor), STATED).mean())
    assert not normalised_error_bounds(RUNS, 3).hold(mean)


def test_units_make_no_difference() -> None:
    scale = np.diag((1e-3, 1e3, 57.3))
    there = normalised_errors(_errors() @ scale, scale @ STATED @ scale)
    assert there == pytest.approx(normalised_errors(_errors(), STATED))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="don't fit"):
        normalised_errors(np.zeros((3, 2)), np.zeros((3, 3, 3)))


def test_bounds_of_a_share_are_exact() -> None:
    low, high = binomial_bounds(930, 1_000, 0.99)
    assert binom.sf(929, 1_000, low) == pytest.approx(0.005)
    assert binom.cdf(930, 1_000, high) == pytest.approx(0.005)
    assert binomial_bounds(0, 10).low == 0.0
    assert binomial_bounds(10, 10).high == 1.0


@pytest.mark.parametrize(("successes", "trials"), [(3, 2), (-1, 2), (0, 0)])
def test_counts_that_cannot_be_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="trials"):
        binomial_bounds(successes, trials)


def test_areas_of_the_right_size_are_nominal_and_others_are_not() -> None:
    assert coverage(within(_errors(), STATED), RUNS).nominal
    assert not coverage(within(_errors(1.2), STATED), RUNS).nominal
    assert not coverage(within(_errors(0.8), STATED), RUNS).nominal


def test_root_mean_square_is_of_the_length() -> None:
    assert root_mean_square(np.array(((3.0, 4.0), (0.0, 5.0)))) == pytest.approx(5.0)

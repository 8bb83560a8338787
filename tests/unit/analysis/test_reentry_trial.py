"""The published figures of the re-entry come out, and a path noisier than the filter believes is found."""

import pytest

from beaconfire.analysis.reentry_trial import BOUND_PUBLISHED_M, RMSE_PUBLISHED_M, reentry_trial

RUNS = 40


def test_error_and_bound_are_the_published_ones() -> None:
    found = reentry_trial(RUNS)
    assert found.bound_m == pytest.approx(BOUND_PUBLISHED_M, rel=0.03)
    assert found.rmse_m == pytest.approx(RMSE_PUBLISHED_M, rel=0.05)
    assert found.ratio == pytest.approx(1.0, abs=0.05)
    assert found.normalised == pytest.approx(1.0, abs=0.03)


def test_a_path_the_filter_does_not_believe_in_is_found() -> None:
    found = reentry_trial(10, path_noise=4.0)
    assert found.ratio > 1.2
    assert found.normalised > 1.5

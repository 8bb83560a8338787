"""Fusion against a central batch fit of the same plots, and its consistency over seeded draws."""

import numpy as np
import pytest

from beaconfire.flight.propagation import propagate_with_transition_kernel
from beaconfire.frames.types import Vector
from beaconfire.fusion.information import carry, distance_squared, fuse, intersect, sum_information, unite
from beaconfire.fusion.source import Estimate
from picture_world import PRIOR_MEAN, PRIOR_SIGMA, T0_US, covariance_of, state_at

TIMES_S = np.arange(0.0, 60.0, 2.0)


def plots_of(truth: Vector, times_s: Vector, sigma_m: Vector, rng: np.random.Generator) -> list[Vector]:
    return [
        propagate_with_transition_kernel(truth, np.eye(7), float(t), 1.0)[0][:3]
        + sigma_m * rng.standard_normal(3)
        for t in times_s
    ]


def batch(looks: list[tuple[float, Vector, Vector]], start: Vector, at_s: float) -> Estimate:
    """Fit a state to looks (time, position, sigma) by Gauss-Newton, with the prior on ln(1/beta)."""
    state, inverse = start.copy(), np.eye(7)
    for _ in range(6):
        information, vector = np.zeros((7, 7)), np.zeros(7)
        information[6, 6] = PRIOR_SIGMA**-2
        vector[6] = (PRIOR_MEAN - state[6]) * PRIOR_SIGMA**-2
        for time_s, position, sigma in looks:
            there, transition = propagate_with_transition_kernel(state, np.eye(7), time_s, 1.0)
            rows = transition[:3] / sigma[:, None]
            information += rows.T @ rows
            vector += rows.T @ ((position - there[:3]) / sigma)
        scale = 1.0 / np.sqrt(np.diag(information))
        inverse = np.linalg.inv(information * np.outer(scale, scale)) * np.outer(scale, scale)
        state = state + inverse @ vector
    first = Estimate(T0_US, state, inverse, PRIOR_MEAN, PRIOR_SIGMA, process_noise=False)
    carried = carry(first, T0_US + round(at_s * 1e6))
    assert carried is not None
    return carried


SIGMAS_M = (np.array([30.0, 200.0, 150.0]), np.array([250.0, 40.0, 120.0]), np.array([90.0, 90.0, 90.0]))


def fused_and_central(truth: Vector, times_s: Vector, seed: int) -> tuple[Estimate, Estimate]:
    """Return what three nations' own fits make together, and the fit of all their plots at one place."""
    rng = np.random.default_rng(seed)
    looks = [
        [
            (float(t), plot, sigma)
            for t, plot in zip(times_s, plots_of(truth, times_s, sigma, rng), strict=True)
        ]
        for sigma in SIGMAS_M
    ]
    end_s = float(times_s[-1])
    # The nations state their estimates at different times; the newest is at the end.
    ends_s = [end_s - 3.0, end_s - 0.4, end_s]
    fused = fuse([batch(one, truth, at_s) for one, at_s in zip(looks, ends_s, strict=True)])
    central = batch([look for one in looks for look in one], truth, end_s)
    assert fused is not None
    assert fused.conflicts == ()
    assert fused.estimate.epoch_us == central.epoch_us
    return fused.estimate, central


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_fused_equals_central_plot_fusion_within_one_percent(seed: int) -> None:
    fused, central = fused_and_central(state_at(), TIMES_S, seed)
    sigma = np.sqrt(np.diag(central.covariance))
    assert np.sqrt(np.diag(fused.covariance)) == pytest.approx(sigma, rel=0.01)
    assert np.all(np.abs(fused.state - central.state)[:6] < 0.06 * sigma[:6])


def test_errors_of_fused_and_central_are_the_same_within_one_percent() -> None:
    """Over sixty draws; errors of the same plots, so the ratio is known far better than either."""
    there, _ = propagate_with_transition_kernel(state_at(), np.eye(7), float(TIMES_S[-1]), 1.0)
    pairs = [fused_and_central(state_at(), TIMES_S, seed) for seed in range(60)]
    fused, central = (
        np.array([(one.state - there)[:6] for one in side]) for side in zip(*pairs, strict=True)
    )
    for part in (slice(0, 3), slice(3, 6)):
        ratio = np.sqrt(np.mean(fused[:, part] ** 2) / np.mean(central[:, part] ** 2))
        assert ratio == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("truth", "times_s"),
    [
        (state_at(height_m=45e3, speed_m_s=1_800.0), TIMES_S),
        (state_at(height_m=70e3, climb_deg=-30.0), TIMES_S / 4.0),
    ],
    ids=["climbing", "falling"],
)
def test_in_the_air_where_drag_bends_the_sum_stays_honest(truth: Vector, times_s: Vector) -> None:
    errors, ratios = [], []
    end_s = float(times_s[-1])
    there, _ = propagate_with_transition_kernel(truth, np.eye(7), end_s, 1.0)
    for seed in range(25):
        fused, central = fused_and_central(truth, times_s, seed)
        apart = (fused.state - there)[:6]
        errors.append(apart @ np.linalg.solve(fused.covariance[:6, :6], apart) / 6.0)
        ratios.append(np.sqrt(np.diag(fused.covariance) / np.diag(central.covariance))[:6])
    assert 0.6 < np.mean(errors) < 1.4
    assert np.all(np.abs(np.mean(ratios, axis=0) - 1.0) < 0.08)


def test_fused_estimates_are_as_good_as_they_say() -> None:
    truth, rng = state_at(), np.random.default_rng(5)
    spreads = [covariance_of(100.0, 3.0), covariance_of(250.0, 1.0), covariance_of(60.0, 6.0)]
    errors = []
    for _ in range(300):
        parts = [drawn(truth, spread, rng) for spread in spreads]
        found = sum_information(parts)
        apart = (found.state - truth)[:6]
        errors.append(apart @ np.linalg.solve(found.covariance[:6, :6], apart) / 6.0)
    assert np.mean(errors) == pytest.approx(1.0, abs=0.12)


def drawn(truth: Vector, spread: Vector, rng: np.random.Generator, *, noisy: bool = False) -> Estimate:
    state = truth + np.linalg.cholesky(spread) @ rng.standard_normal(7)
    state[6] = truth[6]
    return Estimate(T0_US, state, spread, PRIOR_MEAN, PRIOR_SIGMA, process_noise=noisy)


def test_shared_prior_counts_once() -> None:
    truth, spread = state_at(), covariance_of(100.0, 3.0)
    part = Estimate(T0_US, truth, spread, PRIOR_MEAN, PRIOR_SIGMA, process_noise=False)
    found = sum_information([part, part, part])
    assert found.covariance[6, 6] == pytest.approx(PRIOR_SIGMA**2, rel=1e-6)
    assert found.covariance[0, 0] == pytest.approx(100.0**2 / 3.0, rel=1e-6)


def test_estimates_with_process_noise_are_not_added() -> None:
    truth, rng = state_at(), np.random.default_rng(8)
    part = drawn(truth, covariance_of(500.0, 20.0), rng, noisy=True)
    fused = fuse([part, part])
    assert fused is not None
    assert np.allclose(fused.estimate.covariance[:6, :6], part.covariance[:6, :6], rtol=1e-6)
    other = drawn(truth, np.diag([50.0**2, 2e3**2, 2e3**2, 9.0, 400.0, 400.0, 0.5]), rng, noisy=True)
    crossed = intersect(part, other)
    assert crossed.covariance[0, 0] < part.covariance[0, 0]


def test_disagreement_is_told_and_covers_both() -> None:
    truth = state_at()
    one = Estimate(T0_US, truth, covariance_of(50.0, 1.0), PRIOR_MEAN, PRIOR_SIGMA, process_noise=False)
    moved = truth.copy()
    moved[0] += 4_000.0
    other = one.moved(T0_US, moved, covariance_of(60.0, 1.0))
    fused = fuse([one, other])
    assert fused is not None
    assert len(fused.conflicts) == 1
    union = unite(one, other)
    for each in (one, other):
        apart = each.state - union.state
        need = each.covariance + np.outer(apart, apart)
        scale = 1.0 / np.sqrt(np.diag(union.covariance))
        lowest = np.linalg.eigvalsh((union.covariance - need) * np.outer(scale, scale))[0]
        assert lowest > -1e-6
        assert distance_squared(fused.estimate, each) < 6.0


def test_an_estimate_that_knows_nothing_of_drag_meets_the_other_outside_the_air() -> None:
    """Carried into the air, two such estimates would make each other sure of beta out of nothing."""
    truth = state_at(height_m=160e3, speed_m_s=6_000.0, climb_deg=-35.0)
    early = Estimate(T0_US, truth, covariance_of(60.0, 0.5), PRIOR_MEAN, PRIOR_SIGMA, process_noise=False)
    shifted = truth.copy()
    shifted[:3] += 80.0
    late = carry(early.moved(T0_US, shifted, covariance_of(80.0, 0.4)), T0_US + 38_000_000)
    assert late is not None
    fused = fuse([early, late])
    assert fused is not None
    assert fused.estimate.covariance[6, 6] > 0.8 * PRIOR_SIGMA**2

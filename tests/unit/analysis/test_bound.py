"""The bound against a Kalman filter's own covariance, by recursion and at once, and against the fit."""

import math
from itertools import pairwise

import numpy as np
import pytest

from beaconfire.analysis.bound import (
    Look,
    arc_bounds,
    bound_along,
    look_information,
    next_information,
    semi_major_95_m,
)
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.messages.sensor import InfraredSensor
from beaconfire.messages.words import Nation
from beaconfire.sim.sensing import radar_view
from beaconfire.tracking.batch import COAST, broad_prior_kernel, covariance_kernel, solve_kernel
from beaconfire.tracking.measurement import sensor_table
from tracking_truth import Array, flight, plot, radar

RADAR = radar(maximum_range_m=3e6)
TABLE = sensor_table([RADAR])
TRUTH = flight(speed_m_s=4_000.0)
PRIOR = np.zeros((7, 7))
PRIOR[6, 6] = 1.0 / 0.7**2
SECONDS = 40


def _truth_at(second: float) -> Array:
    return TRUTH.at(100.0 + second)


def test_the_recursion_is_the_covariance_of_a_linear_filter() -> None:
    draw = np.random.default_rng(1)
    transition = np.eye(4) + 0.1 * draw.standard_normal((4, 4))
    noise = np.diag((0.0, 0.0, 0.3, 0.2))
    h = draw.standard_normal((2, 4))
    covariance = np.eye(4)
    bounds = bound_along(np.eye(4), [(transition, h.T @ h)] * 10, noise)
    for bound in bounds:
        predicted = transition @ covariance @ transition.T + noise
        gain = predicted @ h.T @ np.linalg.inv(h @ predicted @ h.T + np.eye(2))
        covariance = (np.eye(4) - gain @ h) @ predicted
        assert bound == pytest.approx(covariance, rel=1e-9)


def test_without_noise_both_forms_are_one() -> None:
    transition = np.array(((1.0, 0.5), (0.0, 1.0)))
    some = next_information(np.eye(2), transition, np.zeros((2, 2)), np.eye(2))
    almost = next_information(np.eye(2), transition, 1e-12 * np.eye(2), np.eye(2))
    assert some == pytest.approx(almost, rel=1e-6)


def test_what_a_look_says_is_what_differences_say() -> None:
    """The partials against differences of the simulator's own view, which shares no code with them."""
    state = _truth_at(20.0)
    said, _ = look_information(Look(20.0, 0), state, TABLE)

    def view(at: Array) -> Array:
        seen = radar_view(RADAR, at[None])
        return np.array((seen.range_m[0], seen.azimuth_rad[0], seen.elevation_rad[0]))

    partials = np.empty((3, 6))
    for column in range(6):
        step = np.zeros(7)
        step[column] = 10.0
        partials[:, column] = (view(state + step) - view(state - step)) / 20.0
    sigma = np.array((RADAR.sigma_range_m, RADAR.sigma_azimuth_rad, RADAR.sigma_elevation_rad))
    whitened = partials / sigma[:, None]
    assert said == pytest.approx(whitened.T @ whitened, rel=1e-4, abs=1e-12)


def test_an_infrared_look_says_nothing_of_the_distance() -> None:
    table = sensor_table([InfraredSensor("ir", Nation("KOR"), 5e-5)])
    table[0, 1:4] = (2e7, 3e7, 2e7)
    state = _truth_at(0.0)
    said, _ = look_information(Look(0.0, 0), state, table)
    along = (state[:3] - table[0, 1:4]) / np.linalg.norm(state[:3] - table[0, 1:4])
    assert np.linalg.matrix_rank(said[:3, :3] * 1e6) == 2
    assert float(along @ said[:3, :3] @ along) < 1e-9 * float(np.trace(said[:3, :3]))


def test_the_fit_of_an_arc_reaches_the_bound_and_never_says_less() -> None:
    """Stated covariance of the batch at the truth equals the bound; runs stay near it on average."""
    looks = [Look(float(second), 0) for second in range(SECONDS)]
    bound, there, _ = arc_bounds(_truth_at(0.0), looks, TABLE, PRIOR)[-1]
    assert there[:3] == pytest.approx(_truth_at(SECONDS - 1.0)[:3], abs=1.0)
    rows = np.zeros((SECONDS, 9))
    for second, row in enumerate(rows):
        seen = plot(RADAR, _truth_at(float(second)), 0, None)
        assert seen is not None
        row[:] = (second, 0.0, seen.range_m, seen.azimuth_rad, seen.elevation_rad, math.nan, 0.0, 0.0, 0.0)
    start = np.append(_truth_at(0.0), np.zeros(3))
    solution = solve_kernel(start, 0.0, rows, TABLE, broad_prior_kernel(1, start, 0.0, 0.0), COAST)
    stated, least = covariance_kernel(solution, COAST), bound.covariance()
    sigma = np.sqrt(np.diag(least))
    assert stated / np.outer(sigma, sigma) == pytest.approx(least / np.outer(sigma, sigma), abs=0.02)


def test_offsets_of_the_sensor_widen_the_bound() -> None:
    biased = sensor_table([radar(maximum_range_m=3e6, bias_sigma_azimuth_rad=1e-3)])
    looks = [Look(float(second), 0) for second in range(SECONDS)]
    bound, _, _ = arc_bounds(_truth_at(0.0), looks, biased, PRIOR)[-1]
    wide, narrow = bound.covariance(), bound.covariance(biased=False)
    assert np.linalg.eigvalsh(wide - narrow)[0] > -1e-6 * np.trace(narrow)
    assert np.trace(wide[:3, :3]) > 1.5 * np.trace(narrow[:3, :3])


def test_more_looks_say_more() -> None:
    looks = [Look(float(second), 0) for second in range(10, SECONDS)]
    traces = [
        np.trace(one.covariance()[:3, :3])
        for one, _, _ in arc_bounds(_truth_at(0.0), looks, TABLE, PRIOR)[5:]
    ]
    assert all(later <= earlier * (1.0 + 1e-9) for earlier, later in pairwise(traces))


def test_the_axis_of_an_ellipse() -> None:
    assert semi_major_95_m(np.eye(2), np.diag((9.0, 4.0))) == pytest.approx(3.0 * 2.447747, rel=1e-5)


def test_states_of_the_arc_are_those_of_free_flight() -> None:
    looks = [Look(0.0, 0), Look(30.0, 0)]
    (_, _, _), (_, there, transition) = arc_bounds(_truth_at(0.0), looks, TABLE, PRIOR)
    assert there == pytest.approx(propagate_kernel(_truth_at(0.0), 30.0, 0.25), abs=0.5)
    step = np.zeros(7)
    step[3] = 1.0
    moved = propagate_kernel(_truth_at(0.0) + step, 30.0, 0.25) - propagate_kernel(_truth_at(0.0), 30.0, 0.25)
    assert transition[:3, 3] == pytest.approx(moved[:3], abs=0.02)

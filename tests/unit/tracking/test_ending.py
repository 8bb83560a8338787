"""That thrust ended is seen against the thrust before it: soon, honestly, and never while it goes on."""

from functools import cache

import numpy as np
import pytest

from beaconfire.flight.propagation import rk4_step_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.arc import Arc, arc_after_thrust, arc_at, find_coast
from beaconfire.tracking.ending import ending_kernel
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from tracking_truth import EPOCH_US, STEP_S, Flight, flight, plot, radar

RADAR = radar(minimum_elevation_rad=-0.2)
RATED = radar("kor-2", minimum_elevation_rad=-0.2, sigma_range_rate_m_s=1.0)
TABLE, RATED_TABLE = sensor_table([RADAR]), sensor_table([RATED])
BURN_S = 80.0
SEEDS = range(8)


@cache
def truth() -> Flight:
    return flight(burn_s=BURN_S)


def rows_of(states: Vector, first_s: int, last_s: int, seed: int, *, rated: bool = False) -> Vector:
    """Return a plot a second of states a quarter of a second apart, shape (n, 9)."""
    random, rows = np.random.default_rng(seed), []
    for second in range(first_s, last_s + 1):
        state = states[round(second / STEP_S)]
        seen = plot(RATED if rated else RADAR, state, EPOCH_US + second * 10**6, random)
        assert seen is not None
        rows.append(row_from_detection(seen, 0, EPOCH_US))
    return np.array(rows)


def state_of(states: Vector, second: int) -> Vector:
    """Return a state of ten, as a filter would have it: some way off."""
    state = np.concatenate((states[round(second / STEP_S)], np.zeros(3)))
    state[:3] += (300.0, -200.0, 100.0)
    state[3:6] += (20.0, 10.0, -15.0)
    return state


def first_arc(
    states: Vector, seed: int, until_s: int = 100, *, rated: bool = False
) -> tuple[int, Arc] | None:
    """Return when an arc is first told of, asked every second, and the arc."""
    table = RATED_TABLE if rated else TABLE
    for second in range(55, until_s):
        rows = rows_of(states, 45, second, seed, rated=rated)
        found = arc_after_thrust(rows, state_of(states, second), float(second), table)
        if found is not None:
            return second, found
    return None


def test_it_is_told_within_seconds_and_not_before() -> None:
    told = [first_arc(truth().states, seed, rated=True) for seed in SEEDS]
    after = [one[0] - BURN_S for one in told if one is not None]
    assert len(after) == len(SEEDS)
    assert min(after) >= 3.0
    assert np.median(after) <= 5.0
    assert all(abs(one[1].reference_s - BURN_S) <= 1.0 for one in told if one is not None)


def test_it_is_told_sooner_than_free_flight_shows_by_itself() -> None:
    sooner = 0
    for seed in SEEDS:
        told = first_arc(truth().states, seed, rated=True)
        assert told is not None
        rows = rows_of(truth().states, 45, told[0], seed, rated=True)
        state = state_of(truth().states, told[0])
        sooner += find_coast(rows, state, float(told[0]), RATED_TABLE, 45.0).arc is None
    assert sooner >= len(SEEDS) - 1


def test_plots_that_say_too_little_wait_for_free_flight_to_show() -> None:
    told = [first_arc(truth().states, seed, until_s=88) for seed in SEEDS]
    assert sum(one is None for one in told) >= len(SEEDS) // 2
    assert all(abs(one[1].reference_s - BURN_S) <= 3.0 for one in told if one is not None)


def test_what_is_stated_then_is_honest() -> None:
    errors = []
    for seed in range(40):
        told = first_arc(truth().states, seed, rated=True)
        assert told is not None
        state, covariance = arc_at(told[1], float(told[0]))
        off = (state[:7] - truth().at(float(told[0])))[:6]
        scale = np.sqrt(np.diag(covariance)[:6])
        unit = off / scale
        errors.append(unit @ np.linalg.solve(covariance[:6, :6] / np.outer(scale, scale), unit) / 6.0)
    assert 0.6 < np.mean(errors) < 1.3


@pytest.mark.parametrize("seed", SEEDS)
def test_while_it_thrusts_nothing_is_told(seed: int) -> None:
    assert first_arc(flight(burn_s=150.0).states, seed, 120) is None


def throttled(share: float, from_s: float = BURN_S, until_s: float = 130.0) -> Vector:
    """Return states of a flight whose thrust goes on with a share of what it was."""
    whole, states = truth().states, [*truth().states[: round(from_s / STEP_S) + 1]]
    ahead = whole[round(from_s / STEP_S)] - whole[round(from_s / STEP_S) - 4]
    push = share * 40.0 * ahead[3:6] / np.linalg.norm(ahead[3:6])
    while (len(states) - 1) * STEP_S < until_s:
        state = rk4_step_kernel(states[-1], STEP_S)
        state[:3] += 0.5 * STEP_S**2 * push
        state[3:6] += STEP_S * push
        states.append(state)
    return np.array(states)


@pytest.mark.parametrize("rated", [False, True])
@pytest.mark.parametrize("share", [0.35, 0.5, 0.75])
def test_thrust_that_only_weakens_has_not_ended(share: float, *, rated: bool) -> None:
    told = [first_arc(throttled(share), seed, 95, rated=rated) for seed in SEEDS]
    assert told == [None] * len(SEEDS)


def test_where_no_thrust_was_seen_none_ended() -> None:
    states = truth().states
    for second in (110, 115, 120):
        rows = rows_of(states, 95, second, 3)
        assert arc_after_thrust(rows, state_of(states, second), float(second), TABLE) is None


def test_the_doubt_goes_as_the_plots_come() -> None:
    doubts = []
    for second in (78, 80, 84, 88):
        rows = rows_of(truth().states, 62, second, 1, rated=True)
        state = state_of(truth().states, second)
        doubts.append(ending_kernel(rows, state, float(second), RATED_TABLE).doubt)
    assert doubts[0] > 0.9
    assert doubts[-1] < 1e-3

"""The batch passes its own trial; a filter that leaves the Earth's rotation out does not."""

import math

import numpy as np
import peers
import pytest

from beaconfire.analysis import coast_trial
from beaconfire.analysis.coast_cases import CASES, TIMES_S, Case, truth_at_burnout
from beaconfire.analysis.coast_trial import Cell, bounds_m, cells, one_run
from beaconfire.tracking.lanes import radar_numbers
from tracking_truth import Array

RUNS = 30
TRUTH = truth_at_burnout()
P0 = np.diag((2e3**2,) * 3 + (30.0**2,) * 3)


def _cells(case: Case, runs: list[list[coast_trial.Moment]]) -> list[Cell]:
    return list(cells(case, runs, bounds_m(case, TRUTH, TIMES_S[:4]), 0.9999))


@pytest.mark.parametrize("name", ["two radars", "sensor bias on", "plots 2 s late"])
def test_the_batch_is_efficient_consistent_and_covers(name: str) -> None:
    case = next(one for one in CASES if one.name == name)
    found = _cells(case, [one_run(case, TRUTH, seed, TIMES_S[:4]) for seed in range(RUNS)])
    assert [cell.time_s for cell in found] == [5.0, 15.0, 30.0, 60.0]
    assert all(cell.passed for cell in found), found


def _without_rotation(rows: Array, sensors: Array, start: Array, time_s: float) -> tuple[Array, Array]:
    """An extended filter over one plot a second, as a peer would build it on an Earth at rest."""
    station = peers.Station(radar_numbers(sensors[0]))
    state, covariance = peers.filterpy_ekf(station)(start[:6], P0, rows[1:, 2:5])
    assert rows[-1, 0] == pytest.approx(time_s)
    out, spread = np.append(state, start[6]), np.zeros((7, 7))
    spread[:6, :6], spread[6, 6] = covariance, 0.49
    return out, spread


def test_a_filter_without_rotation_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case("one radar")
    times = TIMES_S[:4]
    sound = _cells(case, [one_run(case, TRUTH, seed, times, _without_rotation) for seed in range(RUNS)])
    assert sound[-1].consistent
    monkeypatch.setattr(peers, "_W", 0.0)
    monkeypatch.setattr(peers, "_CORIOLIS", np.zeros((3, 3)))
    found = _cells(case, [one_run(case, TRUTH, seed, times, _without_rotation) for seed in range(RUNS)])
    assert not found[-1].consistent
    assert not found[-1].efficient
    assert not found[-1].covers


def test_an_estimate_that_says_too_little_of_its_error_fails() -> None:
    def boastful(rows: Array, sensors: Array, start: Array, time_s: float) -> tuple[Array, Array]:
        state, covariance = coast_trial.batch_estimate(rows, sensors, start, time_s)
        return state, 0.5 * covariance

    case = Case("two radars", radars=2)
    found = _cells(case, [one_run(case, TRUTH, seed, TIMES_S[:4], boastful) for seed in range(RUNS)])
    assert not any(cell.consistent for cell in found[1:])


def test_a_run_depends_on_its_seed_alone() -> None:
    first, second = (one_run(CASES[0], TRUTH, 7, (15.0,)) for _ in range(2))
    assert first[0].error == pytest.approx(second[0].error, abs=0.0)
    assert not np.allclose(first[0].error, one_run(CASES[0], TRUTH, 8, (15.0,))[0].error)


def test_less_information_has_a_larger_bound() -> None:
    one, two = (bounds_m(Case("x", radars=n), TRUTH, (30.0,))[0] for n in (1, 2))
    missing = bounds_m(Case("x", radars=2, detection_probability=0.9), TRUTH, (30.0,))[0]
    late = bounds_m(Case("x", radars=2, late_s=2.0), TRUTH, (30.0,))[0]
    assert two < missing < one
    assert two < late < one
    assert math.isfinite(one)

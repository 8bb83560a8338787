"""Burnout is declared by a test that would have seen thrust, and not for want of data."""

from functools import cache

import numpy as np
import pytest

from beaconfire.tracking.arc import (
    arc_at,
    explained,
    find_coast,
    fresh_arc_kernel,
    judge_kernel,
    misfit_kernel,
    resolve,
    roll_up,
    without_start,
)
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from tracking_truth import EPOCH_US, Flight, flight, plot, radar

RADAR = radar(minimum_elevation_rad=-0.2)
TABLE = sensor_table([RADAR])


@cache
def _flight() -> Flight:
    return flight()


def _rows(start_s: int, end_s: int, seed: int = 0) -> np.ndarray:
    random, rows = np.random.default_rng(seed), []
    for second in range(start_s, end_s):
        seen = plot(RADAR, _flight().at(float(second)), EPOCH_US + second * 10**6, random)
        assert seen is not None
        rows.append(row_from_detection(seen, 0, EPOCH_US))
    return np.array(rows)


def _state(second: int) -> np.ndarray:
    return np.concatenate((_flight().at(float(second)), np.zeros(3)))


def test_misfit_is_a_standard_normal_of_noise_alone() -> None:
    random = np.random.default_rng(1)
    values = [misfit_kernel(random.standard_normal((12, 3)) ** 2, np.full(12, 3.0), 0) for _ in range(2_000)]
    assert np.mean(values) == pytest.approx(0.0, abs=0.08)
    assert np.std(values) == pytest.approx(1.0, abs=0.08)
    assert misfit_kernel(np.ones(2), np.array([3.0, 3.0]), 6) == 0.0


@pytest.mark.parametrize("seed", range(6))
def test_no_burnout_while_it_thrusts(seed: int) -> None:
    for end_s in range(60, 81, 4):
        arc = find_coast(_rows(40, end_s, seed), _state(end_s - 1), float(end_s - 1), TABLE, 0.0).arc
        assert arc is None
    assert find_coast(_rows(40, 80, seed), _state(79), 79.0, TABLE, 0.0).drive_m_s2 > 15.0


def test_burnout_is_found_soon_after_it() -> None:
    found = []
    for seed in range(6):
        for end_s in range(82, 110):
            arc = find_coast(_rows(50, end_s, seed), _state(end_s - 1), float(end_s - 1), TABLE, 0.0).arc
            if arc is not None:
                found.append(end_s - 80)
                assert arc.reference_s > 78.0
                break
    assert len(found) == 6
    assert max(found) < 25


def test_short_window_is_not_powerful() -> None:
    rows = _rows(100, 104)
    assert not judge_kernel(fresh_arc_kernel(rows, _state(103), 103.0, TABLE).solution).powerful


def test_rolled_up_arc_says_the_same() -> None:
    rows = _rows(100, 220)
    arc = fresh_arc_kernel(rows, _state(219), 219.0, TABLE)
    assert explained(arc)
    rolled, gone = roll_up(arc, rows, TABLE)
    again = resolve(rolled, rows[gone:], TABLE)
    before, spread = arc_at(arc, 219.0)
    after, _ = arc_at(again, 219.0)
    assert gone == 60
    assert np.abs(after - before)[:6] / np.sqrt(np.diag(spread)[:6]) == pytest.approx(np.zeros(6), abs=0.1)


def test_burnout_is_likely_sooner_than_it_is_sure() -> None:
    likely: list[int] = []
    sure: list[int] = []
    for seed in range(4):
        for end_s in range(82, 110):
            rows, state = _rows(50, end_s, seed), _state(end_s - 1)
            found = find_coast(rows, state, float(end_s - 1), TABLE, 45.0)
            if found.arc is not None:
                assert not found.sure or len(likely) > seed
                if len(likely) == seed:
                    likely.append(end_s)
                if found.sure:
                    sure.append(end_s)
                    break
    assert len(likely) == len(sure) == 4
    assert all(early < late for early, late in zip(likely, sure, strict=True))
    assert find_coast(_rows(50, likely[0], 0), _state(likely[0] - 1), likely[0] - 1.0, TABLE, 0.0).arc is None


def test_a_start_with_a_tail_of_thrust_is_left_out_and_a_clean_one_stays() -> None:
    left_out = {70: 0, 84: 0}
    for start_s in left_out:
        for seed in range(20):
            rows = _rows(start_s, 110, seed)
            arc = fresh_arc_kernel(rows, _state(109), 109.0, TABLE)
            later = without_start(arc, rows, TABLE)
            if later is not None:
                assert later.reference_s > arc.reference_s
                left_out[start_s] += 1
    assert left_out[70] == 20
    assert left_out[84] <= 4

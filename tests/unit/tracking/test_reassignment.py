"""Of two objects side by side each track gets its own plots back; where nothing is mixed nothing moves."""

import numpy as np
import pytest

from beaconfire.frames.types import Vector
from beaconfire.sim.pair_trial import flight_of_least_energy, pair_run, scan_times_s
from beaconfire.tracking import reassignment
from beaconfire.tracking.initiation import fit_triple
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from beaconfire.tracking.motion import Motion
from beaconfire.tracking.reassignment import Rivals, reassign
from tracking_truth import EPOCH_US, flight, plot, radar

RADAR = radar(sigma_range_m=10.0, sigma_azimuth_rad=1.7e-3, sigma_elevation_rad=1.7e-3)
TABLE = sensor_table([RADAR])
SECONDS = range(110, 150)
APART_M = 60.0


def _rows(aside_m: float, seed: int) -> list[Vector]:
    """Return plots of the flight, or of one beside it, farther from the radar."""
    truth, random, rows = flight(), np.random.default_rng(seed), []
    for second in SECONDS:
        seen = plot(RADAR, truth.at(float(second)), EPOCH_US + second * 10**6, random)
        assert seen is not None
        row = row_from_detection(seen, 0, EPOCH_US)
        row[2] += aside_m
        rows.append(row)
    return rows


def _motion(rows: list[Vector]) -> Motion:
    fitted = fit_triple(tuple(rows[:3]), TABLE)
    assert fitted is not None
    motion = Motion(fitted[1], TABLE)
    for row in rows[3:]:
        motion.take(row)
        motion.solve()
    return motion


def _mixed(seed: int) -> tuple[list[Vector], list[Vector]]:
    """Return the rows of both, each pair of a scan in an order drawn by lot."""
    near, far = _rows(0.0, seed), _rows(APART_M, seed + 100)
    crossed = np.random.default_rng(seed + 200).random(len(near)) < 0.5
    pairs = [(b, a) if cross else (a, b) for a, b, cross in zip(near, far, crossed, strict=True)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def _share_of_near(motion: Motion, near: list[Vector]) -> float:
    own = {(float(row[0]), float(row[2])) for row in near}
    return float(np.mean([(float(row[0]), float(row[2])) in own for row in motion.rows]))


@pytest.mark.parametrize("seed", range(6))
def test_mixed_plots_go_back_to_their_own(seed: int) -> None:
    first, second = (_motion(rows) for rows in _mixed(seed))
    kept = sorted(float(row[2]) for motion in (first, second) for row in motion.rows)
    near = _rows(0.0, seed)
    assert reassign(first, second)
    shares = sorted((_share_of_near(first, near), _share_of_near(second, near)))
    assert shares[0] < 0.08
    assert shares[1] > 0.92
    assert sorted(float(row[2]) for motion in (first, second) for row in motion.rows) == kept
    assert all(list(m.rows) == sorted(m.rows, key=lambda row: float(row[0])) for m in (first, second))


def test_what_is_not_mixed_stays() -> None:
    first, second = _motion(_rows(0.0, 7)), _motion(_rows(APART_M, 107))
    before = [row.copy() for row in first.rows]
    assert not reassign(first, second)
    assert np.array_equal(before, first.rows, equal_nan=True)


def test_two_that_thrust_are_left_alone() -> None:
    truth = flight(burn_s=80.0)
    random = np.random.default_rng(3)
    low = radar(minimum_elevation_rad=-0.2)
    motions = []
    for aside_m in (0.0, APART_M):
        rows = []
        for second in range(50, 75):
            seen = plot(low, truth.at(float(second)), EPOCH_US + second * 10**6, random)
            assert seen is not None
            row = row_from_detection(seen, 0, EPOCH_US)
            row[2] += aside_m
            rows.append(row)
        motions.append(_motion(rows))
    assert not reassign(*motions)


def test_a_pair_is_asked_about_again_only_when_it_has_grown() -> None:
    first, second = (_motion(rows) for rows in _mixed(1))
    named, rivals = {"a": first, "b": second}, Rivals()
    rivals.note([("a", 0), ("b", 0), ("a", 1)])
    assert rivals.divide(named) == 1
    first.rows, second.rows = list(_mixed(1)[0]), list(_mixed(1)[1])
    rivals.note([("a", 0), ("b", 0)])
    assert rivals.divide(named) == 0
    rivals.note([("a", 0), ("gone", 0)])
    assert rivals.divide(named) == 0


def test_a_pair_that_is_known_is_asked_about_though_no_more_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reassignment, "RIVALS_MAX", 1)
    first, second = (_motion(rows) for rows in _mixed(1))
    named, rivals = {"a": first, "b": second, "c": second}, Rivals()
    rivals.note([("a", 0), ("b", 0), ("c", 0)])
    assert rivals.divide(named) == 1
    first.rows, second.rows = list(_mixed(1)[0]), list(_mixed(1)[1])
    first.plots, second.plots = 2 * first.plots, 2 * second.plots
    rivals.note([("a", 0), ("b", 0), ("c", 0)])
    assert rivals.divide(named) == 1


@pytest.mark.parametrize("seed", [0, 7])
def test_two_objects_fifty_metres_apart_are_told_apart_and_stay_so(seed: int) -> None:
    start = flight_of_least_energy()
    followed: dict[str, set[int]] = {}
    for frame in pair_run(seed, start, [float(one) for one in scan_times_s(start)])[25:]:
        for name, held in frame.tracks.items():
            errors = held.state - frame.truths
            squares = [float(error @ np.linalg.solve(held.covariance, error)) for error in errors]
            if abs(squares[0] - squares[1]) > 14.0:
                followed.setdefault(name, set()).add(int(np.argmin(squares)))
    assert sorted(map(sorted, followed.values())) == [[0], [1]]

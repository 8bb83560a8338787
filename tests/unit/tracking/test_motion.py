"""The switch between boost, coast and manoeuvre."""

import numpy as np

from beaconfire.flight.propagation import rk4_step_kernel
from beaconfire.messages.words import Phase
from beaconfire.tracking.arc import ROWS_MAX
from beaconfire.tracking.initiation import fit_triple
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from beaconfire.tracking.motion import Motion
from tracking_truth import EPOCH_US, Flight, flight, plot, radar

RADAR = radar(minimum_elevation_rad=-0.2)
TABLE = sensor_table([RADAR])


def _rows(truth: Flight, start_s: int, end_s: int) -> list[np.ndarray]:
    random, rows = np.random.default_rng(3), []
    for second in range(start_s, end_s):
        seen = plot(RADAR, truth.at(float(second)), EPOCH_US + second * 10**6, random)
        assert seen is not None
        rows.append(row_from_detection(seen, 0, EPOCH_US))
    return rows


def _motion(rows: list[np.ndarray]) -> Motion:
    fitted = fit_triple(tuple(rows[:3]), TABLE)
    assert fitted is not None
    motion = Motion(fitted[1], TABLE)
    for row in rows[3:]:
        motion.take(row)
        motion.solve()
    return motion


def test_boost_then_coast() -> None:
    truth = flight()
    boosting = _motion(_rows(truth, 50, 80))
    assert boosting.arc is None
    assert boosting.thrust_seen
    assert boosting.phase() is Phase.BOOST
    coasting = _motion(_rows(truth, 50, 120))
    assert coasting.burnout_s is not None
    assert 78.0 < coasting.burnout_s < 100.0
    assert coasting.phase() is Phase.COAST
    assert coasting.noise == 0.0


def test_second_thrust_withdraws_burnout() -> None:
    motion, state = _motion(_rows(flight(), 60, 110)), flight().at(109.0)
    assert motion.burnout_s is not None
    random = np.random.default_rng(5)
    for quarter in range(1, 121):
        state = rk4_step_kernel(state, 0.25)
        push = 25.0 * state[3:6] / np.linalg.norm(state[3:6])
        state[:3] += 0.5 * 0.25**2 * push
        state[3:6] += 0.25 * push
        if quarter % 4:
            continue
        seen = plot(RADAR, state, EPOCH_US + (109 + quarter // 4) * 10**6, random)
        assert seen is not None
        motion.take(row_from_detection(seen, 0, EPOCH_US))
        motion.solve()
    assert motion.arc is None
    assert motion.burnout_s is None
    assert not motion.manoeuvring


def test_rows_are_bounded_and_in_order() -> None:
    truth = flight(burn_s=95.0, speed_m_s=3_400.0, angle_rad=1.2)
    rows = _rows(truth, 60, 500)
    late = rows.pop(300)
    motion = _motion(rows)
    motion.take(late)
    motion.solve()
    times = [float(row[0]) for row in motion.rows]
    assert len(times) <= ROWS_MAX
    assert times == sorted(times)
    assert 360.0 in times
    error = (motion.state[:7] - truth.at(499.0))[:6]
    assert error @ np.linalg.solve(motion.covariance[:6, :6], error) / 6.0 < 3.5


def test_release_forgets_the_acceleration_but_not_that_it_may_be() -> None:
    motion = _motion(_rows(flight(), 50, 80))
    along = motion.state[7:].copy()
    before = motion.covariance[7:, 7:].copy()
    motion.release()
    assert not motion.state[7:].any()
    assert np.allclose(motion.covariance[7:, 7:] - before, np.outer(along, along))

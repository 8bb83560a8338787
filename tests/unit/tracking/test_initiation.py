"""Three plots make a seed only if one flying body fits them."""

import numpy as np

from beaconfire.tracking.initiation import STORE_MAX, PlotStore, Seed, fit_triple
from beaconfire.tracking.measurement import row_from_detection, sensor_table
from tracking_truth import EPOCH_US, Flight, flight, plot, radar

RADAR = radar()
TABLE = sensor_table([RADAR])
TRUTH = flight()


def _row(second: float, seed: int, truth: Flight = TRUTH) -> np.ndarray:
    seen = plot(RADAR, truth.at(second), EPOCH_US + round(second * 1e6), np.random.default_rng(seed))
    assert seen is not None
    return row_from_detection(seen, 0, EPOCH_US)


def _seed(store: PlotStore, rows: list[np.ndarray]) -> Seed | None:
    found = None
    for row in rows:
        store.add(row)
        found = store.seed(row) or found
    return found


def test_three_plots_of_a_flight_are_an_honest_seed() -> None:
    normalised = []
    for seed in range(40):
        rows = [_row(100.0 + i, 10 * seed + i) for i in range(3)]
        found = _seed(PlotStore(TABLE), rows)
        assert found is not None
        error = (found.state[:7] - TRUTH.at(102.0))[:6]
        normalised.append(error @ np.linalg.solve(found.covariance[:6, :6], error) / 6.0)
    assert np.mean(normalised) < 1.4
    assert np.mean(normalised) > 0.3


def test_two_plots_are_never_enough() -> None:
    assert _seed(PlotStore(TABLE), [_row(100.0, 1), _row(101.0, 2)]) is None


def test_scattered_plots_are_no_seed() -> None:
    random = np.random.default_rng(5)
    rows = [
        np.array((float(i), 0.0, random.uniform(2e5, 9e5), random.uniform(0, 6), 0.4, np.nan, 0, 0, 0))
        for i in range(20)
    ]
    assert _seed(PlotStore(TABLE), rows) is None


def test_what_stands_still_is_no_seed() -> None:
    rows = [np.array((float(i), 0.0, 1e5, 1.0, 0.1, np.nan, 0, 0, 0)) for i in range(3)]
    fitted = fit_triple(tuple(rows), TABLE)
    assert fitted is None or np.linalg.norm(fitted[1].state[3:6]) < 600.0


def test_plots_of_two_flights_are_not_mixed() -> None:
    other = flight(bearing_rad=1.9, longitude_deg=126.2)
    rows = [_row(100.0 + i, i, truth) for i in range(3) for truth in (TRUTH, other)]
    found = _seed(PlotStore(TABLE), rows)
    assert found is not None
    misses = [np.linalg.norm(found.state[:3] - truth.at(102.0)[:3]) for truth in (TRUTH, other)]
    assert min(misses) < 3_000.0


def test_store_is_bounded_and_forgets() -> None:
    store = PlotStore(TABLE)
    for i in range(STORE_MAX + 50):
        store.add(np.array((0.001 * i, 0.0, 1e5 + i, 1.0, 0.1, np.nan, 0, 0, 0)))
    assert len(store.rows()) == STORE_MAX
    store.add(_row(100.0, 1))
    assert len(store.rows()) == 1

"""For `filters.py`: the batch solve of an arc beside SciPy, and one scan of many tracks beside Stone Soup."""

import math
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import numpy as np
import peers
from numpy.typing import NDArray
from scipy.optimize import least_squares
from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
from stonesoup.hypothesiser.distance import DistanceHypothesiser
from stonesoup.measures import Mahalanobis
from stonesoup.types.angle import Bearing, Elevation
from stonesoup.types.array import StateVector
from stonesoup.types.detection import Detection
from stonesoup.types.state import GaussianState
from stonesoup.types.track import Track

from beaconfire.flight.propagation import propagate_kernel
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation
from beaconfire.tracking import lanes
from beaconfire.tracking.batch import COAST, broad_prior_kernel, covariance_kernel, solve_kernel
from beaconfire.tracking.measurement import residual_kernel, sensor_table
from beaconfire.tracking.scan import associate_scan

Array = NDArray[np.float64]
Timer = Callable[[dict[str, Callable[[], object]], int], dict[str, float]]
ARC_PLOTS: Final = 120
SIZES: Final = (100, 1_000)
PEER_SIZE: Final = 100
SEED: Final = 4
SPACING_M: Final = 12_000.0
HUBER_K: Final = 3.0
BATCH_TOLERANCE: Final = 2e-2
"""In sigmas: both stop when little is left to gain, and SciPy takes its partials by differences."""


def _sensor() -> Array:
    radar = Radar(
        sensor="bench",
        nation=Nation("KOR"),
        latitude_rad=math.radians(36.5),
        longitude_rad=math.radians(128.5),
        height_m=100.0,
        sigma_range_m=30.0,
        sigma_azimuth_rad=5e-4,
        sigma_elevation_rad=5e-4,
        maximum_range_m=3e6,
    )
    return np.asarray(sensor_table([radar]))


class Arc:
    """An arc of 120 plots, one a second, and a first guess some kilometres off."""

    def __init__(self, station: peers.Station, start: Array) -> None:
        """Take the radar and a true state of six."""
        draw = np.random.default_rng(SEED)
        self.sensors = _sensor()
        truth = np.append(start, -math.log(3_000.0))
        self.rows = np.zeros((ARC_PLOTS, 9))
        for number, row in enumerate(self.rows):
            state = propagate_kernel(truth, float(number), 1.0) if number else truth
            noise = draw.standard_normal(3) * np.sqrt(np.diag(station.noise))
            row[0], row[2:5], row[5] = number, station.plot(state[:6]) + noise, math.nan
        self.guess = np.zeros(10)
        self.guess[:7] = truth + draw.standard_normal(7) * ((2e3,) * 3 + (30.0,) * 3 + (0.0,))
        self.prior = broad_prior_kernel(1, self.guess, 0.0, 0.0)

    def ours(self) -> tuple[Array, Array]:
        """Return state of seven and covariance as `tracking.batch` solves the arc."""
        solution = solve_kernel(self.guess, 0.0, self.rows, self.sensors, self.prior, COAST)
        return solution.state[:7], covariance_kernel(solution, COAST)

    def _residuals(self, scaled: Array, scale: Array) -> Array:
        state = scaled * scale
        out, jacobian, offset = np.empty(4), np.zeros((4, 6)), np.empty((4, 4))
        found = [(state[6] - self.prior.mean[6]) * math.sqrt(self.prior.information[6, 6])]
        there = state
        for number, row in enumerate(self.rows):
            there = propagate_kernel(there, 1.0, 1.0) if number else there
            size = residual_kernel(row, self.sensors, there, out, jacobian, offset)
            found.extend(out[:size])
        return np.array(found)

    def scipy(self) -> Array:
        """Return the state of seven as SciPy solves it."""
        scale = np.array((1e3,) * 3 + (1.0,) * 3 + (0.1,))
        fit = least_squares(
            self._residuals,
            self.guess[:7] / scale,
            args=(scale,),
            loss="huber",
            f_scale=HUBER_K,
            x_scale="jac",
        )
        return np.asarray(fit.x * scale)


class Scan:
    """Many tracks side by side and one plot of each, in no order."""

    def __init__(self, station: peers.Station, radar: Array, start: Array, size: int) -> None:
        """Take the radar twice, one true state of six, and the number of tracks."""
        draw = np.random.default_rng(SEED + size)
        side = math.ceil(math.sqrt(size))
        true = np.repeat(start[None], size, axis=0)
        true[:, 1] += SPACING_M * (np.arange(size) % side)
        true[:, 2] += SPACING_M * (np.arange(size) // side)
        self.radar, self.size = radar, size
        self.covariance = np.diag((1e4,) * 3 + (400.0,) * 3)
        self.states = true + draw.standard_normal((size, 6)) * np.sqrt(np.diag(self.covariance))
        moved = np.array([peers.step(one) for one in true])
        plots = np.array([station.plot(one) for one in moved])
        plots += draw.standard_normal((size, 3)) * np.sqrt(np.diag(station.noise))
        self.order = draw.permutation(size)
        self.plots = plots[self.order]
        self._before = (
            lanes.lanes_of_states(self.states),
            lanes.lanes_of_covariances(np.repeat(self.covariance[None], size, axis=0)),
        )
        self._there = (np.zeros_like(self._before[0]), np.zeros_like(self._before[1]))
        self._after = (np.zeros_like(self._before[0]), np.zeros_like(self._before[1]))
        self._none = np.zeros(self._before[0].size // 2)

    def ours(self) -> Array:
        """Predict, associate and update all; returns the plot of each track."""
        lanes.update_lanes_kernel(self._before, self._none, self.radar, (1.0, self.size), self._there)
        states = lanes.states_of_lanes(self._there[0], 6, self.size)
        spreads = lanes.covariances_of_lanes(self._there[1], self.size)
        chosen = associate_scan(states, spreads, self.plots, self.radar)
        seen = np.where((chosen >= 0)[:, None], self.plots[chosen], 0.0)
        given = lanes.lanes_of_states(seen)
        lanes.update_lanes_kernel(self._there, given, self.radar, (0.0, self.size), self._after)
        return np.asarray(chosen)

    def stone_soup(self, station: peers.Station) -> Callable[[], Array]:
        """Return the same in Stone Soup, as a call: hypotheses by distance, 2D assignment, update."""
        predictor, updater = peers.stone_soup_parts(station)
        hypothesiser = DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=5.0)
        associator = GNNWith2DAssignment(hypothesiser)
        at = peers.EPOCH + timedelta(seconds=1)
        tracks = [
            Track([GaussianState(one.reshape(-1, 1), self.covariance, peers.EPOCH)]) for one in self.states
        ]
        detections = [
            Detection(
                StateVector([plot[0], Bearing(plot[1]), Elevation(plot[2])]),
                timestamp=at,
                measurement_model=updater.measurement_model,
                metadata={"number": number},
            )
            for number, plot in enumerate(self.plots)
        ]

        def run() -> Array:
            found: dict[Any, Any] = associator.associate(set(tracks), set(detections), at)
            chosen = np.full(self.size, -1)
            for number, track in enumerate(tracks):
                hypothesis = found[track]
                if hypothesis:
                    updater.update(hypothesis)
                    chosen[number] = hypothesis.measurement.metadata["number"]
            return chosen

        return run


def measure(
    turns: int, station: peers.Station, radar: Array, start: Array, best_s: Timer
) -> dict[str, float]:
    """Return milliseconds of each, and ratios to the peers.

    Raises:
        AssertionError: the answers are not the same.
    """
    arc = Arc(station, start)
    (state, covariance), other = arc.ours(), arc.scipy()
    apart = float(np.max(np.abs(state - other) / np.sqrt(np.diag(covariance))))
    assert apart < BATCH_TOLERANCE, f"batch and SciPy differ by {apart} sigmas"
    taken = best_s({"batch": arc.ours, "scipy": arc.scipy}, turns)
    found = {
        "batch_120_ms": 1e3 * taken["batch"],
        "scipy_120_ms": 1e3 * taken["scipy"],
        "scipy_x_batch": taken["scipy"] / taken["batch"],
    }
    for size in SIZES:
        scan = Scan(station, radar, start, size)
        right = np.argsort(scan.order)
        assert np.mean(scan.ours() == right) > 0.99, "tracks took plots of others"
        found[f"scan_{size}_ms"] = 1e3 * best_s({"ours": scan.ours}, turns)["ours"]
        if size == PEER_SIZE:
            run = scan.stone_soup(station)
            started = time.process_time()
            agreed = float(np.mean(run() == scan.ours()))
            taken_s = time.process_time() - started
            assert agreed > 0.99, f"Stone Soup chose otherwise in {1.0 - agreed:.0%}"
            found[f"stone_soup_{size}_ms"] = 1e3 * taken_s
            found[f"stone_soup_x_scan_{size}"] = 1e3 * taken_s / found[f"scan_{size}_ms"]
    return found

"""The scenario of `filters.py` for the peers: Stone Soup and FilterPy, models written in plain NumPy.

One update: 1 s Runge-Kutta step of mean and transition with J2 and the turning Earth (J2 left out of the
gradient), then one plot of range, azimuth and elevation. Each peer is used the way its own examples do it.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from filterpy.kalman import ExtendedKalmanFilter, MerweScaledSigmaPoints, UnscentedKalmanFilter
from numpy.typing import NDArray
from stonesoup.base import Property
from stonesoup.models.measurement import MeasurementModel
from stonesoup.models.transition import TransitionModel
from stonesoup.predictor.kalman import ExtendedKalmanPredictor, UnscentedKalmanPredictor
from stonesoup.types.angle import Bearing, Elevation
from stonesoup.types.array import StateVector
from stonesoup.types.detection import Detection
from stonesoup.types.hypothesis import SingleHypothesis
from stonesoup.types.state import GaussianState
from stonesoup.updater.kalman import ExtendedKalmanUpdater, UnscentedKalmanUpdater

from beaconfire.units import EARTH_GM_M3_S2, EARTH_J2, EARTH_ROTATION_RAD_S, WGS84_SEMI_MAJOR_M

Array = NDArray[np.float64]
EPOCH: Final = datetime(2022, 10, 4)  # noqa: DTZ001 - Stone Soup's times bear no zone
ALPHA: Final = 0.5
BETA: Final = 2.0
KAPPA: Final = -3.0
_W: Final = EARTH_ROTATION_RAD_S
_CORIOLIS: Final = np.array([[0.0, 2.0 * _W, 0.0], [-2.0 * _W, 0.0, 0.0], [0.0, 0.0, 0.0]])


def rates(state: Array) -> Array:
    """Return the rates of a state of six."""
    position, velocity = state[:3], state[3:]
    r2 = float(position @ position)
    k = 1.5 * EARTH_J2 * WGS84_SEMI_MAJOR_M**2 / r2
    tilt = 5.0 * position[2] ** 2 / r2
    factor = np.array((1.0 - tilt, 1.0 - tilt, 3.0 - tilt))
    pull = -EARTH_GM_M3_S2 / r2**1.5 * (1.0 + k * factor) * position
    pull[:2] += _W * _W * position[:2]
    return np.concatenate((velocity, pull + _CORIOLIS @ velocity))


def gradient(state: Array) -> Array:
    """Return the partials of the rates with the state, shape (6, 6)."""
    position = state[:3]
    r2 = float(position @ position)
    central = -EARTH_GM_M3_S2 / r2**1.5
    out = np.zeros((6, 6))
    out[:3, 3:] = np.eye(3)
    out[3:, :3] = central * (np.eye(3) - 3.0 * np.outer(position, position) / r2)
    out[3, 0] += _W * _W
    out[4, 1] += _W * _W
    out[3:, 3:] = _CORIOLIS
    return out


def step(state: Array, h: float = 1.0) -> Array:
    """Return the state one Runge-Kutta step later."""
    a = rates(state)
    b = rates(state + 0.5 * h * a)
    c = rates(state + 0.5 * h * b)
    d = rates(state + h * c)
    return np.asarray(state + h / 6.0 * (a + 2.0 * (b + c) + d))


def transition(state: Array, h: float = 1.0) -> Array:
    """Return the transition of the step, by the same Runge-Kutta step of the variational equation."""
    a = rates(state)
    b = rates(state + 0.5 * h * a)
    c = rates(state + 0.5 * h * b)
    places = (state, state + 0.5 * h * a, state + 0.5 * h * b, state + h * c)
    one = np.eye(6)
    ka = gradient(places[0])
    kb = gradient(places[1]) @ (one + 0.5 * h * ka)
    kc = gradient(places[2]) @ (one + 0.5 * h * kb)
    kd = gradient(places[3]) @ (one + h * kc)
    return np.asarray(one + h / 6.0 * (ka + 2.0 * (kb + kc) + kd))


class Station:
    """A radar: position (ECEF), rotation to east, north, up, variances of a plot."""

    def __init__(self, numbers: Array) -> None:
        """Take the numbers of `lanes.radar_numbers`."""
        self.position, self.rotation = numbers[:3], numbers[3:12].reshape(3, 3)
        self.noise = np.diag(numbers[12:15])

    def plot(self, state: Array) -> Array:
        """Return range, azimuth, elevation."""
        east, north, up = self.rotation @ (state[:3] - self.position)
        level = math.hypot(east, north)
        return np.array((math.hypot(level, up), math.atan2(east, north), math.atan2(up, level)))

    def partials(self, state: Array) -> Array:
        """Return the partials of the plot with the state, shape (3, 6)."""
        east, north, up = self.rotation @ (state[:3] - self.position)
        level2 = east * east + north * north
        level, distance2 = math.sqrt(level2), level2 + up * up
        distance = math.sqrt(distance2)
        enu = np.array(
            (
                (east / distance, north / distance, up / distance),
                (north / level2, -east / level2, 0.0),
                (-up * east / level / distance2, -up * north / level / distance2, level / distance2),
            )
        )
        out = np.zeros((3, 6))
        out[:, :3] = enu @ self.rotation
        return out


class _Flight(TransitionModel):  # type: ignore[misc] # Stone Soup comes without types
    """Free flight as a Stone Soup model."""

    @property
    def ndim_state(self) -> int:
        return 6

    def function(self, state: Any, *_: Any, **__: Any) -> Any:
        vectors = np.asarray(state.state_vector, dtype=float)
        if vectors.shape[1] == 1:
            return StateVector(step(vectors[:, 0]))
        return type(state.state_vector)(np.column_stack([step(one) for one in vectors.T]))

    def jacobian(self, state: Any, **_: Any) -> Any:
        return transition(np.asarray(state.state_vector, dtype=float).ravel())

    def covar(self, **_: Any) -> Any:
        return np.zeros((6, 6))

    def rvs(self, **_: Any) -> Any:
        raise NotImplementedError

    def pdf(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


class _Radar(MeasurementModel):  # type: ignore[misc] # as above
    """A radar as a Stone Soup model."""

    station: Station = Property(doc="the radar")

    @property
    def ndim_meas(self) -> int:
        return 3

    def function(self, state: Any, *_: Any, **__: Any) -> Any:
        vectors = np.asarray(state.state_vector, dtype=float)
        plots = np.column_stack([self.station.plot(one) for one in vectors.T])
        rows = [plots[0], [Bearing(one) for one in plots[1]], [Elevation(one) for one in plots[2]]]
        if plots.shape[1] == 1:
            return StateVector([row[0] for row in rows])
        return type(state.state_vector)(rows)

    def jacobian(self, state: Any, **_: Any) -> Any:
        return self.station.partials(np.asarray(state.state_vector, dtype=float).ravel())

    def covar(self, **_: Any) -> Any:
        return self.station.noise

    def rvs(self, **_: Any) -> Any:
        raise NotImplementedError

    def pdf(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


Peer = Callable[[Array, Array, Array], tuple[Array, Array]]
"""State (6,), covariance (6, 6) and plots (k, 3), one each second, to state and covariance after the last."""


def _stone_soup(predictor: Any, updater: Any) -> Peer:
    def run(state: Array, covariance: Array, plots: Array) -> tuple[Array, Array]:
        held = GaussianState(state.reshape(-1, 1), covariance, EPOCH)
        for number, (distance, azimuth, elevation) in enumerate(plots, 1):
            at = EPOCH + timedelta(seconds=number)
            vector = StateVector([distance, Bearing(azimuth), Elevation(elevation)])
            seen = Detection(vector, timestamp=at, measurement_model=updater.measurement_model)
            held = updater.update(SingleHypothesis(predictor.predict(held, timestamp=at), seen))
        return np.asarray(held.state_vector, dtype=float).ravel(), np.asarray(held.covar, dtype=float)

    return run


def stone_soup_parts(station: Station) -> tuple[Any, Any]:
    """Return predictor and updater of Stone Soup's extended filter."""
    radar = _Radar(ndim_state=6, mapping=(), station=station)
    return ExtendedKalmanPredictor(_Flight()), ExtendedKalmanUpdater(radar)


def stone_soup_ekf(station: Station) -> Peer:
    """Return Stone Soup's extended filter."""
    return _stone_soup(*stone_soup_parts(station))


def stone_soup_ukf(station: Station) -> Peer:
    """Return Stone Soup's unscented filter."""
    predictor = UnscentedKalmanPredictor(_Flight(), alpha=ALPHA, beta=BETA, kappa=KAPPA)
    radar = _Radar(ndim_state=6, mapping=(), station=station)
    return _stone_soup(predictor, UnscentedKalmanUpdater(radar, alpha=ALPHA, beta=BETA, kappa=KAPPA))


def _residual(a: Array, b: Array) -> Array:
    out = np.asarray(a - b)
    out[1] = (out[1] + math.pi) % (2.0 * math.pi) - math.pi
    return out


def filterpy_ekf(station: Station) -> Peer:
    """Return FilterPy's extended filter; its `predict` is linear, so the mean is moved beside it."""

    def run(state: Array, covariance: Array, plots: Array) -> tuple[Array, Array]:
        held = ExtendedKalmanFilter(dim_x=6, dim_z=3)
        held.x, held.P, held.R, held.Q = state.copy(), covariance.copy(), station.noise, np.zeros((6, 6))
        for plot in plots:
            moved = step(held.x)
            held.F = transition(held.x)
            held.predict()
            held.x = moved
            held.update(plot, HJacobian=station.partials, Hx=station.plot, residual=_residual)
        return held.x, held.P

    return run


def filterpy_ukf(station: Station) -> Peer:
    """Return FilterPy's unscented filter."""

    def run(state: Array, covariance: Array, plots: Array) -> tuple[Array, Array]:
        points = MerweScaledSigmaPoints(6, ALPHA, BETA, KAPPA)
        held = UnscentedKalmanFilter(6, 3, 1.0, hx=station.plot, fx=step, points=points, residual_z=_residual)
        held.x, held.P, held.R, held.Q = state.copy(), covariance.copy(), station.noise, np.zeros((6, 6))
        for plot in plots:
            held.predict()
            held.update(plot)
        return held.x, held.P

    return run

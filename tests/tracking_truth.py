"""A small truth for these tests: a generic thrusting ascent, free flight, and plots of notional radars."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beaconfire.flight.propagation import rk4_step_kernel
from beaconfire.frames.geodesy import (
    Geodetic,
    ecef_from_geodetic,
    enu_from_ecef_rotation,
    geodetic_from_ecef_kernel,
)
from beaconfire.messages.detection import Detection, Plot, SightLine
from beaconfire.messages.estimate import Ellipse
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import InfraredSensor, Radar
from beaconfire.messages.words import Nation

Array = NDArray[np.float64]
EPOCH_US = 1_700_000_000_000_000
KOR = Nation("KOR")
STEP_S = 0.25


def radar(name: str = "kor-1", **changes: float) -> Radar:
    """Return a notional radar; angles in radians."""
    values: dict[str, float] = {
        "latitude_rad": math.radians(36.0),
        "longitude_rad": math.radians(127.8),
        "height_m": 300.0,
        "sigma_range_m": 30.0,
        "sigma_azimuth_rad": 5e-4,
        "sigma_elevation_rad": 5e-4,
        "minimum_elevation_rad": math.radians(2.0),
        "maximum_range_m": 1.5e6,
    }
    values.update(changes)
    return Radar(name, KOR, **values)


INFRARED = InfraredSensor("kor-ir", KOR, 5e-5)
WATCH_ECEF_M = np.array(ecef_from_geodetic(Geodetic(0.05, math.radians(110.0), 35_786_000.0)))


@dataclass(frozen=True)
class Flight:
    """Truth sampled every quarter of a second after launch: states of seven, burnout time, launch place."""

    states: Array
    burnout_s: float
    launch: Geodetic

    def at(self, time_s: float) -> Array:
        """Return the state at a multiple of a quarter of a second."""
        return np.asarray(self.states[round(time_s / STEP_S)])

    @property
    def end_s(self) -> float:
        """Return the time of impact."""
        return (len(self.states) - 1) * STEP_S

    def impact(self) -> tuple[float, float]:
        """Return latitude and longitude of the impact, radians."""
        latitude, longitude, _ = geodetic_from_ecef_kernel(*(float(x) for x in self.states[-1, :3]))
        return latitude, longitude


def flight(
    *,
    burn_s: float = 80.0,
    speed_m_s: float = 2_500.0,
    angle_rad: float = 0.75,
    bearing_rad: float = 1.5,
    beta: float = 3_000.0,
    latitude_deg: float = 40.0,
    longitude_deg: float = 126.0,
    lift_m_s2: float = 0.0,
) -> Flight:
    """Return a flight: thrust grows over `burn_s` along a direction that turns from upright to `angle_rad`.

    With `lift_m_s2` it is pushed up across its velocity while it falls through 20 to 40 km.
    """
    launch = Geodetic(math.radians(latitude_deg), math.radians(longitude_deg), 100.0)
    rotation = np.asarray(enu_from_ecef_rotation(launch.latitude_rad, launch.longitude_rad))
    state = np.concatenate((ecef_from_geodetic(launch), np.zeros(3), [-math.log(beta)]))
    states, elapsed = [state], 0.0
    while True:
        state = rk4_step_kernel(state, STEP_S)
        if elapsed < burn_s:
            share = (elapsed + 0.5 * STEP_S) / burn_s
            angle = math.pi / 2 + (angle_rad - math.pi / 2) * min(1.0, max(0.0, (share - 0.06) / 0.6))
            level = math.cos(angle)
            ahead = rotation.T @ (
                level * math.sin(bearing_rad),
                level * math.cos(bearing_rad),
                math.sin(angle),
            )
            push = (0.7 + 0.6 * share) * speed_m_s / burn_s + 9.8 * math.sin(angle)
            state[:3] += 0.5 * STEP_S**2 * push * ahead
            state[3:6] += STEP_S * push * ahead
        elapsed += STEP_S
        states.append(state)
        height = geodetic_from_ecef_kernel(*(float(x) for x in state[:3]))[2]
        if lift_m_s2 > 0.0 and elapsed > burn_s and height < 40_000.0 and state[:3] @ state[3:6] < 0.0:
            ahead = state[3:6] / np.linalg.norm(state[3:6])
            up = state[:3] / np.linalg.norm(state[:3])
            across = up - (up @ ahead) * ahead
            state[3:6] += STEP_S * lift_m_s2 * across / np.linalg.norm(across)
        if (elapsed > burn_s and height <= 0.0) or elapsed > 5_000.0:
            return Flight(np.array(states), burn_s, launch)


def plot(sensor: Radar, state: Array, measured_at_us: int, random: np.random.Generator | None) -> Plot | None:
    """Return what a radar sees of a state, with noise if `random` is given; None out of its view."""
    place = Geodetic(sensor.latitude_rad, sensor.longitude_rad, sensor.height_m)
    rotation = np.asarray(enu_from_ecef_rotation(sensor.latitude_rad, sensor.longitude_rad))
    relative = state[:3] - np.asarray(ecef_from_geodetic(place))
    enu = rotation @ relative
    distance = float(np.linalg.norm(enu))
    elevation = math.asin(enu[2] / distance)
    if elevation < sensor.minimum_elevation_rad or distance > sensor.maximum_range_m:
        return None
    noise = np.zeros(4) if random is None else random.standard_normal(4)
    rate = sensor.sigma_range_rate_m_s
    return Plot(
        sensor.sensor,
        measured_at_us,
        float(distance + sensor.sigma_range_m * noise[0]),
        float(math.atan2(enu[0], enu[1]) + sensor.sigma_azimuth_rad * noise[1]) % (2 * math.pi),
        float(elevation + sensor.sigma_elevation_rad * noise[2]),
        None if rate is None else float(float(relative @ state[3:6]) / distance + rate * noise[3]),
    )


def sight(
    sensor: InfraredSensor, state: Array, measured_at_us: int, random: np.random.Generator
) -> SightLine:
    """Return the line from a fixed notional watch post to a state, with noise."""
    line = state[:3] - WATCH_ECEF_M
    line = line / np.linalg.norm(line)
    across = np.cross(line, random.standard_normal(3))
    across /= np.linalg.norm(across)
    line = line + sensor.sigma_line_of_sight_rad * (
        random.standard_normal() * across + random.standard_normal() * np.cross(line, across)
    )
    line /= np.linalg.norm(line)
    x, y, z = (float(value) for value in WATCH_ECEF_M)
    a, b, c = (float(value) for value in line)
    return SightLine(sensor.sensor, measured_at_us, (x, y, z), (a, b, c))


def covariance_of(report: Report) -> Array:
    """Return the covariance of a report, shape (7, 7)."""
    assert report.covariance is not None
    out = np.zeros((7, 7))
    out[np.triu_indices(7)] = report.covariance.upper
    return np.asarray(out + np.triu(out, 1).T)


def state_of(report: Report) -> Array:
    """Return the state of seven of a report."""
    assert report.trajectory is not None
    kinematics = report.trajectory
    return np.array((*kinematics.position_ecef_m, *kinematics.velocity_ecef_m_s, kinematics.log_inverse_beta))


def inside(ellipse: Ellipse, latitude_rad: float, longitude_rad: float) -> bool:
    """Return whether a place is inside an ellipse."""
    east = (longitude_rad - ellipse.longitude_rad) * 6.371e6 * math.cos(latitude_rad)
    north = (latitude_rad - ellipse.latitude_rad) * 6.371e6
    along = east * math.sin(ellipse.bearing_rad) + north * math.cos(ellipse.bearing_rad)
    across = east * math.cos(ellipse.bearing_rad) - north * math.sin(ellipse.bearing_rad)
    return (along / ellipse.semi_major_m) ** 2 + (across / ellipse.semi_minor_m) ** 2 < 1.0


def scans(
    truth: Flight,
    sensors: list[Radar | InfraredSensor],
    seed: int = 0,
    *,
    launch_us: int = EPOCH_US,
    until_s: float = 1e9,
) -> list[tuple[int, list[Detection]]]:
    """Return (time, detections) once a second from launch to impact."""
    random = np.random.default_rng(seed)
    out: list[tuple[int, list[Detection]]] = []
    for second in range(1, int(min(truth.end_s, until_s)) + 1):
        state, at_us = truth.at(float(second)), launch_us + 1_000_000 * second
        height = geodetic_from_ecef_kernel(*(float(x) for x in state[:3]))[2]
        seen: list[Detection] = []
        for sensor in sensors:
            if isinstance(sensor, Radar):
                one = plot(sensor, state, at_us, random)
                if one is not None:
                    seen.append(one)
            elif second <= truth.burnout_s and height > 8_000.0:
                seen.append(sight(sensor, state, at_us, random))
        out.append((at_us, seen))
    return out

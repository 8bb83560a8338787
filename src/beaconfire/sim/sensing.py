"""Simulated radars and infrared launch detectors: true flights in, detections in order of time out.

Notional: the sensors stand at invented places and see by round figures. A detection carries no identity of
the object. Each sensor, and each sensor's view of each flight, draws from a generator of its own, so that
leaving out a sensor or a flight changes nothing in what the others see.
"""

import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from beaconfire.flight.ascent import Trajectory
from beaconfire.frames.geodesy import (
    Geodetic,
    ecef_from_geodetic,
    enu_from_ecef_rotation,
    geodetic_from_ecef_kernel,
)
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Detection, Plot, SightLine
from beaconfire.messages.sensor import InfraredSensor, Radar, Sensor
from beaconfire.messages.words import TimeUs
from beaconfire.units import (
    MICROSECONDS_PER_SECOND,
    WGS84_SEMI_MAJOR_M,
    WGS84_SEMI_MINOR_M,
    microseconds_from_seconds,
)

# Source: radius at which one sidereal day is one orbit, (GM / w^2)^(1/3).
GEOSTATIONARY_RADIUS_M: Final = 42_164_170.0
_NOTIONAL_WEST_RAD: Final = math.radians(75.0)
_NOTIONAL_SPAN_RAD: Final = math.radians(120.0)
_DWELL_SHARE: Final = 0.02
_FALSE_ELEVATION_MAX_RAD: Final = 1.0
_FALSE_RANGE_MIN_M: Final = 50_000.0
_FALSE_RATE_MAX_M_S: Final = 7_000.0


@dataclass(frozen=True)
class Sensing:
    """How well the simulated sensors work, the same for all.

    Attributes:
        detection_probability: of an object that stands in the field of view, per look.
        false_plots_per_scan: expected number, per radar and scan.
        cloud_height_m: below this an infrared sensor sees no boost.
        biased: whether each sensor has registration offsets drawn by its bias sigmas.
    """

    detection_probability: float = 0.95
    false_plots_per_scan: float = 0.005
    cloud_height_m: float = 9_000.0
    biased: bool = True


@dataclass(frozen=True)
class Offsets:
    """Registration offsets of one sensor in one run.

    Attributes:
        range_m: added to every range.
        azimuth_rad: added to every azimuth.
        elevation_rad: added to every elevation.
        clock_s: added to every time of measurement.
        phase_s: instant of the first look within the scan period.
    """

    range_m: float
    azimuth_rad: float
    elevation_rad: float
    clock_s: float
    phase_s: float


def generator(seed: int, *words: str | int) -> np.random.Generator:
    """Return the random generator that belongs to a seed and a path of words, the same in every process."""
    path = "\x1f".join(str(word) for word in (seed, *words)).encode()
    entropy = int.from_bytes(hashlib.sha256(path).digest(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def offsets_of(sensor: Sensor, seed: int, *, biased: bool = True) -> Offsets:
    """Return the registration offsets and scan phase of a sensor in the run of this seed."""
    draw = generator(seed, "offsets", sensor.sensor)
    unit = draw.standard_normal(4) * (1.0 if biased else 0.0)
    phase_s = sensor.scan_period_s * float(draw.random())
    clock_s = float(unit[3]) * sensor.bias_sigma_clock_s
    if isinstance(sensor, InfraredSensor):
        return Offsets(0.0, 0.0, 0.0, clock_s, phase_s)
    return Offsets(
        range_m=float(unit[0]) * sensor.bias_sigma_range_m,
        azimuth_rad=float(unit[1]) * sensor.bias_sigma_azimuth_rad,
        elevation_rad=float(unit[2]) * sensor.bias_sigma_elevation_rad,
        clock_s=clock_s,
        phase_s=phase_s,
    )


def look_times_us(sensor: Sensor, phase_s: float, first_us: TimeUs, last_us: TimeUs) -> np.ndarray:
    """Return the instants at which a sensor looks between two moments, int64 microseconds UTC.

    They are multiples of the scan period plus the phase, so two flights at once are seen in the same scans.
    """
    period_us = microseconds_from_seconds(sensor.scan_period_s)
    phase_us = microseconds_from_seconds(phase_s)
    start = -((phase_us - first_us) // period_us) * period_us + phase_us
    return np.arange(start, last_us + 1, period_us, dtype=np.int64)


def _clear_of_earth(origin: Vector, positions: Vector) -> np.ndarray:
    """Return which straight lines from `origin` (3,) to `positions` (n, 3) miss the ellipsoid, shape (n,)."""
    scale = 1.0 / np.array([WGS84_SEMI_MAJOR_M, WGS84_SEMI_MAJOR_M, WGS84_SEMI_MINOR_M])
    start, step = origin * scale, (positions - origin) * scale
    square = np.maximum(np.sum(step * step, axis=1), 1e-30)
    share = np.clip(-(step @ start) / square, 0.0, 1.0)
    nearest = start + share[:, None] * step
    # A sensor or body on the ground touches the ellipsoid itself: one part in a million is let through.
    return cast("np.ndarray", np.sum(nearest * nearest, axis=1) >= 1.0 - 1e-6)


@dataclass(frozen=True)
class RadarView:
    """What a radar would measure without error.

    Attributes:
        range_m: shape (n,).
        azimuth_rad: shape (n,), 0 to 2 pi.
        elevation_rad: shape (n,).
        range_rate_m_s: shape (n,).
        visible: shape (n,), within range, above the least elevation, not behind the Earth.
    """

    range_m: Vector
    azimuth_rad: Vector
    elevation_rad: Vector
    range_rate_m_s: Vector
    visible: np.ndarray


def radar_view(radar: Radar, states: Vector) -> RadarView:
    """Return what a radar would measure of bodies with these states, shape (n, 7), ECEF."""
    place = Geodetic(radar.latitude_rad, radar.longitude_rad, radar.height_m)
    origin = np.asarray(ecef_from_geodetic(place))
    rotation = np.asarray(enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad))
    sight = states[:, :3] - origin
    east, north, up = (sight @ rotation.T).T
    distance = np.linalg.norm(sight, axis=1)
    elevation = np.arcsin(up / distance)
    visible = (distance <= radar.maximum_range_m) & (elevation >= radar.minimum_elevation_rad)
    return RadarView(
        range_m=distance,
        azimuth_rad=np.arctan2(east, north) % (2.0 * math.pi),
        elevation_rad=elevation,
        range_rate_m_s=np.sum(sight * states[:, 3:6], axis=1) / distance,
        visible=visible & _clear_of_earth(origin, states[:, :3]),
    )


def _elapsed_s(trajectory: Trajectory, times_us: np.ndarray) -> Vector:
    return (times_us - trajectory.launched_at_us) / MICROSECONDS_PER_SECOND


def _plots_of_flight(
    trajectory: Trajectory, radar: Radar, offsets: Offsets, draw: np.random.Generator, sensing: Sensing
) -> Iterator[Plot]:
    looks = look_times_us(radar, offsets.phase_s, trajectory.launched_at_us, trajectory.impact_at_us)
    dwell = draw.random(looks.size) * _DWELL_SHARE * radar.scan_period_s
    chance, unit = draw.random(looks.size), draw.standard_normal((looks.size, 4))
    times_us = looks + np.round(dwell * MICROSECONDS_PER_SECOND).astype(np.int64)
    view = radar_view(radar, trajectory.states(_elapsed_s(trajectory, times_us)))
    clock_us = microseconds_from_seconds(offsets.clock_s)
    rate_sigma = radar.sigma_range_rate_m_s
    for k in np.flatnonzero(view.visible & (chance < sensing.detection_probability)):
        rate = None if rate_sigma is None else float(view.range_rate_m_s[k] + unit[k, 3] * rate_sigma)
        azimuth = view.azimuth_rad[k] + offsets.azimuth_rad + unit[k, 1] * radar.sigma_azimuth_rad
        elevation = view.elevation_rad[k] + offsets.elevation_rad + unit[k, 2] * radar.sigma_elevation_rad
        yield Plot(
            sensor=radar.sensor,
            measured_at_us=int(times_us[k]) + clock_us,
            range_m=float(view.range_m[k] + offsets.range_m + unit[k, 0] * radar.sigma_range_m),
            azimuth_rad=float(azimuth % (2.0 * math.pi)),
            elevation_rad=float(min(0.5 * math.pi, elevation)),
            range_rate_m_s=rate,
        )


def false_plots(
    radar: Radar, offsets: Offsets, window_us: tuple[TimeUs, TimeUs], seed: int, sensing: Sensing
) -> Iterator[Plot]:
    """Yield plots of nothing, uniform in range, azimuth, elevation and time over the scans of the window."""
    draw = generator(seed, "false", radar.sensor)
    looks = look_times_us(radar, offsets.phase_s, *window_us)
    lowest = max(0.0, radar.minimum_elevation_rad)
    for look in np.repeat(looks, draw.poisson(sensing.false_plots_per_scan, looks.size)):
        share = draw.random(5)
        rate = (2.0 * share[4] - 1.0) * _FALSE_RATE_MAX_M_S
        yield Plot(
            sensor=radar.sensor,
            measured_at_us=int(look)
            + microseconds_from_seconds(share[0] * _DWELL_SHARE * radar.scan_period_s),
            range_m=float(_FALSE_RANGE_MIN_M + share[1] * (radar.maximum_range_m - _FALSE_RANGE_MIN_M)),
            azimuth_rad=float(2.0 * math.pi * share[2]),
            elevation_rad=float(lowest + share[3] * (_FALSE_ELEVATION_MAX_RAD - lowest)),
            range_rate_m_s=None if radar.sigma_range_rate_m_s is None else float(rate),
        )


def infrared_position_ecef_m(sensor: str) -> Vector:
    """Return the invented geostationary place of the infrared sensor of this id, shape (3,), ECEF."""
    share = float(generator(0, "slot", sensor).random())
    longitude = _NOTIONAL_WEST_RAD + share * _NOTIONAL_SPAN_RAD
    return GEOSTATIONARY_RADIUS_M * np.array([math.cos(longitude), math.sin(longitude), 0.0])


def _turned(direction: Vector, angles_rad: Vector) -> tuple[float, float, float]:
    """Return the unit vector turned by two small angles across it."""
    first = np.cross(direction, [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first)
    second = np.cross(direction, first)
    turned = direction + angles_rad[0] * first + angles_rad[1] * second
    x, y, z = turned / np.linalg.norm(turned)
    return float(x), float(y), float(z)


def _sight_lines_of_flight(
    trajectory: Trajectory,
    sensor: InfraredSensor,
    offsets: Offsets,
    draw: np.random.Generator,
    sensing: Sensing,
) -> Iterator[SightLine]:
    times_us = look_times_us(sensor, offsets.phase_s, trajectory.launched_at_us, trajectory.burnout_at_us)
    positions = trajectory.states(_elapsed_s(trajectory, times_us))[:, :3]
    origin = infrared_position_ecef_m(sensor.sensor)
    heights = np.array([geodetic_from_ecef_kernel(*position)[2] for position in positions])
    seen = (heights >= sensing.cloud_height_m) & _clear_of_earth(origin, positions)
    seen &= draw.random(times_us.size) < sensing.detection_probability
    noise = draw.standard_normal((times_us.size, 2)) * sensor.sigma_line_of_sight_rad
    clock_us = microseconds_from_seconds(offsets.clock_s)
    for k in np.flatnonzero(seen):
        sight = positions[k] - origin
        yield SightLine(
            sensor=sensor.sensor,
            measured_at_us=int(times_us[k]) + clock_us,
            position_ecef_m=(float(origin[0]), float(origin[1]), float(origin[2])),
            line_of_sight_ecef=_turned(sight / np.linalg.norm(sight), noise[k]),
        )


def _flight_words(trajectory: Trajectory) -> tuple[str, ...]:
    figures = trajectory.figures
    numbers = (
        trajectory.launched_at_us,
        *figures.site,
        figures.bearing_rad,
        figures.apogee_m,
        figures.range_m,
    )
    return tuple(repr(float(number)) for number in numbers)


def _generators(
    trajectories: Sequence[Trajectory], sensor: Sensor, seed: int
) -> Iterator[tuple[Trajectory, np.random.Generator]]:
    """Yield each flight with the generator of this sensor's view of it; equal flights are told apart."""
    seen: Counter[tuple[str, ...]] = Counter()
    for trajectory in trajectories:
        words = _flight_words(trajectory)
        yield trajectory, generator(seed, "flight", sensor.sensor, *words, seen[words])
        seen[words] += 1


def _detections_of_sensor(
    trajectories: Sequence[Trajectory], sensor: Sensor, seed: int, sensing: Sensing
) -> Iterator[Detection]:
    offsets = offsets_of(sensor, seed, biased=sensing.biased)
    for trajectory, draw in _generators(trajectories, sensor, seed):
        if isinstance(sensor, Radar):
            yield from _plots_of_flight(trajectory, sensor, offsets, draw, sensing)
        else:
            yield from _sight_lines_of_flight(trajectory, sensor, offsets, draw, sensing)
    if trajectories and isinstance(sensor, Radar):
        first_us = min(trajectory.launched_at_us for trajectory in trajectories)
        last_us = max(trajectory.impact_at_us for trajectory in trajectories)
        yield from false_plots(sensor, offsets, (first_us, last_us), seed, sensing)


def _order(detection: Detection) -> tuple[int, str, float]:
    """Return what detections are sorted by; nothing of it tells one object from another."""
    within = detection.range_m if isinstance(detection, Plot) else detection.line_of_sight_ecef[0]
    return detection.measured_at_us, detection.sensor, within


def simulate_detections(
    trajectories: Sequence[Trajectory],
    sensors: Sequence[Sensor],
    seed: int,
    sensing: Sensing | None = None,
) -> list[Detection]:
    """Return what the sensors report of the flights, in order of time of measurement.

    The same seed, flights and sensors give the same detections in every process.
    """
    options = sensing or Sensing()
    detections = (_detections_of_sensor(trajectories, sensor, seed, options) for sensor in sensors)
    return sorted(itertools.chain.from_iterable(detections), key=_order)

"""What a sensor would measure of a state, whitened, with its partial derivatives.

A *row* is one detection as numbers, shape (9,): seconds after the track's origin, index of the sensor, then
for a radar range (m), azimuth, elevation (rad), range rate (m/s or nan) and three zeros; for an infrared
sensor the unit sight line (ECEF), a zero, and the sensor's position (ECEF, m).

A *sensor table* has one row of `SENSOR_COLUMNS` numbers for each sensor, see `sensor_table`.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit

from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Detection, Plot
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import TimeUs
from beaconfire.units import seconds_from_microseconds

ROW_COLUMNS: Final = 9
SENSOR_COLUMNS: Final = 22
COMPONENTS: Final = 4
"""Most components one detection has: range, azimuth, elevation, range rate."""

SIGMA_LEAST_M: Final = 0.01
SIGMA_LEAST_RAD: Final = 1e-7
SIGMA_LEAST_M_S: Final = 1e-3
"""No sensor is better than this; a noise stated as less, or as none at all, is read as this."""

IS_INFRARED: Final = 0
POSITION: Final = 1
ROTATION: Final = 4
SIGMA: Final = 13
BIAS: Final = 17
SIGMA_SIGHT: Final = 21


def sensor_table(sensors: Sequence[Sensor]) -> Vector:
    """Return the sensors as numbers, shape (n, 22).

    Columns: 0 is 1 for infrared; 1-3 position (ECEF, m); 4-12 rotation to east, north, up, row by row;
    13-16 sigmas of range, azimuth, elevation, range rate (nan if not measured); 17-20 sigmas of the
    offsets of range, azimuth, elevation and clock; 21 sigma of a sight line (rad).
    """
    table = np.zeros((len(sensors), SENSOR_COLUMNS))
    for row, sensor in zip(table, sensors, strict=True):
        if isinstance(sensor, Radar):
            _fill_radar(row, sensor)
        else:
            row[IS_INFRARED] = 1.0
            row[BIAS + 3] = sensor.bias_sigma_clock_s
            row[SIGMA_SIGHT] = max(sensor.sigma_line_of_sight_rad, SIGMA_LEAST_RAD)
    return table


def _fill_radar(row: Vector, radar: Radar) -> None:
    place = Geodetic(radar.latitude_rad, radar.longitude_rad, radar.height_m)
    row[POSITION : POSITION + 3] = ecef_from_geodetic(place)
    row[ROTATION : ROTATION + 9] = enu_from_ecef_rotation(radar.latitude_rad, radar.longitude_rad).ravel()
    rate = radar.sigma_range_rate_m_s
    row[SIGMA : SIGMA + 4] = (
        max(radar.sigma_range_m, SIGMA_LEAST_M),
        max(radar.sigma_azimuth_rad, SIGMA_LEAST_RAD),
        max(radar.sigma_elevation_rad, SIGMA_LEAST_RAD),
        math.nan if rate is None else max(rate, SIGMA_LEAST_M_S),
    )
    row[BIAS : BIAS + 4] = (
        radar.bias_sigma_range_m,
        radar.bias_sigma_azimuth_rad,
        radar.bias_sigma_elevation_rad,
        radar.bias_sigma_clock_s,
    )


def row_from_detection(detection: Detection, sensor_index: int, origin_us: TimeUs) -> Vector:
    """Return one detection as a row, shape (9,), with times counted from `origin_us`."""
    time_s = seconds_from_microseconds(detection.measured_at_us - origin_us)
    if isinstance(detection, Plot):
        rate = math.nan if detection.range_rate_m_s is None else detection.range_rate_m_s
        values = (detection.range_m, detection.azimuth_rad, detection.elevation_rad, rate, 0.0, 0.0, 0.0)
    else:
        values = (*detection.line_of_sight_ecef, 0.0, *detection.position_ecef_m)
    return np.array((time_s, float(sensor_index), *values))


@njit(cache=True)
def plot_position_kernel(row: Vector, sensor: Vector) -> Vector:
    """Return the ECEF position of a radar row, shape (3,), metres."""
    level = row[2] * math.cos(row[4])
    east, north, up = level * math.sin(row[3]), level * math.cos(row[3]), row[2] * math.sin(row[4])
    out = np.empty(3)
    for i in range(3):
        out[i] = sensor[1 + i] + sensor[4 + i] * east + sensor[7 + i] * north + sensor[10 + i] * up
    return out


@njit(cache=True)
def plot_sigma_m_kernel(row: Vector, sensor: Vector) -> float:
    """Return the largest standard deviation of a radar row's position in any direction, metres."""
    distance, azimuth = math.hypot(sensor[13], sensor[17]), math.hypot(sensor[14], sensor[18])
    elevation = math.hypot(sensor[15], sensor[19])
    return float(max(distance, row[2] * azimuth, row[2] * elevation))


@njit(cache=True, error_model="numpy")
def _wrapped(angle_rad: float) -> float:
    return angle_rad - 2.0 * math.pi * math.floor((angle_rad + math.pi) / (2.0 * math.pi))


@njit(cache=True, error_model="numpy")
def _radar_kernel(row: Vector, sensor: Vector, state: Vector, residual: Vector, jacobian: Vector) -> int:
    x, y, z = state[0] - sensor[1], state[1] - sensor[2], state[2] - sensor[3]
    east = sensor[4] * x + sensor[5] * y + sensor[6] * z
    north = sensor[7] * x + sensor[8] * y + sensor[9] * z
    up = sensor[10] * x + sensor[11] * y + sensor[12] * z
    level2 = max(east * east + north * north, 1.0)
    level = math.sqrt(level2)
    distance2 = level2 + up * up
    distance = math.sqrt(distance2)
    sigma_range, sigma_azimuth, sigma_elevation = sensor[13], sensor[14], sensor[15]
    residual[0] = (row[2] - distance) / sigma_range
    residual[1] = _wrapped(row[3] - math.atan2(east, north)) / sigma_azimuth
    residual[2] = (row[4] - math.atan2(up, level)) / sigma_elevation
    outward, turn, lift = (
        1.0 / (distance * sigma_range),
        1.0 / (level2 * sigma_azimuth),
        1.0 / (distance2 * sigma_elevation),
    )
    for i in range(3):
        along = (east * sensor[4 + i] + north * sensor[7 + i]) / level
        jacobian[0, i] = (state[i] - sensor[1 + i]) * outward
        jacobian[1, i] = (north * sensor[4 + i] - east * sensor[7 + i]) * turn
        jacobian[2, i] = (level * sensor[10 + i] - up * along) * lift
        for k in range(3):
            jacobian[k, 3 + i] = 0.0
    if math.isnan(row[5]) or math.isnan(sensor[16]):
        return 3
    rate = (x * state[3] + y * state[4] + z * state[5]) / distance
    residual[3] = (row[5] - rate) / sensor[16]
    for i in range(3):
        unit = (state[i] - sensor[1 + i]) / distance
        jacobian[3, i] = (state[3 + i] - rate * unit) / distance / sensor[16]
        jacobian[3, 3 + i] = unit / sensor[16]
    return 4


@njit(cache=True)
def _sight_kernel(row: Vector, sensor: Vector, state: Vector, residual: Vector, jacobian: Vector) -> int:
    """Two angles in the plane across the measured sight line."""
    measured, relative = row[2:5], state[:3] - row[6:9]
    distance = math.sqrt(relative[0] ** 2 + relative[1] ** 2 + relative[2] ** 2)
    smallest = 0
    for i in range(1, 3):
        if abs(measured[i]) < abs(measured[smallest]):
            smallest = i
    axis = np.zeros(3)
    axis[smallest] = 1.0
    first = np.cross(measured, axis)
    first /= math.sqrt(first[0] ** 2 + first[1] ** 2 + first[2] ** 2)
    second = np.cross(measured, first)
    sigma = sensor[21]
    for k in range(2):
        across = first if k == 0 else second
        angle = (across[0] * relative[0] + across[1] * relative[1] + across[2] * relative[2]) / distance
        residual[k] = -angle / sigma
        for i in range(3):
            jacobian[k, i] = (across[i] - angle * relative[i] / distance) / distance / sigma
            jacobian[k, 3 + i] = 0.0
    return 2


@njit(cache=True, error_model="numpy")
def residual_kernel(
    row: Vector, sensors: Vector, state: Vector, residual: Vector, jacobian: Vector, offset: Vector
) -> int:
    """Write whitened residual, partials and offset sensitivity of one row; return the count of components.

    Args:
        row: detection, shape (9,).
        sensors: sensor table, shape (n, 22).
        state: position and velocity first, ECEF, m and m/s, shape (6 or more,).
        residual: out, shape (4,): (measured - predicted) / sigma.
        jacobian: out, shape (4, 6): partials of the prediction with position and velocity, over sigma.
        offset: out, shape (4, 4): effect of one sigma of each offset (range, azimuth, elevation, clock)
            on the measurement, over the measurement's sigma.

    Returns:
        Components written: 3 or 4 for a radar, 2 for a sight line.
    """
    sensor = sensors[int(row[1])]
    if sensor[0] == 1.0:
        count = _sight_kernel(row, sensor, state, residual, jacobian)
    else:
        count = _radar_kernel(row, sensor, state, residual, jacobian)
    offset[:, :] = 0.0
    for k in range(count):
        if sensor[0] == 0.0 and k < 3:
            offset[k, k] = sensor[17 + k] / sensor[13 + k]
        rate = 0.0
        for i in range(3):
            rate += jacobian[k, i] * state[3 + i]
        offset[k, 3] = rate * sensor[20]
    return count

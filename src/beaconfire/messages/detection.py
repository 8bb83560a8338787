"""Detections: one declaration of a radar or an infrared sensor that something is there."""

import msgspec

from beaconfire.messages.words import TimeUs


class Plot(msgspec.Struct, frozen=True, tag="plot", tag_field="type", forbid_unknown_fields=True):
    """One radar detection.

    Attributes:
        sensor: id of the radar.
        measured_at_us: time of measurement, microseconds UTC.
        range_m: slant range, metres.
        azimuth_rad: clockwise from true north at the radar, radians.
        elevation_rad: above the plane of the WGS-84 horizon at the radar, radians, no refraction left in.
        range_rate_m_s: rate of change of the slant range, metres per second, or None.
    """

    sensor: str
    measured_at_us: TimeUs
    range_m: float
    azimuth_rad: float
    elevation_rad: float
    range_rate_m_s: float | None = None


class SightLine(msgspec.Struct, frozen=True, tag="sight_line", tag_field="type", forbid_unknown_fields=True):
    """One infrared detection: a direction from a sensor whose position comes with it.

    Attributes:
        sensor: id of the infrared sensor.
        measured_at_us: time of measurement, microseconds UTC.
        position_ecef_m: position of the sensor, shape (3,), ECEF, metres.
        line_of_sight_ecef: unit vector from the sensor to the source, shape (3,), ECEF axes.
    """

    sensor: str
    measured_at_us: TimeUs
    position_ecef_m: tuple[float, float, float]
    line_of_sight_ecef: tuple[float, float, float]


Detection = Plot | SightLine


class DetectionBatch(
    msgspec.Struct, frozen=True, tag="detections", tag_field="type", forbid_unknown_fields=True
):
    """Detections handed on together by a feed, in order of arrival. At most 1,000."""

    detections: tuple[Detection, ...]

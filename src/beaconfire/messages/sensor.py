"""Descriptions of a nation's sensors, as read from its sensors file. All shipped ones are notional."""

import msgspec

from beaconfire.messages.words import Nation


class Radar(msgspec.Struct, frozen=True, tag="radar", tag_field="kind", forbid_unknown_fields=True):
    """A notional radar: place, noise, registration uncertainty and field of view.

    Attributes:
        sensor: id, unique over all nations.
        nation: owner.
        latitude_rad: geodetic latitude, WGS-84.
        longitude_rad: geodetic longitude, WGS-84.
        height_m: height above the ellipsoid.
        sigma_range_m: one standard deviation of a slant range.
        sigma_azimuth_rad: one standard deviation of an azimuth.
        sigma_elevation_rad: one standard deviation of an elevation.
        sigma_range_rate_m_s: one standard deviation of a range rate; None where it measures none.
        bias_sigma_range_m: one standard deviation of the unknown range offset.
        bias_sigma_azimuth_rad: of the unknown azimuth offset.
        bias_sigma_elevation_rad: of the unknown elevation offset.
        bias_sigma_clock_s: of the unknown clock offset.
        minimum_elevation_rad: below this it sees nothing.
        maximum_range_m: beyond this it sees nothing.
        scan_period_s: time between two looks at one object (used by the simulated sensor only).
    """

    sensor: str
    nation: Nation
    latitude_rad: float
    longitude_rad: float
    height_m: float
    sigma_range_m: float
    sigma_azimuth_rad: float
    sigma_elevation_rad: float
    sigma_range_rate_m_s: float | None = None
    bias_sigma_range_m: float = 0.0
    bias_sigma_azimuth_rad: float = 0.0
    bias_sigma_elevation_rad: float = 0.0
    bias_sigma_clock_s: float = 0.0
    minimum_elevation_rad: float = 0.0
    maximum_range_m: float = 1.0e7
    scan_period_s: float = 1.0


class InfraredSensor(msgspec.Struct, frozen=True, tag="ir", tag_field="kind", forbid_unknown_fields=True):
    """A notional infrared launch detector; its position comes with each detection.

    Attributes:
        sensor: id, unique over all nations.
        nation: owner.
        sigma_line_of_sight_rad: one standard deviation of the direction, each axis.
        bias_sigma_clock_s: of the unknown clock offset.
        scan_period_s: time between two looks (used by the simulated sensor only).
    """

    sensor: str
    nation: Nation
    sigma_line_of_sight_rad: float
    bias_sigma_clock_s: float = 0.0
    scan_period_s: float = 1.0


Sensor = Radar | InfraredSensor

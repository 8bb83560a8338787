"""Constants and unit conversions, each with its source.

Inside the program everything is SI, radians and integer microseconds UTC; degrees appear only in
`formats`, `cli` and the web page.
"""

import math
from typing import Final

RADIANS_PER_DEGREE: Final = math.pi / 180.0
DEGREES_PER_RADIAN: Final = 180.0 / math.pi
MICROSECONDS_PER_SECOND: Final = 1_000_000

# Source: NIMA TR8350.2 (WGS 84), 3rd edition with amendment 1, tables 3.1 to 3.3.
WGS84_SEMI_MAJOR_M: Final = 6_378_137.0
WGS84_INVERSE_FLATTENING: Final = 298.257_223_563
WGS84_FLATTENING: Final = 1.0 / WGS84_INVERSE_FLATTENING
WGS84_SEMI_MINOR_M: Final = WGS84_SEMI_MAJOR_M * (1.0 - WGS84_FLATTENING)
WGS84_ECCENTRICITY_SQUARED: Final = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)
EARTH_GM_M3_S2: Final = 3.986_004_418e14
EARTH_ROTATION_RAD_S: Final = 7.292_115e-5

# Source: EGM96, C(2,0) = -484.165371736e-6 normalised; J2 = -sqrt(5) * C(2,0).
EARTH_J2: Final = 1.082_626_683_553e-3

# Source: BIPM SI brochure, 9th edition; ISO 80000-3 (conventional standard gravity).
STANDARD_GRAVITY_M_S2: Final = 9.806_65

# Source: IUGG mean radius R1 = (2a + b) / 3 of WGS 84.
EARTH_MEAN_RADIUS_M: Final = (2.0 * WGS84_SEMI_MAJOR_M + WGS84_SEMI_MINOR_M) / 3.0


def seconds_from_microseconds(interval_us: int) -> float:
    """Return the interval in seconds."""
    return interval_us / MICROSECONDS_PER_SECOND


def microseconds_from_seconds(interval_s: float) -> int:
    """Return the interval in whole microseconds, rounded to the nearest."""
    return round(interval_s * MICROSECONDS_PER_SECOND)

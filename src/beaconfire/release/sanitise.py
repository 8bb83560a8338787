"""Sanitise without lying: coarsen places and times so that what is stated still holds.

Places snap to a fixed grid, never fresh noise: an observer who averages revisions removes noise, not a
grid. Areas grow so that the stated probability still holds, by an amount that depends on the grid only.
"""

import hmac
import math
from typing import Final

import msgspec

from beaconfire.messages.estimate import Ellipse, ImpactEstimate, LaunchEstimate
from beaconfire.messages.report import Report, SensorUse, Timing
from beaconfire.messages.words import Group, Phase
from beaconfire.release.content import Content, content_of
from beaconfire.release.obligations import Obligations
from beaconfire.units import EARTH_MEAN_RADIUS_M, MICROSECONDS_PER_SECOND

RADIUS_SPREAD: Final = 1.01
"""Above the ratio of any radius of curvature of the ellipsoid to the mean radius."""


Place = tuple[float, float]
"""Geodetic latitude and longitude, radians."""


class Sanitised(msgspec.Struct, frozen=True):
    """What became of one group.

    Attributes:
        value: what may pass; None if nothing of it.
        transform: what was done, in words; empty if it passes as it was.
    """

    value: Content
    transform: str = ""


def sanitise(
    report: Report,
    group: Group,
    obligations: Obligations,
    opaque_secret: bytes,
    held: Place | None = None,
) -> Sanitised:
    """Return what is left of one group of a report under its obligations.

    Args:
        report: as the hub opened it.
        group: which group.
        obligations: joined over all permits.
        opaque_secret: under which opaque sensor names are made; per recipient, so that two
            recipients can't compare them.
        held: centre that the launch point of this track was given before, for this recipient.
    """
    value = content_of(report, group)
    if not is_anything_left(report, group, obligations):
        return Sanitised(value=None)
    match value:
        case LaunchEstimate():
            coarse: Content = _coarse_launch(value, obligations, held)
        case Timing():
            coarse = _round_timing(value, obligations.round_time_s)
        case SensorUse() if obligations.opaque_sensor:
            coarse = opaque_sensors(value, report.originator, opaque_secret)
        case tuple() if group is Group.IMPACT:
            impacts = [one for one in value if isinstance(one, ImpactEstimate)]
            coarse = tuple(_coarse_impact(one, obligations) for one in impacts)
        case _:
            coarse = value
    return Sanitised(value=coarse, transform="" if coarse == value else _words(obligations))


def is_anything_left(report: Report, group: Group, obligations: Obligations) -> bool:
    """Return whether anything of a group passes under its obligations, in whatever form.

    A covariance without its state does not: it would still tell of the geometry.
    """
    if content_of(report, group) is None or obligations.drop or not obligations.can_apply_to(group):
        return False
    if group is Group.COVARIANCE and report.trajectory is None:
        return False
    return not obligations.coast_only or _boost_is_over(report)


def _words(obligations: Obligations) -> str:
    done = (
        (obligations.grid_m, f"grid {obligations.grid_m:.0f} m"),
        (obligations.round_time_s, f"time {obligations.round_time_s:g} s"),
        (obligations.opaque_sensor, "opaque names"),
    )
    return ", ".join(words for demanded, words in done if demanded)


def _boost_is_over(report: Report) -> bool:
    """Return whether the state is after burnout: by its phase and, where stated, by burnout time."""
    state = report.trajectory
    if state is None or state.phase is Phase.BOOST:
        return False
    burnout_us = report.timing.burnout_at_us if report.timing else None
    return burnout_us is None or state.epoch_us >= burnout_us


def with_boost_until_burnout(report: Report) -> Report:
    """Return the report with its state in phase BOOST if it is before the burnout that is stated.

    Timing may be withheld from the hub; so the state alone must tell that it is still boosted.
    """
    state = report.trajectory
    if state is None or _boost_is_over(report):
        return report
    return msgspec.structs.replace(report, trajectory=msgspec.structs.replace(state, phase=Phase.BOOST))


def _coarse_launch(launch: LaunchEstimate, obligations: Obligations, held: Place | None) -> LaunchEstimate:
    time_us, sigma_s = round_time(launch.time_us, launch.sigma_time_s, obligations.round_time_s)
    area = snap_ellipse(launch.area, obligations.grid_m, held)
    return LaunchEstimate(time_us=time_us, sigma_time_s=sigma_s, area=area)


def _coarse_impact(impact: ImpactEstimate, obligations: Obligations) -> ImpactEstimate:
    time_us, sigma_s = round_time(impact.time_us, impact.sigma_time_s, obligations.round_time_s)
    area = snap_ellipse(impact.area, obligations.grid_m)
    return ImpactEstimate(weight=impact.weight, time_us=time_us, sigma_time_s=sigma_s, area=area)


def _round_timing(timing: Timing, step_s: float) -> Timing:
    burnout_us = timing.burnout_at_us
    return Timing(
        first_detected_at_us=round_time(timing.first_detected_at_us, 0.0, step_s)[0],
        observed_at_us=round_time(timing.observed_at_us, 0.0, step_s)[0],
        burnout_at_us=None if burnout_us is None else round_time(burnout_us, 0.0, step_s)[0],
    )


def round_time(time_us: int, sigma_s: float, step_s: float) -> tuple[int, float]:
    """Return a time rounded to a multiple of the step, and its sigma grown by half a step."""
    step_us = round(step_s * MICROSECONDS_PER_SECOND)
    if step_us <= 0:
        return time_us, sigma_s
    return (time_us + step_us // 2) // step_us * step_us, sigma_s + step_s / 2.0


def opaque_sensors(use: SensorUse, originator: str, secret: bytes) -> SensorUse:
    """Return the sensors under keyed names; the count of detections is cut to a power of two."""
    names = sorted(
        "S-" + hmac.digest(secret, f"sensor {originator} {name}".encode(), "sha256").hex()[:8].upper()
        for name in use.sensors
    )
    floor = 1 << (use.detections.bit_length() - 1) if use.detections > 0 else 0
    return SensorUse(sensors=tuple(names), kinds=tuple(sorted(set(use.kinds))), detections=floor)


def snap(latitude_rad: float, longitude_rad: float, grid_m: float) -> tuple[float, float, float]:
    """Return the centre of the grid cell of a place and the greatest distance within the cell to it.

    Rows of latitude are `grid_m` high; each holds a whole number of columns at least `grid_m` wide.
    Result: latitude and longitude in radians, distance in metres.
    """
    row_rad = grid_m / EARTH_MEAN_RADIUS_M
    row = math.floor(latitude_rad / row_rad)
    centre_latitude = (row + 0.5) * row_rad
    cosine = max(math.cos(centre_latitude), 1.0e-3)
    columns = max(1, math.floor(2.0 * math.pi * cosine * EARTH_MEAN_RADIUS_M / grid_m))
    width_rad = 2.0 * math.pi / columns
    column = math.floor((longitude_rad % (2.0 * math.pi)) / width_rad)
    centre_longitude = (column + 0.5) * width_rad
    widest = max(math.cos(row * row_rad), math.cos((row + 1) * row_rad))
    reach_m = RADIUS_SPREAD * math.hypot(grid_m / 2.0, width_rad * widest * EARTH_MEAN_RADIUS_M / 2.0)
    return centre_latitude, (centre_longitude + math.pi) % (2.0 * math.pi) - math.pi, reach_m


def distance_m(one: Place, other: Place) -> float:
    """Return the distance of two places some kilometres apart, metres, never less than it is."""
    north = one[0] - other[0]
    east = (one[1] - other[1] + math.pi) % (2.0 * math.pi) - math.pi
    cosine = max(math.cos(one[0]), math.cos(other[0]))
    return RADIUS_SPREAD * EARTH_MEAN_RADIUS_M * math.hypot(north, east * cosine)


def centre_for(area: Ellipse, grid_m: float, held: Place | None = None) -> Place:
    """Return the centre that an area is given: the one it had, while it may be there, or its cell's.

    It may be there within the size of a cell and the area's own. Revisions that scatter about the edge of a
    cell would else fall now on this side and now on that, and their average would tell the place far better
    than the grid does.
    """
    place = (area.latitude_rad, area.longitude_rad)
    if held is not None and distance_m(place, held) <= grid_m + area.semi_major_m:
        return held
    return snap(*place, grid_m)[:2]


def snap_ellipse(area: Ellipse, grid_m: float, held: Place | None = None) -> Ellipse:
    """Return an area around a cell's centre that holds the old one wherever `centre_for` lets it stand.

    The outer ellipse of the sum of the old ellipse and a disc as wide as that, with axes rounded up to a
    tenth of the grid; so at least the stated probability still lies inside.

    Args:
        area: as stated.
        grid_m: size of the cells; 0 leaves the area as it is.
        held: the centre given before, if one was.

    Source: A. Kurzhanski and I. Valyi, Ellipsoidal Calculus (1997), section 2.3: the ellipse with
    matrix (1 + 1/p) Q1 + (1 + p) Q2, p = sqrt(tr Q1 / tr Q2), holds the sum of ellipses Q1 and Q2.
    """
    if grid_m <= 0.0:
        return area
    latitude_rad, longitude_rad = centre_for(area, grid_m, held)
    reach_m = RADIUS_SPREAD * (grid_m + area.semi_major_m)
    major, minor, reach = area.semi_major_m**2, area.semi_minor_m**2, reach_m**2
    ratio = max(math.sqrt((major + minor) / (2.0 * reach)), 1.0e-9)
    step_m = grid_m / 10.0

    def grown(axis_squared: float) -> float:
        axis_m = math.sqrt((1.0 + 1.0 / ratio) * axis_squared + (1.0 + ratio) * reach)
        return math.ceil(axis_m / step_m) * step_m

    return Ellipse(
        latitude_rad=latitude_rad,
        longitude_rad=longitude_rad,
        semi_major_m=grown(major),
        semi_minor_m=grown(minor),
        bearing_rad=area.bearing_rad,
        probability=area.probability,
    )

"""Sanitise without lying: coarsen places and times so that what is stated still holds.

Places snap to a fixed grid, never fresh noise: an observer who averages revisions removes noise, not a
grid. Areas grow so that the stated probability still holds, by an amount that depends on the grid only.
"""

import hmac
from typing import Final

import msgspec

from beaconfire.messages.estimate import Ellipse, ImpactEstimate, LaunchEstimate
from beaconfire.messages.report import Report, SensorUse, Timing
from beaconfire.messages.words import Group, Phase
from beaconfire.release.content import Content, content_of
from beaconfire.release.grid import Place, snap_ellipse, step_time
from beaconfire.release.obligations import Obligations


class Earlier(msgspec.Struct, frozen=True):
    """What one recipient was last given of one track, as far as it was coarsened; else nothing of it."""

    launch_point: LaunchEstimate | None = None
    impact: tuple[ImpactEstimate, ...] = ()
    timing: Timing | None = None


FIRST: Final = Earlier()


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
    earlier: Earlier = FIRST,
) -> Sanitised:
    """Return what is left of one group of a report under its obligations.

    Args:
        report: as the hub opened it.
        group: which group.
        obligations: joined over all permits.
        opaque_secret: under which opaque sensor names are made; per recipient, so that two
            recipients can't compare them.
        earlier: what this recipient was given coarsened of this track before.
    """
    value = content_of(report, group)
    if not is_anything_left(report, group, obligations):
        return Sanitised(value=None)
    match value:
        case LaunchEstimate():
            coarse: Content = _coarse_launch(value, obligations, earlier)
        case Timing():
            coarse = _round_timing(value, obligations.round_time_s, earlier)
        case SensorUse() if obligations.opaque_sensor:
            coarse = opaque_sensors(value, report.originator, opaque_secret)
        case tuple() if group is Group.IMPACT:
            impacts = [one for one in value if isinstance(one, ImpactEstimate)]
            coarse = tuple(_coarse_impact(one, obligations, earlier) for one in impacts)
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


def _coarse_launch(launch: LaunchEstimate, obligations: Obligations, earlier: Earlier) -> LaunchEstimate:
    given = [] if earlier.launch_point is None else [earlier.launch_point]
    time_us, sigma_s = step_time(
        launch.time_us, launch.sigma_time_s, obligations.round_time_s, (one.time_us for one in given)
    )
    area = snap_ellipse(launch.area, obligations.grid_m, (place_of(one.area) for one in given))
    return LaunchEstimate(time_us=time_us, sigma_time_s=sigma_s, area=area)


def _coarse_impact(impact: ImpactEstimate, obligations: Obligations, earlier: Earlier) -> ImpactEstimate:
    time_us, sigma_s = step_time(
        impact.time_us, impact.sigma_time_s, obligations.round_time_s, (one.time_us for one in earlier.impact)
    )
    area = snap_ellipse(impact.area, obligations.grid_m, (place_of(one.area) for one in earlier.impact))
    return ImpactEstimate(weight=impact.weight, time_us=time_us, sigma_time_s=sigma_s, area=area)


def _round_timing(timing: Timing, step_s: float, earlier: Earlier) -> Timing:
    """Return times on the step. The burnout, which revisions estimate anew, stays where it was given.

    No sigma of it is stated: half a step stands for it.
    """
    scatter_s = step_s / 2.0
    burnout_us, given = timing.burnout_at_us, earlier.timing
    before = [] if given is None or given.burnout_at_us is None else [given.burnout_at_us]
    return Timing(
        first_detected_at_us=step_time(timing.first_detected_at_us, 0.0, step_s)[0],
        observed_at_us=step_time(timing.observed_at_us, 0.0, step_s)[0],
        burnout_at_us=None if burnout_us is None else step_time(burnout_us, scatter_s, step_s, before)[0],
    )


def place_of(area: Ellipse) -> Place:
    """Return the centre of an area."""
    return area.latitude_rad, area.longitude_rad


def opaque_sensors(use: SensorUse, originator: str, secret: bytes) -> SensorUse:
    """Return the sensors under keyed names; the count of detections is cut to a power of two."""
    names = sorted(
        "S-" + hmac.digest(secret, f"sensor {originator} {name}".encode(), "sha256").hex()[:8].upper()
        for name in use.sensors
    )
    floor = 1 << (use.detections.bit_length() - 1) if use.detections > 0 else 0
    return SensorUse(sensors=tuple(names), kinds=tuple(sorted(set(use.kinds))), detections=floor)

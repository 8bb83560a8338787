"""From the reports of one object to the content of its event: state, launch, impact, status, who saw it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from beaconfire.flight.fall import apogee_height_m
from beaconfire.flight.impact import predict_impact
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.frames.types import Vector
from beaconfire.fusion.information import Fused, fuse
from beaconfire.fusion.launch import combine_launches
from beaconfire.fusion.source import (
    Estimate,
    Source,
    TrackKey,
    estimate_of,
    first_detected_at_us,
    is_manoeuvring,
    is_sight_only,
    may_thrust,
    observed_at_us,
    status_of,
)
from beaconfire.messages.estimate import ImpactEstimate, Kinematics, LaunchEstimate
from beaconfire.messages.event import Contribution
from beaconfire.messages.words import Phase, Status, TimeUs
from beaconfire.units import seconds_from_microseconds

LOST_WANDER_M_S: Final = 0.5
"""Growth of velocity sigma per square root of a second once nobody sees the object any more."""
REENTRY_HEIGHT_M: Final = 100_000.0
_UPPER_SIX: Final = np.triu_indices(6)


class Content(NamedTuple):
    """What an event says, before it has a place in the life of a picture.

    Attributes:
        members: the reports, in order of originator and track.
        conflicts: tracks that disagree with the rest.
        estimate: fused state of seven, None if nobody gave one.
        phase: of the flight.
        launch: None until somebody can say.
        impact: hypotheses, empty until they can honestly be stated.
        apogee_m: height of the highest point, None until known.
        manoeuvring: the ballistic impact area does not apply.
        thrust_possible: thrust may continue.
        confirmed: more than a single infrared or tentative track.
    """

    members: tuple[Source, ...]
    conflicts: tuple[TrackKey, ...]
    estimate: Estimate | None
    phase: Phase
    launch: LaunchEstimate | None
    impact: tuple[ImpactEstimate, ...]
    apogee_m: float | None
    manoeuvring: bool
    thrust_possible: bool
    confirmed: bool


def assemble(sources: Sequence[Source]) -> Content:
    """Return what the reports of one object say together."""
    members = tuple(sorted(sources, key=lambda one: one.key))
    manoeuvring = any(is_manoeuvring(one.report) for one in members)
    fused, conflicts = _fused(members, manoeuvring=manoeuvring)
    thrust = _may_thrust(members, fused)
    estimate = None if fused is None else fused.estimate
    ballistic = estimate is not None and not (manoeuvring or thrust)
    return Content(
        members=members,
        conflicts=conflicts,
        estimate=estimate,
        phase=_phase(members, estimate, thrust=thrust),
        launch=combine_launches([r for one in members if (r := one.report.launch_point) is not None]),
        impact=impact_of(members, estimate if ballistic else None),
        apogee_m=apogee_height_m(estimate.state) if ballistic and estimate is not None else None,
        manoeuvring=manoeuvring,
        thrust_possible=thrust,
        confirmed=_is_confirmed(members),
    )


def _fused(members: tuple[Source, ...], *, manoeuvring: bool) -> tuple[Fused | None, tuple[TrackKey, ...]]:
    """Return the fused estimate and whose disagree; in a manoeuvre only those who saw it are used."""
    given = [
        (one.key, estimate)
        for one in members
        if (estimate := estimate_of(one.report)) is not None
        and (not manoeuvring or is_manoeuvring(one.report) or estimate.process_noise)
    ]
    fused = fuse([estimate for _, estimate in given])
    return fused, () if fused is None else tuple(given[index][0] for index in fused.conflicts)


def _may_thrust(members: tuple[Source, ...], fused: Fused | None) -> bool:
    """Return whether thrust may continue: no, once one nation's free-flight fit says so."""
    if fused is None:
        return all(may_thrust(one.report) for one in members)
    covered = [one.report for one in members if one.report.covariance is not None]
    return fused.estimate.process_noise or all(may_thrust(report) for report in covered)


def _phase(members: tuple[Source, ...], estimate: Estimate | None, *, thrust: bool) -> Phase:
    if estimate is None or thrust:
        return Phase.BOOST
    newest = max(members, key=lambda one: (observed_at_us(one.report), one.key))
    state = estimate.state
    height = geodetic_from_ecef_kernel(float(state[0]), float(state[1]), float(state[2]))[2]
    falls = float(state[:3] @ state[3:6]) < 0.0
    trajectory = newest.report.trajectory
    stated = trajectory is not None and trajectory.phase is Phase.REENTRY
    return Phase.REENTRY if falls and (stated or height < REENTRY_HEIGHT_M) else Phase.COAST


def impact_of(members: Sequence[Source], estimate: Estimate | None) -> tuple[ImpactEstimate, ...]:
    """Return the impact of a free flight, else the newest that a nation itself stated, else nothing."""
    if estimate is not None:
        one = predict_impact(estimate.state, estimate.covariance, estimate.epoch_us)
        return () if one is None else (one,)
    stated = [one.report for one in members if one.report.impact]
    if not stated:
        return ()
    return max(stated, key=lambda report: report.stated_at_us).impact or ()


def _is_confirmed(members: tuple[Source, ...]) -> bool:
    """Return whether two nations see it, or one has confirmed it by more than infrared."""
    seen = [one for one in members if status_of(one.report) is not Status.WITHDRAWN]
    if len({one.report.originator for one in seen}) > 1:
        return True
    return any(
        status_of(one.report) in (Status.CONFIRMED, Status.LOST, Status.ENDED)
        and not is_sight_only(one.report)
        and one.report.trajectory is not None
        for one in seen
    )


def grown(estimate: Estimate, epoch_us: TimeUs, carried: Estimate) -> Estimate:
    """Return a carried estimate with the growth of an object nobody sees.

    Args:
        estimate: the last one somebody saw.
        epoch_us: now.
        carried: `estimate` brought to now.
    """
    unseen_s = max(0.0, seconds_from_microseconds(epoch_us - estimate.epoch_us))
    density = LOST_WANDER_M_S**2
    covariance: Vector = carried.covariance.copy()
    for axis in range(3):
        covariance[axis, axis] += density * unseen_s**3 / 3.0
        covariance[axis, 3 + axis] += density * unseen_s**2 / 2.0
        covariance[3 + axis, axis] += density * unseen_s**2 / 2.0
        covariance[3 + axis, 3 + axis] += density * unseen_s
    return carried.moved(epoch_us, carried.state, covariance)


def kinematics_of(estimate: Estimate, phase: Phase) -> Kinematics:
    """Return the state as it is written in an event."""
    x, y, z, vx, vy, vz, log_inverse_beta = (float(value) for value in estimate.state)
    return Kinematics(estimate.epoch_us, (x, y, z), (vx, vy, vz), log_inverse_beta, phase)


def upper_of(estimate: Estimate) -> tuple[float, ...]:
    """Return 21 numbers: the upper triangle of the covariance of position and velocity."""
    return tuple(float(value) for value in estimate.covariance[:6, :6][_UPPER_SIX])


def contribution_of(source: Source) -> Contribution:
    """Return who saw it, when first, when last, by which sensors."""
    report = source.report
    return Contribution(
        nation=report.originator,
        track=report.track,
        first_detected_at_us=first_detected_at_us(report),
        observed_at_us=observed_at_us(report),
        received_at_us=source.received_at_us,
        sensors=() if report.sensor is None else report.sensor.sensors,
        basis=source.basis,
    )

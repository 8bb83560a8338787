"""From the reports of one object to the content of its event: state, launch, impact, status, who saw it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from beaconfire.flight.fall import apogee_height_m
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.frames.types import Vector
from beaconfire.fusion.information import Fused, fuse
from beaconfire.fusion.launch import combine_launches
from beaconfire.fusion.outlook import (
    MANOEUVRE_WEIGHT,
    Outlook,
    areas_of,
    falling,
    impacts_of,
    loosened,
    stated,
    thrusting,
    weighted,
)
from beaconfire.fusion.source import (
    Estimate,
    Member,
    TrackKey,
    first_detected_at_us,
    is_manoeuvring,
    is_sight_only,
    may_thrust,
    observed_at_us,
    status_of,
)
from beaconfire.messages.estimate import Kinematics, LaunchEstimate
from beaconfire.messages.event import Contribution, Event
from beaconfire.messages.words import Hypothesis, Mode, Nation, Phase, Status, TimeUs
from beaconfire.units import seconds_from_microseconds

LOST_WANDER_M_S: Final = 0.5
"""Growth of velocity sigma per square root of a second once nobody sees the object any more."""
MANOEUVRE_SIGMA_M: Final = 3_000.0
MANOEUVRE_SIGMA_M_S: Final = 250.0
"""Freedom of a pull-up or glide: one standard deviation of each axis, some 25 s at one g."""
MANOEUVRE_SIGMA_S: Final = 60.0
"""What a pull-up or glide may add to, or take from, the time of flight."""
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
        outlooks: hypotheses of the impact, empty until they can honestly be stated.
        apogee_m: height of the highest point, None until known.
        manoeuvring: the ballistic impact area does not apply.
        thrust_possible: thrust may continue; an impact stated all the same holds if it does not.
        confirmed: more than a single infrared or tentative track.
    """

    members: tuple[Member, ...]
    conflicts: tuple[TrackKey, ...]
    estimate: Estimate | None
    phase: Phase
    launch: LaunchEstimate | None
    outlooks: tuple[Outlook, ...]
    apogee_m: float | None
    manoeuvring: bool
    thrust_possible: bool
    confirmed: bool

    def shown(self, estimate: Estimate, outlooks: tuple[Outlook, ...]) -> "Content":
        """Return the content with another state and impact."""
        return self._replace(estimate=estimate, outlooks=outlooks)


def assemble(tracks: Sequence[Member], *, foresee_thrust: bool = True) -> Content:
    """Return what the reports of one object say together.

    Args:
        tracks: the reports.
        foresee_thrust: also say where thrust that goes on may take it; it costs as much as all the rest.
    """
    members = tuple(sorted(tracks, key=lambda one: one.key))
    manoeuvring = any(is_manoeuvring(one.report) for one in members)
    fused, conflicts = _fused(members, manoeuvring=manoeuvring)
    thrust = _may_thrust(members, fused)
    estimate = None if fused is None else fused.estimate
    ballistic = estimate is not None and not (manoeuvring or estimate.process_noise)
    launch = combine_launches([r for one in members if (r := one.report.launch_point) is not None])
    outlooks: tuple[Outlook, ...] = ()
    if estimate is not None and manoeuvring and not _is_driven(members):
        outlooks = manoeuvre_outlooks(estimate, estimate)
    elif ballistic and estimate is not None:
        outlooks = free_outlooks(estimate)
    elif estimate is not None and thrust and not manoeuvring and foresee_thrust:
        outlooks = thrusting(estimate, None if launch is None else launch.time_us)
    return Content(
        members=members,
        conflicts=conflicts,
        estimate=estimate,
        phase=_phase(members, estimate, thrust=thrust),
        launch=launch,
        outlooks=outlooks if ballistic or outlooks else stated_outlooks(members),
        apogee_m=apogee_height_m(estimate.state) if ballistic and estimate is not None else None,
        manoeuvring=manoeuvring,
        thrust_possible=thrust,
        confirmed=_is_confirmed(members),
    )


def _fused(members: tuple[Member, ...], *, manoeuvring: bool) -> tuple[Fused | None, tuple[TrackKey, ...]]:
    """Return the fused estimate and whose disagree; in a manoeuvre only those who saw it are used."""
    given = [
        (one.key, one.estimate)
        for one in members
        if one.estimate is not None
        and (not manoeuvring or is_manoeuvring(one.report) or one.estimate.process_noise)
    ]
    fused = fuse([estimate for _, estimate in given])
    if fused is None or fused.estimate.process_noise:
        return fused, ()  # in boost every model is rough: the estimate is wide, nobody is at fault
    return fused, tuple(given[index][0] for index in fused.conflicts)


def _is_driven(members: tuple[Member, ...]) -> bool:
    """Return whether those who say that it manoeuvres say that it does so by thrust: no area holds then."""
    return all(may_thrust(one.report) for one in members if is_manoeuvring(one.report))


def _may_thrust(members: tuple[Member, ...], fused: Fused | None) -> bool:
    """Return whether thrust may continue: no, once one nation's free-flight fit says so."""
    if fused is None:
        return all(may_thrust(one.report) for one in members)
    covered = [one.report for one in members if one.report.covariance is not None]
    return fused.estimate.process_noise or all(may_thrust(report) for report in covered)


def _phase(members: tuple[Member, ...], estimate: Estimate | None, *, thrust: bool) -> Phase:
    if estimate is None or (thrust and estimate.process_noise):
        return Phase.BOOST
    newest = max(members, key=lambda one: (observed_at_us(one.report), one.key))
    state = estimate.state
    height = geodetic_from_ecef_kernel(float(state[0]), float(state[1]), float(state[2]))[2]
    falls = float(state[:3] @ state[3:6]) < 0.0
    trajectory = newest.report.trajectory
    stated = trajectory is not None and trajectory.phase is Phase.REENTRY
    return Phase.REENTRY if falls and (stated or height < REENTRY_HEIGHT_M) else Phase.COAST


def free_outlooks(estimate: Estimate) -> tuple[Outlook, ...]:
    """Return the outlook of a free flight, nothing where it can't honestly be stated."""
    one = falling(estimate)
    return () if one is None else (one,)


def stated_outlooks(members: Sequence[Member]) -> tuple[Outlook, ...]:
    """Return the newest impact that a nation itself stated, else nothing."""
    said = [one.report for one in members if one.report.impact]
    if not said:
        return ()
    return tuple(stated(one) for one in max(said, key=lambda report: report.stated_at_us).impact or ())


def _is_confirmed(members: tuple[Member, ...]) -> bool:
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


def grown(estimate: Estimate, now_us: TimeUs) -> Estimate:
    """Return an estimate, at its own epoch, with the growth of an object that nobody saw since.

    Args:
        estimate: the last one somebody saw.
        now_us: until when nobody saw it.
    """
    unseen_s = max(0.0, seconds_from_microseconds(now_us - estimate.epoch_us))
    covariance: Vector = estimate.covariance.copy()
    for axis in range(3, 6):
        covariance[axis, axis] += LOST_WANDER_M_S**2 * unseen_s
    return estimate.moved(estimate.epoch_us, estimate.state, covariance)


def manoeuvred(estimate: Estimate) -> Estimate:
    """Return an estimate wide enough for what a flight that is not ballistic may still do."""
    covariance: Vector = estimate.covariance.copy()
    for axis in range(3):
        covariance[axis, axis] += MANOEUVRE_SIGMA_M**2
        covariance[3 + axis, 3 + axis] += MANOEUVRE_SIGMA_M_S**2
    return estimate.moved(estimate.epoch_us, estimate.state, covariance)


def manoeuvre_outlooks(estimate: Estimate, seen: Estimate | None) -> tuple[Outlook, ...]:
    """Return what comes of a pull-up or glide: it goes on, or falls freely from where it was seen.

    Args:
        estimate: as wide as is known.
        seen: as wide as the free fall from there is known; None if nobody has seen it for long.
    """
    wide = falling(manoeuvred(estimate), Hypothesis.MANOEUVRE)
    if wide is None:
        return ()
    wide = loosened(wide, MANOEUVRE_SIGMA_S)
    free = None if seen is None else falling(seen)
    if free is None:
        return (wide,)
    return weighted(wide, MANOEUVRE_WEIGHT), weighted(free, 1.0 - MANOEUVRE_WEIGHT)


def kinematics_of(estimate: Estimate, phase: Phase) -> Kinematics:
    """Return the state as it is written in an event."""
    x, y, z, vx, vy, vz, log_inverse_beta = (float(value) for value in estimate.state)
    return Kinematics(estimate.epoch_us, (x, y, z), (vx, vy, vz), log_inverse_beta, phase)


def upper_of(estimate: Estimate) -> tuple[float, ...]:
    """Return 21 numbers: the upper triangle of the covariance of position and velocity."""
    return tuple(float(value) for value in estimate.covariance[:6, :6][_UPPER_SIX])


def contribution_of(member: Member) -> Contribution:
    """Return who saw it, when first, when last, by which sensors."""
    source, report = member.source, member.report
    return Contribution(
        nation=report.originator,
        track=report.track,
        first_detected_at_us=first_detected_at_us(report),
        observed_at_us=observed_at_us(report),
        received_at_us=source.received_at_us,
        sensors=() if report.sensor is None else report.sensor.sensors,
        basis=source.basis,
        report_id=report.report_id,
    )


def event_of(content: Content, nation: Nation, mode: Mode) -> Event:
    """Return the event that a content makes; its name, life and places are still to be filled in."""
    estimate = content.estimate
    return Event(
        nation=nation,
        event_id="",
        revision=0,
        as_of_us=0,
        observed_at_us=max(observed_at_us(one.report) for one in content.members),
        mode=mode,
        status=Status.TENTATIVE,
        sharing=None,
        contributors=tuple(sorted({one.report.originator for one in content.members})),
        references=tuple(one.report.track for one in content.members),
        contributions=tuple(contribution_of(one) for one in content.members),
        manoeuvring=content.manoeuvring,
        thrust_possible=content.thrust_possible,
        raid_id=None,
        apogee_m=content.apogee_m,
        launch=content.launch,
        state=None if estimate is None else kinematics_of(estimate, content.phase),
        covariance=() if estimate is None else upper_of(estimate),
        impact=impacts_of(content.outlooks),
        places=(),
        areas=areas_of(content.outlooks),
    )

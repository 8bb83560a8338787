"""Correlation: whether tracks of two nations, or a track and an event, are one object.

Judged by position and velocity at a common time where both have them, else by launch time and place, else
by time alone. Every judgement is a gate ratio: up to 1 they may be one object, the smaller the better.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from beaconfire.fusion.information import CHI_SQUARE_6, THRUST_SIGMA_M_S2, carry, distance_squared
from beaconfire.fusion.launch import launch_gate_ratio
from beaconfire.fusion.source import (
    Estimate,
    Member,
    first_detected_at_us,
    observed_at_us,
    status_of,
)
from beaconfire.messages.estimate import LaunchEstimate
from beaconfire.messages.words import Status, TimeUs
from beaconfire.units import microseconds_from_seconds, seconds_from_microseconds

REGISTRATION: Final = np.diag([200.0**2] * 3 + [2.0**2] * 3)
"""What two nations' sensors may be apart without either stating it: 200 m and 2 m/s."""
THRUST_CARRY_MAX_S: Final = 15.0
TIME_ONLY_S: Final = 90.0
LAUNCH_SLACK: Final = 3.0
"""Generic ascents are rough: flights that agree in flight may differ this many gates in launch."""
LATE_S: Final = 150.0
NEAR_M: Final = 5_000.0
NEAR_M_S: Final = 150.0
ALONE_M: Final = 20_000.0
OVER: Final = frozenset({Status.LOST, Status.ENDED, Status.WITHDRAWN})


class Signature(NamedTuple):
    """What is known of an object for telling it from others."""

    estimate: Estimate | None
    launch: LaunchEstimate | None
    first_detected_at_us: TimeUs | None
    observed_at_us: TimeUs


def signature_of(member: Member) -> Signature:
    """Return what a report says of its object."""
    report = member.report
    return Signature(
        member.estimate,
        report.launch_point,
        first_detected_at_us(report),
        observed_at_us(report),
    )


def common_epoch(one: Estimate, other: Estimate) -> tuple[Estimate, Estimate] | None:
    """Return two estimates at the later of their epochs, or None if they can't be brought there."""
    epoch_us = max(one.epoch_us, other.epoch_us)
    pair = []
    for each in (one, other):
        interval_s = seconds_from_microseconds(epoch_us - each.epoch_us)
        if each.process_noise and interval_s > THRUST_CARRY_MAX_S:
            return None
        there = carry(each, epoch_us, THRUST_SIGMA_M_S2 if each.process_noise else 0.0)
        if there is None:
            return None
        pair.append(there)
    return pair[0], pair[1]


def _flight_ratio(one: Estimate, other: Estimate) -> float | None:
    pair = common_epoch(one, other)
    return None if pair is None else distance_squared(*pair, REGISTRATION) / CHI_SQUARE_6


def _time_ratio(one: Signature, other: Signature) -> float:
    """Return 0.99 for detections that may belong together in time, else 2: weak, so never preferred."""
    first = [each.first_detected_at_us or each.observed_at_us for each in (one, other)]
    interval_s = abs(seconds_from_microseconds(first[0] - first[1]))
    return 0.99 if interval_s < TIME_ONLY_S else 2.0


def gate_ratio(one: Signature, other: Signature) -> float:
    """Return how far two objects are from being one; up to 1 they may be."""
    flight: float | None = None
    launch: float | None = None
    if one.estimate is not None and other.estimate is not None:
        flight = _flight_ratio(one.estimate, other.estimate)
    if one.launch is not None and other.launch is not None:
        launch = launch_gate_ratio(one.launch, other.launch)
    if flight is not None and (_is_late(one, other) or _is_late(other, one)):
        return flight
    if flight is not None:
        return flight if launch is None else max(flight, launch / LAUNCH_SLACK)
    return _time_ratio(one, other) if launch is None else launch


def _is_late(one: Signature, other: Signature) -> bool:
    """Return whether an object was picked up so late that its own guess of the launch says little."""
    if one.first_detected_at_us is None or other.launch is None:
        return False
    return seconds_from_microseconds(one.first_detected_at_us - other.launch.time_us) > LATE_S


def separation(one: Signature, other: Signature) -> tuple[float, float] | None:
    """Return how far apart two objects are in position (m) and velocity (m/s), None if not known."""
    if one.estimate is None or other.estimate is None:
        return None
    pair = common_epoch(one.estimate, other.estimate)
    if pair is None:
        return None
    apart = pair[0].state - pair[1].state
    return float(np.linalg.norm(apart[:3])), float(np.linalg.norm(apart[3:6]))


def are_rivals(one: Member, other: Member) -> bool:
    """Return whether two tracks of one nation claim to be two objects at the same time.

    A track that began after the other was lost, or a sight line beside a radar track, does not.
    """
    if one.key == other.key or one.report.originator != other.report.originator:
        return False
    if (one.report.trajectory is None) is not (other.report.trajectory is None):
        return False
    earlier, later = sorted((one, other), key=lambda each: observed_at_us(each.report))
    began_us = first_detected_at_us(later.report)
    if began_us is None:
        return status_of(earlier.report) not in OVER
    gone_us = observed_at_us(earlier.report) + microseconds_from_seconds(1.0)
    return began_us < gone_us or status_of(earlier.report) not in OVER


def fits_nation(track: Member, members: Iterable[Member]) -> bool:
    """Return whether an event's members leave room for another track of a nation."""
    return not any(are_rivals(track, member) for member in members)

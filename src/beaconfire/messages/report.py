"""The report: what one nation's own sensors say of one object; supersedes the one before it.

A report holds own sensors only. There is no field in which an estimate of another nation could stand,
and `Provenance.own_sensors_only` has one legal value.
"""

from typing import Literal

import msgspec

from beaconfire.messages.detection import Detection
from beaconfire.messages.estimate import Covariance, ImpactEstimate, Kinematics, LaunchEstimate
from beaconfire.messages.words import Group, Mode, Nation, Status, TimeUs


class Timing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Times of a national track: first and newest detection used, and burnout once declared."""

    first_detected_at_us: TimeUs
    observed_at_us: TimeUs
    burnout_at_us: TimeUs | None = None


class Classification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What kind of flight it is: status, manoeuvring or ballistic, whether thrust may continue."""

    status: Status
    manoeuvring: bool
    thrust_possible: bool


class SensorUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which own sensors contributed: ids (opaque names after sanitisation) and number of detections."""

    sensors: tuple[str, ...]
    kinds: tuple[Literal["radar", "ir", "tracker"], ...]
    detections: int


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the report came about.

    Attributes:
        own_sensors_only: always True: the type has no other value.
        transform: name of what made it, such as "coast-batch", "boost-filter", "own-tracker".
        producer: software and version.
    """

    own_sensors_only: Literal[True]
    transform: str
    producer: str


class Report(msgspec.Struct, frozen=True, tag="report", tag_field="type", forbid_unknown_fields=True):
    """One nation's newest statement about one object, by field group (see `Group`).

    A group that is None was never stated or was not released; the receiver can't tell which.

    Attributes:
        report_id: opaque keyed hash, unique for all time.
        track: name of the national track, such as "KOR-7F3A": a keyed hash, never a running number.
        supersedes: report id it replaces, or None for the first.
        originator: the nation whose sensors saw it.
        mode: what it is about.
        exercise: exercise id, empty in mode REAL.
        stated_at_us: when the statement was made.
    """

    report_id: str
    track: str
    supersedes: str | None
    originator: Nation
    mode: Mode
    exercise: str
    stated_at_us: TimeUs
    launch_point: LaunchEstimate | None = None
    trajectory: Kinematics | None = None
    covariance: Covariance | None = None
    impact: tuple[ImpactEstimate, ...] | None = None
    timing: Timing | None = None
    classification: Classification | None = None
    sensor: SensorUse | None = None
    raw_measurement: tuple[Detection, ...] | None = None
    provenance: Provenance | None = None


GROUP_TYPES: dict[Group, object] = {
    Group.LAUNCH_POINT: LaunchEstimate | None,
    Group.TRAJECTORY: Kinematics | None,
    Group.COVARIANCE: Covariance | None,
    Group.IMPACT: tuple[ImpactEstimate, ...] | None,
    Group.TIMING: Timing | None,
    Group.CLASSIFICATION: Classification | None,
    Group.SENSOR: SensorUse | None,
    Group.RAW_MEASUREMENT: tuple[Detection, ...] | None,
    Group.PROVENANCE: Provenance | None,
}
"""Type of each group's content; the field of `Report` bears the group's name."""

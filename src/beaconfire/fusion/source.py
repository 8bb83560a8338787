"""A report as the picture takes it in, checked, and the estimate it carries.

The rule that no fusion formula can replace: sources are disjoint. A report that came from outside and
speaks for the own nation, or rests on anything but its originator's own sensors, is refused here again,
whatever was checked before.
"""

import math
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numba import njit

from beaconfire.errors import PeerError
from beaconfire.frames.types import Vector
from beaconfire.messages.estimate import Covariance, Ellipse, Kinematics, LaunchEstimate
from beaconfire.messages.report import Report
from beaconfire.messages.words import Mode, Nation, Status, TimeUs

RADIUS_MIN_M: Final = 6.3e6
RADIUS_MAX_M: Final = 5.0e7
SPEED_MAX_M_S: Final = 1.2e4
VARIANCE_MIN: Final = 1e-30
VARIANCE_MAX: Final = 1e15
"""SI squared; beyond these scaling to a unit diagonal overflows, and no tracker states them."""
EXTRAPOLATED_US: Final = 2_000_000
ROUNDING: Final = 1e-9
"""So far below nothing, beside a unit diagonal, an eigenvalue may lie by rounding on the way here."""


class TrackKey(NamedTuple):
    """Names one national track: originator and its name there."""

    originator: Nation
    track: str


class Source(msgspec.Struct, frozen=True):
    """One accepted report and how it came.

    Attributes:
        report: what one nation's own sensors say.
        basis: arrangements under which it was released; empty for own reports.
        received_at_us: by the picture's clock.
    """

    report: Report
    basis: tuple[str, ...]
    received_at_us: TimeUs

    @property
    def key(self) -> TrackKey:
        """Return whose track it is."""
        return TrackKey(self.report.originator, self.report.track)


class Estimate(NamedTuple):
    """A state of seven with covariance at an epoch, and the prior on ln(1/beta) that is in it.

    Attributes:
        epoch_us: reference instant.
        state: x y z (m), vx vy vz (m/s), ln(1/beta); ECEF, shape (7,).
        covariance: shape (7, 7).
        prior_mean: of ln(1/beta), as the producer assumed it.
        prior_sigma: its standard deviation.
        process_noise: process noise entered, so estimates may not simply be added.
    """

    epoch_us: TimeUs
    state: Vector
    covariance: Vector
    prior_mean: float
    prior_sigma: float
    process_noise: bool

    def moved(self, epoch_us: TimeUs, state: Vector, covariance: Vector) -> "Estimate":
        """Return the estimate with another epoch, state and covariance; the prior in it stays."""
        return Estimate(epoch_us, state, covariance, self.prior_mean, self.prior_sigma, self.process_noise)


class Member(NamedTuple):
    """A source with the estimate in it, read once."""

    source: Source
    estimate: Estimate | None

    @property
    def report(self) -> Report:
        """Return what its nation says."""
        return self.source.report

    @property
    def key(self) -> TrackKey:
        """Return whose track it is."""
        return self.source.key


def member_of(source: Source, before: Member | None = None) -> Member:
    """Return a source with the estimate in it.

    A nation that lost an object goes on stating where it should be by now. That adds nothing to what it
    last saw, and in the air, where drag bends, it would even spoil it: the last estimate seen stays.

    Args:
        source: the report.
        before: the member that it supersedes.
    """
    if before is not None and before.estimate is not None and _is_extrapolated(source.report):
        return Member(source, before.estimate)
    return Member(source, estimate_of(source.report))


def _is_extrapolated(report: Report) -> bool:
    if (
        report.trajectory is None
        or report.timing is None
        or status_of(report)
        not in (
            Status.LOST,
            Status.ENDED,
        )
    ):
        return False
    return report.trajectory.epoch_us > report.timing.observed_at_us + EXTRAPOLATED_US


def check_source(source: Source, nation: Nation, mode: Mode, *, own: bool) -> None:
    """Return if a report may enter the picture of a nation.

    Args:
        source: the report.
        nation: whose picture.
        mode: the only mode the picture works in.
        own: it came from the own national node, not over a link.

    Raises:
        PeerError: "own-data" for own data from outside, "not-own" for foreign data from inside,
            "not-own-sensors", "mode-mismatch", or "bad-estimate" for numbers no flight can have.
    """
    report = source.report
    if own and report.originator != nation:
        raise PeerError("not-own", f"{report.originator[:8]} from the own national node")
    if not own and report.originator == nation:
        raise PeerError("own-data", report.report_id[:40])
    if report.provenance is not None and report.provenance.own_sensors_only is not True:
        raise PeerError("not-own-sensors", report.report_id[:40])
    if report.mode is not mode:
        raise PeerError("mode-mismatch", f"{report.mode}, here {mode}")
    if report.launch_point is not None:
        _check_launch(report.launch_point)
    for one in report.impact or ():
        _check_area(one.area)
    if report.trajectory is not None:
        _check_kinematics(report.trajectory)
        if report.covariance is not None and _matrix(report.covariance) is None:
            raise PeerError("bad-estimate", "covariance is not positive definite")


def _check_kinematics(kinematics: Kinematics) -> None:
    values = (*kinematics.position_ecef_m, *kinematics.velocity_ecef_m_s, kinematics.log_inverse_beta)
    radius = math.hypot(*kinematics.position_ecef_m)
    if not all(math.isfinite(value) for value in values) or not RADIUS_MIN_M < radius < RADIUS_MAX_M:
        raise PeerError("bad-estimate", f"radius {radius:g} m")
    if not math.hypot(*kinematics.velocity_ecef_m_s) < SPEED_MAX_M_S:
        raise PeerError("bad-estimate", "speed no flight has")
    if not -20.0 < kinematics.log_inverse_beta < 5.0:
        raise PeerError("bad-estimate", f"ln(1/beta) {kinematics.log_inverse_beta:g}")


def _check_area(area: Ellipse) -> None:
    fine = (
        abs(area.latitude_rad) <= math.pi / 2
        and abs(area.longitude_rad) <= math.pi + 1e-9
        and 0.0 <= area.semi_minor_m <= area.semi_major_m < 2.1e7
        and math.isfinite(area.bearing_rad)
        and 0.0 < area.probability < 1.0
    )
    if not fine:
        raise PeerError("bad-estimate", "area of uncertainty")


def _check_launch(launch: LaunchEstimate) -> None:
    _check_area(launch.area)
    if not 0.0 <= launch.sigma_time_s < 1e5:
        raise PeerError("bad-estimate", "launch time")


def _matrix(covariance: Covariance) -> Vector | None:
    """Return the full (7, 7) matrix, or None if it is not a covariance."""
    if len(covariance.upper) != 28 or not covariance.prior_sigma_log_inverse_beta > 0.0:
        return None
    full, fine = _full_kernel(np.array(covariance.upper))
    return full if fine else None


@njit(cache=True)
def _full_kernel(upper: Vector) -> tuple[Vector, bool]:
    """Return the full (7, 7) matrix of an upper triangle, and whether it is a covariance.

    It is if, scaled to a unit diagonal and given room for rounding, it has a Cholesky factor.
    """
    full, factor, scale = np.empty((7, 7)), np.zeros((7, 7)), np.empty(7)
    fine, taken = True, 0
    for i in range(7):
        for j in range(i, 7):
            full[i, j] = full[j, i] = upper[taken]
            fine = fine and abs(upper[taken]) <= VARIANCE_MAX
            taken += 1
        fine = fine and full[i, i] >= VARIANCE_MIN
        scale[i] = 1.0 / math.sqrt(full[i, i]) if fine else 1.0
    if not fine:
        return full, False
    for i in range(7):
        for j in range(i + 1):
            left = full[i, j] * scale[i] * scale[j] + (ROUNDING if i == j else 0.0)
            for k in range(j):
                left -= factor[i, k] * factor[j, k]
            if i == j and not left > 0.0:
                return full, False
            factor[i, j] = math.sqrt(left) if i == j else left / factor[j, j]
    return full, True


def estimate_of(report: Report) -> Estimate | None:
    """Return the estimate in a report, or None if the trajectory or its covariance was not given."""
    kinematics, covariance = report.trajectory, report.covariance
    if kinematics is None or covariance is None:
        return None
    full = _matrix(covariance)
    if full is None:
        return None
    values = (*kinematics.position_ecef_m, *kinematics.velocity_ecef_m_s, kinematics.log_inverse_beta)
    return Estimate(
        epoch_us=kinematics.epoch_us,
        state=np.array(values),
        covariance=full,
        prior_mean=covariance.prior_log_inverse_beta,
        prior_sigma=covariance.prior_sigma_log_inverse_beta,
        process_noise=covariance.process_noise,
    )


def observed_at_us(report: Report) -> TimeUs:
    """Return the newest detection used, as near as the report lets it be known."""
    if report.timing is not None:
        return report.timing.observed_at_us
    if report.trajectory is not None:
        return min(report.trajectory.epoch_us, report.stated_at_us)
    return report.stated_at_us


def first_detected_at_us(report: Report) -> TimeUs | None:
    """Return the first detection of the track, None if it was not given."""
    return None if report.timing is None else report.timing.first_detected_at_us


def status_of(report: Report) -> Status:
    """Return the life of the national track; one whose classification was not given is taken as it looks."""
    if report.classification is not None:
        return report.classification.status
    return Status.TENTATIVE if report.trajectory is None else Status.CONFIRMED


def is_sight_only(report: Report) -> bool:
    """Return whether a track rests on infrared alone."""
    if report.sensor is not None and report.sensor.kinds:
        return all(kind == "ir" for kind in report.sensor.kinds)
    return report.provenance is not None and report.provenance.transform == "sight-line"


def is_manoeuvring(report: Report) -> bool:
    """Return whether its originator says that the flight is not ballistic."""
    return report.classification is not None and report.classification.manoeuvring


def may_thrust(report: Report) -> bool:
    """Return whether thrust may continue, which silence does not rule out."""
    if report.classification is not None:
        return report.classification.thrust_possible
    return report.covariance is None or report.covariance.process_noise

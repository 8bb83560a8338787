"""Estimates that reports and events carry: each with a covariance, or an area and its probability."""

import msgspec

from beaconfire.messages.words import Phase, TimeUs


class Ellipse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Area of uncertainty on the ground.

    Attributes:
        latitude_rad: geodetic latitude of the centre, WGS-84.
        longitude_rad: geodetic longitude of the centre, WGS-84.
        semi_major_m: semi-major axis at `probability`.
        semi_minor_m: semi-minor axis at `probability`.
        bearing_rad: of the major axis, clockwise from north.
        probability: that the truth lies inside, 0 to 1.
    """

    latitude_rad: float
    longitude_rad: float
    semi_major_m: float
    semi_minor_m: float
    bearing_rad: float
    probability: float


class LaunchEstimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where and when it was launched.

    Attributes:
        time_us: estimated launch time.
        sigma_time_s: one standard deviation of it.
        area: area of uncertainty of the launch point.
    """

    time_us: TimeUs
    sigma_time_s: float
    area: Ellipse


class ImpactEstimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One hypothesis of where and when it comes down.

    Attributes:
        weight: probability of this hypothesis; those of one estimate add to 1.
        time_us: expected time of impact.
        sigma_time_s: one standard deviation of it.
        area: area of uncertainty of the impact point.
    """

    weight: float
    time_us: TimeUs
    sigma_time_s: float
    area: Ellipse


class Kinematics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """State at an epoch, without its covariance.

    Attributes:
        epoch_us: reference instant of the state.
        position_ecef_m: shape (3,), ECEF, metres.
        velocity_ecef_m_s: shape (3,), rate of change of the ECEF coordinates, metres per second.
        log_inverse_beta: natural logarithm of 1/beta, beta the ballistic coefficient in kg/m^2.
        phase: phase of flight at the epoch.
    """

    epoch_us: TimeUs
    position_ecef_m: tuple[float, float, float]
    velocity_ecef_m_s: tuple[float, float, float]
    log_inverse_beta: float
    phase: Phase


class Covariance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Covariance of a `Kinematics` at its epoch.

    Attributes:
        upper: 28 numbers, upper triangle row by row, order x y z vx vy vz ln(1/beta), ECEF, SI.
        prior_log_inverse_beta: mean of the prior that the producer put on ln(1/beta).
        prior_sigma_log_inverse_beta: its standard deviation. A fusing nation takes it out before
            adding information, so that a shared prior is counted once.
        process_noise: True if process noise entered (boost, manoeuvre), so that estimates of
            different producers are not independent and must not simply be added.
    """

    upper: tuple[float, ...]
    prior_log_inverse_beta: float
    prior_sigma_log_inverse_beta: float
    process_noise: bool

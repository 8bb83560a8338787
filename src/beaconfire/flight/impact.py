"""Where and when a free body comes down, and how sure that is.

For warning only: everything here starts from an observed state and its covariance. A state of seven is
x y z (m), vx vy vz (m/s, ECEF), ln(1/beta); covariances are (7, 7) in that order.

The ground area is linear where the map to the ground is, with the ballistic coefficient taken by
quadrature; where the map bends, a fixed set of sigma samples takes over. It is None where nothing honest
can be said.
"""

import math
from statistics import NormalDist
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numba import njit

from beaconfire.flight.coefficient import NO_PRIOR, CoefficientPrior, states_at_nodes_kernel
from beaconfire.flight.content import HERMITE_WEIGHTS, content_scales_kernel
from beaconfire.flight.fall import fall_kernel, fall_with_transition_kernel
from beaconfire.frames.geodesy import (
    destination,
    enu_from_ecef_rotation_kernel,
    geodetic_from_ecef_kernel,
    great_circle_kernel,
)
from beaconfire.frames.types import Vector
from beaconfire.messages.estimate import Ellipse, ImpactEstimate
from beaconfire.messages.words import TimeUs
from beaconfire.units import microseconds_from_seconds

PROBABILITY: Final = 0.95
AREA_SCALE: Final = math.sqrt(-2.0 * math.log(1.0 - PROBABILITY))
"""Semi-axis of the 95 % ellipse of a plane normal distribution, in standard deviations."""
LEVELS: Final = (0.5, PROBABILITY, 0.99)
LEVEL_SCALES: Final = tuple(math.sqrt(-2.0 * math.log(1.0 - level)) for level in LEVELS)
"""Semi-axes of the ellipses of `LEVELS` of a plane normal distribution, in standard deviations."""
SEMI_MAJOR_LIMIT_M: Final = 3_000_000.0
"""A wider area says nothing, and a plane about its centre no longer maps it."""
LEFT_OUT_M: Final = 100.0
"""One standard deviation, each axis, of what the model leaves out on the ground: wind, lift."""
LEFT_OUT_HEIGHT_M: Final = 200.0
"""One standard deviation of the ground's height over the ellipsoid."""
BENT_SIGMAS: Final = 0.4
"""How far two-sigma points may land from the linear forecast before samples take over, in sigmas."""
MATRIX_STRETCH: Final = 2.0
"""Steps of the matrix to the ground beside those of a fall: the axes of areas change by under 1 in 1,000."""
FLAT: Final = 1e-12
"""An area so much narrower than it is long is a line to the numbers that hold it."""

_SAMPLE_COUNT: Final = 64
_SAMPLE_RANK: Final = 62
"""Order statistic that bounds the area: 62 of 64 has an expected content of 62 / 65 = 0.954."""
_MIDDLE_RANK: Final = 33
"""33 of 64 has an expected content of 33 / 65 = 0.508."""


class Landing(NamedTuple):
    """Where and when a body comes down, as a distribution about a reference.

    Attributes:
        reference: latitude, longitude (rad) and elapsed time (s) that the rest counts from, shape (3,).
        mean: east, north (m) and time (s), shape (3,).
        spread: covariance of these, shape (3, 3).
        scales: semi-axes of the areas of `LEVELS`, in standard deviations.
        is_bent: an ellipse does not fit: the areas are of samples.
    """

    reference: Vector
    mean: Vector
    spread: Vector
    scales: tuple[float, ...]
    is_bent: bool


def _normal_samples() -> Vector:
    """Return fixed samples of a unit normal in seven dimensions, exact in mean and covariance.

    A rank-one lattice in antithetic pairs, whitened; the shape is (64, 7).
    Source: M. Roberts, The unreasonable effectiveness of quasirandom sequences (2018), for the lattice.
    """
    root = 1.0
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / 8.0)
    steps = np.array([root ** -(k + 1) for k in range(7)])
    uniform = (0.5 + np.outer(np.arange(1, _SAMPLE_COUNT // 2 + 1), steps)) % 1.0
    half = np.vectorize(NormalDist().inv_cdf)(np.clip(uniform, 1e-9, 1.0 - 1e-9))
    both = np.concatenate((half, -half))
    factor = np.linalg.cholesky(both.T @ both / both.shape[0])
    return np.ascontiguousarray(np.linalg.solve(factor, both.T).T)


NORMAL_SAMPLES: Final = _normal_samples()


@njit(cache=True)
def ground_offset_kernel(latitude_rad: float, longitude_rad: float, ground: Vector) -> Vector:
    """Return east and north (m) of a point from a place, equidistant along great circles, shape (2,)."""
    there_latitude, there_longitude, _ = geodetic_from_ecef_kernel(ground[0], ground[1], ground[2])
    distance, bearing = great_circle_kernel(latitude_rad, longitude_rad, there_latitude, there_longitude)
    return np.array([distance * math.sin(bearing), distance * math.cos(bearing)])


@njit(cache=True)
def landings_kernel(states: Vector, reference: Vector, height_m: float) -> tuple[Vector, int]:
    """Return east, north (m) and time (s) of each landing, shape (n, 3), and how many never land.

    `reference` holds latitude, longitude (rad) and time (s) that offsets count from.
    """
    out = np.empty((states.shape[0], 3))
    failed = 0
    for i in range(states.shape[0]):
        elapsed, ground = fall_kernel(states[i], height_m)
        if math.isnan(elapsed):
            failed += 1
            out[i, :] = math.nan
            continue
        out[i, :2] = ground_offset_kernel(reference[0], reference[1], ground)
        out[i, 2] = elapsed - reference[2]
    return out, failed


@njit(cache=True)
def ground_jacobian_kernel(ground: Vector, transition: Vector, enu: Vector) -> Vector:
    """Return the partials of east, north (m) and time (s) of the landing, shape (3, 7).

    With the event-time correction: a change that arrives later also moves on with the velocity.
    """
    up, velocity = enu[2], ground[3:6]
    rate = up[0] * velocity[0] + up[1] * velocity[1] + up[2] * velocity[2]
    out = np.empty((3, 7))
    for j in range(7):
        shift = transition[:3, j]
        delay = -(up[0] * shift[0] + up[1] * shift[1] + up[2] * shift[2]) / rate
        for i in range(2):
            total = 0.0
            for k in range(3):
                total += enu[i, k] * (shift[k] + velocity[k] * delay)
            out[i, j] = total
        out[2, j] = delay
    return out


@njit(cache=True)
def _left_out_kernel(ground: Vector, enu: Vector) -> Vector:
    """Return the covariance (3, 3) of east, north (m) and time (s) from terrain and wind."""
    rates = np.empty(3)
    for i in range(3):
        rates[i] = enu[i, 0] * ground[3] + enu[i, 1] * ground[4] + enu[i, 2] * ground[5]
    early = LEFT_OUT_HEIGHT_M / max(-rates[2], 10.0)
    shift = np.array([rates[0] * early, rates[1] * early, early])
    out = np.outer(shift, shift)
    out[0, 0] += LEFT_OUT_M * LEFT_OUT_M
    out[1, 1] += LEFT_OUT_M * LEFT_OUT_M
    return out


@njit(cache=True)
def _bends_kernel(
    state: Vector, rest: Vector, jacobian: Vector, reference: Vector, height_m: float
) -> tuple[Vector, Vector, Vector, int]:
    """Return main axes on the ground, how the map bends along each, and how far it strays from linear.

    The axes are those of `rest`, a covariance of the state: (2, 2), one in each column. The bends are east,
    north (m) and time (s) of each axis for a sigma squared, shape (2, 3). The strays are east and north (m)
    of the four points at two sigmas, shape (4, 2). Last stands how many of these never land.
    """
    plane = np.ascontiguousarray(jacobian[:2]) @ rest @ np.ascontiguousarray(jacobian[:2]).T
    values, axes = np.linalg.eigh(0.5 * (plane + plane.T))
    probes, strays, bends = np.empty((4, 7)), np.empty((4, 2)), np.empty((2, 3))
    for axis in range(2):
        direction = np.ascontiguousarray(axes[:, axis])
        deviation = math.sqrt(max(values[axis], 1e-12))
        pulled = rest @ (np.ascontiguousarray(jacobian[:2]).T @ direction) * (2.0 / deviation)
        probes[2 * axis], probes[2 * axis + 1] = state + pulled, state - pulled
        strays[2 * axis], strays[2 * axis + 1] = -2.0 * deviation * direction, 2.0 * deviation * direction
    there, failed = landings_kernel(probes, reference, height_m)
    strays += there[:, :2]
    for axis in range(2):
        bends[axis] = (there[2 * axis] + there[2 * axis + 1]) / 8.0
    return axes, bends, strays, failed


@njit(cache=True)
def _spread_kernel(
    likeliest: Vector, covariance: Vector, prior: CoefficientPrior, height_m: float
) -> tuple[int, Vector, Vector, Vector, Vector]:
    """Return a verdict, reference (3,), mean (3,), covariance (3, 3) and scales of `LEVELS` of the landing.

    The verdict is 0 for never lands, 1 for good, 2 for too bent to be linear. Mean and covariance are of
    east, north (m) and time (s) from the reference: latitude, longitude (rad), elapsed time (s).
    """
    mean, spread, reference, scales = np.zeros(3), np.zeros((3, 3)), np.zeros(3), np.zeros(len(LEVELS))
    nodes, steep, rest = states_at_nodes_kernel(likeliest, covariance, prior)
    state = nodes[0].copy()
    elapsed, landed = fall_kernel(state, height_m)
    if math.isnan(elapsed):
        return 0, reference, mean, spread, scales
    latitude, longitude, _ = geodetic_from_ecef_kernel(landed[0], landed[1], landed[2])
    reference[0], reference[1], reference[2] = latitude, longitude, elapsed
    ground, transition = fall_with_transition_kernel(state, elapsed, MATRIX_STRETCH)
    enu = enu_from_ecef_rotation_kernel(latitude, longitude)
    jacobian = ground_jacobian_kernel(ground, transition, enu)
    landings, failed = landings_kernel(nodes, reference, height_m)
    axes, bends, strays, astray = _bends_kernel(state, rest, jacobian, reference, height_m)
    if failed + astray > 0:
        return 2, reference, mean, spread, scales
    at_rest = jacobian @ rest @ jacobian.T + _left_out_kernel(ground, enu)
    for i in range(5):
        mean += HERMITE_WEIGHTS[i] * landings[i]
    for i in range(5):
        apart = landings[i] - mean
        spread += HERMITE_WEIGHTS[i] * np.outer(apart, apart)
    spread += at_rest
    for axis in range(2):
        mean += bends[axis]
        spread += 2.0 * np.outer(bends[axis], bends[axis])
    curve = np.empty((6, 2))
    for i in range(5):
        curve[i] = landings[i, :2] - mean[:2]
    curve[5] = np.ascontiguousarray(jacobian[:2]) @ steep
    plane, across = np.ascontiguousarray(spread[:2, :2]), np.ascontiguousarray(at_rest[:2, :2])
    turned = (across, np.ascontiguousarray(axes), np.ascontiguousarray(bends[:, :2]))
    scales = content_scales_kernel(curve, plane, turned, LEVELS)
    if not plane[0, 0] * plane[1, 1] - plane[0, 1] ** 2 > FLAT * plane[0, 0] * plane[1, 1]:
        return 2, reference, mean, spread, scales
    inverse = np.linalg.inv(plane + 1e-6 * np.eye(2))
    verdict = 1
    for i in range(4):
        if strays[i] @ inverse @ strays[i] > BENT_SIGMAS * BENT_SIGMAS:
            verdict = 2
    return verdict, reference, mean, spread, scales


def _sampled_spread(
    state: Vector, covariance: Vector, reference: Vector, height_m: float
) -> tuple[Vector, Vector, tuple[float, ...]] | None:
    """Return mean (3,), covariance (3, 3) and area scales from fixed samples; None if some never land."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    landings, failed = landings_kernel(state + NORMAL_SAMPLES @ root.T, reference, height_m)
    if failed > _SAMPLE_COUNT - _SAMPLE_RANK:
        return None
    return spread_of_samples(landings[~np.isnan(landings[:, 0])])


def spread_of_samples(landings: Vector) -> tuple[Vector, Vector, tuple[float, ...]]:
    """Return mean (3,), covariance (3, 3) and the scales of `LEVELS` of sampled landings.

    The scales of 50 and 95 % are order statistics. The 99 % one lies outside 64 samples: it is that of 95 %
    stretched as in a normal distribution, and no sample lies beyond it.

    Args:
        landings: east, north (m) and time (s) of each, shape (n, 3), n up to 64.
    """
    mean = landings.mean(axis=0)
    apart = landings - mean
    spread = apart.T @ apart / landings.shape[0]
    inverse = np.linalg.inv(spread[:2, :2] + (1e-6 + FLAT * float(np.trace(spread[:2, :2]))) * np.eye(2))
    distances = np.sort(np.einsum("ni,ij,nj->n", apart[:, :2], inverse, apart[:, :2]))
    middle, wide = (
        math.sqrt(float(distances[min(rank, distances.size) - 1])) for rank in (_MIDDLE_RANK, _SAMPLE_RANK)
    )
    wide = max(AREA_SCALE, wide)
    widest = max(wide * LEVEL_SCALES[2] / AREA_SCALE, math.sqrt(float(distances[-1])))
    return mean, spread, (max(LEVEL_SCALES[0], middle), wide, widest)


def ellipse_from_covariance(
    latitude_rad: float, longitude_rad: float, covariance_enu_m2: Vector, scale: float = AREA_SCALE
) -> Ellipse:
    """Return the 95 % area about a place.

    Args:
        latitude_rad: of the centre.
        longitude_rad: of the centre.
        covariance_enu_m2: of east and north, shape (2, 2), square metres.
        scale: semi-axes in standard deviations, that of a normal distribution if not given.
    """
    east, north = float(covariance_enu_m2[0, 0]), float(covariance_enu_m2[1, 1])
    cross = float(covariance_enu_m2[0, 1])
    middle, radius = 0.5 * (east + north), math.hypot(0.5 * (east - north), cross)
    return Ellipse(
        latitude_rad=latitude_rad,
        longitude_rad=longitude_rad,
        semi_major_m=scale * math.sqrt(max(middle + radius, 0.0)),
        semi_minor_m=scale * math.sqrt(max(middle - radius, 0.0)),
        bearing_rad=0.5 * math.atan2(2.0 * cross, north - east) % math.pi,
        probability=PROBABILITY,
    )


def covariance_from_ellipse(area: Ellipse) -> Vector:
    """Return the covariance of east and north, shape (2, 2), square metres, that an area stands for."""
    scale = math.sqrt(-2.0 * math.log(1.0 - min(area.probability, 0.999_999)))
    major, minor = (area.semi_major_m / scale) ** 2, (area.semi_minor_m / scale) ** 2
    sine, cosine = math.sin(area.bearing_rad), math.cos(area.bearing_rad)
    cross = (major - minor) * sine * cosine
    return np.array(
        [
            [major * sine * sine + minor * cosine * cosine, cross],
            [cross, major * cosine * cosine + minor * sine * sine],
        ]
    )


def predict_impact(
    state: Vector, covariance: Vector, epoch_us: TimeUs, prior: CoefficientPrior = NO_PRIOR
) -> ImpactEstimate | None:
    """Return where and when a free body comes down, or None; see `landing_of`, whose 95 % area it is.

    Args:
        state: of seven at the epoch, ECEF, SI.
        covariance: of the state, shape (7, 7).
        epoch_us: reference instant of the state.
        prior: that its ln(1/beta) contains.
    """
    landing = landing_of(state, covariance, prior)
    return None if landing is None else impact_of_landing(landing, epoch_us)


def landing_of(state: Vector, covariance: Vector, prior: CoefficientPrior = NO_PRIOR) -> Landing | None:
    """Return how a free body comes down, or None where that can't honestly be stated.

    None: the body does not come down within two hours, the covariance is not one, or the 95 % area would
    be wider than `SEMI_MAJOR_LIMIT_M`.

    Args:
        state: of seven, ECEF, SI.
        covariance: of the state, shape (7, 7).
        prior: that its ln(1/beta) contains.

    Source: the event-time correction as in Tapley, Schutz and Born, Statistical Orbit Determination
    (2004), section 4.8; the quadrature as in Julier and Uhlmann, Proc. IEEE 92 (2004) 401-422.
    """
    if not (np.all(np.isfinite(state)) and np.all(np.isfinite(covariance))):
        return None
    verdict, reference, mean, spread, found = _spread_kernel(state, covariance, prior, 0.0)
    if verdict == 0:
        return None
    scales = tuple(found.tolist())
    if verdict == 2:
        sampled = _sampled_spread(state, covariance, reference, 0.0)
        if sampled is None:
            return None
        mean, spread, scales = sampled
    landing = Landing(reference, mean, spread, scales, is_bent=verdict == 2)
    values = np.linalg.eigvalsh(spread[:2, :2])
    return landing if scales[1] * math.sqrt(max(float(values[1]), 0.0)) <= SEMI_MAJOR_LIMIT_M else None


def impact_of_landing(landing: Landing, epoch_us: TimeUs) -> ImpactEstimate:
    """Return a landing as an estimate states it: time and the 95 % area.

    Args:
        landing: see there.
        epoch_us: instant that its times count from.
    """
    return ImpactEstimate(
        weight=1.0,
        time_us=epoch_us + microseconds_from_seconds(float(landing.reference[2] + landing.mean[2])),
        sigma_time_s=math.sqrt(max(float(landing.spread[2, 2]), 0.0)),
        area=ellipses_of_landing(landing)[1],
    )


def ellipses_of_landing(landing: Landing) -> tuple[Ellipse, ...]:
    """Return the areas of `LEVELS` about the mean of a landing."""
    mean = landing.mean
    latitude, longitude = destination(
        float(landing.reference[0]),
        float(landing.reference[1]),
        math.atan2(mean[0], mean[1]),
        math.hypot(mean[0], mean[1]),
    )
    plane = landing.spread[:2, :2]
    return tuple(
        msgspec.structs.replace(
            ellipse_from_covariance(latitude, longitude, plane, scale), probability=probability
        )
        for probability, scale in zip(LEVELS, landing.scales, strict=True)
    )

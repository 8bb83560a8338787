"""Which named places an event concerns: what comes down on them or passes over, and when at the earliest."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.fall import FallPath, fall_path
from beaconfire.frames.geodesy import enu_from_ecef_rotation_kernel, great_circle_kernel
from beaconfire.frames.types import Vector
from beaconfire.messages.estimate import ImpactEstimate
from beaconfire.messages.event import Event, Place, PlaceTime
from beaconfire.messages.words import PlaceKind, Status, TimeUs
from beaconfire.units import microseconds_from_seconds, seconds_from_microseconds

PROBABILITY_MIN: Final = 1e-3
"""Below this a place is not told: it would be told of half the world in the first seconds."""
OVERFLIGHT_PROBABILITY_MIN: Final = 0.05
ONE_SIDED_95: Final = 1.645
PLACES_MAX: Final = 64
PATH_INTERVAL_S: Final = 10.0
_UPPER_SIX: Final = np.triu_indices(6)


@njit(cache=True)
def disk_probability_kernel(
    along_m: float, across_m: float, sigma_along_m: float, sigma_across_m: float, radius_m: float
) -> float:
    """Return the probability that a plane normal point lies in a disk.

    Args:
        along_m: offset of the disk from the mean along the major axis.
        across_m: offset along the minor axis.
        sigma_along_m: one standard deviation along the major axis.
        sigma_across_m: one standard deviation along the minor axis.
        radius_m: of the disk.
    """
    sigma_along = max(sigma_along_m, 1.0)
    sigma_across = max(sigma_across_m, 1.0)
    low = max(along_m - radius_m, -6.0 * sigma_along)
    high = min(along_m + radius_m, 6.0 * sigma_along)
    if high <= low:
        return 0.0
    count = 96
    width = (high - low) / count
    total = 0.0
    for i in range(count):
        x = low + (i + 0.5) * width
        half = math.sqrt(max(radius_m * radius_m - (x - along_m) ** 2, 0.0))
        upper = math.erf((across_m + half) / (sigma_across * math.sqrt(2.0)))
        lower = math.erf((across_m - half) / (sigma_across * math.sqrt(2.0)))
        total += math.exp(-0.5 * (x / sigma_along) ** 2) * 0.5 * (upper - lower)
    return total * width / (sigma_along * math.sqrt(2.0 * math.pi))


def impact_probability(impact: ImpactEstimate, place: Place) -> float:
    """Return the probability that one hypothesis comes down within a place."""
    area = impact.area
    distance, bearing = great_circle_kernel(
        area.latitude_rad, area.longitude_rad, place.latitude_rad, place.longitude_rad
    )
    scale = math.sqrt(-2.0 * math.log(1.0 - area.probability))
    turn = bearing - area.bearing_rad
    return disk_probability_kernel(
        distance * math.cos(turn),
        distance * math.sin(turn),
        area.semi_major_m / scale,
        area.semi_minor_m / scale,
        place.radius_m,
    )


def _impact_time(impacts: Sequence[ImpactEstimate], place: Place) -> PlaceTime | None:
    """Return the earliest credible moment something comes down on a place, over all hypotheses."""
    shares = [(one, one.weight * impact_probability(one, place)) for one in impacts]
    total = sum(share for _, share in shares)
    if total < PROBABILITY_MIN:
        return None
    earliest_us = min(
        one.time_us - microseconds_from_seconds(ONE_SIDED_95 * one.sigma_time_s)
        for one, share in shares
        if share >= 0.1 * PROBABILITY_MIN
    )
    return PlaceTime(place.name, PlaceKind.IMPACT, earliest_us, min(1.0, total))


def _full_covariance(upper: tuple[float, ...]) -> Vector:
    full = np.zeros((6, 6))
    full[_UPPER_SIX] = upper
    return full + np.triu(full, 1).T


def _sigmas_m(path: FallPath, index: int, covariance: Vector) -> tuple[float, float, float]:
    """Return sigma along and across the ground track (m) and ground speed (m/s) at one instant."""
    enu = enu_from_ecef_rotation_kernel(path.latitude_rad[index], path.longitude_rad[index])
    level = enu[:2] @ path.states[index, 3:6]
    speed = max(float(np.hypot(level[0], level[1])), 1.0)
    rows = enu[:2] @ path.transitions[index][:, :6]
    spread = rows @ covariance @ rows.T
    along = level / speed
    across = np.array([along[1], -along[0]])
    return (
        math.sqrt(max(float(along @ spread @ along), 0.0)),
        math.sqrt(max(float(across @ spread @ across), 0.0)),
        speed,
    )


def _closest(path: FallPath, place: Place) -> tuple[int, float, float]:
    """Return index, elapsed time (s) and distance (m) of the closest pass of the ground track."""
    best, distance_m = 0, math.inf
    distances = np.empty(path.elapsed_s.size)
    for i in range(path.elapsed_s.size):
        distances[i], _ = great_circle_kernel(
            place.latitude_rad, place.longitude_rad, path.latitude_rad[i], path.longitude_rad[i]
        )
        if distances[i] < distance_m:
            best, distance_m = i, float(distances[i])
    elapsed = float(path.elapsed_s[best])
    if 0 < best < distances.size - 1:
        # A straight pass at even speed: the squared distance is a parabola through three instants.
        before, here, after = distances[best - 1 : best + 2] ** 2
        bend = before - 2.0 * here + after
        if bend > 0.0:
            shift = 0.5 * (before - after) / bend
            elapsed += shift * PATH_INTERVAL_S
            distance_m = math.sqrt(max(0.0, float(here - 0.25 * (before - after) * shift)))
    return best, elapsed, distance_m


def _normal_below(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def _overflight_time(path: FallPath, covariance: Vector, epoch_us: TimeUs, place: Place) -> PlaceTime | None:
    """Return the earliest credible moment something passes over a place, not counting where it comes down."""
    index, elapsed_s, distance_m = _closest(path, place)
    if index == path.elapsed_s.size - 1:
        return None
    sigma_along, sigma_across, speed = _sigmas_m(path, index, covariance)
    sigma_across = max(sigma_across, 1.0)
    probability = _normal_below((place.radius_m - distance_m) / sigma_across) - _normal_below(
        (-place.radius_m - distance_m) / sigma_across
    )
    if index == 0 and distance_m > place.radius_m:
        return None
    if probability < OVERFLIGHT_PROBABILITY_MIN:
        return None
    half_chord_m = math.sqrt(max(place.radius_m**2 - min(distance_m, place.radius_m) ** 2, 0.0))
    earliest_s = elapsed_s - (half_chord_m + ONE_SIDED_95 * sigma_along) / speed
    return PlaceTime(
        place.name,
        PlaceKind.OVERFLIGHT,
        epoch_us + microseconds_from_seconds(max(0.0, earliest_s)),
        probability,
    )


def _overflights(event: Event, places: Sequence[Place]) -> list[PlaceTime]:
    state = event.state
    if state is None or len(event.covariance) != 21 or not event.impact:
        return []
    values = (*state.position_ecef_m, *state.velocity_ecef_m_s, state.log_inverse_beta)
    path = fall_path(np.array(values), PATH_INTERVAL_S)
    if path.elapsed_s.size < 3:
        return []
    covariance = _full_covariance(event.covariance)
    found = (_overflight_time(path, covariance, state.epoch_us, place) for place in places)
    return [one for one in found if one is not None]


def places_of_event(event: Event, places: Sequence[Place]) -> tuple[PlaceTime, ...]:
    """Return the places an event concerns, the earliest first, at most `PLACES_MAX`.

    Nothing is told of an event without an impact area: where it may come down can't be stated yet.

    Args:
        event: a revision; its own `places` are not looked at.
        places: all named places.
    """
    if event.status in (Status.ENDED, Status.WITHDRAWN) and not event.impact:
        return ()
    impacts = [one for place in places if (one := _impact_time(event.impact, place)) is not None]
    hit = {one.place for one in impacts if one.probability > 0.5}
    overflights = [one for one in _overflights(event, places) if one.place not in hit]
    both = sorted([*impacts, *overflights], key=lambda one: (one.earliest_us, one.place, one.kind))
    return tuple(both[:PLACES_MAX])


def with_passed(
    found: tuple[PlaceTime, ...], before: tuple[PlaceTime, ...], epoch_us: TimeUs
) -> tuple[PlaceTime, ...]:
    """Return places now concerned, with overflights that are over by now kept from the revision before.

    Args:
        found: from the newest state, which only looks ahead.
        before: of the revision before.
        epoch_us: of the newest state.
    """
    known = {(one.place, one.kind) for one in found}
    passed = [
        one
        for one in before
        if one.kind is PlaceKind.OVERFLIGHT
        and (one.place, one.kind) not in known
        and seconds_from_microseconds(one.earliest_us - epoch_us) <= 0.0
    ]
    both = sorted([*found, *passed], key=lambda one: (one.earliest_us, one.place, one.kind))
    return tuple(both[:PLACES_MAX])

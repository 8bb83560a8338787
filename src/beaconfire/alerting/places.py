"""Which named places an event concerns: what comes down on them or passes over, and when at the earliest."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.fall import fall_path
from beaconfire.frames.geodesy import (
    enu_from_ecef_rotation_kernel,
    geodetic_from_ecef_kernel,
    great_circle_kernel,
)
from beaconfire.frames.types import Vector
from beaconfire.messages.estimate import ImpactEstimate
from beaconfire.messages.event import Event, Place, PlaceTime
from beaconfire.messages.words import Hypothesis, PlaceKind, Status, TimeUs
from beaconfire.units import microseconds_from_seconds

PROBABILITY_MIN: Final = 1e-3
"""Below this a place is not told: it would be told of half the world in the first seconds."""
OVERFLIGHT_PROBABILITY_MIN: Final = 0.05
ONE_SIDED_95: Final = 1.645
PLACES_MAX: Final = 64
UNDER_THRUST: Final = frozenset({Hypothesis.BURNOUT_NOW, Hypothesis.BURNOUT_LATER})
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


@njit(cache=True)
def _impact_probabilities_kernel(area: Vector, places: Vector) -> Vector:
    """Return the probability that one hypothesis comes down within each place, shape (m,).

    Args:
        area: latitude, longitude (rad) of the centre, one standard deviation along the major and the minor
            axis (m), bearing of the major axis (rad), shape (5,).
        places: latitude, longitude (rad) and radius (m), shape (m, 3).
    """
    out = np.zeros(places.shape[0])
    for p in range(places.shape[0]):
        distance, bearing = great_circle_kernel(area[0], area[1], places[p, 0], places[p, 1])
        if distance - places[p, 2] > 6.0 * max(area[2], 1.0):
            continue
        turn = bearing - area[4]
        out[p] = disk_probability_kernel(
            distance * math.cos(turn), distance * math.sin(turn), area[2], area[3], places[p, 2]
        )
    return out


def impact_probabilities(impact: ImpactEstimate, places: Sequence[Place]) -> Vector:
    """Return the probability that one hypothesis comes down within each place, shape (m,)."""
    area = impact.area
    scale = math.sqrt(-2.0 * math.log(1.0 - area.probability))
    sigmas = (area.semi_major_m / scale, area.semi_minor_m / scale)
    numbers = np.array((area.latitude_rad, area.longitude_rad, *sigmas, area.bearing_rad))
    return np.asarray(_impact_probabilities_kernel(numbers, _places_table(places)))


def _places_table(places: Sequence[Place]) -> Vector:
    return np.array([(one.latitude_rad, one.longitude_rad, one.radius_m) for one in places])


def _impact_times(impacts: Sequence[ImpactEstimate], places: Sequence[Place]) -> list[PlaceTime]:
    """Return the earliest credible moment something comes down on each place, over all hypotheses."""
    if not impacts or not places:
        return []
    shares = np.array([one.weight * impact_probabilities(one, places) for one in impacts])
    totals = shares.sum(axis=0)
    found = []
    for index in np.flatnonzero(totals >= PROBABILITY_MIN).tolist():
        earliest_us = min(
            one.time_us - microseconds_from_seconds(ONE_SIDED_95 * one.sigma_time_s)
            for one, share in zip(impacts, shares[:, index], strict=True)
            if share >= 0.1 * PROBABILITY_MIN
        )
        total = min(1.0, float(totals[index]))
        found.append(PlaceTime(places[index].name, PlaceKind.IMPACT, earliest_us, total))
    return found


def _full_covariance(upper: tuple[float, ...]) -> Vector:
    full = np.zeros((6, 6))
    full[_UPPER_SIX] = upper
    return full + np.triu(full, 1).T


@njit(cache=True)
def _sigmas_kernel(state: Vector, transition: Vector, covariance: Vector) -> tuple[float, float, float]:
    """Return sigma along and across the ground track (m) and ground speed (m/s) at one instant."""
    latitude, longitude, _ = geodetic_from_ecef_kernel(state[0], state[1], state[2])
    enu = enu_from_ecef_rotation_kernel(latitude, longitude)
    east = enu[0, 0] * state[3] + enu[0, 1] * state[4] + enu[0, 2] * state[5]
    north = enu[1, 0] * state[3] + enu[1, 1] * state[4] + enu[1, 2] * state[5]
    speed = max(math.hypot(east, north), 1.0)
    along = (enu[0] * east + enu[1] * north) / speed
    across = (enu[0] * north - enu[1] * east) / speed
    variances = np.zeros(2)
    for i in range(2):
        row = np.zeros(6)
        for j in range(6):
            for k in range(3):
                row[j] += (along[k] if i == 0 else across[k]) * transition[k, j]
        for j in range(6):
            for k in range(6):
                variances[i] += row[j] * covariance[j, k] * row[k]
    return math.sqrt(max(variances[0], 0.0)), math.sqrt(max(variances[1], 0.0)), speed


@njit(cache=True)
def _passes_kernel(
    track: Vector, states: Vector, transitions: Vector, covariance: Vector, places: Vector
) -> Vector:
    """Return each place's closest pass by the ground track.

    Args:
        track: elapsed time (s), latitude and longitude (rad) of each instant, shape (n, 3).
        states: shape (n, 7).
        transitions: shape (n, 3, 7).
        covariance: of position and velocity at the epoch, shape (6, 6).
        places: latitude, longitude (rad) and radius (m), shape (m, 3).

    Returns:
        Index of the nearest instant, elapsed time (s), distance (m), sigma along and across (m), ground
        speed (m/s), shape (m, 6).
    """
    count = track.shape[0]
    out = np.empty((places.shape[0], 6))
    squares = np.empty(count)
    for p in range(places.shape[0]):
        best = 0
        for i in range(count):
            distance, _ = great_circle_kernel(places[p, 0], places[p, 1], track[i, 1], track[i, 2])
            squares[i] = distance * distance
            if squares[i] < squares[best]:
                best = i
        elapsed, square = track[best, 0], squares[best]
        if 0 < best < count - 1:
            # A straight pass at even speed: the squared distance is a parabola through three instants.
            slope = 0.5 * (squares[best - 1] - squares[best + 1])
            bend = squares[best - 1] - 2.0 * squares[best] + squares[best + 1]
            if bend > 0.0:
                elapsed += slope / bend * (track[1, 0] - track[0, 0])
                square = max(0.0, square - 0.5 * slope * slope / bend)
        out[p, 0], out[p, 1], out[p, 2] = best, elapsed, math.sqrt(square)
        out[p, 3], out[p, 4], out[p, 5] = _sigmas_kernel(states[best], transitions[best], covariance)
    return out


def _normal_below(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def _overflight_time(passing: Vector, last: int, epoch_us: TimeUs, place: Place) -> PlaceTime | None:
    """Return the earliest credible moment something passes over a place, not counting where it comes down.

    Args:
        passing: one row of `_passes_kernel`.
        last: index of the last instant of the path.
        epoch_us: of the path.
        place: which.
    """
    index, elapsed_s, distance_m, sigma_along, sigma_across, speed = (float(value) for value in passing)
    if index == last or (index == 0 and distance_m > place.radius_m):
        return None
    sigma_across = max(sigma_across, 1.0)
    probability = _normal_below((place.radius_m - distance_m) / sigma_across) - _normal_below(
        (-place.radius_m - distance_m) / sigma_across
    )
    if probability < OVERFLIGHT_PROBABILITY_MIN:
        return None
    half_chord_m = math.sqrt(max(place.radius_m**2 - min(distance_m, place.radius_m) ** 2, 0.0))
    earliest_s = elapsed_s - (half_chord_m + ONE_SIDED_95 * sigma_along) / speed
    earliest_us = epoch_us + microseconds_from_seconds(max(0.0, earliest_s))
    return PlaceTime(place.name, PlaceKind.OVERFLIGHT, earliest_us, probability)


def _overflights(event: Event, places: Sequence[Place]) -> list[PlaceTime]:
    state = event.state
    if state is None or len(event.covariance) != 21 or not event.impact or not places:
        return []
    values = (*state.position_ecef_m, *state.velocity_ecef_m_s, state.log_inverse_beta)
    path = fall_path(np.array(values), PATH_INTERVAL_S)
    count = path.elapsed_s.size
    if count < 3:
        return []
    passes = _passes_kernel(
        np.column_stack((path.elapsed_s, path.latitude_rad, path.longitude_rad)),
        path.states,
        path.transitions,
        _full_covariance(event.covariance),
        _places_table(places),
    )
    radii = np.array([place.radius_m for place in places])
    near = np.flatnonzero(passes[:, 2] - radii < ONE_SIDED_95 * np.maximum(passes[:, 4], 1.0)).tolist()
    found = (_overflight_time(passes[index], count - 1, state.epoch_us, places[index]) for index in near)
    return [one for one in found if one is not None]


def places_of_event(event: Event, places: Sequence[Place]) -> tuple[PlaceTime, ...]:
    """Return the places an event concerns, the earliest first, at most `PLACES_MAX`.

    Nothing is told of an event without an impact area, nor while thrust is on: where it may come down can't
    be stated yet, or only so widely that half the world would be told.

    Args:
        event: a revision; its own `places` are not looked at.
        places: all named places.
    """
    if event.status in (Status.ENDED, Status.WITHDRAWN) and not event.impact:
        return ()
    if any(one.hypothesis in UNDER_THRUST for one in event.areas):
        return ()
    impacts = _impact_times(event.impact, places)
    hit = {one.place for one in impacts if one.probability > 0.5}
    overflights = [one for one in _overflights(event, places) if one.place not in hit]
    both = sorted([*impacts, *overflights], key=lambda one: (one.earliest_us, one.place, one.kind))
    return tuple(both[:PLACES_MAX])


def with_passed(
    found: tuple[PlaceTime, ...], before: tuple[PlaceTime, ...], epoch_us: TimeUs
) -> tuple[PlaceTime, ...]:
    """Return places now concerned, with overflights that have begun or are over as they were told before.

    Args:
        found: from the newest state, which only looks ahead.
        before: of the revision before.
        epoch_us: of the newest state.
    """
    told = {one.place: one for one in before if one.kind is PlaceKind.OVERFLIGHT}
    now = {one.place: one for one in found if one.kind is PlaceKind.OVERFLIGHT}
    begun = {name for name, one in now.items() if one.earliest_us <= epoch_us and name in told}
    gone = {name for name, one in told.items() if name not in now and one.earliest_us <= epoch_us}
    kept = [told[name] for name in begun | gone]
    rest = [one for one in found if one.kind is PlaceKind.IMPACT or one.place not in begun]
    both = sorted([*rest, *kept], key=lambda one: (one.earliest_us, one.place, one.kind))
    return tuple(both[:PLACES_MAX])

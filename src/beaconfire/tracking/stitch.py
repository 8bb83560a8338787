"""Is this newer motion the object seen before? Infrared lines before radar, or two stretches of radar."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from beaconfire.frames.types import Vector
from beaconfire.messages.words import Status
from beaconfire.tracking.algebra import inverse_kernel
from beaconfire.tracking.filter import gate_kernel, predict_kernel
from beaconfire.tracking.motion import BOOST_NOISE, UNSEEN_S, Motion
from beaconfire.tracking.track import Track

SIGHT_GATE: Final = 22.0
FLIGHT_GATE: Final = 33.0
"""Squared Mahalanobis distance with six components: about 1 - 1e-5."""
DOUBLE_GATE: Final = 40.0
BACK_MAX_S: Final = 4_800.0
BOOST_GAP_S: Final = 60.0
DRIVE_MAX_S: Final = 60.0
STALL_MAX_S: Final = 15.0
LIFT_GAP_MAX_S: Final = 60.0
STALL_DRIVE_M_S2: Final = 35.0
DRIVE_M_S2: Final = 15.0
"""Sigma of the unknown drive while it was out of sight and thrust may have been on."""
SHIFT_MAX_M: Final = 300_000.0
FEW: Final = 4
REACH_GAP_S: Final = 30.0
PULL_M_S2: Final = 40.0
"""Gravity, the turning axes and drag within `REACH_GAP_S`: more than any of them, for a bound."""
OVERLAP_S: Final = 3.0
"""Two tracks that both had plots for longer than this at the same time are two objects."""


def may_join(tracks: Sequence[Track]) -> NDArray[np.bool_]:
    """Return which pairs are worth asking for a `joint_cost`, shape (n, n): older in rows, newer in columns.

    Of many tracks held side by side no pair is: each began while the others were seen.
    """
    told = np.array([track.status is not Status.WITHDRAWN for track in tracks], dtype=np.bool_)
    moves = np.array([track.motion is not None for track in tracks], dtype=np.bool_)
    first = np.array([track.first.measured_at_us for track in tracks], dtype=np.int64)
    newest = np.array([track.newest_s for track in tracks], dtype=np.float64)
    began = np.array([t.motion.began_s if t.motion is not None else -math.inf for t in tracks])
    apart = (first[:, None] <= first[None, :]) & (newest[:, None] <= began[None, :] + OVERLAP_S)
    may: NDArray[np.bool_] = (apart | ~moves[:, None]) & (told & moves)[None, :] & told[:, None]
    np.fill_diagonal(may, val=False)
    return may


@njit(cache=True)
def _reach_kernel(
    new: tuple[Vector, Vector], states: Vector, covariances: Vector, gaps_s: Vector, near: NDArray[np.bool_]
) -> None:
    """Write which older states a newer one may come from: sigmas add up at most as lengths do."""
    state, covariance = new
    sigma = np.empty(3)
    for part, first in enumerate((0, 3, 7)):
        sigma[part] = math.sqrt(sum([max(covariance[first + i, first + i], 0.0) for i in range(3)]))
    driven = math.sqrt(state[7] ** 2 + state[8] ** 2 + state[9] ** 2)
    for n in range(states.shape[0]):
        gap = abs(gaps_s[n])
        apart, spread = 0.0, 0.0
        for i in range(3):
            apart += (state[i] - gaps_s[n] * state[3 + i] - states[n, i]) ** 2
            spread += max(covariances[n, i, i], 0.0)
        own = sigma[0] + gap * sigma[1] + 0.5 * gap * gap * sigma[2]
        unseen = math.sqrt(3.0) * (0.5 * DRIVE_M_S2 + math.sqrt(BOOST_NOISE)) * max(gap, 1.0) ** 2
        bend = 0.5 * (driven + PULL_M_S2) * gap * gap
        near[n] = math.sqrt(apart) - bend <= math.sqrt(FLIGHT_GATE) * (own + math.sqrt(spread) + unseen)


def within_reach(olds: Sequence[Track], new: Track) -> list[Track]:
    """Return those tracks whose distance from a newer one is worth computing: a cheap look at many.

    One that was held in free flight, or not at all for long, or moves not, is always returned.
    """
    motion = new.motion
    if motion is None or len(olds) < FEW:
        return list(olds)
    asked = [n for n, old in enumerate(olds) if _asks(old, motion)]
    if not asked:
        return list(olds)
    held = [held for n in asked if (held := olds[n].motion) is not None]
    near = np.ones(len(asked), dtype=np.bool_)
    gaps = np.array([motion.time_s - one.time_s for one in held])
    states, covariances = np.array([one.state for one in held]), np.array([one.covariance for one in held])
    _reach_kernel((motion.state, motion.covariance), states, covariances, gaps, near)
    far = {n for n, is_near in zip(asked, near, strict=True) if not is_near}
    return [old for n, old in enumerate(olds) if n not in far]


def _asks(old: Track, new: Motion) -> bool:
    """Whether the two would be compared under drive, and the gap is short enough for a plain bound."""
    motion = old.motion
    if motion is None or motion.arc is not None or motion.manoeuvring:
        return False
    return abs(new.time_s - motion.time_s) <= REACH_GAP_S


def joint_cost(old: Track, new: Track) -> float | None:
    """Return how far a newer track is from being the object of an older one, or None if it is not."""
    if new.motion is None or Status.WITHDRAWN in (old.status, new.status):
        return None
    if old.motion is None:
        return same_source(old.sights, new.motion)
    if old.first.measured_at_us > new.first.measured_at_us or old.newest_s > new.motion.began_s + OVERLAP_S:
        return None
    return same_flight(old.motion, new.motion, doubled=False)


def same_source(sights: Sequence[Vector], motion: Motion) -> float | None:
    """Return how far the newest sight line is from a motion taken back to it, or None outside the gate.

    Thrust between the line and the first plot is allowed for: an infrared sensor sees boost, a radar may see
    only what comes after.
    """
    row = sights[-1]
    gap = float(row[0]) - motion.time_s
    if abs(gap) > BACK_MAX_S:
        return None
    state, covariance = predict_kernel(motion.state, motion.covariance, gap, motion.noise)
    if not np.isfinite(state).all():
        return None
    began = motion.burnout_s if motion.burnout_s is not None else float(motion.rows[0][0])
    unseen = max(0.0, min(began - float(row[0]), 200.0))
    room = min(0.5 * DRIVE_M_S2 * min(unseen, 30.0) ** 2 + 1_000.0, SHIFT_MAX_M)
    distance, size, _ = gate_kernel(row, motion.sensors, state, covariance, room)
    return distance + size if distance <= SIGHT_GATE else None


def same_flight(old: Motion, new: Motion, *, doubled: bool) -> float | None:
    """Return how far a newer motion is from continuing an older one, or None outside the gate.

    Args:
        old: motion of the older track.
        new: motion of the newer one.
        doubled: True to ask whether a new triple is the same object in the same moments, which needs the
            older track to be precise there; False for two stretches with a gap between.
    """
    gap = new.time_s - old.time_s
    if not -3.0 <= gap <= BACK_MAX_S:
        return None
    if not doubled and old.arc is None and not old.manoeuvring:
        return _gated(_back_to_boost(old, new), FLIGHT_GATE)
    if not doubled and gap <= LIFT_GAP_MAX_S and old.burnout_s is not None and old.falling_in_air():
        return _gated(_driven_distance(old, new, STALL_DRIVE_M_S2), FLIGHT_GATE)
    state, covariance = old.at(new.time_s)
    total = covariance[:6, :6] + new.covariance[:6, :6]
    return _gated(float(_distance(new.state - state, total)), DOUBLE_GATE if doubled else FLIGHT_GATE)


def _gated(distance: float, gate: float) -> float | None:
    return distance if distance <= gate else None


def freely(old: Motion, new: Motion, drive_m_s2: float) -> bool:
    """Return whether a newer motion continues an older one under an unknown acceleration of this sigma."""
    return _driven_distance(old, new, drive_m_s2) <= FLIGHT_GATE


def _driven_distance(old: Motion, new: Motion, drive_m_s2: float) -> float:
    state, covariance = old.at(new.time_s)
    seconds = max(new.time_s - old.newest_s, 0.0) + UNSEEN_S
    total = _free(covariance[:6, :6] + new.covariance[:6, :6], drive_m_s2, seconds)
    return float(_distance(new.state - state, total))


@njit(cache=True)
def _distance(difference: Vector, total: Vector) -> float:
    """Return the squared Mahalanobis distance of the first six, infinite where nothing can be said."""
    six = difference[:6].copy()
    if not np.isfinite(six).all() or not np.isfinite(total).all():
        return math.inf
    weighted = inverse_kernel(total) @ six  # finite however far a covariance has grown
    distance = 0.0
    for i in range(6):
        distance += six[i] * weighted[i]
    return distance


@njit(cache=True)
def _free(total: Vector, drive_m_s2: float, seconds: float) -> Vector:
    """Return a covariance of six with the effect of an unknown acceleration that went on for some seconds."""
    speed = drive_m_s2 * seconds
    out = total.copy()
    for i in range(3):
        out[3 + i, 3 + i] += speed * speed
        out[i, i] += (0.5 * speed * seconds) ** 2
    return out


def _back_to_boost(old: Motion, new: Motion) -> float:
    """Return how far a newer coast is from going back to where an older track was lost in boost.

    The newer one is taken back, not the older one on: where a thrusting body will be is not known, where a
    coasting one was is.
    """
    if new.arc is None and new.time_s - old.newest_s > BOOST_GAP_S:
        return math.inf
    gap = new.time_s - old.time_s
    return float(
        _back_kernel((new.state, new.covariance), (old.state, old.covariance), gap, new.noise, DRIVE_M_S2)
    )


@njit(cache=True)
def _back_kernel(
    new: tuple[Vector, Vector], old: tuple[Vector, Vector], gap: float, noise: float, drive_m_s2: float
) -> float:
    """Return the distance of a newer state, taken back by `gap` seconds, from an older one under drive."""
    state, covariance = predict_kernel(new[0], new[1], -gap, noise)
    total = _free(covariance[:6, :6] + old[1][:6, :6], drive_m_s2, min(gap, DRIVE_MAX_S))
    return _distance(state - old[0], total)


def stalled(old: Motion, new: Motion) -> bool:
    """Whether an older track just lost its object, and the new triple is it under an unforeseen force."""
    quiet = new.time_s - old.newest_s
    if not 0.0 <= quiet <= STALL_MAX_S or new.rows[0][0] < old.newest_s - UNSEEN_S:
        return False
    return freely(old, new, STALL_DRIVE_M_S2)

"""Is this newer motion the object seen before? Infrared lines before radar, or two stretches of radar."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from beaconfire.frames.types import Vector
from beaconfire.tracking.filter import gate_kernel, predict_kernel
from beaconfire.tracking.motion import BOOST_NOISE, Motion

SIGHT_GATE: Final = 22.0
FLIGHT_GATE: Final = 33.0
"""Squared Mahalanobis distance with six components: about 1 - 1e-5."""
DOUBLE_GATE: Final = 40.0
BACK_MAX_S: Final = 1_500.0
DRIVE_M_S2: Final = 15.0
"""Sigma of the unknown drive while it was out of sight and thrust may have been on."""
SHIFT_MAX_M: Final = 300_000.0


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


def same_flight(old: Motion, new: Motion, *, doubled: bool) -> bool:
    """Return whether a newer motion continues an older one.

    Args:
        old: motion of the older track.
        new: motion of the newer one.
        doubled: True to ask whether a new triple is the same object in the same moments, which needs the
            older track to be precise there; False for two stretches with a gap between.
    """
    gap = new.time_s - old.time_s
    if not -3.0 <= gap <= BACK_MAX_S:
        return False
    noise = BOOST_NOISE if old.arc is None else 0.0
    state, covariance = predict_kernel(old.state, old.covariance, gap, noise)
    total = covariance[:6, :6] + new.covariance[:6, :6]
    if old.burnout_s is None and not doubled:
        room = DRIVE_M_S2 * min(abs(gap), 200.0)
        total[3:, 3:] += room**2 * np.eye(3)
        total[:3, :3] += (0.5 * room * min(abs(gap), 200.0)) ** 2 * np.eye(3)
    difference = new.state[:6] - state[:6]
    if not np.isfinite(difference).all() or not np.isfinite(total).all():
        return False
    distance = float(difference @ np.linalg.solve(total, difference))
    return distance <= (DOUBLE_GATE if doubled else FLIGHT_GATE)

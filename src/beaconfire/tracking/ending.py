"""The end of thrust, seen against the thrust that was there before it.

Free flight alone must be watched for ten seconds until thrust would have shown in it. But a steady thrust was
seen just before, and that it stops shows within two or three. One fit holds both: a constant acceleration up
to an instant and none after it; the instant is where the plots are likeliest.

Source: change point as in A. F. M. Smith, Biometrika 62 (1975) 407; evidence by Laplace's approximation as in
D. MacKay, Information Theory, Inference and Learning Algorithms (2003), section 27.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.algebra import inverse_kernel, log_determinant_kernel
from beaconfire.tracking.batch import (
    COAST,
    PRIOR_LOG_INVERSE_BETA,
    PRIOR_SIGMA_LOG_INVERSE_BETA,
    THRUST,
    Prior,
    Solution,
    broad_prior_kernel,
    solve_kernel,
)
from beaconfire.tracking.filter import integration_step_kernel

BACK_S: Final = 10.0
"""How long ago thrust may have ended; after that free flight shows by itself."""
BEFORE_S: Final = 8.0
"""Over so long thrust is taken as constant."""
STEP_S: Final = 0.5
ROWS_LEAST: Final = 6
"""Before an end: what state and acceleration need."""
LOOKS_S: Final = (2.5, 5.0, 8.0)
"""Ends so long ago are tried first."""
HOPELESS: Final = 6.0
"""An end less likely than none by this logarithm at each of these is not looked for."""
QUIET_S: Final = 3.0
"""A pause between two stages is often shorter."""
DRIVE_LEAST_M_S2: Final = 10.0
DRIVE_SIGMAS: Final = 5.0
"""Thrust must have been seen for its end to be one."""
ACCELERATION_SIGMA_M_S2: Final = 60.0
"""Of thrust, each axis, before anything is known of it."""
RATE_PER_S: Final = 0.01
"""Chance of an end in a second: half of that for each instant on the grid."""
SHARES_LEFT: Final = (1.0 / 3.0, 2.0 / 3.0)
WEAKENED_RATIO: Final = 0.05
"""Thrust may also have weakened to one of these shares; each that much as likely as an end."""
DOUBT_MOST: Final = 0.01
NEGLIGIBLE: Final = 20.0
"""An instant less likely than another by this logarithm counts for nothing, nor do those before it."""
END_SIGMAS: Final = 2.0
"""So many sigmas of the instant of the end are allowed for: thrust before it was taken as constant."""
TAIL_M_S: Final = 5.0
"""One standard deviation of speed that an uneven thrust, or a tail of it, may have given."""


class Ending(NamedTuple):
    """Where thrust ended, if it did.

    Attributes:
        doubt: probability that it goes on, or has only weakened.
        until_s: likeliest end, seconds on the clock of the rows.
        sigma_s: of the end, seconds.
        solution: fit with that end, over all rows; its state of ten holds there (ECEF, SI), the acceleration
            is that before it.
    """

    doubt: float
    until_s: float
    sigma_s: float
    solution: Solution


@njit(cache=True)
def _moved_back(state: Vector, interval_s: float) -> Vector:
    """Return a state of ten so long ago, its acceleration on all the time."""
    out = state.copy()
    out[:COAST] = propagate_kernel(state[:COAST].copy(), -interval_s, integration_step_kernel(state))
    for i in range(3):
        out[i] += 0.5 * interval_s * interval_s * state[7 + i]
        out[3 + i] -= interval_s * state[7 + i]
    return out


@njit(cache=True)
def _fit(start: Vector, until_s: float, rows: Vector, sensors: Vector, share_after: float) -> Solution:
    prior = broad_prior_kernel(sensors.shape[0], start, 0.0, ACCELERATION_SIGMA_M_S2)
    return solve_kernel(start, until_s, rows, sensors, prior, THRUST, share_after)


@njit(cache=True)
def _evidence(solution: Solution) -> float:
    return -0.5 * (solution.cost + log_determinant_kernel(solution.information))


@njit(cache=True)
def may_have_ended_kernel(rows: Vector, state: Vector, time_s: float, sensors: Vector) -> bool:
    """Return whether it is worth looking: an end some seconds ago is about as likely as none.

    Args: as `ending_kernel`.
    """
    current = _fit(state, time_s, rows, sensors, 1.0)
    least, since_s = _evidence(current) - HOPELESS, 0.0
    for ago_s in LOOKS_S:
        if rows[ROWS_LEAST - 1, 0] > time_s - ago_s:
            break
        current = _fit(_moved_back(current.state, ago_s - since_s), time_s - ago_s, rows, sensors, 0.0)
        since_s = ago_s
        if _evidence(current) > least:
            return True
    return False


@njit(cache=True)
def _instants_kernel(
    rows: Vector, thrusting: Solution, time_s: float, sensors: Vector, share_after: float
) -> tuple[Vector, Solution, float]:
    """Return the evidence of each instant on the grid, newest first, the best fit and its instant.

    Args:
        rows: in order of time, shape (n, 9).
        thrusting: fit up to now: where the fits start.
        time_s: of the newest row.
        sensors: sensor table.
        share_after: of the thrust that goes on after the instant, 0 to 1.
    """
    steps = int(BACK_S / STEP_S)
    logs, current = np.full(steps, -math.inf), thrusting
    best, until_s, highest = thrusting, time_s, -math.inf
    for step in range(steps):
        end_s = time_s - (step + 1) * STEP_S
        if rows[ROWS_LEAST - 1, 0] > end_s:
            break
        current = _fit(_moved_back(current.state, STEP_S), end_s, rows, sensors, share_after)
        logs[step] = _evidence(current) + math.log(RATE_PER_S * STEP_S)
        if logs[step] > highest:
            best, until_s, highest = current, end_s, logs[step]
        elif logs[step] < highest - NEGLIGIBLE:
            break
    return logs, best, until_s


@njit(cache=True)
def ending_kernel(rows: Vector, state: Vector, time_s: float, sensors: Vector) -> Ending:
    """Return where thrust ended within the last `BACK_S`, over the rows of that time and `BEFORE_S` more.

    Args:
        rows: in order of time, at least `ROWS_LEAST` of them before the end, shape (n, 9).
        state: of ten at `time_s`, from the filter: where the fits start.
        time_s: of the newest row.
        sensors: sensor table.
    """
    thrusting = _fit(state, time_s, rows, sensors, 1.0)
    logs, best, until_s = _instants_kernel(rows, thrusting, time_s, sensors, 0.0)
    top = max(float(logs.max()), _evidence(thrusting))
    weights = np.exp(logs - top)
    ended, goes_on = float(weights.sum()), math.exp(_evidence(thrusting) - top)
    if goes_on > ended or time_s - until_s < QUIET_S:
        return Ending(goes_on / (ended + goes_on), until_s, BACK_S, best)
    for share in SHARES_LEFT:
        weaker, _, _ = _instants_kernel(rows, thrusting, time_s, sensors, share)
        goes_on += WEAKENED_RATIO * float(np.exp(weaker - top).sum())
    mean_s = square_s2 = 0.0
    for step in range(logs.size):
        share, away_s = weights[step] / ended, (time_s - (step + 1) * STEP_S) - until_s
        mean_s += share * away_s
        square_s2 += share * away_s * away_s
    sigma_s = math.sqrt(square_s2 + STEP_S * STEP_S / 12.0)
    return Ending(goes_on / (ended + goes_on), until_s, sigma_s, best)


@njit(cache=True)
def knowledge_before_kernel(ending: Ending, rows: Vector, sensors: Vector) -> Prior:
    """Return what the rows before the end of thrust tell of the state there.

    The acceleration is a nuisance; that it was not quite constant, and when it ended, widens the velocity.

    Args:
        ending: of the thrust; the knowledge holds at its instant.
        rows: before the end, in order of time, shape (n, 9).
        sensors: sensor table.
    """
    state = ending.solution.state
    prior = broad_prior_kernel(sensors.shape[0], state, 0.0, ACCELERATION_SIGMA_M_S2)
    told = solve_kernel(state, ending.until_s, rows, sensors, prior, 0)
    covariance = inverse_kernel(told.information)
    mean = state.copy()
    mean += covariance @ told.gradient
    mean[7:] = 0.0
    # Thrust hides drag: of the ballistic coefficient the rows before tell nothing that can be trusted.
    wide = covariance[:COAST, :COAST].copy()
    wide[6, :], wide[:, 6] = 0.0, 0.0
    wide[6, 6] = PRIOR_SIGMA_LOG_INVERSE_BETA * PRIOR_SIGMA_LOG_INVERSE_BETA
    mean[6] = PRIOR_LOG_INVERSE_BETA
    drive = state[7:]
    variance_s2 = (END_SIGMAS * ending.sigma_s) ** 2
    for i in range(3):
        wide[3 + i, 3 + i] += TAIL_M_S * TAIL_M_S
        for j in range(3):
            wide[3 + i, 3 + j] += variance_s2 * drive[i] * drive[j]
    information, consider = np.zeros((10, 10)), np.zeros_like(told.consider)
    information[:COAST, :COAST] = inverse_kernel(wide)
    carry = information[:COAST, :COAST].copy()
    for sensor in range(consider.shape[0]):
        consider[sensor, :COAST, :] = carry @ (covariance @ told.consider[sensor])[:COAST].copy()
    return Prior(mean, information, consider)


@njit(cache=True)
def drive_kernel(solution: Solution) -> tuple[float, float]:
    """Return the size of the acceleration before the end and its sigma along itself, m/s^2."""
    covariance = inverse_kernel(solution.information.copy())
    drive = solution.state[7:].copy()
    size = math.sqrt(drive[0] ** 2 + drive[1] ** 2 + drive[2] ** 2)
    variance = max(float(drive @ covariance[7:, 7:].copy() @ drive), 0.0)
    return size, math.sqrt(variance) / max(size, 1e-9)

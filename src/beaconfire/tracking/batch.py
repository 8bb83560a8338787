"""Batch least squares over an arc: Levenberg-Marquardt with Huber weights, compiled.

State of ten: position, velocity (ECEF, m, m/s), ln(1/beta), and an extra constant acceleration (m/s^2,
ECEF). A *coast* fit solves for the first seven and leaves the acceleration at zero; a *thrust* fit over a
few seconds solves for all ten. Every plot counts at its own time, so order of arrival does not matter.

Source: O. Montenbruck and E. Gill, Satellite Orbits (2000), section 8.1 (batch with a priori); D. Marquardt,
SIAM J. 11 (1963) 431; P. Huber, Ann. Math. Stat. 35 (1964) 73; B. Tapley, B. Schutz and G. Born, Statistical
Orbit Determination (2004), section 6.3 (consider parameters).
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.flight.propagation import carry_kernel, propagate_with_transition_kernel, room_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.algebra import inverse_kernel
from beaconfire.tracking.filter import integration_step_kernel
from beaconfire.tracking.measurement import residual_kernel

COAST: Final = 7
THRUST: Final = 10
ITERATIONS_MAX: Final = 12
LINEAR_ENOUGH: Final = 0.05
"""A step that lowers the cost by less than this (a fifth of a sigma) is taken without linearising again."""
HUBER_K: Final = 3.0
CHI_CAP: Final = 16.0
"""Largest share of one component in chi-square, so that one wild plot does not fail an arc."""

PRIOR_LOG_INVERSE_BETA: Final = math.log(1.0 / 3_000.0)
PRIOR_SIGMA_LOG_INVERSE_BETA: Final = 0.7
"""Prior on ln(1/beta): 95 % between 750 and 12,000 kg/m^2.

Source: own choice, broad on purpose; the data refine it where the air is felt.
"""


class Prior(NamedTuple):
    """What is known before the rows of an arc.

    Attributes:
        mean: state of ten at the arc's reference time.
        information: inverse covariance, shape (10, 10).
        consider: sensitivity of the information vector to one sigma of each offset of each sensor,
            shape (sensors, 10, 4), from rows already rolled up.
    """

    mean: Vector
    information: Vector
    consider: Vector


class Solution(NamedTuple):
    """Result of one fit, at the arc's reference time.

    Attributes:
        state: state of ten.
        information: normal matrix with prior, shape (10, 10).
        gradient: of half the cost at `state`, pointing downhill, shape (10,).
        consider: as in `Prior`, prior and rows together.
        chi_square: of each row, offsets of the sensors counted as noise, shape (rows,).
        components: of each row, shape (rows,).
        cost: robust cost with prior.
    """

    state: Vector
    information: Vector
    gradient: Vector
    consider: Vector
    chi_square: Vector
    components: Vector
    cost: float


@njit(cache=True, error_model="numpy")
def _huber(square: float) -> tuple[float, float]:
    """Return cost and weight of one whitened component's square."""
    if square <= HUBER_K * HUBER_K:
        return square, 1.0
    size = math.sqrt(square)
    return 2.0 * HUBER_K * size - HUBER_K * HUBER_K, HUBER_K / size


@njit(cache=True, error_model="numpy")
def _add_row(
    residual: Vector,
    partials: Vector,
    offset: Vector,
    size: int,
    sums: tuple[Vector, Vector, Vector],
) -> tuple[float, float]:
    """Add one row's components to (information, gradient, consider); return its cost and chi-square.

    Of the information only the lower triangle: the upper is that, and is written once all rows are in.
    """
    information, gradient, consider = sums
    cost, chi = 0.0, 0.0
    for k in range(size):
        o0, o1, o2, o3 = offset[k, 0], offset[k, 1], offset[k, 2], offset[k, 3]
        spread = 1.0 + o0 * o0 + o1 * o1 + o2 * o2 + o3 * o3
        square = residual[k] * residual[k]
        part, weight = _huber(square / spread)
        cost += part
        chi += min(square / spread, CHI_CAP)
        along = partials[k]
        for i in range(10):
            scaled = weight * along[i]
            gradient[i] += scaled * residual[k]
            for j in range(i + 1):
                information[i, j] += scaled * along[j]
        if spread > 1.0:
            for i in range(10):
                scaled = weight * along[i]
                consider[i, 0] += scaled * o0
                consider[i, 1] += scaled * o1
                consider[i, 2] += scaled * o2
                consider[i, 3] += scaled * o3
    return cost, chi


@njit(cache=True, error_model="numpy")
def _row_partials(
    jacobian: Vector, transition: Vector, elapsed: float, share: float, size: int, partials: Vector
) -> None:
    """Write partials of a row's components with the reference state of ten; `share` of the thrust acts."""
    half_square, elapsed = 0.5 * share * elapsed * elapsed, share * elapsed
    for k in range(size):
        j0, j1, j2 = jacobian[k, 0], jacobian[k, 1], jacobian[k, 2]
        j3, j4, j5 = jacobian[k, 3], jacobian[k, 4], jacobian[k, 5]
        for j in range(7):
            partials[k, j] = (
                j0 * transition[0, j]
                + j1 * transition[1, j]
                + j2 * transition[2, j]
                + j3 * transition[3, j]
                + j4 * transition[4, j]
                + j5 * transition[5, j]
            )
        partials[k, 7] = half_square * j0 + elapsed * j3
        partials[k, 8] = half_square * j1 + elapsed * j4
        partials[k, 9] = half_square * j2 + elapsed * j5


@njit(cache=True, error_model="numpy")
def _accumulate(
    state: Vector, reference_s: float, rows: Vector, sensors: Vector, prior: Prior, share_after: float
) -> Solution:
    """Linearise all rows at `state`; rows stand in order of time, some may lie before the reference."""
    count = rows.shape[0]
    information, consider = prior.information.copy(), prior.consider.copy()
    difference = prior.mean - state
    for i in range(7, 10):  # a coast fit holds the acceleration; its prior mean is zero
        difference[i] = -state[i]
    gradient = information @ difference
    cost = 0.0
    for i in range(10):
        cost += difference[i] * gradient[i]
    chi, components = np.zeros(count), np.zeros(count)
    residual, jacobian, offset = np.empty(4), np.zeros((4, 6)), np.empty((4, 4))
    partials, there, room = np.empty((4, 10)), np.empty(7), room_kernel()
    split = 0
    while split < count and rows[split, 0] < reference_s:
        split += 1
    for direction in range(2):
        current, transition, at = state[:7].copy(), np.eye(7), reference_s
        number = count - split if direction == 0 else split
        share = share_after if direction == 0 else 1.0
        for step in range(number):
            index = split + step if direction == 0 else split - 1 - step
            row = rows[index]
            if row[0] != at:
                carry_kernel(current, transition, row[0] - at, integration_step_kernel(current), room)
                at = row[0]
            elapsed = at - reference_s
            for i in range(3):
                there[i] = current[i] + 0.5 * elapsed * elapsed * share * state[7 + i]
                there[3 + i] = current[3 + i] + elapsed * share * state[7 + i]
            size = residual_kernel(row, sensors, there, residual, jacobian, offset)
            _row_partials(jacobian, transition, elapsed, share, size, partials)
            sums = (information, gradient, consider[int(row[1])])
            part, chi[index] = _add_row(residual, partials, offset, size, sums)
            components[index] = size
            cost += part
    for i in range(10):
        for j in range(i):
            information[j, i] = information[i, j]
    return Solution(state, information, gradient, consider, chi, components, cost)


@njit(cache=True)
def _stepped(solution: Solution, state: Vector, step: Vector, promised: float) -> Solution:
    """Return a solution moved by a step so small that nothing need be linearised again."""
    gradient = solution.gradient.copy()
    for i in range(10):
        for j in range(step.size):
            gradient[i] -= solution.information[i, j] * step[j]
    return Solution(
        state,
        solution.information,
        gradient,
        solution.consider,
        solution.chi_square,
        solution.components,
        solution.cost - promised,
    )


@njit(cache=True)
def solve_kernel(
    start: Vector,
    reference_s: float,
    rows: Vector,
    sensors: Vector,
    prior: Prior,
    size: int,
    share_after: float = 1.0,
) -> Solution:
    """Return the fit of an arc.

    Args:
        start: first guess, state of ten at `reference_s`.
        reference_s: time of the state, seconds after the track's origin.
        rows: detections in order of time, shape (n, 9).
        sensors: sensor table.
        prior: knowledge at `reference_s`; an information of zero is none.
        size: `COAST` (7) or `THRUST` (10) parameters; 0 only linearises at `start`.
        share_after: share of the extra acceleration that acts after `reference_s`; 0 if it ends there.
    """
    best = _accumulate(start, reference_s, rows, sensors, prior, share_after)
    damping = 0.0
    for _ in range(ITERATIONS_MAX if size > 0 else 0):
        normal = best.information[:size, :size].copy()
        for i in range(size):
            normal[i, i] *= 1.0 + damping
        step = inverse_kernel(normal) @ best.gradient[:size]
        promised = 0.0
        for i in range(size):
            promised += step[i] * best.gradient[i]
        candidate = best.state.copy()
        candidate[:size] += step
        candidate[6] = min(max(candidate[6], -12.0), -3.0)
        if promised < LINEAR_ENOUGH:
            best = _stepped(best, candidate, step, promised)
            break
        trial = _accumulate(candidate, reference_s, rows, sensors, prior, share_after)
        if trial.cost < best.cost:
            best = trial
            damping = 0.0 if damping < 1e-3 else damping * 0.1
        else:
            damping = max(1e-3, damping * 10.0)
            if damping > 1e6:
                break
    return best


@njit(cache=True)
def covariance_kernel(solution: Solution, size: int) -> Vector:
    """Return the covariance of the first `size` of the state, widened by the sensors' offsets."""
    noise = inverse_kernel(solution.information[:size, :size].copy())
    total = noise.copy()
    for sensor in range(solution.consider.shape[0]):
        effect = noise @ solution.consider[sensor, :size, :].copy()
        total += effect @ effect.T
    return total


@njit(cache=True)
def extra_acceleration_kernel(solution: Solution) -> tuple[Vector, Vector]:
    """Return what a coast fit left over as constant acceleration (m/s^2, ECEF) and its covariance (3, 3).

    A score test: how far the residuals ask for an acceleration that the model does not have.
    Source: C. R. Rao, Proc. Camb. Phil. Soc. 44 (1948) 50.
    """
    covariance = inverse_kernel(solution.information[:7, :7].copy())
    cross = solution.information[:7, 7:].copy()
    reduced = solution.information[7:, 7:] - cross.T @ covariance @ cross
    score = solution.gradient[7:] - cross.T @ covariance @ solution.gradient[:7].copy()
    left = inverse_kernel(reduced)
    return left @ score, left


@njit(cache=True)
def roll_up_kernel(solution: Solution, interval_s: float) -> Prior:
    """Return the knowledge of a coast fit as a prior `interval_s` later; its rows may then be forgotten."""
    noise = inverse_kernel(solution.information[:7, :7].copy())
    mean = solution.state.copy()
    step = integration_step_kernel(mean)
    moved, transition = propagate_with_transition_kernel(mean[:7].copy(), np.eye(7), interval_s, step)
    # The rows were linearised about `state`: what they ask for besides is carried linearly with it.
    mean[:7] = moved + transition @ (noise @ solution.gradient[:7].copy())
    carried = transition @ noise
    covariance = carried @ transition.T
    information = np.zeros((10, 10))
    information[:7, :7] = inverse_kernel(covariance)
    consider = np.zeros_like(solution.consider)
    carry = information[:7, :7].copy() @ carried
    for sensor in range(consider.shape[0]):
        consider[sensor, :7, :] = carry @ solution.consider[sensor, :7, :].copy()
    return Prior(mean, information, consider)


@njit(cache=True)
def broad_prior_kernel(
    sensors: int, state: Vector, speed_sigma_m_s: float, acceleration_sigma_m_s2: float
) -> Prior:
    """Return the prior of a new arc: ln(1/beta) always, speed and acceleration if their sigma is not 0.

    Args:
        sensors: rows of the sensor table.
        state: state of ten; its position and velocity are the mean of the prior.
        speed_sigma_m_s: of each component of the velocity, 0 for no prior.
        acceleration_sigma_m_s2: of each component of the extra acceleration, 0 for no prior.
    """
    information = np.zeros((10, 10))
    information[6, 6] = PRIOR_SIGMA_LOG_INVERSE_BETA**-2
    for i in range(3):
        information[3 + i, 3 + i] = speed_sigma_m_s**-2 if speed_sigma_m_s > 0.0 else 0.0
        if acceleration_sigma_m_s2 > 0.0:
            information[7 + i, 7 + i] = acceleration_sigma_m_s2**-2
    mean = state.copy()
    mean[6] = PRIOR_LOG_INVERSE_BETA
    mean[7:] = 0.0
    return Prior(mean, information, np.zeros((sensors, 10, 4)))

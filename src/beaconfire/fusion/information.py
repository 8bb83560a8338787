"""Fusion of disjoint estimates of one object: information sum, covariance intersection, covariance union.

States of seven (x y z, vx vy vz, ln(1/beta)), ECEF, SI; covariances (7, 7).
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from beaconfire.flight.dynamics import approximate_height_kernel
from beaconfire.flight.fall import fall_with_transition_kernel
from beaconfire.frames.types import Vector
from beaconfire.fusion.source import Estimate
from beaconfire.messages.words import TimeUs
from beaconfire.units import seconds_from_microseconds

# Source: quantiles of the chi-square distribution at 0.999 for 2, 3 and 6 degrees of freedom.
CHI_SQUARE_2: Final = 13.816
CHI_SQUARE_3: Final = 16.266
CHI_SQUARE_6: Final = 22.458
THRUST_SIGMA_M_S2: Final = 40.0
"""Acceleration left out when an estimate in boost is carried on as free flight."""
CARRY_MAX_S: Final = 2_400.0
INTERSECTION_STEPS: Final = 20
AIR_M: Final = 130_000.0
"""Below this, falling, drag is felt within seconds."""


class Fused(NamedTuple):
    """What several estimates say together.

    Attributes:
        estimate: at the newest epoch.
        conflicts: indices of the estimates that disagree with the rest beyond chi-square(0.999).
    """

    estimate: Estimate
    conflicts: tuple[int, ...]


@njit(cache=True)
def inverse(matrix: Vector) -> Vector:
    """Return the inverse of a symmetric positive definite matrix, scaled first to a unit diagonal."""
    size = matrix.shape[0]
    scale = np.empty(size)
    for i in range(size):
        scale[i] = 1.0 / math.sqrt(max(matrix[i, i], 1e-300))
    scaled = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            scaled[i, j] = matrix[i, j] * scale[i] * scale[j]
        scaled[i, i] += 1e-13
    found = np.linalg.inv(scaled)
    out = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            out[i, j] = 0.5 * (found[i, j] + found[j, i]) * scale[i] * scale[j]
    return out


@njit(cache=True)
def _log_determinant(matrix: Vector) -> float:
    """Return the logarithm of the determinant of a positive definite matrix."""
    size = matrix.shape[0]
    scaled = np.empty((size, size))
    total = 0.0
    for i in range(size):
        total += math.log(max(matrix[i, i], 1e-300))
        for j in range(size):
            scaled[i, j] = matrix[i, j] / math.sqrt(max(matrix[i, i] * matrix[j, j], 1e-300))
    return total + math.log(max(abs(np.linalg.det(scaled)), 1e-300))


@njit(cache=True)
def _intersection_weight(first: Vector, second: Vector) -> float:
    """Return the weight of the first of two informations whose mixture is the sharpest."""
    best, sharpest = 0.0, -math.inf
    for step in range(INTERSECTION_STEPS + 1):
        weight = step / INTERSECTION_STEPS
        sharpness = _log_determinant(weight * first + (1.0 - weight) * second)
        if sharpness > sharpest:
            best, sharpest = weight, sharpness
    return best


@njit(cache=True)
def _sandwich(outer: Vector, inner: Vector) -> Vector:
    """Return outer @ inner @ outer.T of square matrices, made symmetric."""
    size = outer.shape[0]
    half = np.zeros((size, size))
    for i in range(size):
        for k in range(size):
            factor = outer[i, k]
            if factor != 0.0:
                for j in range(size):
                    half[i, j] += factor * inner[k, j]
    full = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            total = 0.0
            for k in range(size):
                total += half[i, k] * outer[j, k]
            full[i, j] = total
    return 0.5 * (full + full.T)


@njit(cache=True)
def _carry_kernel(
    state: Vector, covariance: Vector, interval_s: float, wander_m_s2: float
) -> tuple[Vector, Vector, bool]:
    """Return state and covariance an interval later, and whether all of them is finite."""
    moved, transition = fall_with_transition_kernel(state, interval_s)
    spread = _sandwich(transition, covariance)
    place_m, speed_m_s = 0.5 * wander_m_s2 * interval_s * interval_s, wander_m_s2 * abs(interval_s)
    for axis in range(3):
        spread[axis, axis] += place_m * place_m
        spread[axis, 3 + axis] += place_m * speed_m_s
        spread[3 + axis, axis] += place_m * speed_m_s
        spread[3 + axis, 3 + axis] += speed_m_s * speed_m_s
    return moved, spread, bool(np.all(np.isfinite(moved)) and np.all(np.isfinite(spread)))


def carry(estimate: Estimate, epoch_us: TimeUs, wander_m_s2: float = 0.0) -> Estimate | None:
    """Return an estimate at another epoch, or None if it lies too far off.

    Args:
        estimate: what is carried.
        epoch_us: where to.
        wander_m_s2: one standard deviation of a constant unknown acceleration meanwhile.
    """
    interval_s = seconds_from_microseconds(epoch_us - estimate.epoch_us)
    if abs(interval_s) > CARRY_MAX_S:
        return None
    if interval_s == 0.0:
        return estimate
    state, covariance, is_sound = _carry_kernel(estimate.state, estimate.covariance, interval_s, wander_m_s2)
    return estimate.moved(epoch_us, state, covariance) if is_sound else None


@njit(cache=True)
def _distance_kernel(one: Vector, other: Vector, spread: Vector) -> float:
    """Return the squared Mahalanobis distance of the first six of two states."""
    held = inverse(spread)
    total = 0.0
    for i in range(6):
        for j in range(6):
            total += (one[i] - other[i]) * held[i, j] * (one[j] - other[j])
    return total


def distance_squared(one: Estimate, other: Estimate, floor: Vector | None = None) -> float:
    """Return the squared Mahalanobis distance of position and velocity of two estimates of one epoch.

    Args:
        one: an estimate.
        other: another, of independent errors.
        floor: covariance that neither states, such as registration, shape (6, 6).
    """
    spread = one.covariance[:6, :6] + other.covariance[:6, :6]
    if floor is not None:
        spread = spread + floor
    return float(_distance_kernel(one.state, other.state, spread))


@njit(cache=True)
def _sum_kernel(
    states: Vector, covariances: Vector, priors: Vector, prior: tuple[float, float]
) -> tuple[Vector, Vector]:
    """Return the state and the covariance that independent ones make, the prior on ln(1/beta) counted once.

    Args:
        states: shape (n, 7).
        covariances: shape (n, 7, 7).
        priors: mean and sigma of the prior that is in each, shape (n, 2).
        prior: mean and sigma of the one that is to be in the sum.
    """
    reference = states[0].copy()
    information, vector = np.zeros((7, 7)), np.zeros(7)
    weight = 1.0 / (prior[1] * prior[1])
    information[6, 6] += weight
    vector[6] += weight * (prior[0] - reference[6])
    for n in range(states.shape[0]):
        added = inverse(covariances[n])
        for i in range(7):
            for j in range(7):
                information[i, j] += added[i, j]
                vector[i] += added[i, j] * (states[n, j] - reference[j])
        # More than 1 / P66 can't be in it: taking that out would leave less than no information.
        weight = min(1.0 / (priors[n, 1] * priors[n, 1]), 1.0 / covariances[n, 6, 6])
        information[6, 6] -= weight
        vector[6] -= weight * (priors[n, 0] - reference[6])
    covariance = inverse(information)
    return reference + covariance @ vector, covariance


def sum_information(estimates: Sequence[Estimate]) -> Estimate:
    """Return the estimate that independent estimates of one epoch make together.

    Each one's prior on ln(1/beta) is taken out and one, the broadest, put back, so that it counts once.
    Source: Chong, Mori and Chang, in Bar-Shalom (ed.), Multitarget-Multisensor Tracking (1990), ch. 8.
    """
    if len(estimates) == 1:
        return estimates[0]
    broadest = max(estimates, key=lambda one: (one.prior_sigma, one.prior_mean))
    prior = (broadest.prior_mean, broadest.prior_sigma)
    state, covariance = _sum_kernel(
        np.array([one.state for one in estimates]),
        np.array([one.covariance for one in estimates]),
        np.array([(one.prior_mean, one.prior_sigma) for one in estimates]),
        prior,
    )
    return Estimate(estimates[0].epoch_us, state, covariance, *prior, process_noise=False)


@njit(cache=True)
def _intersect_kernel(
    one: Vector, one_cov: Vector, other: Vector, other_cov: Vector
) -> tuple[Vector, Vector]:
    """Return state and covariance of the intersection."""
    first, second = inverse(one_cov), inverse(other_cov)
    best = _intersection_weight(first, second)
    covariance = inverse(best * first + (1.0 - best) * second)
    return one + covariance @ ((1.0 - best) * (second @ (other - one))), covariance


def intersect(one: Estimate, other: Estimate) -> Estimate:
    """Return the covariance intersection of two estimates of one epoch, whatever they share.

    Source: Julier and Uhlmann, Proc. American Control Conference (1997) 2369-2373.
    """
    state, covariance = _intersect_kernel(one.state, one.covariance, other.state, other.covariance)
    return one.moved(one.epoch_us, state, covariance)


@njit(cache=True)
def _unite_kernel(one: Vector, one_cov: Vector, other: Vector, other_cov: Vector) -> tuple[Vector, Vector]:
    """Return middle and covariance of the union."""
    middle = 0.5 * (one + other)
    first = one_cov + np.outer(one - middle, one - middle)
    second = other_cov + np.outer(other - middle, other - middle)
    scale = np.sqrt(np.diag(first))
    scales = np.outer(scale, scale)
    lower = np.linalg.cholesky(first / scales + 1e-12 * np.eye(7))
    half = np.linalg.solve(lower, np.ascontiguousarray(np.linalg.solve(lower, second / scales).T))
    values, vectors = np.linalg.eigh(0.5 * (half + half.T))
    root = lower @ vectors
    union = (root * np.maximum(values, 1.0)) @ root.T * scales
    return middle, 0.5 * (union + union.T)


def unite(one: Estimate, other: Estimate) -> Estimate:
    """Return the covariance union of two estimates of one epoch: consistent if either is.

    Source: Uhlmann, Information Fusion 4 (2003) 201-215, by simultaneous diagonalisation.
    """
    state, covariance = _unite_kernel(one.state, one.covariance, other.state, other.covariance)
    return one.moved(one.epoch_us, state, covariance)


def is_falling_in_air(estimate: Estimate) -> bool:
    """Return whether a body comes down and feels the air."""
    state = estimate.state
    height = approximate_height_kernel(float(state[0]), float(state[1]), float(state[2]))
    return height < AIR_M and float(state[:3] @ state[3:6]) < 0.0


def _meeting_epoch_us(estimates: Sequence[Estimate]) -> TimeUs:
    """Return where estimates are to meet: the newest epoch, but before the air if any is still outside.

    Drag bends: an estimate that knows nothing of beta can't be carried into the air in linear form, while
    one that has felt the air can be carried back out of it.
    """
    falling = [is_falling_in_air(one) for one in estimates]
    if not any(falling):
        return max(one.epoch_us for one in estimates)
    outside = [one.epoch_us for one, inside in zip(estimates, falling, strict=True) if not inside]
    return max(outside) if outside else min(one.epoch_us for one in estimates)


def fuse(estimates: Sequence[Estimate]) -> Fused | None:
    """Return what disjoint estimates of one object say together at their newest epoch.

    Free-flight estimates add; if there is none, those with process noise are intersected. One that
    disagrees with the rest beyond chi-square(0.999) widens the result to their covariance union.
    """
    free = [index for index, one in enumerate(estimates) if not one.process_noise]
    used = free or list(range(len(estimates)))
    if not used:
        return None
    newest = max((estimates[index] for index in used), key=lambda one: one.epoch_us)
    if len(used) == 1:
        return Fused(newest, ())
    meeting_us = _meeting_epoch_us([estimates[index] for index in used]) if free else newest.epoch_us
    carried = [(index, _carried(estimates[index], meeting_us)) for index in used]
    met = [(index, one) for index, one in carried if one is not None]
    if not met:
        return Fused(newest, ())
    result, conflicts = _joined(met)
    there = carry(result, newest.epoch_us)
    return Fused(newest if there is None else there, conflicts)


def _carried(estimate: Estimate, epoch_us: TimeUs) -> Estimate | None:
    return carry(estimate, epoch_us, THRUST_SIGMA_M_S2 if estimate.process_noise else 0.0)


def _joined(met: list[tuple[int, Estimate]]) -> tuple[Estimate, tuple[int, ...]]:
    """Return the estimate that those of one epoch make, the sharpest first, and which disagree with it."""
    ordered = sorted(met, key=lambda pair: _log_determinant(pair[1].covariance))
    agreed, conflicts = [ordered[0][1]], []
    result = agreed[0]
    for index, one in ordered[1:]:
        if distance_squared(result, one) > CHI_SQUARE_6:
            conflicts.append((index, one))
        elif one.process_noise:
            result = intersect(result, one)
        else:
            agreed.append(one)
            result = sum_information(agreed)
    for _, one in conflicts:
        result = unite(result, one)
    return result, tuple(index for index, _ in conflicts)

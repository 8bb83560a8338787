"""What is stated of an arc through the air: drag goes with 1/beta, so what is known of a body there is bent.

Before the air a radar tells where a body is to metres. A second of drag later all of it hangs on the
ballistic coefficient: a thin and curved line in position, velocity and ln(1/beta). Its tangent, which a
transition matrix carries, leaves the line within a sigma, thousands of times its thickness beside it. So
where that shows the arc is carried at some values of the coefficient, its spread about the likeliest.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from beaconfire.flight.coefficient import CoefficientPrior, states_at_nodes_kernel
from beaconfire.flight.content import HERMITE_NODES, HERMITE_WEIGHTS
from beaconfire.flight.dynamics import approximate_height_kernel
from beaconfire.flight.fall import fall_with_transition_kernel, fallen_kernel
from beaconfire.frames.types import Vector
from beaconfire.tracking.algebra import inverse_kernel, symmetric_kernel
from beaconfire.tracking.batch import PRIOR_LOG_INVERSE_BETA, PRIOR_SIGMA_LOG_INVERSE_BETA
from beaconfire.tracking.filter import predict_kernel
from beaconfire.tracking.unseen import AIR_HEIGHT_M

STRAIGHT: Final = 0.01
"""Square of the bend within a sigma, in sigmas of what is known at a given coefficient, below which it is
none: normalised errors change by half of this."""
PRIOR: Final = CoefficientPrior(PRIOR_LOG_INVERSE_BETA, PRIOR_SIGMA_LOG_INVERSE_BETA)


@njit(cache=True)
def _is_in_air_kernel(state: Vector) -> bool:
    """Return whether drag may be felt at a state."""
    return approximate_height_kernel(state[0], state[1], state[2]) < AIR_HEIGHT_M


@njit(cache=True)
def _is_straight_kernel(spread: Vector) -> bool:
    """Return whether a carried covariance (10, 10) is thick beside how far drag leaves its tangent.

    Source: own derivation. Drag goes with exp(d), d counted from ln(1/beta) as estimated: its second
    derivative is its first, so at one sigma it leaves the tangent by half a sigma of what follows from d.
    """
    sigma = math.sqrt(spread[6, 6])
    along = spread[:6, 6] / sigma
    bend, rest = 0.5 * sigma * along, spread[:6, :6] - np.outer(along, along)
    for i in range(6):
        if not rest[i, i] > 1e-9 * spread[i, i]:  # rounding: as thin as can be
            return False
    square = float(bend @ inverse_kernel(rest) @ bend)
    return 0.0 <= square < STRAIGHT


@njit(cache=True)
def through_air_kernel(
    state: Vector, covariance: Vector, interval_s: float, prior: CoefficientPrior
) -> tuple[Vector, Vector]:
    """Return state (7,) and covariance (7, 7) of a free body after an interval, drag bent as it is.

    Source: own derivation; moments by the five-point rule of `flight.content` along ln(1/beta).

    Args:
        state: likeliest, of seven, ECEF, SI.
        covariance: of it, shape (7, 7), positive definite.
        interval_s: seconds, negative for before.
        prior: of ln(1/beta), contained in the covariance.
    """
    nodes, _, rest = states_at_nodes_kernel(state, covariance, prior)
    middle, transition = fall_with_transition_kernel(state.copy(), interval_s)
    out = transition @ rest @ transition.T
    for i in range(HERMITE_NODES.size):
        apart = fallen_kernel(nodes[i], interval_s) - middle
        out += HERMITE_WEIGHTS[i] * np.outer(apart, apart)
    # What partners make of ln(1/beta) rests on how the cost curves there (`flight.coefficient`): sigma stays.
    scale = math.sqrt(covariance[6, 6] / out[6, 6])
    out[6] *= scale
    out[:, 6] *= scale
    symmetric_kernel(out)
    return middle, out


@njit(cache=True)
def carried_kernel(state: Vector, covariance: Vector, interval_s: float) -> tuple[Vector, Vector]:
    """Return a coast arc's state (10,) and covariance (10, 10) after an interval, bent where drag bends it.

    Args:
        state: of ten at the arc's reference, without acceleration.
        covariance: of it.
        interval_s: seconds.
    """
    out, spread = predict_kernel(state, covariance, interval_s, 0.0)
    in_air = _is_in_air_kernel(state) or _is_in_air_kernel(out)
    if in_air and not _is_straight_kernel(spread):
        out[:7], spread[:7, :7] = through_air_kernel(
            state[:7].copy(), covariance[:7, :7].copy(), interval_s, PRIOR
        )
    return out, spread

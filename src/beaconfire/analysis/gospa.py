"""GOSPA: how far a set of estimates is from the set of true objects, missed and false ones counted.

Source: A. Rahmathullah, A. García-Fernández and L. Svensson, Generalized optimal sub-pattern assignment
metric, Proc. 20th Int. Conf. Information Fusion (2017), alpha = 2.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from beaconfire.frames.types import Vector


class Gospa(NamedTuple):
    """The metric and its parts.

    Attributes:
        distance: (localisation + missed + false) to the power 1/p, in the unit of the points.
        localisation: of the pairs, to the power p.
        missed: true objects without an estimate, each cutoff^p / 2.
        false: estimates without a true object, each cutoff^p / 2.
        pairs: (truth, estimate) that belong together.
    """

    distance: float
    localisation: float
    missed: float
    false: float
    pairs: tuple[tuple[int, int], ...]


def gospa(truths: Vector, estimates: Vector, cutoff: float, power: float = 2.0) -> Gospa:
    """Return the metric of two sets of points.

    Args:
        truths: shape (m, d); m may be 0.
        estimates: shape (n, d), in the same unit; n may be 0.
        cutoff: distance from which a pair is none: one missed, one false.
        power: p, at least 1: the higher, the more outliers count.
    """
    each = 0.5 * cutoff**power
    pairs: list[tuple[int, int]] = []
    localisation = 0.0
    if len(truths) and len(estimates):
        costs = np.minimum(cdist(truths, estimates), cutoff) ** power
        for truth, estimate in zip(*linear_sum_assignment(costs), strict=True):
            if costs[truth, estimate] < cutoff**power:
                pairs.append((int(truth), int(estimate)))
                localisation += float(costs[truth, estimate])
    missed, false = each * (len(truths) - len(pairs)), each * (len(estimates) - len(pairs))
    return Gospa((localisation + missed + false) ** (1.0 / power), localisation, missed, false, tuple(pairs))

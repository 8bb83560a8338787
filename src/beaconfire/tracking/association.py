"""Gated pairs to an assignment: sparse clusters, global nearest neighbour inside each.

Source: S. Blackman and R. Popoli, Design and Analysis of Modern Tracking Systems (1999), section 6.4.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

GATE: Final = {2: 22.0, 3: 25.0, 4: 27.0}
"""Squared Mahalanobis distance beyond which a pair is not considered, by components: about 1 - 1e-5."""

Pair = tuple[int, int]


def _clusters(pairs: Mapping[Pair, float]) -> list[list[Pair]]:
    """Return the pairs in groups that share no track and no plot, in order of their first pair."""
    group_of: dict[tuple[str, int], int] = {}
    groups: list[list[Pair]] = []
    for pair in pairs:
        ends = (("track", pair[0]), ("plot", pair[1]))
        touched = sorted({group_of[end] for end in ends if end in group_of})
        joined = touched[0] if touched else len(groups)
        if not touched:
            groups.append([])
        for other in touched[1:]:
            groups[joined].extend(groups[other])
            for moved in groups[other]:
                group_of["track", moved[0]] = joined
                group_of["plot", moved[1]] = joined
            groups[other] = []
        groups[joined].append(pair)
        for end in ends:
            group_of[end] = joined
    return [group for group in groups if group]


def assign(costs: Mapping[Pair, float], missing: float) -> list[Pair]:
    """Return (track, plot) pairs, each track and plot at most once, of least total cost.

    Args:
        costs: of each gated pair, such as squared distance plus the logarithm of its determinant.
        missing: cost of leaving a track without a plot; no pair may cost more.
    """
    chosen: list[Pair] = []
    for group in _clusters(dict(sorted(costs.items()))):
        if len(group) == 1:
            chosen.extend(group)
            continue
        tracks = sorted({pair[0] for pair in group})
        plots = sorted({pair[1] for pair in group})
        matrix = np.full((len(tracks), len(plots) + len(tracks)), 1e6)
        matrix[:, len(plots) :] = missing
        for pair in group:
            matrix[tracks.index(pair[0]), plots.index(pair[1])] = costs[pair]
        for row, column in zip(*linear_sum_assignment(matrix), strict=True):
            if column < len(plots):
                chosen.append((tracks[row], plots[column]))
    return sorted(chosen)

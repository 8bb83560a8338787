"""Global nearest neighbour."""

from itertools import permutations

import numpy as np

from beaconfire.tracking.association import assign


def test_total_cost_decides_not_the_nearest_pair() -> None:
    costs = {(0, 0): 1.0, (0, 1): 2.0, (1, 0): 1.5, (1, 1): 20.0}
    assert assign(costs, 100.0) == [(0, 1), (1, 0)]


def test_clusters_are_joined_by_a_later_pair() -> None:
    costs = {(0, 0): 1.0, (1, 1): 1.0, (1, 0): 0.5, (2, 5): 3.0}
    assert assign(costs, 100.0) == [(0, 0), (1, 1), (2, 5)]


def test_a_track_may_stay_without_plot() -> None:
    assert assign({(0, 0): 1.0, (1, 0): 2.0}, 50.0) == [(0, 0)]
    assert assign({}, 50.0) == []


def test_agrees_with_trying_all() -> None:
    random = np.random.default_rng(7)
    for _ in range(30):
        matrix = random.uniform(0.0, 20.0, (4, 4))
        costs = {(i, j): float(matrix[i, j]) for i in range(4) for j in range(4)}
        best = min(sum(matrix[i, p[i]] for i in range(4)) for p in permutations(range(4)))
        assert abs(sum(costs[pair] for pair in assign(costs, 1_000.0)) - best) < 1e-9

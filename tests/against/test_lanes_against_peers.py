"""Both filters over lanes beside Stone Soup's and FilterPy's, over twenty updates of the same plots.

The same comparison stands before every timing of `benchmarks/filters.py`.
"""

import filters
import numpy as np
import peers
import pytest


def test_all_answers_are_equal() -> None:
    assert max(filters.check_answers().values()) < 1e-6


def test_a_peer_without_the_turning_earth_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_W", 0.0)
    monkeypatch.setattr(peers, "_CORIOLIS", np.zeros((3, 3)))
    guesses, covariances, plots = filters.scenario(1, 1)
    assert np.isfinite(plots).all()
    with pytest.raises(AssertionError):
        filters.check_answers()
    assert guesses.shape == (1, 6)
    assert covariances.shape == (1, 6, 6)

"""Small symmetric systems."""

import numpy as np
import pytest

from beaconfire.tracking.algebra import inverse_kernel, symmetric_kernel


def test_inverse_of_badly_scaled_matrix() -> None:
    random = np.random.default_rng(3)
    factor = random.standard_normal((7, 7)) * np.array([1e6, 1e6, 1e6, 1e2, 1e2, 1e2, 1e-3])
    matrix = factor.T @ factor
    scale = np.sqrt(np.diag(matrix))
    unit = (matrix @ inverse_kernel(matrix)) / scale[:, None] * scale[None, :]
    assert unit == pytest.approx(np.eye(7), abs=1e-7)


def test_singular_matrix_gives_finite_result() -> None:
    assert np.isfinite(inverse_kernel(np.ones((3, 3)))).all()


def test_symmetric_takes_the_middle() -> None:
    matrix = np.array([[1.0, 2.0], [4.0, 1.0]])
    symmetric_kernel(matrix)
    assert matrix[0, 1] == matrix[1, 0] == 3.0

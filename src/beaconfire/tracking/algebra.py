"""Small symmetric systems, solved by Cholesky factors of the matrix scaled to a unit diagonal."""

import math

import numpy as np
from numba import njit

from beaconfire.frames.types import Vector


@njit(cache=True, error_model="numpy")
def _inverse_factor_kernel(matrix: Vector, scale: Vector) -> Vector:
    """Return the inverse of the lower Cholesky factor of the matrix scaled on both sides."""
    size = scale.size
    lower, half = np.zeros((size, size)), np.zeros((size, size))
    for j in range(size):
        for i in range(j, size):
            total = matrix[i, j] * scale[i] * scale[j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            lower[i, j] = math.sqrt(max(total, 1e-14)) if i == j else total / lower[j, j]
    for j in range(size):
        half[j, j] = 1.0 / lower[j, j]
        for i in range(j + 1, size):
            total = 0.0
            for k in range(j, i):
                total -= lower[i, k] * half[k, j]
            half[i, j] = total / lower[i, i]
    return half


@njit(cache=True, error_model="numpy")
def _scale_kernel(matrix: Vector) -> Vector:
    """Return what brings the diagonal of a symmetric positive definite matrix to one on both sides."""
    scale = np.empty(matrix.shape[0])
    for i in range(scale.size):
        scale[i] = 1.0 / math.sqrt(max(matrix[i, i], 1e-300))
    return scale


@njit(cache=True, error_model="numpy")
def axes_kernel(information: Vector) -> Vector:
    """Return axes of one sigma, (n, n): outer products of the columns add up to the inverse."""
    size = information.shape[0]
    scale = _scale_kernel(information)
    half = _inverse_factor_kernel(information, scale)
    out = np.empty((size, size))
    for i in range(size):
        for k in range(size):
            out[i, k] = half[k, i] * scale[i]
    return out


@njit(cache=True, error_model="numpy")
def log_determinant_kernel(matrix: Vector) -> float:
    """Return the logarithm of the determinant of a symmetric positive definite matrix."""
    scale, total = _scale_kernel(matrix), 0.0
    half = _inverse_factor_kernel(matrix, scale)
    for i in range(scale.size):
        total -= 2.0 * (math.log(half[i, i]) + math.log(scale[i]))
    return total


@njit(cache=True, error_model="numpy")
def inverse_kernel(matrix: Vector) -> Vector:
    """Return the inverse of a symmetric positive definite matrix, shape (n, n).

    Rows are scaled to a unit diagonal first, because metres, metres per second and logarithms differ by
    many powers of ten. A pivot that rounding made too small is lifted, so the result is always finite.
    """
    size = matrix.shape[0]
    scale = _scale_kernel(matrix)
    half = _inverse_factor_kernel(matrix, scale)
    out = np.empty((size, size))
    for i in range(size):
        for j in range(i, size):
            total = 0.0
            for k in range(j, size):
                total += half[k, i] * half[k, j]
            out[i, j] = total * scale[i] * scale[j]
            out[j, i] = out[i, j]
    return out


@njit(cache=True, error_model="numpy")
def symmetric_kernel(matrix: Vector) -> None:
    """Make a matrix symmetric in place."""
    for i in range(matrix.shape[0]):
        for j in range(i + 1, matrix.shape[0]):
            middle = 0.5 * (matrix[i, j] + matrix[j, i])
            matrix[i, j] = middle
            matrix[j, i] = middle

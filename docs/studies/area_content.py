"""How many points tell what share an ellipse on the ground holds? Error of the share against their count.

.venv/bin/python docs/studies/area_content.py [--short]
"""

import math
from itertools import product

import numpy as np
from study import Finding, tell

from beaconfire.analysis.chart import Series
from beaconfire.flight.content import _GENERATOR, POINTS, lattice_normals
from beaconfire.frames.types import Vector

LEVELS = np.array([0.5, 0.95, 0.99])
SIGMAS = (0.02, 0.3, 0.7)
WIDTHS = (0.01, 0.1, 0.3, 0.6, 1.0, 3.0)
"""What is uncertain at a given coefficient, beside what the coefficient moves."""
SHAPES = ((1.0, 0.0), (0.3, 0.7), (0.1, 0.0), (0.1, 0.7))
COUNTS = ((251, 77), (509, 203), (1_021, 401), (2_039, 1_099), (POINTS, _GENERATOR))
"""Primes, each with the best generator of some dozens tried."""
WANTED = np.array([0.005, 0.002, 0.002])


def _distances(points: Vector, sigma: float, width: float, shape: tuple[float, float]) -> Vector:
    """Return how far points lie from the mean in the plane, in standard deviations, sorted."""
    thin, angle = shape
    turned = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    root = turned @ np.diag([1.0, thin]) * width * sigma
    mean, variance = math.exp(0.5 * sigma**2), math.exp(sigma**2) * math.expm1(sigma**2)
    spread = root @ root.T + np.diag([0.0, variance])
    places = points[:, 1:] @ root.T
    places[:, 1] += np.exp(sigma * points[:, 0]) - mean
    unit = np.linalg.inv(np.linalg.cholesky(spread + 1e-12 * np.eye(2)))
    return np.asarray(np.sort(np.hypot(*(places @ unit.T).T)))


def _worst(lattices: list[Vector], draws: Vector) -> Vector:
    """Return the greatest error of the share of each level over all distributions, of each lattice."""
    worst = np.zeros((len(lattices), len(LEVELS)))
    for sigma, width, shape in product(SIGMAS, WIDTHS, SHAPES):
        exact = _distances(draws, sigma, width, shape)
        for row, points in zip(worst, lattices, strict=True):
            found = _distances(points, sigma, width, shape)
            scales = np.interp(LEVELS * len(points) - 0.5, np.arange(len(points)), found)
            error = np.abs(np.searchsorted(exact, scales) / len(exact) - LEVELS)
            row[:] = np.maximum(row, error)
    return worst


def find(short: bool) -> Finding:  # noqa: FBT001 - the one option
    """Return the error for each count of points."""
    draws = np.random.default_rng(1).standard_normal((30_000 if short else 200_000, 3))
    noise = 2.5 * np.sqrt(LEVELS * (1.0 - LEVELS) / len(draws))
    worst = _worst([lattice_normals(*one) for one in COUNTS], draws)
    lines = [
        f"{count:5d} points: worst error at 50, 95, 99 % " + ", ".join(f"{error:.4f}" for error in errors)
        for (count, _), errors in zip(COUNTS, worst, strict=True)
    ]
    return Finding(
        lines=lines,
        series=[
            Series(
                f"{level:.0%}",
                tuple((float(n), float(e[i])) for (n, _), e in zip(COUNTS, worst, strict=True)),
            )
            for i, level in enumerate(LEVELS)
        ],
        axes=("Share that an ellipse holds, counted on a lattice", "points", "worst error of the share"),
        logs=(True, True),
        sentence=(
            f"{POINTS:,} points tell the share that an ellipse on the ground holds to 0.005 at 50 %, and to "
            "0.002 at 95 and 99 %, whatever the ballistic coefficient has to say in it."
        ),
        holds=bool(np.all(worst[-1] < WANTED + noise)),
    )


if __name__ == "__main__":
    tell("area_content", find)

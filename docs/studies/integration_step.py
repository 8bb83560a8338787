"""How long may a Runge-Kutta step be? Error of a flight's position beside one of very short steps.

.venv/bin/python docs/studies/integration_step.py [--short]
"""

import numpy as np
from study import Finding, tell

from beaconfire.analysis.chart import Series
from beaconfire.analysis.coast_cases import truth_at_burnout
from beaconfire.flight.fall import fall_kernel
from beaconfire.flight.propagation import STEP_S, propagate_kernel
from beaconfire.tracking.filter import AIR_HEIGHT_M, AIR_STEP_S

STEPS_S = (0.125, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
FINE_S = 1.0 / 64.0
VACUUM_S = 1_200.0
NO_AIR = -40.0
VACUUM_WANTED_M = 0.01
AIR_WANTED_M = 1.0


def _errors(state: np.ndarray, span_s: float, steps_s: tuple[float, ...]) -> list[float]:
    exact = propagate_kernel(state, span_s, FINE_S)
    return [float(np.linalg.norm(propagate_kernel(state, span_s, one)[:3] - exact[:3])) for one in steps_s]


def find(short: bool) -> Finding:  # noqa: FBT001 - the one option
    """Return errors over twenty minutes above the air and over the last ten seconds of a fall through it."""
    steps = STEPS_S[1:5] if short else STEPS_S
    start = truth_at_burnout()
    bare = start.copy()
    bare[6] = NO_AIR
    vacuum, thin = _errors(bare, VACUUM_S, steps), _errors(start, VACUUM_S, steps)
    length_s, _ = fall_kernel(start, AIR_HEIGHT_M)
    air = _errors(propagate_kernel(start, length_s, 0.25), 10.0, steps)
    at_step = steps.index(STEP_S)
    rough = max(thin[at_step], air[steps.index(AIR_STEP_S)])
    lines = [
        f"step {one:6.3f} s: vacuum {v:.2e} m, from 150 km up {t:.2e} m, air {a:.2e} m"
        for one, v, t, a in zip(steps, vacuum, thin, air, strict=True)
    ]
    return Finding(
        lines=lines,
        series=[
            Series("20 min in vacuum", tuple(zip(steps, (max(v, 1e-9) for v in vacuum), strict=True))),
            Series("20 min from 150 km", tuple(zip(steps, thin, strict=True))),
            Series("10 s in air", tuple(zip(steps, (max(a, 1e-9) for a in air), strict=True))),
        ],
        axes=("Error of the position", "step, s", "error, m"),
        logs=(True, True),
        sentence=(
            f"Steps of {STEP_S:g} s above {AIR_HEIGHT_M / 1e3:.0f} km, of {AIR_STEP_S:g} s below it: the "
            "error stays under a centimetre in twenty minutes of vacuum and under a metre where there is air."
        ),
        holds=vacuum[at_step] < VACUUM_WANTED_M and rough < AIR_WANTED_M,
    )


if __name__ == "__main__":
    tell("integration_step", find)

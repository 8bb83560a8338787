"""Two objects 50 m apart, for `beaconfire study accuracy`: held, told apart, followed without a swap."""

import math
from typing import Final

import msgspec
import numpy as np

from beaconfire.analysis.consistency import normalised_error_bounds, normalised_errors
from beaconfire.analysis.gospa import gospa
from beaconfire.sim.pair_trial import PairFrame, pair_run

BOTH_HELD: Final = 0.9
SWAPS: Final = 0.1
TELLING: Final = 13.8
"""Difference of two squared distances that tells one object from the other, a thousand to one."""
FOLLOWS: Final = 22.5 / 6.0
"""Normalised error of a track that follows an object: 99.9 % of chi-square in six dimensions."""
SETTLED: Final = 20
"""Scans after which two objects 50 m apart must have been told apart."""
PAIR_CUTOFF_M: Final = 5_000.0


class PairResult(msgspec.Struct, frozen=True):
    """Two objects 50 m apart in range, over all runs.

    Attributes:
        runs: that were made.
        both_held: share that ended with exactly two confirmed tracks.
        tracks: that were ever confirmed, mean.
        swaps: changes of the object that a track follows, mean of a run.
        settled_swaps: of these, after the first `SETTLED` scans: before, range alone can't tell them apart.
        normalised: mean normalised error of the tracks at the end, each beside the object it follows.
        gospa_m: mean, at the end.
    """

    runs: int
    both_held: float
    tracks: float
    swaps: float
    settled_swaps: float
    normalised: float
    gospa_m: float

    def passed(self, family: float) -> bool:
        """Return whether both are held, do not swap once told apart, and are as good as they say.

        Args:
            family: chance that consistent estimates fail.
        """
        bounds = normalised_error_bounds(2 * self.runs, 6, 1.0 - family)
        consistent = min(0.95, bounds.low) <= self.normalised <= max(1.05, bounds.high)
        return self.both_held >= BOTH_HELD and self.settled_swaps <= SWAPS and consistent


def pair_figures(start: np.ndarray, times_s: np.ndarray, seed: int) -> tuple[float, ...]:
    """Return: two at the end, tracks, swaps, those late, mean normalised error at the end (or nan), GOSPA."""
    frames = pair_run(seed, start, [float(one) for one in times_s])
    names = {name for frame in frames for name in frame.tracks}
    follows: dict[str, int] = {}
    swaps, late, last = 0, 0, {}
    for number, frame in enumerate(frames):
        last = _followed(frame)
        sure = {name: one for name, (one, error) in last.items() if error < FOLLOWS}
        swapped = sum(name in follows and follows[name] != one for name, one in sure.items())
        swaps, late = swaps + swapped, late + swapped * (number >= SETTLED)
        follows |= sure
    end = frames[-1]
    states = np.array([one.state[:3] for one in end.tracks.values()]).reshape(-1, 3)
    found = [error for _, error in last.values()]
    distance = gospa(end.truths[:, :3], states, PAIR_CUTOFF_M).distance
    mean = float(np.mean(found)) if found else math.nan
    return float(len(states) == 2), float(len(names)), float(swaps), float(late), mean, distance


def _followed(frame: PairFrame) -> dict[str, tuple[int, float]]:
    """Return for each track the object it follows, and the normalised error from it, if that can be told."""
    found = {}
    for name, held in frame.tracks.items():
        errors = held.state - frame.truths
        apart = normalised_errors(errors, np.repeat(held.covariance[None], len(errors), axis=0))
        number = int(np.argmin(apart))
        if abs(apart[0] - apart[1]) * len(errors[0]) > TELLING:
            found[name] = (number, float(apart[number]))
    return found


def pair_line(one: PairResult) -> str:
    """Return the result as a sentence."""
    return (
        f"two objects 50 m apart in range, {one.runs} runs: both held at the end in {one.both_held:.0%}, "
        f"{one.tracks:.2f} tracks and {one.swaps:.2f} swaps a run, {one.settled_swaps:.2f} of them after "
        f"scan {SETTLED}, normalised error at the end "
        f"{one.normalised:.2f}, GOSPA {one.gospa_m:.0f} m"
    )

"""SIAP attributes of a picture over time: complete, unambiguous, free of ghosts, accurate, continuous.

Source: P. Votruba, R. Nisley, R. Rothrock and B. Zombro, Single Integrated Air Picture (SIAP) Metrics
Implementation (2001), the attributes as Stone Soup states them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from beaconfire.frames.types import Vector


class Frame(NamedTuple):
    """What was true and what was held at one instant.

    Attributes:
        time_s: of it, rising from frame to frame.
        truths: state of six of each true object, by name.
        tracks: state of six of each track, by name.
        pairs: (track, truth) that belong together; a track has at most one truth.
    """

    time_s: float
    truths: Mapping[str, Vector]
    tracks: Mapping[str, Vector]
    pairs: tuple[tuple[str, str], ...]


class Siap(NamedTuple):
    """The attributes.

    Attributes:
        completeness: share of true objects that are tracked; best 1.
        ambiguity: tracks for each tracked object; best 1.
        spuriousness: share of tracks that follow nothing; best 0.
        position_m: mean position error of the tracks that follow something.
        velocity_m_s: the same of the velocity.
        changes_per_s: track number changes for each second tracked; best 0.
        longest: share of the true life covered by the longest track; best 1.
    """

    completeness: float
    ambiguity: float
    spuriousness: float
    position_m: float
    velocity_m_s: float
    changes_per_s: float
    longest: float


Run = tuple[int, int]
"""First and last frame in which one track follows one truth without a break."""


def nearest_pairs(
    truths: Mapping[str, Vector], tracks: Mapping[str, Vector], gate_m: float
) -> tuple[tuple[str, str], ...]:
    """Return each track with the true object nearest to it in position, if it lies within the gate."""
    found = []
    for track, state in tracks.items():
        apart = {name: float(np.linalg.norm(state[:3] - true[:3])) for name, true in truths.items()}
        nearest = min(apart, key=lambda name: (apart[name], name), default=None)
        if nearest is not None and apart[nearest] <= gate_m:
            found.append((track, nearest))
    return tuple(found)


def siap(frames: Sequence[Frame]) -> Siap:
    """Return the attributes over some frames, in order of time."""
    truths = sum(len(frame.truths) for frame in frames)
    tracked = sum(len({truth for _, truth in frame.pairs}) for frame in frames)
    tracks = sum(len(frame.tracks) for frame in frames)
    following = sum(len({track for track, _ in frame.pairs}) for frame in frames)
    names = sorted({name for frame in frames for name in frame.truths})
    lives = {name: [k for k, frame in enumerate(frames) if name in frame.truths] for name in names}
    runs = {name: _runs(frames, name) for name in names}
    times = [frame.time_s for frame in frames]
    seconds = sum(_seconds_tracked(runs[name], lives[name], times) for name in names)
    life = sum(times[lives[name][-1]] - times[lives[name][0]] for name in names)
    longest = sum(_longest(runs[name], times) for name in names)
    changes = sum(max(0, _tracks_needed(runs[name], len(frames)) - 1) for name in names)
    return Siap(
        completeness=_share(tracked, truths, 0.0),
        ambiguity=_share(following, tracked, 1.0),
        spuriousness=_share(tracks - following, tracks, 0.0),
        position_m=_error(frames, slice(0, 3), following),
        velocity_m_s=_error(frames, slice(3, 6), following),
        changes_per_s=_share(changes, seconds, 0.0),
        longest=_share(longest, life, 0.0),
    )


def _share(part: float, whole: float, empty: float) -> float:
    return part / whole if whole else empty


def _error(frames: Iterable[Frame], columns: slice, following: int) -> float:
    total = math.fsum(
        float(np.linalg.norm(frame.tracks[track][columns] - frame.truths[truth][columns]))
        for frame in frames
        for track, truth in frame.pairs
    )
    return _share(total, following, 0.0)


def _runs(frames: Sequence[Frame], truth: str) -> dict[str, list[Run]]:
    """Return the unbroken runs of each track that follows a true object."""
    held: dict[str, list[Run]] = {}
    for number, frame in enumerate(frames):
        for track, followed in frame.pairs:
            if followed != truth:
                continue
            runs = held.setdefault(track, [])
            if runs and runs[-1][1] == number - 1:
                runs[-1] = (runs[-1][0], number)
            else:
                runs.append((number, number))
    return held


def _seconds_tracked(runs: Mapping[str, Sequence[Run]], life: Sequence[int], times: Sequence[float]) -> float:
    """Return the seconds of a truth's life during which some track follows it."""
    flat = [run for of_track in runs.values() for run in of_track]
    return math.fsum(
        times[after] - times[before]
        for before, after in pairwise(life)
        if any(first <= before and after <= last for first, last in flat)
    )


def _longest(runs: Mapping[str, Sequence[Run]], times: Sequence[float]) -> float:
    """Return the longest time that one track follows a truth, its breaks left out, seconds."""
    return max(
        (math.fsum(times[last] - times[first] for first, last in of_track) for of_track in runs.values()),
        default=0.0,
    )


def _tracks_needed(runs: Mapping[str, Sequence[Run]], frames: int) -> int:
    """Return the least number of runs that cover all that is covered, the longest-lasting each time."""
    flat = [run for of_track in runs.values() for run in of_track]
    needed, number = 0, 0
    while number < frames:
        reach = max((last for first, last in flat if first <= number <= last), default=None)
        if reach is None:
            number += 1
            continue
        needed += 1
        number = reach + 1
    return needed

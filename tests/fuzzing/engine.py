"""Run readers on inputs: by coverage where atheris is there, by a seeded loop where it isn't.

Beyond what a reader may say, two things are findings: an input that takes longer than `CPU_S_MAX`, and one
that makes the process grow by more than `GROWN_MB_MAX`.
"""

import random
import resource
import sys
import time
import warnings
from typing import NamedTuple

from fuzzing.mutation import mutator
from fuzzing.targets import REFUSALS, TARGETS, Read

BYTES_MAX = 66_000
"""A little more than any message may have, so that the bound itself is met."""
CPU_S_MAX = 2.0
"""Far above the 50 ms of the promise: under the fuzzer's instruments everything is many times slower."""
GROWN_MB_MAX = 64.0


class Finding(Exception):
    """An input that a reader did not refuse as it should."""


class Tried(NamedTuple):
    """What came of one target.

    Attributes:
        inputs: how many were read.
        refused: how many of them were refused.
        slowest_ms: CPU time of the slowest.
    """

    inputs: int
    refused: int
    slowest_ms: float


class Reader:
    """One target, counting.

    Attributes:
        inputs: read so far.
        refused: so far.
        slowest_s: CPU time of the slowest so far, seconds.
    """

    def __init__(self, name: str, read: Read | None = None) -> None:
        """Prepare a target, and read its seeds: what is compiled or loaded late is not an input's fault."""
        target = TARGETS[name]
        self.kind = target.kind
        self.seeds = list(target.seeds())
        self._read = read or target.prepare()
        warnings.simplefilter("error", RuntimeWarning)
        self.inputs = self.refused = 0
        self.slowest_s = 0.0
        for seed in self.seeds * 2:
            try:
                self._read(seed)
            except REFUSALS:
                continue

    def __call__(self, data: bytes) -> bool:
        """Return whether an input was accepted; raises `Finding`, or whatever the reader does."""
        before_mb, started_s = _peak_mb(), time.process_time()
        self.inputs += 1
        accepted = True
        try:
            self._read(data)
        except REFUSALS:
            self.refused += 1
            accepted = False
        took_s = time.process_time() - started_s
        self.slowest_s = max(self.slowest_s, took_s)
        if took_s > CPU_S_MAX:
            raise Finding(f"{took_s:.1f} s of CPU for {len(data)} bytes")
        if _peak_mb() - before_mb > GROWN_MB_MAX:
            raise Finding(f"{_peak_mb() - before_mb:.0f} MB more for {len(data)} bytes")
        return accepted

    @property
    def tried(self) -> Tried:
        """What came of it so far."""
        return Tried(self.inputs, self.refused, round(1e3 * self.slowest_s, 1))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def loop(reader: Reader, count: int, first_seed: int = 0) -> bytes:
    """Read so many changed inputs; returns the first that is a finding, empty if none is."""
    change, pool = mutator(reader.kind), list(reader.seeds)
    for seed in range(first_seed, first_seed + count):
        chance = random.Random(seed)
        data = change(chance.choice(pool), BYTES_MAX, seed)
        try:
            if reader(data) and len(pool) < 500:
                pool.append(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            print(f"seed {seed}: {type(error).__name__}: {error}", file=sys.stderr)
            return data
    return b""

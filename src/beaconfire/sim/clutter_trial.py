"""What a tracker makes of nothing: false plots only, for hours, and what it said of them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from beaconfire.messages.detection import Detection
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import Status, TimeUs
from beaconfire.sim.sensing import Sensing, false_plots, offsets_of
from beaconfire.tracking.tracker import Tracker

START_US: Final = 1_700_000_000_000_000
HOUR_US: Final = 3_600_000_000
STEP_US: Final = 1_000_000
PIECE_US: Final = 600_000_000
"""Plots are drawn so much at a time: an hour of them need not be held."""
_SECRET: Final = bytes(32)


class Made(NamedTuple):
    """What came of false plots.

    Attributes:
        plots: that the radars reported.
        said: tracks of which anything was reported.
        confirmed: of these, once reported as confirmed.
        held_most: tracks held at once, the most.
    """

    plots: int
    said: int
    confirmed: int
    held_most: int


def clutter_hour(sensors: Sequence[Sensor], seed: int, per_scan: float) -> Made:
    """Return what one nation's tracker made of an hour of false plots.

    Args:
        sensors: the nation's.
        seed: of every draw.
        per_scan: expected false plots of each radar and scan.
    """
    radars = [one for one in sensors if isinstance(one, Radar)]
    tracker = Tracker(sensors, radars[0].nation, _SECRET)
    said: set[str] = set()
    confirmed: set[str] = set()
    plots, held = 0, 0
    for piece in range(HOUR_US // PIECE_US):
        first_us = START_US + piece * PIECE_US
        waiting = _drawn(radars, (seed * 1_000 + piece, per_scan), (first_us, first_us + PIECE_US - 1))
        plots += len(waiting)
        taken = 0
        for now_us in range(first_us, first_us + PIECE_US, STEP_US):
            end = taken
            while end < len(waiting) and waiting[end].measured_at_us < now_us + STEP_US:
                end += 1
            tracker.add(waiting[taken:end], now_us + STEP_US)
            taken = end
            for report in tracker.step(now_us + STEP_US):
                said.add(report.track)
                if report.classification and report.classification.status is Status.CONFIRMED:
                    confirmed.add(report.track)
            held = max(held, len(tracker.tracks))
    return Made(plots, len(said), len(confirmed), held)


def _drawn(
    radars: Sequence[Radar], drawing: tuple[int, float], span_us: tuple[TimeUs, TimeUs]
) -> list[Detection]:
    seed, per_scan = drawing
    sensing = Sensing(false_plots_per_scan=per_scan)
    out: list[Detection] = []
    for radar in radars:
        out += false_plots(radar, offsets_of(radar, seed), span_us, seed, sensing)
    return sorted(out, key=lambda one: (one.measured_at_us, one.sensor))


def most_likely_below(events: int, hours: float) -> float:
    """Return the rate an hour that the true one lies below with 95 % confidence.

    Source: F. Garwood, Biometrika 28 (1936) 437: the exact bound of a Poisson mean, found by bisection.
    """
    low, high = float(events), 10.0 + 3.0 * events
    terms = np.arange(events + 1)
    logs = np.cumsum(np.log(np.maximum(terms, 1)))
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = float(np.exp(terms * np.log(middle) - middle - logs).sum())
        low, high = (middle, high) if below > 0.05 else (low, middle)
    return high / hours

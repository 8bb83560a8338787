"""When may the end of thrust be told? How soon it is, and how often while a third of the thrust goes on.

.venv/bin/python docs/studies/model_switching.py [--short]
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from study import Finding, tell

from beaconfire.analysis.chart import Series
from beaconfire.flight.ascent import Trajectory
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.detection import Plot
from beaconfire.messages.sensor import Radar
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.phase_trial import drawn_flight, reports_of
from beaconfire.sim.sensing import radar_view, simulate_detections
from beaconfire.tracking import arc

FLIGHTS = ("2022-09-29b", "2017-05-29", "2022-10-04")
DOUBTS = (0.001, 0.01, 0.1, 0.5)
"""Probability that thrust goes on at which its end is told."""
THROTTLED = 1.0 / 3.0
SENTENCE = (
    "A doubt of {:g} is the laxest tried at which an end is told in less than one flight in ten while a "
    "third of the thrust goes on."
)
AFTER_S = 12.0
"""What is told later is told by free flight alone."""
WANTED_FALSE = 0.1


def _thrust(truth: Trajectory) -> np.ndarray:
    """Return the acceleration by thrust just before burnout, shape (3,), ECEF, m/s^2."""
    before, at, after = truth.states(truth.burnout_s + np.array([-1.0, 0.0, 1.0]))[:, 3:6]
    return np.asarray((at - before) - (after - at))


def _throttled(plot: Plot, radar: Radar, truth: Trajectory, push: np.ndarray) -> Plot:
    """Return the plot as it would be had `push` (m/s^2) gone on after burnout."""
    since_s = (plot.measured_at_us - truth.burnout_at_us) / 1e6
    if since_s <= 0.0:
        return plot
    free = truth.state_at(plot.measured_at_us)
    driven = free + np.concatenate((0.5 * since_s**2 * push, since_s * push, [0.0]))
    view = radar_view(radar, np.array([free, driven]))
    rate = plot.range_rate_m_s
    return msgspec.structs.replace(
        plot,
        range_m=plot.range_m + float(np.diff(view.range_m)[0]),
        azimuth_rad=plot.azimuth_rad + float(np.diff(view.azimuth_rad)[0]),
        elevation_rad=plot.elevation_rad + float(np.diff(view.elevation_rad)[0]),
        range_rate_m_s=None if rate is None else rate + float(np.diff(view.range_rate_m_s)[0]),
    )


def _told_s(truth: Trajectory, plots: Sequence[Plot], sensors: Sequence[Radar]) -> float | None:
    """Return when an end of thrust was first told, seconds after the true one; None if not until then."""
    for report in reports_of(plots, sensors):
        if report.timing is not None and report.timing.burnout_at_us is not None:
            return (report.stated_at_us - truth.burnout_at_us) / 1e6
    return None


def _at_doubt(doubt: float, flights: tuple[str, ...], seeds: range) -> tuple[list[float], float]:
    """Return when ends were told, and how often one was though a third of the thrust went on."""
    sensors = [one for one in shipped_sensors() if isinstance(one, Radar) and one.nation == "KOR"]
    by_name = {one.sensor: one for one in sensors}
    default, told, wrong = arc.DOUBT_MOST, [], []
    arc.DOUBT_MOST = doubt  # type: ignore[misc] # what is studied
    try:
        for flight in flights:
            for seed in seeds:
                truth = drawn_flight(flight_of_launch(find_launch(flight)).figures, seed)
                until_us = truth.burnout_at_us + round(AFTER_S * 1e6)
                plots = [
                    one
                    for one in simulate_detections([truth], sensors, seed)
                    if isinstance(one, Plot) and one.measured_at_us < until_us
                ]
                told.append(_told_s(truth, plots, sensors))
                push = THROTTLED * _thrust(truth)
                driven = [_throttled(one, by_name[one.sensor], truth, push) for one in plots]
                wrong.append(_told_s(truth, driven, sensors) is not None)
    finally:
        arc.DOUBT_MOST = default  # type: ignore[misc]
    return [AFTER_S if one is None else one for one in told], float(np.mean(wrong))


def find(short: bool) -> Finding:  # noqa: FBT001 - the one option
    """Return median delay and share of wrongly told ends, by the doubt that is left."""
    flights = FLIGHTS[:1] if short else FLIGHTS
    doubts = (arc.DOUBT_MOST,) if short else DOUBTS
    found = {doubt: _at_doubt(doubt, flights, range(2 if short else 12)) for doubt in doubts}
    middle = {doubt: float(np.median(told)) for doubt, (told, _) in found.items()}
    lines = [
        f"doubt {doubt:5.3f}: {len(told)} flights, told {middle[doubt]:4.1f} s after (median); "
        f"{wrong:.0%} told though a third went on"
        for doubt, (told, wrong) in found.items()
    ]
    chosen = arc.DOUBT_MOST
    return Finding(
        lines=lines,
        series=[
            Series("median delay, s", tuple((doubt, middle[doubt]) for doubt in doubts)),
            Series("told while a third goes on, %", tuple((one, 100.0 * found[one][1]) for one in doubts)),
        ],
        axes=("Telling the end of thrust", "doubt that is left", "seconds, per cent"),
        logs=(True, False),
        sentence=SENTENCE.format(chosen),
        holds=found[chosen][1] <= WANTED_FALSE
        and all(found[one][1] > WANTED_FALSE for one in doubts if one > chosen),
    )


if __name__ == "__main__":
    tell("model_switching", find)

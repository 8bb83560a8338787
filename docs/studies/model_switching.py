"""When may burnout be declared? Delay of the declaration, and how often the arc begins before burnout.

.venv/bin/python docs/studies/model_switching.py [--short]
"""

import numpy as np
from study import Finding, tell

from beaconfire.analysis.chart import Series
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.detection import Plot
from beaconfire.messages.sensor import Radar
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.phase_trial import drawn_flight, reports_of
from beaconfire.sim.sensing import simulate_detections
from beaconfire.tracking import arc

FLIGHTS = ("2022-09-29b", "2017-05-29")
LIMITS = (1.5, 2.5, 4.0, 8.0)
EARLY_S = 0.5
"""An arc that begins so long before the true burnout holds thrust."""
WANTED_EARLY = 0.05


def _declared(flight: str, seed: int) -> tuple[float, float] | None:
    """Return when burnout was first stated and from when the arc then began, seconds after true burnout."""
    sensors = [one for one in shipped_sensors() if isinstance(one, Radar) and one.nation == "KOR"]
    truth = drawn_flight(flight_of_launch(find_launch(flight)).figures, seed)
    plots = [one for one in simulate_detections([truth], sensors, seed) if isinstance(one, Plot)]
    for report in reports_of(plots, sensors):
        if report.timing is not None and report.timing.burnout_at_us is not None:
            stated, began = report.stated_at_us, report.timing.burnout_at_us
            return (stated - truth.burnout_at_us) / 1e6, (began - truth.burnout_at_us) / 1e6
    return None


def _at_limit(limit: float, flights: tuple[str, ...], seeds: range) -> list[tuple[float, float]]:
    """Return what was declared with coasting judged at `limit` sigmas of the acceleration along the path."""
    default = arc.REJECT_SIGMAS
    arc.REJECT_SIGMAS = limit  # type: ignore[misc] # what is studied
    try:
        found = [_declared(flight, seed) for flight in flights for seed in seeds]
    finally:
        arc.REJECT_SIGMAS = default  # type: ignore[misc]
    return [one for one in found if one is not None]


def find(short: bool) -> Finding:  # noqa: FBT001 - the one option
    """Return median delay and share of arcs that hold thrust, by limit."""
    flights = FLIGHTS[:1] if short else FLIGHTS
    limits = (arc.REJECT_SIGMAS,) if short else LIMITS
    declared = {limit: _at_limit(limit, flights, range(2 if short else 8)) for limit in limits}
    early = {
        limit: float(np.mean([began < -EARLY_S for _, began in held])) for limit, held in declared.items()
    }
    middle = {limit: float(np.median([stated for stated, _ in held])) for limit, held in declared.items()}
    lines = [
        f"limit {limit:3.1f} sigmas: {len(declared[limit])} stated, median {middle[limit]:5.1f} s after; "
        f"{early[limit]:.0%} of the arcs begin before burnout"
        for limit in limits
    ]
    chosen = arc.REJECT_SIGMAS
    return Finding(
        lines=lines,
        series=[
            Series("median delay, s", tuple((limit, middle[limit]) for limit in limits)),
            Series("begins early, %", tuple((limit, 100.0 * early[limit]) for limit in limits)),
        ],
        axes=("Declaring burnout", "limit of the acceleration along the path, sigmas", "seconds, per cent"),
        logs=(False, False),
        sentence=(
            f"A limit of {chosen:g} sigmas is the laxest tried to begin an arc before burnout in less than "
            "one flight in twenty; a laxer one declares sooner, over arcs that hold thrust."
        ),
        holds=early[chosen] <= WANTED_EARLY
        and all(early[one] > WANTED_EARLY for one in limits if one > chosen),
    )


if __name__ == "__main__":
    tell("model_switching", find)

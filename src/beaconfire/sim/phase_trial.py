"""A whole flight through one nation's tracker: what it states in each phase, beside the truth.

One moment of each phase and run: the report nearest the middle of what was seen of it, so that moments of
different runs are independent. Plots of one sensor may come late; each counts at its own time.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from beaconfire.flight.ascent import FlightFigures, Trajectory, build_trajectory
from beaconfire.flight.coefficient import CoefficientPrior
from beaconfire.flight.impact import predict_impact
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Detection, Plot
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import Nation, Phase, TimeUs
from beaconfire.sim.sensing import Sensing, generator, radar_view, simulate_detections
from beaconfire.sim.trial import offset_in_area
from beaconfire.tracking.batch import PRIOR_LOG_INVERSE_BETA, PRIOR_SIGMA_LOG_INVERSE_BETA
from beaconfire.tracking.tracker import Tracker
from beaconfire.units import MICROSECONDS_PER_SECOND

LAUNCHED_AT_US: Final = 1_664_835_720_000_000
LATE_MAX_S: Final = 10.0
OWN_PLOT_M: Final = 1_000.0
"""A plot whose range is nearer to the true one than this is of the object, and not false."""
NOTHING: Final = np.zeros(0)
_SECRET: Final = bytes(32)


class PhaseMoment(NamedTuple):
    """What was stated at one moment.

    Attributes:
        phase: true one.
        after_s: since the launch.
        error: estimate minus truth, position and velocity, shape (6,), ECEF, SI.
        covariance: stated, shape (6, 6).
        coasting: whether it was stated as free flight.
        holds: the 95 % area of that holds the true impact; None where none is stated.
        semi_major_m: of the area; nan where none is stated.
        looks: seconds after burnout and sensor of each plot of the object so far, in order of time.
        burnt_out: true state of seven at burnout, ECEF, SI.
    """

    phase: Phase
    after_s: float
    error: Vector
    covariance: Vector
    coasting: bool
    holds: bool | None
    semi_major_m: float
    looks: tuple[tuple[float, int], ...] = ()
    burnt_out: Vector = NOTHING


def drawn_flight(figures: FlightFigures, seed: int) -> Trajectory:
    """Return a flight that meets the figures, with a ballistic coefficient drawn from the tracker's prior."""
    unit = float(generator(seed, "coefficient").standard_normal())
    log_inverse = PRIOR_LOG_INVERSE_BETA + PRIOR_SIGMA_LOG_INVERSE_BETA * max(-2.0, min(2.0, unit))
    return build_trajectory(replace(figures, beta_kg_m2=math.exp(-log_inverse)), LAUNCHED_AT_US)


def arrivals(
    detections: Iterable[Detection], late: str = "", late_s: float = 0.0
) -> Iterator[tuple[TimeUs, list[Detection]]]:
    """Yield, second by second, what came in: that of the sensor `late` comes `late_s` after the others."""
    wait_us = round(min(late_s, LATE_MAX_S) * MICROSECONDS_PER_SECOND)
    timed = sorted(
        (
            (one.measured_at_us + (wait_us if one.sensor == late else 0), n, one)
            for n, one in enumerate(detections)
        ),
        key=lambda item: item[:2],
    )
    held: list[Detection] = []
    second = timed[0][0] // MICROSECONDS_PER_SECOND + 1 if timed else 0
    for at_us, _, detection in timed:
        while at_us >= second * MICROSECONDS_PER_SECOND:
            yield second * MICROSECONDS_PER_SECOND, held
            held, second = [], second + 1
        held.append(detection)
    yield second * MICROSECONDS_PER_SECOND, held


def reports_of(
    detections: Iterable[Detection], sensors: Sequence[Sensor], late: str = "", late_s: float = 0.0
) -> list[Report]:
    """Return all reports of a tracker that is given the detections as they come in, once a second."""
    tracker = Tracker(sensors, Nation("KOR"), _SECRET)
    said: list[Report] = []
    for at_us, came in arrivals(detections, late, late_s):
        tracker.add(came, at_us)
        said += tracker.step(at_us)
    return said


def _covariance(report: Report) -> Vector:
    assert report.covariance is not None
    out = np.zeros((7, 7))
    out[np.triu_indices(7)] = report.covariance.upper
    return np.asarray(out + np.triu(out, 1).T)


def _prior(report: Report) -> CoefficientPrior:
    assert report.covariance is not None
    return CoefficientPrior(
        report.covariance.prior_log_inverse_beta, report.covariance.prior_sigma_log_inverse_beta
    )


def moment_of(report: Report, truth: Trajectory) -> PhaseMoment:
    """Return one report beside the truth at its epoch."""
    stated = report.trajectory
    assert stated is not None
    state = np.array((*stated.position_ecef_m, *stated.velocity_ecef_m_s, stated.log_inverse_beta))
    covariance, prior = _covariance(report), _prior(report)
    after_s = (stated.epoch_us - truth.launched_at_us) / MICROSECONDS_PER_SECOND
    coasting = report.provenance is not None and report.provenance.transform == "coast-batch"
    impact = predict_impact(state, covariance, stated.epoch_us, prior) if coasting else None
    return PhaseMoment(
        phase=truth.phase(after_s),
        after_s=after_s,
        error=state[:6] - truth.state_at(stated.epoch_us)[:6],
        covariance=covariance[:6, :6],
        coasting=coasting,
        holds=None if impact is None else offset_in_area(impact.area, truth.impact)[1] <= 1.0,
        semi_major_m=math.nan if impact is None else impact.area.semi_major_m,
    )


def with_looks(
    moment: PhaseMoment, truth: Trajectory, plots: Sequence[Plot], sensors: Sequence[Radar]
) -> PhaseMoment:
    """Return the moment with the plots of the object since burnout, and its true state at burnout."""
    until_us = truth.launched_at_us + round(moment.after_s * MICROSECONDS_PER_SECOND)
    looks = []
    for number, radar in enumerate(sensors):
        mine = [
            one
            for one in plots
            if one.sensor == radar.sensor and truth.burnout_at_us <= one.measured_at_us <= until_us
        ]
        if not mine:
            continue
        elapsed_s = np.array([(one.measured_at_us - truth.launched_at_us) / 1e6 for one in mine])
        view = radar_view(radar, truth.states(elapsed_s))
        near = np.abs(view.range_m - [one.range_m for one in mine]) < OWN_PLOT_M
        looks += [(float(at_s) - truth.burnout_s, number) for at_s in elapsed_s[near]]
    state = np.asarray(truth.states(np.array([truth.burnout_s]))[0])
    return moment._replace(looks=tuple(sorted(looks)), burnt_out=state)  # noqa: SLF001 - of a named tuple


def middles(reports: Sequence[Report], truth: Trajectory) -> dict[Phase, PhaseMoment]:
    """Return the moment in the middle of what was stated of each phase, of the track stated most often."""
    tracks = [one.track for one in reports if one.trajectory is not None]
    if not tracks:
        return {}
    main = max(sorted(set(tracks)), key=tracks.count)
    by_phase: dict[Phase, list[Report]] = {}
    for one in reports:
        if one.track != main or one.trajectory is None or one.timing is None:
            continue
        if one.trajectory.epoch_us > one.timing.observed_at_us:
            continue  # carried on after it was lost: no estimate of that moment
        after_s = (one.trajectory.epoch_us - truth.launched_at_us) / MICROSECONDS_PER_SECOND
        by_phase.setdefault(truth.phase(after_s), []).append(one)
    return {phase: moment_of(held[len(held) // 2], truth) for phase, held in by_phase.items()}


def fly_phases(
    figures: FlightFigures,
    sensors: Sequence[Radar],
    seed: int,
    sensing: Sensing | None = None,
    late: tuple[str, float] = ("", 0.0),
) -> tuple[dict[Phase, PhaseMoment], int]:
    """Return the moments of one run, and how many tracks were stated; the same seed gives the same.

    Args:
        figures: of the flight; its ballistic coefficient is drawn anew.
        sensors: radars of the one nation.
        seed: of every draw.
        sensing: how well the sensors work.
        late: id of a sensor whose plots come late, and by how many seconds.
    """
    truth = drawn_flight(figures, seed)
    detections = simulate_detections([truth], sensors, seed, sensing)
    plots = [one for one in detections if isinstance(one, Plot)]
    reports = reports_of(plots, sensors, *late)
    found = {phase: with_looks(one, truth, plots, sensors) for phase, one in middles(reports, truth).items()}
    return found, len({one.track for one in reports})

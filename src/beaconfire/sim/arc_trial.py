"""Recorded flights of real stages, put at a notional place and seen by notional radars.

Real free flight, real burns: how well is the highest point foretold 20 s after thrust, and is each burn after
that noticed. What was shown on a screen is rounded, so it is smoothed.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from scipy.interpolate import make_smoothing_spline

from beaconfire.flight.fall import apogee_height_m
from beaconfire.formats.webcast import StageFlight
from beaconfire.frames.geodesy import Geodetic, destination, ecef_from_geodetic
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Plot
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation, TimeUs
from beaconfire.sim.sensing import generator, radar_view
from beaconfire.tracking.tracker import Tracker

SITE_RAD: Final = (math.radians(38.5), math.radians(125.0))
BEARING_RAD: Final = math.radians(100.0)
SMOOTHING: Final = 5.0
EPOCH_US: Final = 1_700_000_000_000_000
FIRST_S: Final = 20
FREE_S: Final = 20.0
"""How long a free flight has been seen when its highest point is foretold."""
NOTICED_WITHIN_S: Final = 12.0
"""From so long after its start to its end nothing that is said may be of free flight."""
TOLD_WITHIN_S: Final = 25.0
"""By then it is called a manoeuvre: what begins before the burnout was sure is at first the same thrust."""
_PLACES_DEG: Final = ((36.0, 127.8), (37.5, 128.5))


class ArcFound(NamedTuple):
    """What a tracker made of one flight.

    Attributes:
        name: of the mission.
        apogee_m: highest that was shown.
        apogee_error_m: foretold minus that; nan if no free flight was fitted.
        tracks: that were stated; 1 is right.
        burns: name of each burn after the ascent, and whether it was called a manoeuvre.
        false_alarm: a manoeuvre was called before there was one.
    """

    name: str
    apogee_m: float
    apogee_error_m: float
    tracks: int
    burns: tuple[tuple[str, bool], ...]
    false_alarm: bool


def arc_radars() -> list[Radar]:
    """Return two notional radars that see the arc."""
    return [
        Radar(
            sensor=f"arc-{number}",
            nation=Nation("KOR"),
            latitude_rad=math.radians(latitude),
            longitude_rad=math.radians(longitude),
            height_m=300.0,
            sigma_range_m=30.0,
            sigma_azimuth_rad=5e-4,
            sigma_elevation_rad=5e-4,
            minimum_elevation_rad=math.radians(2.0),
            maximum_range_m=1.5e6,
        )
        for number, (latitude, longitude) in enumerate(_PLACES_DEG)
    ]


def _states(flight: StageFlight, seconds: Vector) -> Vector:
    """Return places as states of seven, without a velocity, shape (n, 7)."""
    height = make_smoothing_spline(flight.times_s, flight.height_m, lam=SMOOTHING)(seconds)
    downrange = make_smoothing_spline(flight.times_s, flight.downrange_m, lam=SMOOTHING)(seconds)
    out = np.zeros((seconds.size, 7))
    for row, high, along in zip(out, height.tolist(), downrange.tolist(), strict=True):
        latitude, longitude = destination(*SITE_RAD, BEARING_RAD, along)
        row[:3] = ecef_from_geodetic(Geodetic(latitude, longitude, high))
    return out


def _plots(radar: Radar, states: Vector, seconds: Vector, seed: int) -> list[Plot]:
    view, draw = radar_view(radar, states), generator(seed, "arc", radar.sensor)
    noise = draw.standard_normal((seconds.size, 3))
    return [
        Plot(
            sensor=radar.sensor,
            measured_at_us=EPOCH_US + round(1e6 * float(second)),
            range_m=float(view.range_m[i] + radar.sigma_range_m * noise[i, 0]),
            azimuth_rad=float(view.azimuth_rad[i] + radar.sigma_azimuth_rad * noise[i, 1]) % (2.0 * math.pi),
            elevation_rad=float(view.elevation_rad[i] + radar.sigma_elevation_rad * noise[i, 2]),
        )
        for i, second in enumerate(seconds)
        if view.visible[i]
    ]


def _said(flight: StageFlight, seed: int) -> list[tuple[float, Report]]:
    """Return what a tracker says, with seconds after launch."""
    seconds, radars = np.arange(FIRST_S, int(flight.times_s[-1]), dtype=float), arc_radars()
    states = _states(flight, seconds)
    by_time: dict[TimeUs, list[Plot]] = {}
    for radar in radars:
        for one in _plots(radar, states, seconds, seed):
            by_time.setdefault(one.measured_at_us, []).append(one)
    tracker, said = Tracker(radars, Nation("KOR"), bytes(32)), []
    for second in seconds:
        at_us = EPOCH_US + round(1e6 * float(second))
        tracker.add(by_time.get(at_us, []), at_us)
        said += [(float(second), report) for report in tracker.step(at_us)]
    return said


def _is_manoeuvre(report: Report) -> bool:
    return report.classification is not None and report.classification.manoeuvring


def _is_noticed(said: list[tuple[float, Report]], start_s: float, end_s: float) -> bool:
    """Return whether a burn is seen to be none of free flight's, and told as a manoeuvre."""
    during = [report for at, report in said if start_s + NOTICED_WITHIN_S <= at <= end_s]
    told = [_is_manoeuvre(report) for at, report in said if start_s <= at <= start_s + TOLD_WITHIN_S]
    driven = [one.covariance is not None and one.covariance.process_noise for one in during]
    return bool(during) and all(driven) and any(told)


def _foretold_m(said: list[tuple[float, Report]], second: float) -> float:
    """Return the highest point as the newest report has it; nan if it is of no free flight."""
    newest = next((report for at, report in reversed(said) if at <= second), None)
    if newest is None or newest.trajectory is None or newest.covariance is None:
        return math.nan
    if newest.covariance.process_noise:
        return math.nan
    stated = newest.trajectory
    state = np.array((*stated.position_ecef_m, *stated.velocity_ecef_m_s, stated.log_inverse_beta))
    found = apogee_height_m(state)
    return math.nan if found is None else found


def fly_arc(flight: StageFlight, seed: int) -> ArcFound:
    """Return what a tracker makes of a recorded flight; the same seed gives the same.

    Args:
        flight: recorded.
        seed: of the noise of the plots.
    """
    said = _said(flight, seed)
    first_burn_s = min((start for _, start, _ in flight.burns), default=math.inf)
    burns = [(name, _is_noticed(said, start, end)) for name, start, end in flight.burns]
    quiet_s = min(first_burn_s, flight.burnout_s + 10.0)
    return ArcFound(
        name=flight.name,
        apogee_m=float(flight.height_m.max()),
        apogee_error_m=_foretold_m(said, flight.free_from_s + FREE_S) - float(flight.height_m.max()),
        tracks=len({report.track for _, report in said}),
        burns=tuple(burns),
        false_alarm=any(_is_manoeuvre(report) for at, report in said if at <= quiet_s),
    )

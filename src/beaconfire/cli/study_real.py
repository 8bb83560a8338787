"""Real flights, for `beaconfire study accuracy`: recorded arcs of stages, public launches by figures."""

import math
from pathlib import Path
from typing import Final

import msgspec
from rich.table import Table

from beaconfire.flight.ascent import Trajectory
from beaconfire.formats.flights import shipped_flights
from beaconfire.formats.launches import Launch
from beaconfire.formats.webcast import StageFlight, read_stage_flight
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.sim.arc_trial import fly_arc
from beaconfire.sim.flights import flight_of_launch, trajectory_of

MISSIONS: Final = ("BulgariaSat-1", "Iridium_NEXT_3", "SpaceX_CRS-11")
APOGEE_LIMIT_M: Final = 2_000.0
FIGURES_WITHIN: Final = 0.01
TIME_WITHIN_S: Final = 180.0
ARCS_MAX: Final = 20


class ArcLine(msgspec.Struct, frozen=True):
    """One recorded flight of a stage, over all runs.

    Attributes:
        flight: mission.
        runs: with noise of their own.
        apogee_m: highest that was shown.
        apogee_error_m: least and greatest of foretold minus that, 20 s into free flight; None if a run
            fitted none.
        burns: after the ascent, over all runs.
        noticed: of these, called a manoeuvre.
        passed: foretold within 2 km, every burn noticed, one track, no manoeuvre called before one.
    """

    flight: str
    runs: int
    apogee_m: float
    apogee_error_m: tuple[float, float] | None
    burns: int
    noticed: int
    passed: bool


class LaunchLine(msgspec.Struct, frozen=True):
    """One public launch as reported, and as the generic flight that stands for it.

    Attributes:
        flight: Korean date.
        apogee_m: reported.
        apogee_error_m: flown minus reported.
        range_m: reported.
        range_error_m: flown minus reported.
        flight_time_error_s: flown minus reported; None where none is reported.
        passed: within 1 % of apogee and range, and 180 s of the time.
    """

    flight: str
    apogee_m: float
    apogee_error_m: float
    range_m: float
    range_error_m: float
    flight_time_error_s: float | None
    passed: bool


class RealResult(msgspec.Struct, frozen=True):
    """Both tables; no arcs where no folder of telemetry was given."""

    arcs: tuple[ArcLine, ...]
    launches: tuple[LaunchLine, ...]

    @property
    def passed(self) -> bool:
        """Whether every line is as it should be."""
        return all(one.passed for one in self.arcs) and all(one.passed for one in self.launches)


def read_mission(folder: Path, name: str) -> StageFlight:
    """Return a recorded flight of a folder; raises as `read_stage_flight` does."""
    return read_stage_flight(name, folder / f"{name}__analysed.json", folder / f"{name}__events.json")


def arc_line(folder: Path, name: str, seeds: range) -> ArcLine:
    """Return one mission over the seeds; raises as `read_stage_flight` does."""
    flight = read_mission(folder, name)
    found = [fly_arc(flight, seed) for seed in seeds]
    errors = [one.apogee_error_m for one in found]
    burns = [noticed for one in found for _, noticed in one.burns]
    sound = all(one.tracks == 1 and not one.false_alarm for one in found)
    within = all(abs(error) < APOGEE_LIMIT_M for error in errors)
    span = None if any(math.isnan(one) for one in errors) else (min(errors), max(errors))
    passed = sound and within and all(burns)
    return ArcLine(name, len(found), found[0].apogee_m, span, len(burns), sum(burns), passed)


def _launch_line(launch: Launch, truth: Trajectory) -> LaunchLine:
    assert launch.apogee_m is not None
    assert launch.range_m is not None
    highest_m = max(geodetic_from_ecef_kernel(*node[:3])[2] for node in truth.nodes)
    distance_m = great_circle_kernel(*launch.site[:2], *truth.impact[:2])[0]
    late_s = None if launch.flight_time_s is None else truth.impact_s - launch.flight_time_s
    errors = (highest_m - launch.apogee_m, distance_m - launch.range_m)
    within = abs(errors[0]) < FIGURES_WITHIN * launch.apogee_m
    within = within and abs(errors[1]) < FIGURES_WITHIN * launch.range_m
    passed = within and (late_s is None or abs(late_s) < TIME_WITHIN_S)
    return LaunchLine(launch.launch_id, launch.apogee_m, errors[0], launch.range_m, errors[1], late_s, passed)


def real_flights(folder: Path | None, seed: int, runs: int, *, short: bool) -> RealResult:
    """Return both tables.

    Args:
        folder: of the telemetry; None leaves the arcs out.
        seed: of the first run.
        runs: of each arc, at most `ARCS_MAX`.
        short: one arc and the launches whose flight time is reported.

    Raises:
        UsageError: the folder does not hold the telemetry.
    """
    seeds = range(seed, seed + min(runs, ARCS_MAX))
    missions = MISSIONS[:1] if short else MISSIONS
    arcs = () if folder is None else tuple(arc_line(folder, name, seeds) for name in missions)
    launches = [one for one in shipped_flights() if one.flight_time_s or not short]
    return RealResult(
        arcs, tuple(_launch_line(one, trajectory_of(flight_of_launch(one))) for one in launches)
    )


def real_tables(found: RealResult) -> list[Table]:
    """Return what was found as tables."""
    arcs = Table(
        title="Real stages seen by two notional radars: highest point foretold 20 s into free flight"
    )
    for name in ("mission", "runs", "apogee km", "error km", "burns noticed", "passed"):
        arcs.add_column(name, justify="left" if name == "mission" else "right")
    for one in found.arcs:
        span = one.apogee_error_m
        error = "not fitted" if span is None else f"{span[0] / 1e3:+.2f} to {span[1] / 1e3:+.2f}"
        noticed, verdict = f"{one.noticed} of {one.burns}", "yes" if one.passed else "NO"
        arcs.add_row(one.flight, f"{one.runs}", f"{one.apogee_m / 1e3:.1f}", error, noticed, verdict)
    launches = Table(title="Public launches: reported, and how far the generic flight is from it (SIMULATED)")
    for name in ("flight", "apogee km", "off km", "range km", "off km", "flight time off s", "passed"):
        launches.add_column(name, justify="left" if name == "flight" else "right")
    for line in found.launches:
        launches.add_row(
            line.flight,
            f"{line.apogee_m / 1e3:.0f}",
            f"{line.apogee_error_m / 1e3:+.2f}",
            f"{line.range_m / 1e3:.0f}",
            f"{line.range_error_m / 1e3:+.2f}",
            "-" if line.flight_time_error_s is None else f"{line.flight_time_error_s:+.0f}",
            "yes" if line.passed else "NO",
        )
    return [arcs, launches] if found.arcs else [launches]

"""True flights from public figures: what a simulated world is made of."""

from dataclasses import dataclass

from beaconfire.errors import UsageError
from beaconfire.flight.ascent import AscentError, FlightFigures, Trajectory, build_trajectory
from beaconfire.formats.launches import Launch
from beaconfire.messages.words import TimeUs


@dataclass(frozen=True)
class Flight:
    """One flight to be simulated.

    Attributes:
        flight_id: for people and files only; no sensor or node is given it.
        figures: what it is to meet.
        launched_at_us: start, microseconds UTC.
    """

    flight_id: str
    figures: FlightFigures
    launched_at_us: TimeUs


def flight_of_launch(launch: Launch) -> Flight:
    """Return the flight of a publicly reported launch; one that glided flies as one that pulls up.

    Raises:
        UsageError: time, apogee, range or bearing was not reported.
    """
    if (
        launch.launched_at_us is None
        or launch.apogee_m is None
        or launch.range_m is None
        or launch.bearing_rad is None
    ):
        expected = "time, apogee, range and bearing"
        raise UsageError("launch is not reported completely", launch.launch_id, expected)
    figures = FlightFigures(
        site=launch.site,
        bearing_rad=launch.bearing_rad,
        apogee_m=launch.apogee_m,
        range_m=launch.range_m,
        pull_up=launch.manoeuvre != "ballistic",
    )
    return Flight(launch.launch_id, figures, launch.launched_at_us)


def trajectory_of(flight: Flight) -> Trajectory:
    """Return the true trajectory of a flight.

    Raises:
        UsageError: no generic flight meets its figures.
    """
    try:
        return build_trajectory(flight.figures, flight.launched_at_us)
    except AscentError as error:
        raise UsageError(str(error), flight.flight_id) from error

"""Simulated flights held against public figures: the catalogue, and every complete launch recorded."""

import math
from pathlib import Path

import pymap3d.vincenty
import pytest

from beaconfire.flight.ascent import vacuum_arc
from beaconfire.formats.flights import shipped_flights
from beaconfire.formats.launches import Launch, read_launches_csv
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.sim.flights import flight_of_launch, trajectory_of

EXTRA_MAX_S = 300.0
CORRECTED = {"2017-05-14", "2017-07-04"}
"""Their times in the recorded table are off against the announcements (see shipped/flights.toml)."""


def check_figures(launch: Launch) -> None:
    """Apogee, range and bearing within 1 %, flight time within the vacuum arc and five minutes more."""
    assert launch.apogee_m is not None
    assert launch.range_m is not None
    assert launch.bearing_rad is not None
    truth = trajectory_of(flight_of_launch(launch))
    distance_m, bearing_rad = great_circle_kernel(*launch.site[:2], *truth.impact[:2])
    highest_m = max(geodetic_from_ecef_kernel(*node[:3])[2] for node in truth.nodes)
    arc = vacuum_arc(launch.apogee_m, launch.range_m)
    assert highest_m == pytest.approx(launch.apogee_m, rel=0.01)
    assert distance_m == pytest.approx(launch.range_m, rel=0.01)
    turn_rad = (bearing_rad - launch.bearing_rad + math.pi) % (2.0 * math.pi) - math.pi
    assert abs(turn_rad) < 0.01
    assert arc.duration_s <= truth.impact_s <= arc.duration_s + EXTRA_MAX_S


@pytest.mark.parametrize("launch", shipped_flights(), ids=lambda launch: launch.launch_id)
def test_each_flight_of_the_catalogue_meets_its_public_figures(launch: Launch) -> None:
    check_figures(launch)


@pytest.mark.parametrize(
    "launch",
    [flight for flight in shipped_flights() if flight.flight_time_s],
    ids=lambda launch: launch.launch_id,
)
def test_flight_times_are_within_three_minutes_of_the_reported_ones(launch: Launch) -> None:
    assert launch.flight_time_s is not None
    assert trajectory_of(flight_of_launch(launch)).impact_s == pytest.approx(launch.flight_time_s, abs=180.0)


def test_every_complete_ballistic_launch_recorded_can_be_flown(recorded_data: Path) -> None:
    launches = read_launches_csv(recorded_data / "launches" / "launches_1984_2022.csv")
    flown = [launch for launch in launches if launch.complete_ballistic]
    assert len(flown) == 72
    for launch in flown:
        check_figures(launch)


def test_every_complete_pull_up_recorded_can_be_flown(recorded_data: Path) -> None:
    launches = read_launches_csv(recorded_data / "launches" / "launches_1984_2022.csv")
    for launch in launches:
        if launch.complete and launch.manoeuvre == "pullup":
            check_figures(launch)


def test_ids_and_figures_of_the_catalogue_are_those_of_the_recorded_table(recorded_data: Path) -> None:
    recorded = {
        launch.launch_id: launch
        for launch in read_launches_csv(recorded_data / "launches" / "launches_1984_2022.csv")
    }
    for launch in shipped_flights():
        if launch.launch_id in CORRECTED:
            continue
        there = recorded[launch.launch_id]
        assert launch.launched_at_us == there.launched_at_us
        assert (launch.apogee_m, launch.range_m) == (there.apogee_m, there.range_m)
        assert launch.bearing_rad == there.bearing_rad
        assert launch.site == there.site
        assert launch.manoeuvre == there.manoeuvre


@pytest.mark.parametrize("name", ["2017-08-29", "2022-10-04"])
def test_the_impact_lies_where_an_independent_geodesic_puts_it(name: str) -> None:
    launch = next(flight for flight in shipped_flights() if flight.launch_id == name)
    assert launch.range_m is not None
    assert launch.bearing_rad is not None
    impact = trajectory_of(flight_of_launch(launch)).impact
    site_deg = [math.degrees(angle) for angle in launch.site[:2]]
    geodesic_m, _ = pymap3d.vincenty.vdist(*site_deg, math.degrees(impact[0]), math.degrees(impact[1]))
    assert float(geodesic_m) == pytest.approx(launch.range_m, rel=0.01)

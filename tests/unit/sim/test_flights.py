"""From a public launch to a flight: what is incomplete or impossible is refused with one clear line."""

from dataclasses import replace

import pytest

from beaconfire.errors import UsageError
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch, trajectory_of

LAUNCH = find_launch("2022-10-04")


def test_figures_are_those_of_the_launch() -> None:
    flight = flight_of_launch(LAUNCH)
    assert flight.flight_id == "2022-10-04"
    assert flight.launched_at_us == LAUNCH.launched_at_us
    assert (flight.figures.apogee_m, flight.figures.range_m) == (970_000.0, 4_500_000.0)
    assert not flight.figures.pull_up


@pytest.mark.parametrize("manoeuvre", ["pullup", "glide"])
def test_a_manoeuvring_launch_pulls_up(manoeuvre: str) -> None:
    assert flight_of_launch(replace(LAUNCH, manoeuvre=manoeuvre)).figures.pull_up


@pytest.mark.parametrize(
    "unknown", [{"apogee_m": None}, {"range_m": None}, {"bearing_rad": None}, {"launched_at_us": None}]
)
def test_an_incomplete_launch_is_refused(unknown: dict[str, None]) -> None:
    with pytest.raises(UsageError, match="2022-10-04: launch is not reported completely"):
        flight_of_launch(replace(LAUNCH, **unknown))  # type: ignore[arg-type]


def test_an_impossible_flight_is_refused() -> None:
    with pytest.raises(UsageError, match="2022-10-04: no generic flight"):
        trajectory_of(flight_of_launch(replace(LAUNCH, apogee_m=2_000.0)))

"""An attacker with every revision that was released looks for the launch point that was coarsened.

It averages, and it takes states back to the ground with the project's own estimator. It must do no better
than the grid; the same attacker must find each leak that is planted.
"""

import math
import random
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest

from beaconfire.messages.estimate import Ellipse, Kinematics, LaunchEstimate
from beaconfire.messages.report import Report, Timing
from beaconfire.messages.words import Group, Phase
from beaconfire.release.grid import snap_ellipse
from beaconfire.release.obligations import Obligations
from beaconfire.release.sanitise import Earlier, sanitise
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch, trajectory_of
from beaconfire.tracking.launch import from_flight
from beaconfire.units import EARTH_MEAN_RADIUS_M
from release_world import report

GRID_M = 10_000.0
GRID_RMS_M = GRID_M * math.sqrt(1.0 / 6.0)
"""Error of a cell's centre for a place anywhere in the cell: 4.1 km."""
REVISIONS = 60
CHI_95 = 2.4477
"""Semi-axis of a 95 % ellipse in standard deviations."""

Place = tuple[float, float]
Releasing = Callable[[Ellipse, Place | None, random.Random], Place]


def off_m(one: Place, other: Place) -> float:
    east = (one[1] - other[1]) * math.cos(other[0])
    return EARTH_MEAN_RADIUS_M * math.hypot(one[0] - other[0], east)


def moved(place: Place, sigma_m: float, chance: random.Random) -> Place:
    north, east = (chance.gauss(0.0, sigma_m) / EARTH_MEAN_RADIUS_M for _ in range(2))
    return place[0] + north, place[1] + east / math.cos(place[0])


def as_released(area: Ellipse, held: Place | None, chance: random.Random) -> Place:
    del chance
    coarse = snap_ellipse(area, GRID_M, [held] if held else [])
    return coarse.latitude_rad, coarse.longitude_rad


def with_fresh_noise(area: Ellipse, held: Place | None, chance: random.Random) -> Place:
    """Known bad: noise as wide as the cell instead of the grid."""
    del held
    return moved((area.latitude_rad, area.longitude_rad), GRID_M / math.sqrt(12.0), chance)


def without_memory(area: Ellipse, held: Place | None, chance: random.Random) -> Place:
    """Known bad: each revision snapped by itself, so that its own scatter undoes the grid."""
    del held, chance
    coarse = snap_ellipse(area, GRID_M)
    return coarse.latitude_rad, coarse.longitude_rad


def averaging_error_m(release: Releasing, sigma_m: float) -> float:
    """Return the root mean square error of one who averages the revisions of many tracks, each by itself."""
    chance = random.Random(7)
    squares = []
    for _ in range(200):
        truth = (0.6 + 0.1 * chance.random(), 2.2 + 0.1 * chance.random())
        held: Place | None = None
        seen = []
        for _ in range(REVISIONS):
            stated = moved(truth, sigma_m, chance)
            held = release(Ellipse(*stated, CHI_95 * sigma_m, CHI_95 * sigma_m, 0.0, 0.95), held, chance)
            seen.append(held)
        mean = (sum(one[0] for one in seen) / REVISIONS, sum(one[1] for one in seen) / REVISIONS)
        squares.append(off_m(mean, truth) ** 2)
    return math.sqrt(sum(squares) / len(squares))


@pytest.mark.parametrize("sigma_m", [100.0, 1_000.0, 2_000.0, 3_000.0, 5_000.0])
def test_averaging_revisions_tells_no_more_than_the_grid(sigma_m: float) -> None:
    assert averaging_error_m(as_released, sigma_m) > 0.95 * GRID_RMS_M


@pytest.mark.parametrize("leak", [with_fresh_noise, without_memory])
def test_planted_leak_is_found_by_the_same_averaging(leak: Releasing) -> None:
    assert averaging_error_m(leak, 3_000.0) < GRID_RMS_M / 3


@pytest.mark.parametrize("sigma_m", [300.0, 3_000.0])
def test_coarse_area_still_holds_its_stated_probability(sigma_m: float) -> None:
    chance = random.Random(3)
    inside = tracks = 0
    for _ in range(300):
        truth = (0.6 + 0.1 * chance.random(), 2.2 + 0.1 * chance.random())
        held: Place | None = None
        for _ in range(5):
            stated = moved(truth, sigma_m, chance)
            stated_area = Ellipse(*stated, CHI_95 * sigma_m, 0.99 * CHI_95 * sigma_m, 0.4, 0.95)
            area = snap_ellipse(stated_area, GRID_M, [held] if held else [])
            held = (area.latitude_rad, area.longitude_rad)
            tracks += 1
            inside += off_m(held, truth) <= area.semi_minor_m
    assert inside / tracks >= 0.95


def reports_of(flight_id: str) -> Iterator[tuple[float, Report, np.ndarray]]:
    """Yield (time, report, state) of a flight every five seconds, known exactly: the worst case."""
    trajectory = trajectory_of(flight_of_launch(find_launch(flight_id)))
    launched_us = trajectory.launched_at_us
    times = np.arange(5.0, trajectory.burnout_s + 60.0, 5.0)
    for time_s, state in zip(times, trajectory.states(times), strict=True):
        at_us = launched_us + int(1e6 * time_s)
        boosted = time_s < trajectory.burnout_s
        burnout_us = None if boosted else launched_us + int(1e6 * trajectory.burnout_s)
        phase = Phase.BOOST if boosted else Phase.COAST
        x, y, z, vx, vy, vz = (float(value) for value in state[:6])
        one = msgspec.structs.replace(
            report(at_us=at_us),
            trajectory=Kinematics(at_us, (x, y, z), (vx, vy, vz), -9.0, phase),
            timing=Timing(launched_us, at_us, burnout_us),
        )
        yield time_s, one, state


FLIGHTS = ("2022-02-27", "2017-05-29", "2016-06-22b")
"""Those of the catalogue whose launch points the attacker comes nearest to."""
CLOSED = Obligations(coast_only=True)


@pytest.mark.parametrize("flight_id", FLIGHTS)
def test_states_taken_back_to_the_ground_tell_no_more_than_the_grid(flight_id: str) -> None:
    """What the attacker may claim, not what it may hit: these flights are as generic as its ascents."""
    released = [
        (time_s, state)
        for time_s, one, state in reports_of(flight_id)
        if sanitise(one, Group.TRAJECTORY, CLOSED, b"k").value is not None
    ]
    assert released
    for time_s, state in released[:3]:
        guess = from_flight(np.append(state[:6], -9.0), np.eye(7), time_s, thrust_seen=False)
        assert math.sqrt(np.trace(guess.covariance)) > GRID_RMS_M


@pytest.mark.parametrize("flight_id", FLIGHTS)
def test_planted_untruncated_boost_is_found_by_the_same_attacker(flight_id: str) -> None:
    site = flight_of_launch(find_launch(flight_id)).figures.site
    time_s, one, state = next(reports_of(flight_id))
    assert sanitise(one, Group.TRAJECTORY, Obligations(), b"k").value is not None
    guess = from_flight(np.append(state[:6], -9.0), np.eye(7), time_s, thrust_seen=True)
    there = (site.latitude_rad, site.longitude_rad)
    assert off_m((guess.latitude_rad, guess.longitude_rad), there) < GRID_RMS_M / 10


def test_a_launch_estimate_keeps_its_centre_through_the_hub() -> None:
    """The centre is held for each recipient and track, so the whole chain does what is tested above."""
    first = report().launch_point
    assert isinstance(first, LaunchEstimate)
    coarse = sanitise(report(), Group.LAUNCH_POINT, Obligations(grid_m=GRID_M), b"k").value
    assert isinstance(coarse, LaunchEstimate)
    near = msgspec.structs.replace(
        first, area=msgspec.structs.replace(first.area, latitude_rad=first.area.latitude_rad + 0.0012)
    )
    again = sanitise(
        msgspec.structs.replace(report(), launch_point=near),
        Group.LAUNCH_POINT,
        Obligations(grid_m=GRID_M),
        b"k",
        Earlier(launch_point=coarse),
    ).value
    assert again == coarse

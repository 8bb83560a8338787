"""A steep fall into the air: what each nation states holds the truth in all seven, and fuses in peace."""

from collections.abc import Iterator

import numpy as np
import pytest

from beaconfire.flight.ascent import Trajectory
from beaconfire.flight.dynamics import approximate_height_kernel
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.frames.types import Vector
from beaconfire.fusion.assembly import free_outlooks
from beaconfire.fusion.information import fuse
from beaconfire.fusion.outlook import impacts_of
from beaconfire.fusion.source import Estimate, estimate_of, status_of
from beaconfire.messages.report import Report
from beaconfire.messages.words import Nation, Status
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.nationals import run_nationals
from beaconfire.sim.trial import offset_in_area
from beaconfire.sim.world import build_world

SEEDS = (1, 2, 3)
LAUNCH = "2017-07-04"
AIR_M = 60_000.0
SENSORS = shipped_sensors()

Said = dict[Nation, list[tuple[Report, Estimate]]]


@pytest.fixture(scope="module", params=SEEDS)
def flown(request: pytest.FixtureRequest) -> tuple[Trajectory, Said]:
    """Return a flight and what each nation said while it saw it coast or fall."""
    world = build_world([flight_of_launch(find_launch(LAUNCH))], SENSORS, request.param)
    said: Said = {}
    for own in run_nationals(world.detections, SENSORS, request.param).reports:
        estimate = estimate_of(own.report)
        if estimate is None or estimate.process_noise or status_of(own.report) is not Status.CONFIRMED:
            continue
        said.setdefault(own.report.originator, []).append((own.report, estimate))
    return world.truths[0], said


def falling_in_air(truth: Trajectory, said: Said) -> Iterator[tuple[Estimate, Vector]]:
    for estimate in (one for reports in said.values() for _, one in reports):
        state = truth.state_at(estimate.epoch_us)
        low = approximate_height_kernel(*(float(x) for x in state[:3])) < AIR_M
        if low and float(state[:3] @ state[3:6]) < 0.0:
            yield estimate, state


def test_what_is_stated_in_the_air_holds_the_truth_in_seven_dimensions(
    flown: tuple[Trajectory, Said],
) -> None:
    shares = []
    for estimate, state in falling_in_air(*flown):
        apart = estimate.state - state[:7]
        shares.append(float(apart @ np.linalg.solve(estimate.covariance, apart)) / 7.0)
    assert len(shares) >= 3
    assert max(shares) < 4.0  # chi-square of seven: one in fifty thousand


def test_the_newest_that_each_nation_stated_agree_and_their_area_holds_the_impact(
    flown: tuple[Trajectory, Said],
) -> None:
    truth, said = flown
    assert len(said) == len({one.nation for one in SENSORS})
    fused = fuse([reports[-1][1] for reports in said.values()])
    assert fused is not None
    assert fused.conflicts == ()
    (area,) = impacts_of(free_outlooks(fused.estimate))
    distance_m, axes = offset_in_area(area.area, truth.impact)
    assert distance_m < 1_000.0
    assert axes < 1.0

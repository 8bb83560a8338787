"""How soon a picture held a useful area, and how soon the geometry allowed one."""

import msgspec
import numpy as np
import pytest

from beaconfire.analysis.bound import Look
from beaconfire.analysis.coast_cases import Case, sensors_of, truth_at_burnout
from beaconfire.analysis.first_area import first_times, ground_partials, soonest_areas_s
from beaconfire.analysis.summary import Setting
from beaconfire.flight.fall import fall_kernel, fall_with_transition_kernel
from beaconfire.frames.geodesy import enu_from_ecef_rotation, geodetic_from_ecef_kernel
from beaconfire.messages.estimate import Ellipse, ImpactEstimate, Kinematics
from beaconfire.messages.event import Event
from beaconfire.messages.words import Mode, Nation, Phase, Status

TRUTH = truth_at_burnout()
PRIOR = np.zeros((7, 7))
PRIOR[6, 6] = 1.0 / 0.49
KINEMATICS = Kinematics(0, (7e6, 0.0, 0.0), (0.0, 1e3, 0.0), -8.0, Phase.COAST)


def _event(second: int, status: Status, semi_major_m: float | None = None, *, moving: bool = True) -> Event:
    area = None if semi_major_m is None else Ellipse(0.6, 2.4, semi_major_m, 1e3, 0.0, 0.95)
    return Event(
        nation=Nation("JPN"),
        event_id="e",
        revision=second,
        as_of_us=second * 1_000_000,
        observed_at_us=second * 1_000_000,
        mode=Mode.SIMULATED,
        status=status,
        sharing=None,
        contributors=(),
        references=(),
        contributions=(),
        manoeuvring=False,
        thrust_possible=False,
        raid_id=None,
        apogee_m=None,
        launch=None,
        state=KINEMATICS if moving else None,
        covariance=(),
        impact=() if area is None else (ImpactEstimate(1.0, 0, 1.0, area),),
        places=(),
    )


def test_the_first_of_each_kind_counts() -> None:
    events = [
        _event(27, Status.TENTATIVE, moving=False),
        _event(40, Status.CONFIRMED),
        _event(70, Status.CONFIRMED, 90e3),
        _event(75, Status.CONFIRMED, 24e3),
        _event(80, Status.CONFIRMED, 5e3),
    ]
    found = first_times(events, Setting("alone", 1_000_000))
    assert (found.detection_s, found.detection_by) == (26.0, "infrared")
    assert (found.confirmed_s, found.confirmed_by) == (39.0, "radar")
    assert found.areas_s == (69.0, 74.0)


def test_what_was_withdrawn_and_what_never_came_do_not_count() -> None:
    withdrawn = msgspec.structs.replace(_event(5, Status.CONFIRMED, 1e3), status=Status.WITHDRAWN)
    found = first_times([withdrawn], Setting("alone", 0))
    assert found.detection_s is None
    assert found.detection_by == ""
    assert found.areas_s == (None, None)


def test_partials_by_differences_are_those_of_the_transition() -> None:
    elapsed, _ = fall_kernel(TRUTH, 0.0)
    ground, transition = fall_with_transition_kernel(TRUTH, elapsed)
    latitude, longitude, _ = geodetic_from_ecef_kernel(ground[0], ground[1], ground[2])
    east, north, up = np.asarray(enu_from_ecef_rotation(latitude, longitude))
    delay = -(up @ transition[:3]) / float(up @ ground[3:6])
    moved = transition[:3] + np.outer(ground[3:6], delay)
    partials = ground_partials(TRUTH)
    assert partials[:, :6] == pytest.approx(np.array((east @ moved, north @ moved))[:, :6], rel=0.01, abs=1.0)


def test_two_radars_allow_an_area_sooner_than_one() -> None:
    sensors = sensors_of(Case("x", radars=2))
    both = [Look(0.5 * k, k % 2) for k in range(120)]
    alone = [look for look in both if look.sensor == 0]
    for soon, late in zip(
        soonest_areas_s(TRUTH, both, sensors, PRIOR),
        soonest_areas_s(TRUTH, alone, sensors, PRIOR),
        strict=True,
    ):
        assert soon is not None
        assert late is not None
        assert soon < late


def test_without_looks_there_is_no_area() -> None:
    assert soonest_areas_s(TRUTH, [], sensors_of(Case("x")), PRIOR) == (None, None)

"""The variants stand for what their names say."""

import math

import numpy as np
import pytest

from beaconfire.analysis.coast_cases import CASES, TIMES_S, Case, sensors_of, times_of, truth_at_burnout
from beaconfire.flight.fall import apogee_height_m


@pytest.mark.parametrize("case", [CASES[0], *CASES[-3:]], ids=lambda case: case.name)
def test_a_flight_reaches_its_apogee_and_is_up_at_all_times_reported(case: Case) -> None:
    truth = truth_at_burnout(case)
    assert apogee_height_m(truth) == pytest.approx(case.apogee_m, rel=0.01)
    times = times_of(truth)
    assert times == TIMES_S[: len(times)]
    assert len(times) >= 5


def test_low_flights_are_among_the_cases() -> None:
    assert {case.apogee_m for case in CASES} >= {50e3, 80e3, 110e3}
    assert len({case.name for case in CASES}) == len(CASES)


def test_sensors_have_the_noise_and_the_offsets_of_their_case() -> None:
    table = sensors_of(Case("x", radars=2, sigma_m=7.0, sigma_rad=2e-3))
    assert table.shape[0] == 2
    assert np.all(table[:, 13] == 7.0)
    assert np.all(table[:, 14:16] == 2e-3)
    assert not table[:, 17:21].any()
    biased = sensors_of(Case("x", biased=True))
    assert np.all(biased[:, 17:21] > 0.0)
    assert math.isnan(table[0, 16])

import math

import msgspec
import pytest

from beaconfire.errors import PeerError
from beaconfire.fusion.source import Source, check_source, estimate_of, member_of
from beaconfire.messages.words import Mode, Status
from picture_world import JPN, KOR, T0_US, Flight, state_at

FLIGHT = Flight(state_at())
REPORT = FLIGHT.report(KOR, 120.0)


def refused(source: Source, *, own: bool) -> str:
    with pytest.raises(PeerError) as caught:
        check_source(source, JPN, Mode.SIMULATED, own=own)
    return caught.value.code


def test_own_data_that_comes_back_is_refused() -> None:
    back = Source(FLIGHT.report(JPN, 120.0), ("bilateral-jpn-usa",), T0_US)
    assert refused(back, own=False) == "own-data"
    check_source(back, JPN, Mode.SIMULATED, own=True)


def test_foreign_data_from_the_own_national_node_is_refused() -> None:
    assert refused(Source(REPORT, (), T0_US), own=True) == "not-own"


def test_another_mode_is_refused() -> None:
    drill = msgspec.structs.replace(REPORT, mode=Mode.EXERCISE)
    assert refused(Source(drill, (), T0_US), own=False) == "mode-mismatch"


def test_whoever_does_not_vouch_for_own_sensors_only_is_refused() -> None:
    assert REPORT.provenance is not None
    mixed = msgspec.structs.replace(
        REPORT,
        provenance=msgspec.structs.replace(REPORT.provenance, own_sensors_only=False),
    )
    assert refused(Source(mixed, (), T0_US), own=False) == "not-own-sensors"


@pytest.mark.parametrize("upper", [(1.0,) * 27, (math.nan,) * 28, (-1.0,) * 28, (1.0, 5.0) + (1.0,) * 26])
def test_a_matrix_that_is_no_covariance_is_refused(upper: tuple[float, ...]) -> None:
    assert REPORT.covariance is not None
    bad = msgspec.structs.replace(REPORT, covariance=msgspec.structs.replace(REPORT.covariance, upper=upper))
    assert refused(Source(bad, (), T0_US), own=False) == "bad-estimate"


@pytest.mark.parametrize("position", [(0.0, 0.0, 0.0), (math.inf, 0.0, 0.0), (9e7, 0.0, 0.0)])
def test_a_place_where_no_flight_is_is_refused(position: tuple[float, float, float]) -> None:
    assert REPORT.trajectory is not None
    bad = msgspec.structs.replace(
        REPORT, trajectory=msgspec.structs.replace(REPORT.trajectory, position_ecef_m=position)
    )
    assert refused(Source(bad, (), T0_US), own=False) == "bad-estimate"


def test_without_covariance_there_is_no_estimate() -> None:
    assert estimate_of(msgspec.structs.replace(REPORT, covariance=None)) is None
    found = estimate_of(REPORT)
    assert found is not None
    assert found.covariance[0, 0] == pytest.approx(1e4)
    assert (found.covariance == found.covariance.T).all()


def test_what_a_nation_last_saw_outweighs_where_it_thinks_it_is_now() -> None:
    seen = member_of(Source(REPORT, (), T0_US))
    lost = FLIGHT.report(KOR, 160.0, status=Status.LOST, seen_until_s=120.0)
    after = member_of(Source(lost, (), T0_US), seen)
    assert after.estimate is seen.estimate
    assert after.report is lost

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beaconfire.errors import UsageError
from beaconfire.formats import tracks
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.formats.tracks import Reporter, TrackLine, TrackReader
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.words import Mode, Nation, Phase
from beaconfire.tracking import batch

NOW_US = 1_664_835_790_000_000
SENSORS = {one.sensor: one for one in shipped_sensors()}
UPPER = tuple(100.0 * (i == j) for i in range(6) for j in range(i, 6))
LINE = TrackLine(
    track="17",
    epoch_us=NOW_US - 1_000_000,
    position_ecef_m=(-3.5e6, 3.9e6, 4.0e6),
    velocity_ecef_m_s=(100.0, 2_000.0, 1_500.0),
    covariance=UPPER,
    sensors=("kor-1",),
    first_detected_at_us=NOW_US - 60_000_000,
)


def reader(secret: bytes = bytes(32)) -> TrackReader:
    return TrackReader(Reporter(Nation("KOR"), Mode.SIMULATED, "notional", secret), SENSORS)


def line(**changes: object) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(LINE, **changes))


def test_a_line_becomes_a_report_from_own_sensors_only() -> None:
    report = reader().report(line(), NOW_US)
    assert decode(encode(report)) == report
    assert report.provenance is not None
    assert report.provenance.own_sensors_only is True
    assert report.provenance.transform == "own-tracker"
    assert report.trajectory is not None
    assert report.trajectory.position_ecef_m == LINE.position_ecef_m
    assert report.sensor is not None
    assert (report.sensor.sensors, report.sensor.kinds) == (("kor-1",), ("tracker",))
    assert (report.originator, report.exercise, report.supersedes) == ("KOR", "notional", None)


def test_the_tracker_s_own_number_does_not_leave_and_names_are_keyed() -> None:
    one, other = reader().report(line(), NOW_US), reader(b"k" * 32).report(line(), NOW_US)
    assert one.track.startswith("KOR-")
    assert "17" not in one.track.removeprefix("KOR-") or one.track != other.track
    assert one.track != other.track
    assert one.report_id != other.report_id


def test_each_report_supersedes_the_one_before_it_of_its_track() -> None:
    held = reader()
    first = held.report(line(), NOW_US)
    other = held.report(line(track="18"), NOW_US)
    second = held.report(line(epoch_us=NOW_US), NOW_US)
    assert second.supersedes == first.report_id
    assert second.track == first.track
    assert other.supersedes is None
    assert other.track != first.track


def test_a_line_that_is_not_newer_is_refused() -> None:
    held = reader()
    held.report(line(), NOW_US)
    with pytest.raises(UsageError, match="epoch_us"):
        held.report(line(), NOW_US)


def test_drag_is_stated_as_the_prior_and_no_more() -> None:
    full = (
        reader()
        .report(line(covariance=tuple(float(i + 1) + 500 * (v > 0) for i, v in enumerate(UPPER))), NOW_US)
        .covariance
    )
    assert full is not None
    matrix = np.zeros((7, 7))
    matrix[np.triu_indices(7)] = full.upper
    given_matrix = np.zeros((6, 6))
    given_matrix[np.triu_indices(6)] = [float(i + 1) + 500 * (v > 0) for i, v in enumerate(UPPER)]
    assert np.array_equal(matrix[:6, :6], given_matrix)
    assert matrix[6, 6] == full.prior_sigma_log_inverse_beta**2
    assert not matrix[:6, 6].any()
    assert full.process_noise


def test_the_prior_is_the_one_of_the_own_tracker() -> None:
    assert tracks.PRIOR_LOG_INVERSE_BETA == batch.PRIOR_LOG_INVERSE_BETA
    assert tracks.PRIOR_SIGMA_LOG_INVERSE_BETA == batch.PRIOR_SIGMA_LOG_INVERSE_BETA


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"track": ""}, "track"),
        ({"track": "x" * 65}, "track"),
        ({"epoch_us": NOW_US + 6_000_000}, "epoch_us"),
        ({"epoch_us": NOW_US - 601_000_000}, "epoch_us"),
        ({"epoch_us": 1_664_835_790}, "epoch_us"),
        ({"observed_at_us": NOW_US + 6_000_000}, "observed_at_us"),
        ({"first_detected_at_us": NOW_US}, "first_detected_at_us"),
        ({"detections": 0}, "detections"),
        ({"position_ecef_m": (1.0, 2.0, 3.0)}, "position_ecef_m"),
        ({"position_ecef_m": (1e300, 1e300, 1e300)}, "position_ecef_m"),
        ({"velocity_ecef_m_s": (0.0, 0.0, 16_000.0)}, "velocity_ecef_m_s"),
        ({"covariance": UPPER[:-1]}, "covariance"),
        ({"covariance": (-1.0, *UPPER[1:])}, "covariance"),
        ({"covariance": tuple(1.0 for _ in range(21))}, "covariance"),
        ({"sensors": ()}, "sensors"),
        ({"sensors": ("jpn-1",)}, "sensors"),
        ({"sensors": ("nobody",)}, "sensors"),
    ],
)
def test_what_cannot_be_is_refused_and_the_field_named(changes: dict[str, object], field: str) -> None:
    with pytest.raises(UsageError) as caught:
        reader().report(line(**changes), NOW_US)
    assert caught.value.where == field


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"NaN", b"\xff", b'{"track":1}', line()[:-1] + b',"more":1}', b"[" * 9_999, bytes(5_000)],
)
def test_what_is_no_track_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        reader().report(data, NOW_US)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        reader().report(data, NOW_US)


def test_a_thrusting_track_says_that_thrust_is_possible() -> None:
    report = reader().report(line(phase=Phase.BOOST, manoeuvring=True), NOW_US)
    assert report.classification is not None
    assert (report.classification.thrust_possible, report.classification.manoeuvring) == (True, True)
    assert math.isfinite(report.covariance.upper[0]) if report.covariance else False

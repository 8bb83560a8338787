"""Statements: names of tracks, ids of reports, and a track as a report."""

import hashlib
import hmac
from collections import OrderedDict
from typing import Final, NamedTuple

import msgspec

from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Detection
from beaconfire.messages.estimate import Covariance, Kinematics
from beaconfire.messages.report import Classification, Provenance, Report, SensorUse, Timing
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import Mode, Nation, Phase, TimeUs
from beaconfire.tracking.batch import PRIOR_LOG_INVERSE_BETA, PRIOR_SIGMA_LOG_INVERSE_BETA
from beaconfire.tracking.track import Track

PRODUCER: Final = "beaconfire tracking 1"
NAMES_MAX: Final = 4_096
NAME_DIGITS: Final = 6

_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")


class Speaker(NamedTuple):
    """Who speaks: nation, mode, exercise id, sensors in the order of their table."""

    nation: Nation
    mode: Mode
    exercise: str
    sensors: tuple[Sensor, ...]


class Names:
    """Keyed names: no running number leaves, and no name comes twice within the newest 4,096."""

    def __init__(self, nation: Nation, secret: bytes) -> None:
        """Take the nation and the secret that keys every hash."""
        self._nation, self._secret = nation, secret
        self._used: OrderedDict[str, None] = OrderedDict()

    def digest(self, *parts: bytes) -> str:
        """Return the HMAC-SHA-256 of the parts, hexadecimal."""
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.new(self._secret, framed, hashlib.sha256).hexdigest()

    def track(self, first: Detection) -> str:
        """Return a new name such as "KOR-7F3A21", from the first detection of the track and its time."""
        name, turn = self._candidate(first, 0), 0
        while name in self._used and turn < NAMES_MAX:
            turn += 1
            name = self._candidate(first, turn)
        self._used[name] = None
        while len(self._used) > NAMES_MAX:
            self._used.popitem(last=False)
        return name

    def _candidate(self, first: Detection, turn: int) -> str:
        digest = self.digest(b"track", _encoder.encode(first), turn.to_bytes(4, "big"))
        return f"{self._nation}-{digest[:NAME_DIGITS].upper()}"

    def report(self, track: Track, stated_at_us: TimeUs) -> str:
        """Return the id of the track's next report: keyed by its first detection, time and place in order."""
        order = track.reports.to_bytes(8, "big")
        first = _encoder.encode(track.first)
        return self.digest(b"report", track.name.encode(), first, order, str(stated_at_us).encode())[:32]


def _kinematics(state: Vector, epoch_us: TimeUs, phase: Phase) -> Kinematics:
    x, y, z, vx, vy, vz, log_inverse_beta = (float(value) for value in state[:7])
    return Kinematics(
        epoch_us=epoch_us,
        position_ecef_m=(x, y, z),
        velocity_ecef_m_s=(vx, vy, vz),
        log_inverse_beta=log_inverse_beta,
        phase=phase,
    )


def _covariance(covariance: Vector, *, process_noise: bool) -> Covariance:
    upper = tuple(float(covariance[i, j]) for i in range(7) for j in range(i, 7))
    return Covariance(
        upper=upper,
        prior_log_inverse_beta=PRIOR_LOG_INVERSE_BETA,
        prior_sigma_log_inverse_beta=PRIOR_SIGMA_LOG_INVERSE_BETA,
        process_noise=process_noise,
    )


def _use(track: Track, sensors: tuple[Sensor, ...]) -> SensorUse:
    used = [sensors[index] for index in sorted(track.used)]
    kinds = tuple("radar" if isinstance(sensor, Radar) else "ir" for sensor in used)
    names = tuple(sensor.sensor for sensor in used)
    return SensorUse(sensors=names, kinds=kinds, detections=track.detections)  # type: ignore[arg-type]


def _transform(track: Track) -> str:
    if track.motion is None:
        return "sight-line"
    if track.motion.arc is not None:
        return "coast-batch"
    return "manoeuvre-filter" if track.motion.manoeuvring else "boost-filter"


def statement(track: Track, speaker: Speaker, names: Names, now_utc_us: TimeUs) -> Report:
    """Return what is known of a track now, superseding what was said of it before."""
    kinematics: Kinematics | None = None
    covariance: Covariance | None = None
    motion = track.motion
    burnout_us: TimeUs | None = None
    if motion is not None:
        time_s = track.statement_time_s(now_utc_us)
        state, spread = motion.unseen_at(time_s)
        epoch_us = track.utc_us(time_s)
        kinematics = _kinematics(state, epoch_us, motion.phase())
        covariance = _covariance(spread, process_noise=motion.arc is None)
        if motion.burnout_s is not None:
            burnout_us = track.utc_us(motion.burnout_s)
    return Report(
        report_id=names.report(track, now_utc_us),
        track=track.name,
        supersedes=track.last_report_id,
        originator=speaker.nation,
        mode=speaker.mode,
        exercise=speaker.exercise,
        stated_at_us=now_utc_us,
        launch_point=track.launch(),
        trajectory=kinematics,
        covariance=covariance,
        timing=Timing(track.first.measured_at_us, track.observed_at_us(), burnout_us),
        classification=Classification(track.stated_status(), track.manoeuvring(), track.thrust_possible()),
        sensor=_use(track, speaker.sensors),
        provenance=Provenance(True, _transform(track), PRODUCER),
    )

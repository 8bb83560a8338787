"""Track JSON Lines of a nation's own tracker: each line becomes a report from own sensors only.

Source: docs/interfaces.md, section "Commands", `run feed`: state, covariance, epoch, own sensors.
"""

import hashlib
import hmac
import math
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from beaconfire.errors import UsageError
from beaconfire.messages.estimate import Covariance, Kinematics
from beaconfire.messages.report import Classification, Provenance, Report, SensorUse, Timing
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Mode, Nation, Phase, Status, TimeUs

MAXIMUM_LINE_BYTES: Final = 4_096
TRACKS_MAX: Final = 4_096
SENSORS_MAX: Final = 64
NAME_CHARACTERS_MAX: Final = 64
RADIUS_MIN_M: Final = 6.3e6
RADIUS_MAX_M: Final = 5.0e7
SPEED_MAX_M_S: Final = 1.5e4
FUTURE_MAX_US: Final = 5_000_000
AGE_MAX_US: Final = 600_000_000
STATE_SIZE: Final = 6
PRODUCER: Final = "own tracker"

# What `tracking.batch` assumes before it has seen drag; a test holds the two together. A line states nothing
# of drag, so its report carries this prior and no information beyond it.
PRIOR_LOG_INVERSE_BETA: Final = math.log(1.0 / 3_000.0)
PRIOR_SIGMA_LOG_INVERSE_BETA: Final = 0.7


class TrackLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a tracker.

    Attributes:
        track: the tracker's own number or name; leaves the nation as a keyed hash only.
        epoch_us: of the state, microseconds UTC.
        position_ecef_m: shape (3,), ECEF, metres.
        velocity_ecef_m_s: shape (3,), rate of change of the ECEF coordinates, metres per second.
        covariance: 21 numbers, upper triangle of x y z vx vy vz row by row, ECEF, SI.
        sensors: own sensors it rests on.
        first_detected_at_us: first detection used.
        observed_at_us: newest detection used; the epoch if left out.
        detections: how many were used.
        phase: of flight at the epoch.
        status: life of the track.
        manoeuvring: the ballistic impact area does not apply.
    """

    track: str
    epoch_us: TimeUs
    position_ecef_m: tuple[float, float, float]
    velocity_ecef_m_s: tuple[float, float, float]
    covariance: tuple[float, ...]
    sensors: tuple[str, ...]
    first_detected_at_us: TimeUs
    observed_at_us: TimeUs | None = None
    detections: int = 1
    phase: Phase = Phase.COAST
    status: Status = Status.CONFIRMED
    manoeuvring: bool = False


_decoder: Final = msgspec.json.Decoder(TrackLine)


class Reporter(msgspec.Struct, frozen=True):
    """Whose reports they are: nation, mode, exercise id, and the secret that keys every name."""

    nation: Nation
    mode: Mode
    exercise: str
    secret: bytes


class TrackReader:
    """Turns a tracker's lines into reports, each superseding the one before it."""

    def __init__(self, reporter: Reporter, sensors: Mapping[str, Sensor]) -> None:
        """Take who reports, and the nation's own sensors by id."""
        self._reporter = reporter
        self._sensors = sensors
        self._newest: OrderedDict[str, tuple[str, TimeUs]] = OrderedDict()

    def report(self, data: bytes, now_us: TimeUs) -> Report:
        """Return the report that a line makes.

        Args:
            data: one line of JSON.
            now_us: UTC.

        Raises:
            UsageError: too long, not JSON, a field missing, unknown, out of range or not finite, a sensor of
                another nation, a covariance that is none, or a line older than the one before it.
        """
        line = _decoded(data)
        _check(line, now_us)
        self._check_own_sensors(line.sensors)
        name = f"{self._reporter.nation}-{self._digest('track', line.track)[:6].upper()}"
        before = self._newest.pop(line.track, None)
        if before is not None:
            self._newest[line.track] = before
            if line.epoch_us <= before[1]:
                raise UsageError("not newer than the line before it", "epoch_us")
        report_id = self._digest("report", f"{line.track} {line.epoch_us} {now_us}")[:32]
        self._newest[line.track] = (report_id, line.epoch_us)
        if len(self._newest) > TRACKS_MAX:
            self._newest.popitem(last=False)
        return self._stated(line, (name, report_id, before[0] if before else None), now_us)

    def _digest(self, kind: str, text: str) -> str:
        framed = f"own-tracker {kind} {text}".encode()
        return hmac.new(self._reporter.secret, framed, hashlib.sha256).hexdigest()

    def _check_own_sensors(self, names: tuple[str, ...]) -> None:
        if not 0 < len(names) <= SENSORS_MAX:
            raise UsageError(f"{len(names)} sensors", "sensors", f"1 to {SENSORS_MAX}")
        for name in names:
            sensor = self._sensors.get(name)
            if sensor is None or sensor.nation != self._reporter.nation:
                raise UsageError(f"{name[:NAME_CHARACTERS_MAX]!r} is not an own sensor", "sensors")

    def _stated(self, line: TrackLine, names: tuple[str, str, str | None], now_us: TimeUs) -> Report:
        track, report_id, supersedes = names
        kinds: tuple[Literal["tracker"], ...] = tuple("tracker" for _ in line.sensors)
        return Report(
            report_id=report_id,
            track=track,
            supersedes=supersedes,
            originator=self._reporter.nation,
            mode=self._reporter.mode,
            exercise=self._reporter.exercise,
            stated_at_us=now_us,
            trajectory=Kinematics(
                epoch_us=line.epoch_us,
                position_ecef_m=line.position_ecef_m,
                velocity_ecef_m_s=line.velocity_ecef_m_s,
                log_inverse_beta=PRIOR_LOG_INVERSE_BETA,
                phase=line.phase,
            ),
            covariance=Covariance(
                upper=_with_drag(line.covariance),
                prior_log_inverse_beta=PRIOR_LOG_INVERSE_BETA,
                prior_sigma_log_inverse_beta=PRIOR_SIGMA_LOG_INVERSE_BETA,
                process_noise=True,
            ),
            timing=Timing(line.first_detected_at_us, _observed_at_us(line)),
            classification=Classification(
                line.status, line.manoeuvring, thrust_possible=line.phase is Phase.BOOST
            ),
            sensor=SensorUse(sensors=line.sensors, kinds=kinds, detections=line.detections),
            provenance=Provenance(own_sensors_only=True, transform="own-tracker", producer=PRODUCER),
        )


def _decoded(data: bytes) -> TrackLine:
    if len(data) > MAXIMUM_LINE_BYTES:
        raise UsageError("line too long", expected=f"at most {MAXIMUM_LINE_BYTES} bytes")
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not a track: {error}") from error


def _observed_at_us(line: TrackLine) -> TimeUs:
    return line.epoch_us if line.observed_at_us is None else line.observed_at_us


def _check(line: TrackLine, now_us: TimeUs) -> None:
    if not 0 < len(line.track) <= NAME_CHARACTERS_MAX:
        raise UsageError("empty or too long", "track", f"1 to {NAME_CHARACTERS_MAX} characters")
    for name, at_us in (("epoch_us", line.epoch_us), ("observed_at_us", _observed_at_us(line))):
        if not now_us - AGE_MAX_US <= at_us <= now_us + FUTURE_MAX_US:
            raise UsageError(f"{at_us} is far off", name, "at most 10 minutes old, 5 s ahead")
    if not 0 < line.first_detected_at_us <= _observed_at_us(line):
        raise UsageError("after the newest detection", "first_detected_at_us")
    if not 0 < line.detections < 10**9:
        raise UsageError(f"{line.detections} detections", "detections", "1 or more")
    _check_length("position_ecef_m", line.position_ecef_m, RADIUS_MIN_M, RADIUS_MAX_M)
    _check_length("velocity_ecef_m_s", line.velocity_ecef_m_s, 0.0, SPEED_MAX_M_S)
    _check_covariance(line.covariance)


def _check_length(name: str, vector: tuple[float, float, float], low: float, high: float) -> None:
    length = math.hypot(*vector)
    if not math.isfinite(length) or not low <= length <= high:
        raise UsageError(f"length {length!r} is out of range", name, f"{low:g} to {high:g}")


def _check_covariance(upper: tuple[float, ...]) -> None:
    """Check that it is positive definite, by Cholesky's decomposition."""
    size = STATE_SIZE * (STATE_SIZE + 1) // 2
    if len(upper) != size or not all(math.isfinite(value) for value in upper):
        raise UsageError(f"{len(upper)} numbers, or one not finite", "covariance", f"{size} numbers")
    index = {(i, j): k for k, (i, j) in enumerate((i, j) for i in range(6) for j in range(i, 6))}
    root = [[0.0] * STATE_SIZE for _ in range(STATE_SIZE)]
    for i in range(STATE_SIZE):
        for j in range(i + 1):
            left = upper[index[j, i]] - sum(root[i][k] * root[j][k] for k in range(j))
            if i != j:
                root[i][j] = left / root[j][j]
            elif not left > 0.0:
                raise UsageError("not positive definite", "covariance")
            else:
                root[i][i] = math.sqrt(left)


def _with_drag(upper: tuple[float, ...]) -> tuple[float, ...]:
    """Return 28 numbers: the 21 with ln(1/beta) added, uncorrelated and known by its prior alone."""
    rows: list[float] = []
    start = 0
    for row in range(STATE_SIZE):
        end = start + STATE_SIZE - row
        rows += [*upper[start:end], 0.0]
        start = end
    return (*rows, PRIOR_SIGMA_LOG_INVERSE_BETA**2)

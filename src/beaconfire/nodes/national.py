"""The national node: detections of the nation's own sensors in, national reports out.

Detections of one instant from several sensors are used together: `receive` only checks and stores, and asks
to be woken at once; `tick` uses all that came in. What came from the hub can't enter: only detections do.
After a restart tracks begin anew from what the sensors still see, under new names.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import msgspec

from beaconfire.messages.detection import Detection, DetectionBatch, Plot
from beaconfire.messages.health import Health
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import Lane, Mode, Nation, Severity, Status, TimeUs
from beaconfire.nodes.commands import Channel, Command, Inbound, Now, Rows, Send, WakeAt
from beaconfire.nodes.retelling import Retelling
from beaconfire.nodes.voice import Said, Voice
from beaconfire.tracking.tracker import Tracker

FUTURE_MAX_US: Final = 5_000_000
AGE_MAX_US: Final = 600_000_000
PERIOD_US: Final = 1_000_000
BATCH_MAX: Final = 1_000
RANGE_MAX_M: Final = 2.0e7
RATE_MAX_M_S: Final = 1.5e4
POSITION_MAX_M: Final = 1.0e8
NOTICE_PERIOD_US: Final = 10_000_000
LAST: Final = frozenset({Status.ENDED, Status.WITHDRAWN})
"""After a report with such a status none comes that would make good what guard or picture did not hear."""
RETOLD_EVERY_US: Final = 60_000_000
RETOLD_FOR_US: Final = 600_000_000
SAID_MAX: Final = 1_024
BLIND_US: Final = 10_000_000
"""So long without a detection that could be used, while others came from the wrong time, is blindness."""
FIELD_MARGIN: Final = 1.05
FIELD_MARGIN_RAD: Final = 0.01

REASONS: Final = (
    "wrong-kind",
    "unknown-sensor",
    "other-nation",
    "not-finite",
    "future",
    "too-old",
    "out-of-range",
    "oversize-batch",
)
"""Why a detection is rejected; each is a counter of the node's health."""
UNTIMELY: Final = frozenset({"future", "too-old"})


class Identity(msgspec.Struct, frozen=True):
    """Whose node it is and what its reports are about: nation, mode, exercise id (empty in mode REAL)."""

    nation: Nation
    mode: Mode
    exercise: str = ""


class NationalNode:
    """Tracks of one nation, from its own sensors only.

    Attributes:
        counters: accepted and rejected detections by reason, reports, ticks over the bounds.
    """

    def __init__(self, identity: Identity, sensors: Sequence[Sensor], secret: bytes, rows: Rows) -> None:
        """Take the sensors file as read (other nations' sensors are known, so that they can be refused).

        Args:
            identity: nation, mode and exercise.
            sensors: all sensors of the file.
            secret: keys the names of tracks and the ids of reports.
            rows: journal of the node; nothing is read from it.
        """
        del rows
        self._identity = identity
        self._sensors = {sensor.sensor: sensor for sensor in sensors}
        own = [sensor for sensor in sensors if sensor.nation == identity.nation]
        self._tracker = Tracker(own, identity.nation, secret, identity.mode, identity.exercise)
        self._pending: list[Detection] = []
        self._stated_us = 0
        self._accepted_us = -BLIND_US
        self._said: OrderedDict[str, tuple[object, ...]] = OrderedDict()
        self._next_health_us = -1
        self._noticed_us: dict[str, int] = {}
        self._voice = Voice(self._source, identity.nation)
        self._retelling: Retelling[Report] = Retelling(RETOLD_EVERY_US)
        self.counters = {"accepted": 0, "reports": 0, "overflowed": 0}
        self.counters |= {f"rejected-{reason}": 0 for reason in REASONS}

    @property
    def _source(self) -> str:
        return f"national/{self._identity.nation}"

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Check and store the detections of a batch; the next tick uses them, and is asked for at once."""
        message = inbound.message
        if inbound.channel is not Channel.DETECTION or not isinstance(message, DetectionBatch):
            text = f"{inbound.channel} from {inbound.sender}"
            return self._reject("wrong-kind", text, inbound.sender, now)
        if inbound.sender != self._identity.nation:
            return self._reject("other-nation", f"batch from {inbound.sender}", inbound.sender, now)
        if len(message.detections) > BATCH_MAX:
            count = len(message.detections)
            return self._reject("oversize-batch", f"{count} detections", inbound.sender, now)
        return [*self._sort(message.detections, now), WakeAt(now.monotonic_us)]

    def _sort(self, detections: Sequence[Detection], now: Now) -> list[Command]:
        """Store what can be used, count what can't, and say so."""
        commands: list[Command] = []
        untimely: Detection | None = None
        for detection in detections:
            reason = self._fault(detection, now.utc_us)
            if reason is None:
                self._pending.append(detection)
                self.counters["accepted"] += 1
                self._accepted_us = now.monotonic_us
                continue
            untimely = detection if reason in UNTIMELY else untimely
            sensor = detection.sensor[:32]
            commands += self._reject(reason, f"detection of {sensor!r}", sensor, now)
        if untimely is not None and now.monotonic_us - self._accepted_us >= BLIND_US:
            commands += self._tell_of_clock(untimely, now)
        return commands

    def _tell_of_clock(self, untimely: Detection, now: Now) -> list[Command]:
        """Say that nothing is tracked since the sensors' time is not the node's."""
        off_s = abs(untimely.measured_at_us - now.utc_us) // 1_000_000
        text = f"own sensors are not used: the clock of {untimely.sensor} is {off_s:,} s from this node's"
        about: dict[str, str | int] = {"origin": untimely.sensor, "off_s": off_s}
        return self._tell_rarely("clock", Said("detection-clock", Severity.FAULT, text, about), now)

    def _fault(self, detection: Detection, utc_us: TimeUs) -> str | None:
        """Return why a detection can't be used, or None."""
        sensor = self._sensors.get(detection.sensor)
        if sensor is None:
            return "unknown-sensor"
        if sensor.nation != self._identity.nation:
            return "other-nation"
        if isinstance(detection, Plot) is not isinstance(sensor, Radar):
            return "wrong-kind"
        if not all(math.isfinite(value) for value in _numbers(detection)):
            return "not-finite"
        if detection.measured_at_us > utc_us + FUTURE_MAX_US:
            return "future"
        if detection.measured_at_us < utc_us - AGE_MAX_US:
            return "too-old"
        return None if _in_field(detection, sensor) else "out-of-range"

    def _reject(self, reason: str, what: str, origin: str, now: Now) -> list[Command]:
        """Count a reject, and tell of it."""
        self.counters[f"rejected-{reason}"] += 1
        text = f"rejected: {what}: {reason}"
        said = Said(f"detection-{reason}", Severity.CAUTION, text, {"origin": origin})
        return self._tell_rarely(reason, said, now)

    def _tell_rarely(self, reason: str, said: Said, now: Now) -> list[Command]:
        """Tell the operator, at most every ten seconds for each reason."""
        last = self._noticed_us.get(reason)
        if last is not None and now.monotonic_us - last < NOTICE_PERIOD_US:
            return []
        self._noticed_us[reason] = now.monotonic_us
        return [self._voice.tell(said, now, Lane.ROUTINE)]

    def tick(self, now: Now) -> list[Command]:
        """Use what came in and return reports; health once a second."""
        # A clock that was set back stands still, and a picture takes what is stated at one time for one.
        self._stated_us = max(now.utc_us, self._stated_us + 1)
        self._tracker.add(self._pending, self._stated_us)
        self._pending = []
        commands: list[Command] = []
        for report in self._tracker.step(self._stated_us):
            self.counters["reports"] += 1
            lane = self._lane(report)
            commands.append(Send(Channel.OWN_REPORT, self._identity.nation, lane, report))
            if report.classification is not None and report.classification.status in LAST:
                self._retelling.tell(report, now, for_us=RETOLD_FOR_US)
        again = self._retelling.due(now)
        commands += [Send(Channel.OWN_REPORT, self._identity.nation, Lane.FLASH, one) for one in again]
        commands.extend(self._bounds(now))
        if now.monotonic_us >= self._next_health_us:
            self._next_health_us = now.monotonic_us + PERIOD_US
            health = Health(self._source, now.utc_us, (), dict(self.counters))
            commands.append(Send(Channel.HEALTH, self._identity.nation, Lane.ROUTINE, health))
        return [*commands, WakeAt(self._next_health_us)]

    def _bounds(self, now: Now) -> list[Command]:
        if self._tracker.overflowed == self.counters["overflowed"]:
            return []
        self.counters["overflowed"] = self._tracker.overflowed
        text = "more detections or tracks than the bounds allow"
        return [self._voice.tell(Said("tracker-full", Severity.CAUTION, text), now, Lane.ROUTINE)]

    def _lane(self, report: Report) -> Lane:
        """Return FLASH for a first report, the first after burnout and changes of status, else ROUTINE."""
        kind = report.classification
        assert kind is not None
        said: tuple[object, ...] = (kind.status, kind.thrust_possible, kind.manoeuvring)
        before = self._said.pop(report.track, None)
        if kind.status not in LAST:
            self._said[report.track] = said
        while len(self._said) > SAID_MAX:
            self._said.popitem(last=False)
        return Lane.ROUTINE if said == before else Lane.FLASH


def _numbers(detection: Detection) -> tuple[float, ...]:
    if isinstance(detection, Plot):
        rate = 0.0 if detection.range_rate_m_s is None else detection.range_rate_m_s
        return (detection.range_m, detection.azimuth_rad, detection.elevation_rad, rate)
    return (*detection.position_ecef_m, *detection.line_of_sight_ecef)


def _in_field(detection: Detection, sensor: Sensor) -> bool:
    """Whether the values are what such a sensor could measure, with a margin for its noise."""
    if isinstance(detection, Plot):
        assert isinstance(sensor, Radar)
        lowest = sensor.minimum_elevation_rad - max(FIELD_MARGIN_RAD, 5.0 * sensor.sigma_elevation_rad)
        return (
            0.0 < detection.range_m <= min(RANGE_MAX_M, FIELD_MARGIN * sensor.maximum_range_m)
            and abs(detection.azimuth_rad) <= 2.0 * math.pi + FIELD_MARGIN_RAD
            and lowest <= detection.elevation_rad <= math.pi / 2.0 + FIELD_MARGIN_RAD
            and (detection.range_rate_m_s is None or abs(detection.range_rate_m_s) <= RATE_MAX_M_S)
        )
    length = math.hypot(*detection.line_of_sight_ecef)
    return abs(length - 1.0) < 1e-3 and math.hypot(*detection.position_ecef_m) <= POSITION_MAX_M

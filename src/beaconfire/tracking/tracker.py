"""The tracker of one nation: detections of own sensors in, reports out. No identity of any object comes in.

A plain object without clock or randomness: the same detections and times give the same reports. Everything
is bounded: tracks, plots waiting, plots kept. What is late is used at its own time.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Detection
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Mode, Nation, Status, TimeUs
from beaconfire.tracking.association import GATE, assign
from beaconfire.tracking.filter import gate_kernel
from beaconfire.tracking.gating import Predicted, gated, predicted
from beaconfire.tracking.initiation import PlotStore, Seed
from beaconfire.tracking.measurement import IS_INFRARED, row_from_detection, sensor_table
from beaconfire.tracking.motion import Motion
from beaconfire.tracking.reassignment import Rivals
from beaconfire.tracking.sight import SightFilter, meeting_point
from beaconfire.tracking.statement import Names, Speaker, statement
from beaconfire.tracking.stitch import freely, joint_cost, may_join, same_flight, stalled, within_reach
from beaconfire.tracking.track import Track

TRACKS_MAX: Final = 256
PENDING_MAX: Final = 20_000
MISSING: Final = 200.0
BACK_MAX_S: Final = 60.0
BOOST_BACK_S: Final = 3.0
BOOST_AHEAD_S: Final = 20.0
REPORT_PERIOD_S: Final = 0.95
LOST_PERIOD_US: Final = 5_000_000

Item = tuple[Vector, Detection]


class Scan(NamedTuple):
    """Tracks brought to the instant of one scan.

    Attributes:
        tracks: that a plot of it may belong to.
        motions: of them.
        predicted: of the motions, at that instant.
        used: numbers of those that have their plot.
    """

    tracks: list[Track]
    motions: list[Motion]
    predicted: Predicted
    used: set[int]

    def at(self, number: int) -> tuple[Vector, Vector]:
        """Return state and covariance of one."""
        return self.predicted.states[number], self.predicted.covariances[number]


class Tracker:
    """Tracks of one nation.

    Attributes:
        tracks: in order of their beginning; at most `TRACKS_MAX`.
        overflowed: detections and tracks dropped because a bound was reached.
    """

    def __init__(
        self,
        sensors: Sequence[Sensor],
        nation: Nation,
        secret: bytes,
        mode: Mode = Mode.SIMULATED,
        exercise: str = "",
    ) -> None:
        """Take the nation's own sensors and the secret that keys names and ids."""
        self._speaker = Speaker(nation, mode, exercise, tuple(sensors))
        self._index = {sensor.sensor: i for i, sensor in enumerate(sensors)}
        self._sensors = sensor_table(sensors)
        self._names = Names(nation, secret)
        self._store = PlotStore(self._sensors)
        self._pending: list[Detection] = []
        self._origin_us: TimeUs | None = None
        self._first: dict[int, Detection] = {}
        self._rivals = Rivals()
        self.tracks: list[Track] = []
        self.overflowed = 0

    def add(self, detections: Iterable[Detection], now_utc_us: TimeUs) -> None:
        """Take detections of own sensors (ids must be known); nothing is estimated before `step`."""
        del now_utc_us  # arrival is not measurement: each detection counts at its own time
        for detection in detections:
            if self._origin_us is None:
                self._origin_us = detection.measured_at_us
            self._pending.append(detection)
        surplus = len(self._pending) - PENDING_MAX
        if surplus > 0:
            del self._pending[:surplus]
            self.overflowed += surplus

    def step(self, now_utc_us: TimeUs) -> list[Report]:
        """Use all that was added, in order of measurement, and return what is to be said now."""
        for _, group in groupby(self._drain(), key=lambda item: (item[0][0], item[0][1])):
            self._scan(list(group))
        for track in self.tracks:
            self._solve(track)
        self._rivals.divide({one.name: one.motion for one in self.tracks if one.motion is not None})
        self._stitch()
        for track in self.tracks:
            if track.status is not Status.WITHDRAWN:
                track.judge(now_utc_us)
        reports = [self._report(track, now_utc_us) for track in self.tracks if self._due(track, now_utc_us)]
        gone = (Status.ENDED, Status.WITHDRAWN)
        self.tracks = [track for track in self.tracks if track.status not in gone]
        return reports

    def _drain(self) -> list[Item]:
        origin = self._origin_us or 0
        items = [
            (row_from_detection(detection, self._index[detection.sensor], origin), detection)
            for detection in self._pending
        ]
        self._pending = []
        return sorted(items, key=lambda item: (item[0][0], item[0][1], *item[0][2:5]))

    def _scan(self, items: list[Item]) -> None:
        """Use what one sensor saw at one instant: each object gives at most one detection."""
        if self._sensors[int(items[0][0][1])][IS_INFRARED] == 1.0:
            self._infrared_scan(items)
        else:
            self._radar_scan(items)

    def _radar_scan(self, items: list[Item]) -> None:
        there = self._open_scan(float(items[0][0][0]), float(items[0][0][1]))
        left = self._associate(items, there, wide=False)
        left = self._associate(left, there, wide=True)
        for row, detection in left:
            self._store.add(row)
            self._remember(row, detection)
        for row, _ in left:
            if any(kept is row for kept in self._store.rows()):
                seed = self._store.seed(row)
                if seed is not None:
                    self._initiate(seed)

    def _remember(self, row: Vector, detection: Detection) -> None:
        """Keep which detection a stored plot was, for the name of a track that begins with it."""
        self._first[id(row)] = detection
        kept = {id(one) for one in self._store.rows()}
        self._first = {key: value for key, value in self._first.items() if key in kept}

    def _associate(self, items: list[Item], there: "Scan", *, wide: bool) -> list[Item]:
        """Give plots to tracks; return those left. The wide turn has room for what no model foresees."""
        if not items or not there.tracks:
            return items
        time_s, rows = float(items[0][0][0]), [row for row, _ in items]
        free = [n for n in range(len(there.tracks)) if n not in there.used]
        part = Predicted(there.predicted.states[free], there.predicted.covariances[free])
        rooms = [there.motions[n].room_m(time_s) if wide else 0.0 for n in free]
        costs = gated(rows, self._sensors, part, rooms)
        taken = assign(costs, MISSING)
        self._rivals.note((there.tracks[free[place]].name, index) for place, index in costs)
        for place, index in taken:
            number = free[place]
            there.used.add(number)
            self._take(there.tracks[number], rows[index], there.at(number))
        used = {index for _, index in taken}
        return [item for index, item in enumerate(items) if index not in used]

    def _open_scan(self, time_s: float, sensor: float) -> "Scan":
        """Return the tracks that a plot of this sensor and instant may belong to, brought to it."""
        tracks, motions = [], []
        for track in self.tracks:
            motion = track.motion
            if motion is not None and _reachable(motion, time_s) and not _has(motion, time_s, sensor):
                tracks.append(track)
                motions.append(motion)
        return Scan(tracks, motions, predicted(motions, time_s), set())

    def _take(self, track: Track, row: Vector, there: tuple[Vector, Vector] | None = None) -> None:
        assert track.motion is not None
        track.motion.take(row, there)
        track.note(row, self._sensors)

    def _initiate(self, seed: Seed) -> None:
        """Begin a track at a fitted triple, unless it is one that there is already."""
        self._store.remove(seed.rows)
        motion = Motion(seed, self._sensors)
        for track in self.tracks:
            if track.motion is None:
                continue
            if stalled(track.motion, motion):
                track.motion.resume(seed)
                for row in seed.rows:
                    track.note(row, self._sensors)
                return
            if same_flight(track.motion, motion, doubled=True) is not None and not _beside(
                track.motion, seed
            ):
                return
        if len(self.tracks) >= TRACKS_MAX:
            self.overflowed += 1
            return
        first = self._first.get(id(seed.rows[0]))
        assert first is not None
        assert self._origin_us is not None
        track = Track(self._names.track(first), first, self._origin_us)
        track.motion = motion
        for row in seed.rows:
            track.note(row, self._sensors)
        self.tracks.append(track)
        self._absorb(track)
        self._stitch()

    def _absorb(self, track: Track) -> None:
        """Give a new track the other waiting plots that belong to it, so that none begins a second one."""
        motion = track.motion
        assert motion is not None
        for row in self._store.rows():
            state, covariance = motion.at(float(row[0]))
            distance, _, count = gate_kernel(row, self._sensors, state, covariance, 0.0)
            if distance <= GATE[count] and not _has(motion, float(row[0]), row[1]):
                self._take(track, row)
                self._store.remove((row,))

    def _infrared_scan(self, items: list[Item]) -> None:
        time_s, sensor = float(items[0][0][0]), items[0][0][1]
        costs: dict[tuple[int, int], float] = {}
        for number, track in enumerate(self.tracks):
            for index, (row, _) in enumerate(items):
                cost = self._sight_cost(track, row, time_s)
                if cost is not None and not _looked(track, time_s, sensor):
                    costs[number, index] = cost
        taken = assign(costs, MISSING)
        for number, index in taken:
            self._take_sight(self.tracks[number], items[index][0])
        used = {index for _, index in taken}
        for index, (row, detection) in enumerate(items):
            if index not in used:
                self._begin_sight(row, detection)

    def _sight_cost(self, track: Track, row: Vector, time_s: float) -> float | None:
        """Return the cost of giving a line to a track, in metres at the source, or None outside the gate."""
        motion, sensor = track.motion, self._sensors[int(row[1])]
        meeting = meeting_point(row, sensor)
        if meeting is None:
            return None
        if motion is not None:
            if motion.burnout_s is not None or not _reachable(motion, time_s):
                return None
            state, covariance = motion.at(time_s)
            room = motion.room_m(time_s)
            distance, size, _ = gate_kernel(row, self._sensors, state, covariance, room)
            return distance + size + 4.0 * math.log(meeting[1]) if distance <= GATE[2] else None
        if track.sight_filter is None:
            return None
        distance, size = track.sight_filter.distance(row, meeting[1], meeting[0])
        return distance + size if distance <= GATE[3] else None

    def _take_sight(self, track: Track, row: Vector) -> None:
        track.keep_sight(row)
        track.note(row, self._sensors)
        meeting = meeting_point(row, self._sensors[int(row[1])])
        if track.motion is not None:
            if row[0] >= track.motion.time_s and track.motion.arc is None:
                track.motion.look(row)
        elif track.sight_filter is not None and meeting is not None:
            track.sight_filter.update(row, meeting[1], meeting[0])

    def _begin_sight(self, row: Vector, detection: Detection) -> None:
        meeting = meeting_point(row, self._sensors[int(row[1])])
        if meeting is None or self._origin_us is None or len(self.tracks) >= TRACKS_MAX:
            self.overflowed += 1
            return
        track = Track(self._names.track(detection), detection, self._origin_us)
        track.sight_filter = SightFilter(row, meeting[1], meeting[0])
        track.keep_sight(row)
        track.note(row, self._sensors)
        self.tracks.append(track)

    def _solve(self, track: Track) -> None:
        motion = track.motion
        if motion is None or motion.newest_s - track.solved_s < REPORT_PERIOD_S:
            return
        motion.solve()
        track.solved_s = motion.newest_s
        track.look_for_bystander()

    def _stitch(self) -> None:
        """Join one object seen in two parts: infrared lines, then radar; or two stretches of radar."""
        tracks = list(self.tracks)
        may = may_join(tracks)
        for number in np.flatnonzero(may.any(axis=0)):
            new = tracks[number]
            rivals = [
                (cost, old.name, old)
                for old in within_reach([tracks[one] for one in np.flatnonzero(may[:, number])], new)
                if old in self.tracks and (cost := joint_cost(old, new)) is not None
            ]
            if rivals and new in self.tracks:
                self._join(min(rivals)[2], new)

    def _join(self, old: Track, new: Track) -> None:
        """Let the older track go on with the newer's motion; a newer one already reported is withdrawn."""
        assert new.motion is not None
        if old.motion is None:
            old.motion = new.motion
        else:
            coasting = old.motion.arc is not None and freely(old.motion, new.motion, 0.0)
            old.motion.adopt(new.motion, ballistic=coasting)
        old.used |= new.used
        old.detections += new.detections
        old.newest_s = max(old.newest_s, new.newest_s)
        old.solved_s = -math.inf
        old.sight_filter = None
        for row in new.sights:
            old.keep_sight(row)
        new.status = Status.WITHDRAWN
        new.motion, new.sight_filter, new.sights = None, None, []
        if new.reports == 0:
            self.tracks.remove(new)

    def _due(self, track: Track, now_utc_us: TimeUs) -> bool:
        if not track.speakable() and track.reports == 0:
            return False
        if track.status is Status.WITHDRAWN and track.reports == 0:
            return False
        if track.bystander:
            return track.reports > 0 and bool(track.said) and track.said[0] is not Status.WITHDRAWN
        if track.saying() != track.said:
            return True
        if track.status is Status.LOST:
            return now_utc_us - track.said_at_us >= LOST_PERIOD_US
        return track.newest_s - track.said_newest_s >= REPORT_PERIOD_S

    def _report(self, track: Track, now_utc_us: TimeUs) -> Report:
        report = statement(track, self._speaker, self._names, now_utc_us)
        track.last_report_id = report.report_id
        track.reports += 1
        track.said, track.said_newest_s, track.said_at_us = track.saying(), track.newest_s, now_utc_us
        return report


def _reachable(motion: Motion, time_s: float) -> bool:
    """Whether a prediction to that time is worth a gate: after long thrust unseen any plot would pass it."""
    if motion.arc is not None:
        return time_s >= motion.time_s - BACK_MAX_S
    return -BOOST_BACK_S <= time_s - motion.newest_s <= BOOST_AHEAD_S


def _has(motion: Motion, time_s: float, sensor: float) -> bool:
    """Whether it has a row of that sensor and instant already."""
    for row in reversed(motion.rows):
        if row[0] < time_s:
            return False
        if row[0] == time_s and row[1] == sensor:
            return True
    return False


def _beside(motion: Motion, seed: Seed) -> bool:
    """Whether each plot of a triple came beside one the motion took: an object gives one plot a scan."""
    return all(_has(motion, float(row[0]), row[1]) for row in seed.rows)


def _looked(track: Track, time_s: float, sensor: float) -> bool:
    return any(row[0] == time_s and row[1] == sensor for row in track.sights[-16:])

"""A national track: one object in one nation's tracker, from the first detection to the end."""

import math
from typing import Final

import numpy as np

from beaconfire.flight.propagation import STEP_S, time_to_ground_kernel
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Detection
from beaconfire.messages.estimate import LaunchEstimate
from beaconfire.messages.words import Status, TimeUs
from beaconfire.tracking.bystander import CEILING_M, is_level, is_orbiting, was_missile
from beaconfire.tracking.launch import GroundGuess, from_flight, from_sight, joined, launch_estimate
from beaconfire.tracking.motion import Motion
from beaconfire.tracking.sight import SightFilter
from beaconfire.units import microseconds_from_seconds, seconds_from_microseconds

SIGHTS_MAX: Final = 400
CONFIRM_PLOTS: Final = 5
MISSILE_LOOKS: Final = 3
"""So many looks in a row must show what no aircraft does: one wild plot shows anything."""
SPEAK_PLOTS: Final = 4
"""Source: own measurement: of 5 false plots a scan some make a triple, of which hardly one finds a fourth."""
CONFIRM_SIGHTS: Final = 2
LOST_GAPS: Final = 5.0
LOST_MIN_S: Final = 8.0
DROP_GAPS: Final = 3.0
DROP_MIN_S: Final = 4.0
END_MARGIN_S: Final = 20.0
FORGET_S: Final = 6_000.0
FORGET_BOOST_S: Final = 4_500.0
CARRY_BOOST_S: Final = 30.0
FORGET_SIGHT_S: Final = 1_500.0


class Track:
    """One object. With infrared lines only it has a launch point and no motion.

    Attributes:
        name: such as "KOR-7F3A21".
        first: first detection used.
        origin_us: origin of the tracker's seconds.
        motion: estimated motion, once three radar plots fit.
        sights: infrared lines, in order of use; at most `SIGHTS_MAX`, the first is always kept.
        sight_filter: holds lines together while there is no motion.
        used: indices of the sensors used.
        detections: number of detections used.
        newest_s: time of the newest detection.
        status: life of the track.
        bystander: it looks like a satellite or an aircraft, so nothing is said of it.
        last_report_id: id of the newest report, None before the first.
        reports: number of reports made.
        said: what the newest report said of status and phase, to see a change.
        said_newest_s: time of the newest detection when it last spoke.
        said_at_us: when it last spoke.
        solved_s: time of the newest detection when it was last solved.
    """

    def __init__(self, name: str, first: Detection, origin_us: TimeUs) -> None:
        """Begin with the first detection; nothing is estimated yet."""
        self.name, self.first, self.origin_us = name, first, origin_us
        self.motion: Motion | None = None
        self.sights: list[Vector] = []
        self.sight_filter: SightFilter | None = None
        self.used: set[int] = set()
        self.detections = 0
        self.newest_s = -math.inf
        self.status = Status.TENTATIVE
        self.bystander = False
        self._missile = 0
        self.last_report_id: str | None = None
        self.reports = 0
        self.said: tuple[object, ...] = ()
        self.said_newest_s = -math.inf
        self.said_at_us = 0
        self.solved_s = -math.inf
        self._launch_key: tuple[object, ...] = ()
        self._launch: LaunchEstimate | None = None
        self._impact_key: float | None = None
        self._impact_s = math.inf
        self._sensors: Vector | None = None

    def utc_us(self, time_s: float) -> TimeUs:
        """Return microseconds UTC of seconds after the origin."""
        return self.origin_us + microseconds_from_seconds(time_s)

    def seconds(self, utc_us: TimeUs) -> float:
        """Return seconds after the origin of microseconds UTC."""
        return seconds_from_microseconds(utc_us - self.origin_us)

    def observed_at_us(self) -> TimeUs:
        """Return the time of the newest detection used."""
        return self.utc_us(self.newest_s)

    def note(self, row: Vector, sensors: Vector) -> None:
        """Count a detection that was taken."""
        self._sensors = sensors
        self.used.add(int(row[1]))
        self.detections += 1
        self.newest_s = max(self.newest_s, float(row[0]))

    def keep_sight(self, row: Vector) -> None:
        """Keep an infrared line; the first one always stays."""
        if self.sights and row[0] < self.sights[0][0]:
            self.sights.insert(0, row)
        else:
            self.sights.append(row)
        if len(self.sights) > SIGHTS_MAX:
            del self.sights[1]

    def thrust_possible(self) -> bool:
        """Return whether thrust may still continue: until burnout is sure."""
        motion = self.motion
        return motion is None or ((motion.burnout_s is None or motion.likely) and not motion.manoeuvring)

    def manoeuvring(self) -> bool:
        """Return whether the ballistic impact area does not apply: it pulled up, glides, or thrusts again."""
        return self.motion is not None and (self.motion.manoeuvring or self.motion.relit)

    def statement_time_s(self, now_utc_us: TimeUs) -> float:
        """Return the epoch of a statement: the newest detection's, or now for a lost track.

        One lost under thrust is carried on for `CARRY_BOOST_S` only: after that nobody knows where it is.
        """
        motion = self.motion
        assert motion is not None
        if self.status not in (Status.LOST, Status.ENDED):
            return motion.time_s
        last = self.impact_s() if motion.arc is not None else motion.time_s + CARRY_BOOST_S
        return max(motion.time_s, min(self.seconds(now_utc_us), last))

    def saying(self) -> tuple[object, ...]:
        """Return what must be said at once when it changes."""
        motion = self.motion
        phase = None if motion is None else motion.phase()
        moved = self.manoeuvring()
        coasting = motion is not None and motion.arc is not None
        return (self.stated_status(), phase, moved, self.thrust_possible(), coasting)

    def impact_s(self) -> float:
        """Return when free flight meets the ground, after the origin; infinite if it never does."""
        motion = self.motion
        if motion is None:
            return math.inf
        if self._impact_key != motion.time_s:
            self._impact_key = motion.time_s
            wait = float(time_to_ground_kernel(motion.state[:7].copy(), 0.0, STEP_S))
            self._impact_s = motion.time_s + wait if math.isfinite(wait) else math.inf
        return self._impact_s

    def quiet_s(self, now_utc_us: TimeUs) -> float:
        """Return seconds since the newest detection."""
        return self.seconds(now_utc_us) - self.newest_s

    def judge(self, now_utc_us: TimeUs) -> None:
        """Bring the status up to date with the detections used and the time since the newest."""
        quiet = self.quiet_s(now_utc_us)
        gap = 1.0 if self.motion is None else self.motion.gap_s
        if self._over(now_utc_us, quiet):
            self.status = Status.ENDED
        elif self.status is Status.TENTATIVE and self.motion is not None and not self.sights:
            if self.motion.plots >= CONFIRM_PLOTS:
                self.status = Status.CONFIRMED
            elif quiet > max(DROP_MIN_S, DROP_GAPS * gap):
                self.status = Status.WITHDRAWN
        elif quiet > max(LOST_MIN_S, LOST_GAPS * gap):
            if self.status is not Status.LOST and self.motion is not None:
                self.motion.release()
            self.status = Status.WITHDRAWN if self._never_held() else Status.LOST
        elif self.motion is not None and self.motion.plots >= CONFIRM_PLOTS:
            self.status = Status.CONFIRMED
        else:
            self.status = Status.TENTATIVE

    def stated_status(self) -> Status:
        """Return the status as it is told: a bystander, if told of before, is taken back."""
        return Status.WITHDRAWN if self.bystander else self.status

    def look_for_bystander(self) -> None:
        """Judge anew whether it is a satellite or an aircraft; what infrared saw is neither."""
        motion = self.motion
        if motion is None or self.sights:
            self.bystander = False
            return
        if self._missile < MISSILE_LOOKS:
            self._missile = self._missile + 1 if was_missile(motion) else 0
        level = is_level(motion) or (self.bystander and motion.height_m() < CEILING_M)
        self.bystander = is_orbiting(motion) or (self._missile < MISSILE_LOOKS and level)

    def _never_held(self) -> bool:
        return self.motion is None and len(self.sights) < CONFIRM_SIGHTS

    def _over(self, now_utc_us: TimeUs, quiet: float) -> bool:
        if self.motion is None:
            return quiet > FORGET_SIGHT_S
        if quiet <= LOST_MIN_S:
            return False
        thrusting = self.motion.arc is None
        if thrusting and quiet <= FORGET_BOOST_S and not self.motion.manoeuvring:
            return False  # where it comes down is not known, so neither is when it is over
        return quiet > FORGET_S or self.seconds(now_utc_us) > self.impact_s() + END_MARGIN_S

    def speakable(self) -> bool:
        """Return whether it may be reported: a triple and one more plot, or two infrared lines that agree."""
        if len(self.sights) >= CONFIRM_SIGHTS:
            return True
        return self.motion is not None and self.motion.plots >= SPEAK_PLOTS

    def launch(self) -> LaunchEstimate | None:
        """Return the launch point and time from what was seen, or None if nothing can honestly be said."""
        motion = self.motion
        anchor = None if motion is None or motion.anchor is None else motion.anchor[2]
        declared = motion is not None and motion.arc is not None
        age = 0 if motion is None else int(math.log2(max(motion.plots, 1)) * 2.0)
        key = (len(self.sights) > 0, anchor, declared, age)
        if key != self._launch_key:
            self._launch_key = key
            guess = self._guess()
            self._launch = None if guess is None else launch_estimate(guess, self.origin_us)
        return self._launch

    def _guess(self) -> GroundGuess | None:
        flight = self._flight_guess()
        sight: GroundGuess | None = None
        if self.sights and self._sensors is not None:
            sight = from_sight(self.sights[0], self._sensors[int(self.sights[0][1])])
        if flight is None or sight is None:
            return sight if flight is None else flight
        return joined(sight, flight)

    def _flight_guess(self) -> GroundGuess | None:
        """Return the guess of the motion: the tighter of earliest steady boost and coast arc."""
        motion = self.motion
        if motion is None:
            return None
        guesses: list[GroundGuess] = []
        if motion.thrust_seen and motion.anchor is not None:
            guesses.append(from_flight(*motion.anchor, thrust_seen=True))
        if motion.first_arc is not None:
            guesses.append(from_flight(*motion.first_arc, thrust_seen=motion.thrust_seen))
        return min(guesses, key=lambda guess: float(np.linalg.det(guess.covariance)), default=None)

"""Motion of one object: boost filter until burnout is declared, then coast arc, or manoeuvre if that fails.

The switch stands for an interacting multiple model: burnout is declared by a test of known power (would
thrust have shown in this window?) instead of a mixing probability, so it can't be declared for want of data.
"""

import math
from typing import Final

import numpy as np

from beaconfire.frames.geodesy import geodetic_from_ecef_kernel
from beaconfire.frames.types import Vector
from beaconfire.messages.words import Phase
from beaconfire.tracking.arc import (
    PLOTS_MIN,
    ROWS_MAX,
    Arc,
    arc_after_thrust,
    arc_at,
    explained,
    find_coast,
    fresh_arc_kernel,
    guarded,
    judge_kernel,
    recent_misfit,
    resolve,
    roll_up,
    stated,
    without_start,
)
from beaconfire.tracking.drag import carried_kernel
from beaconfire.tracking.filter import freed, predict_kernel, update_kernel
from beaconfire.tracking.initiation import Seed, fit_triple
from beaconfire.tracking.unseen import unseen_kernel

BOOST_NOISE: Final = 9.0
"""Spectral density of the boost acceleration's random walk, m^2/s^5: 3 m/s^2 in a second."""
MANOEUVRE_NOISE: Final = 100.0
"""The same of a manoeuvre: lift comes and goes by tens of m/s^2 in seconds."""
WIDE_ACCELERATION_M_S2: Final = 60.0
WIDE_GAP_MAX_S: Final = 5.0
UNSEEN_S: Final = 3.0
"""So long an unforeseen acceleration may have gone on before plots stop passing the gate of a coast arc."""
SEVERE_SIGMAS: Final = 8.0
SURPRISE: Final = 16.0
"""A normalised innovation above this (staging, burnout, pull-up) frees the acceleration."""
PREMATURE_S: Final = 20.0
"""A coast that fails sooner than this after burnout was declared was still boost."""
START_GROWTH: Final = 1.3
START_MAX_S: Final = 60.0
FAILURES_MAX: Final = 3
SLIDES_MAX: Final = 8
REENTRY_HEIGHT_M: Final = 100_000.0
AIR_HEIGHT_M: Final = 70_000.0
AWAY_SIGMAS, AWAY_M_S2, AWAY_SHARE = 5.0, 8.0, 0.3
"""Thrust beyond chance, though asked each second, and no more than this share of it along the velocity."""
REFIT_S: Final = (2.5, 4.0, 6.0)
REFIT_MIN: Final = 4
GAP_MAX_S: Final = 12.0


class Motion:
    """Estimated motion of one object from its plots.

    Attributes:
        state: filter's state of ten (position, velocity, ln(1/beta), extra acceleration), ECEF, SI.
        covariance: of it, shape (10, 10).
        time_s: of it, after the tracker's origin.
        rows: plots and sight lines kept, in order of time.
        arc: coast arc once burnout is declared.
        burnout_s: start of the coast arc when burnout was declared, or None.
        manoeuvring: free flight was tried and does not explain it.
        thrust_seen: a window showed thrust beyond doubt.
        drive_m_s2: the thrust that a window showed last, 0 if none did.
        likely: burnout is declared on what rules out the thrust seen before, but not yet a weaker one.
        relit: it thrusts again, long after burnout: until it coasts again no ballistic area applies.
        start_due_s: length of the arc at which its start is looked at again.
        rolled: the arc's first rows have been rolled up.
        failures: solves in a row that free flight did not explain.
        plots: number of radar plots taken.
        began_s: time of the first row of all.
        newest_s: time of the newest row.
        gap_s: usual time between two rows.
        anchor: state, covariance and time of the first steady estimate, for the launch point.
        first_arc: the same of the coast arc at its beginning, as well as it was ever known.
    """

    def __init__(self, seed: Seed, sensors: Vector) -> None:
        """Start at a fitted triple."""
        self.sensors = sensors
        self.state, self.covariance, self.time_s = seed.state, seed.covariance, seed.time_s
        self.rows: list[Vector] = list(seed.rows)
        self.arc: Arc | None = None
        self.burnout_s: float | None = None
        self.manoeuvring = False
        self.thrust_seen = False
        self.drive_m_s2 = 0.0
        self.likely = False
        self.relit = False
        self.start_due_s = 0.0
        self.rolled = False
        self.failures = 0
        self.plots = len(seed.rows)
        self.began_s, self.newest_s = float(seed.rows[0][0]), seed.time_s
        self.gap_s = 1.0
        self.anchor: tuple[Vector, Vector, float] | None = None
        self.first_arc: tuple[Vector, Vector, float] | None = None

    @property
    def noise(self) -> float:
        """Process noise of the model in force."""
        if self.arc is not None:
            return 0.0
        return MANOEUVRE_NOISE if self.manoeuvring else BOOST_NOISE

    def adopt(self, newer: "Motion", *, ballistic: bool) -> None:
        """Go on with what a newer track saw of the same object.

        Args:
            newer: its motion, begun after this one went out of sight.
            ballistic: whether free flight leads from this one to it.
        """
        if ballistic:
            for row in newer.rows:
                self.take(row)
            return
        burnt = self.burnout_s
        self.state, self.covariance, self.time_s = newer.state, newer.covariance, newer.time_s
        self.rows, self.arc, self.failures = list(newer.rows), newer.arc, 0
        self.likely, self.rolled = newer.likely, newer.rolled
        self.plots, self.newest_s, self.gap_s = self.plots + newer.plots, newer.newest_s, newer.gap_s
        self.first_arc = self.first_arc or newer.first_arc
        self.burnout_s = burnt if burnt is not None else newer.burnout_s
        self.manoeuvring = self.manoeuvring or newer.manoeuvring
        if burnt is not None and self.arc is None:
            self._reconsider(was_sure=False)
        elif burnt is not None:
            self.arc, self.manoeuvring = None, True

    def release(self) -> None:
        """Out of sight: an extra acceleration is no longer carried on as known, only as possible."""
        self.covariance[7:, 7:] += np.outer(self.state[7:], self.state[7:])
        self.state[7:] = 0.0

    def resume(self, seed: Seed) -> None:
        """Go on from a new triple of the same object after the model lost it."""
        self.arc, self.failures, self.likely = None, 0, False
        self.state, self.covariance, self.time_s = seed.state, seed.covariance, seed.time_s
        for row in seed.rows:
            self.insert(row)
        self.plots += len(seed.rows)
        self.newest_s = max(self.newest_s, seed.time_s)
        self._reconsider(was_sure=False)

    def room_m(self, time_s: float) -> float:
        """Return how far it may have left the model by a time: thrust begun again, or lift."""
        lag = UNSEEN_S if self.arc is not None else 0.0
        gap = min(abs(time_s - self.newest_s), WIDE_GAP_MAX_S) + lag
        return 0.5 * WIDE_ACCELERATION_M_S2 * gap * gap

    def at(self, time_s: float) -> tuple[Vector, Vector]:
        """Return state of ten and covariance predicted (or taken back) to `time_s`."""
        return predict_kernel(self.state, self.covariance, time_s - self.time_s, self.noise)

    def unseen_at(self, time_s: float) -> tuple[Vector, Vector]:
        """Return state and covariance (10, 10) at a time, grown since nobody saw it."""
        if self.arc is None or time_s <= self.time_s:
            return self.at(time_s)
        state, covariance = self.state.copy(), np.zeros((10, 10))
        state[:7], covariance[:7, :7] = unseen_kernel(
            self.state[:7].copy(), self.covariance[:7, :7].copy(), time_s - self.time_s
        )
        return state, covariance

    def take(self, row: Vector, there: tuple[Vector, Vector] | None = None) -> None:
        """Use one row: the filter if it is not late, the batch in any case.

        Args:
            row: of a sensor that the table holds.
            there: what `at` says of the row's time, if it is known already.
        """
        time_s = float(row[0])
        if time_s >= self.time_s:
            state, covariance = self.at(time_s) if there is None else there
            after, spread, distance = update_kernel(row, self.sensors, state, covariance)
            if distance > SURPRISE and self.arc is None:
                covariance = freed(covariance, max(time_s - self.time_s, 0.1))
                after, spread, _ = update_kernel(row, self.sensors, state, covariance)
            self.state, self.covariance, self.time_s = after, spread, time_s
        if time_s > self.newest_s:
            self.gap_s += 0.2 * (min(time_s - self.newest_s, GAP_MAX_S) - self.gap_s)
            self.newest_s = time_s
        self.plots += 1
        self.insert(row)

    def divide(self, rows: list[Vector], arc: Arc) -> None:
        """Go on with other rows and the coast arc over them (see `reassignment`); burnout is not declared."""
        self.rows = rows
        if self.arc is not None:
            self.arc = arc
        self.state, self.covariance = arc_at(arc, self.newest_s)
        self.time_s = self.newest_s

    def look(self, row: Vector) -> None:
        """Use an infrared line during boost: information beside the plots, for filter and batch."""
        state, covariance = self.at(float(row[0]))
        self.state, self.covariance, _ = update_kernel(row, self.sensors, state, covariance)
        self.time_s = float(row[0])
        self.insert(row)

    def insert(self, row: Vector) -> None:
        """Keep a row for the batch, in order of time."""
        key = (float(row[0]), float(row[1]))
        place = len(self.rows)
        while place and key < (float(self.rows[place - 1][0]), float(self.rows[place - 1][1])):
            place -= 1
        self.rows.insert(place, row)
        if len(self.rows) > ROWS_MAX:
            self._shorten()

    def _shorten(self) -> None:
        if self.arc is None:
            del self.rows[0]
            return
        arc = resolve(self.arc, np.array(self.rows), self.sensors)
        self.arc, gone = roll_up(arc, np.array(self.rows), self.sensors)
        self.rolled = True
        del self.rows[:gone]

    def solve(self) -> None:
        """Bring the estimate up to date with all rows, and judge the phase of flight again."""
        if self.arc is not None:
            self._solve_coast()
        elif len(self.rows) >= PLOTS_MIN and not self.manoeuvring:
            self._seek_coast()
        elif self.manoeuvring and self._driven():
            self.burnout_s, self.manoeuvring, self.thrust_seen, self.relit = None, False, True, True
        if self.arc is not None:
            self._state_coast(self.arc)
        elif self.anchor is None and self.plots >= 5:
            self.anchor = (self.state[:7].copy(), self.covariance[:7, :7].copy(), self.time_s)

    def _state_coast(self, arc: Arc) -> None:
        state, covariance = stated(arc, np.array(self.rows), self.sensors)
        self.state, self.covariance = carried_kernel(state, covariance, self.newest_s - arc.reference_s)
        self.time_s = self.newest_s
        if not self.rolled or self.first_arc is None:
            self.first_arc = (state[:7].copy(), covariance[:7, :7].copy(), arc.reference_s)

    def _seek_coast(self) -> None:
        rows = np.array(self.rows)
        found = find_coast(rows, self.state, self.time_s, self.sensors, self.drive_m_s2)
        self.thrust_seen = self.thrust_seen or found.drive_m_s2 > 0.0
        self.drive_m_s2 = found.drive_m_s2 or self.drive_m_s2
        if found.arc is not None:
            self._begin(found.arc, sure=found.sure)
        elif (ended := arc_after_thrust(rows, self.state, self.time_s, self.sensors)) is not None:
            self._begin(ended, sure=False)
        elif self._turned_away():
            self.relit = True

    def _begin(self, arc: Arc, *, sure: bool) -> None:
        self.arc, self.likely, self.relit = arc, not sure, False
        self.start_due_s, self.rolled = START_GROWTH * (self.newest_s - arc.reference_s), False
        if self.burnout_s is None or arc.reference_s - self.burnout_s < PREMATURE_S:
            self.burnout_s = arc.reference_s
        self.rows = [row for row in self.rows if row[0] >= arc.reference_s]

    def _solve_coast(self) -> None:
        assert self.arc is not None
        arc = resolve(self.arc, np.array(self.rows), self.sensors)
        if explained(arc):
            self.arc = arc
            self.failures = 0
            self._look_at_start(arc)
            if self.likely and self.arc is arc:
                self._make_sure(arc)
            return
        slid = None if self.falling_in_air() else self._slide(arc)
        if slid is not None:
            self._begin(slid, sure=True)
            return
        self.failures += 1
        if self.failures >= FAILURES_MAX or self._early() or recent_misfit(arc) > SEVERE_SIGMAS:
            self._leave_coast()

    def _look_at_start(self, arc: Arc) -> None:
        """Leave out first plots that say something else than the rest; asked when the arc has grown."""
        length = self.newest_s - arc.reference_s
        if self.rolled or not self.start_due_s <= length <= START_MAX_S:
            return
        self.start_due_s = START_GROWTH * length
        later = without_start(arc, np.array(self.rows), self.sensors)
        if later is not None and explained(later):
            dated = self.burnout_s
            self._begin(later, sure=not self.likely)
            if dated is not None:  # a tail too weak to show at once was short: the date stays near
                self.burnout_s = min(later.reference_s, dated + 1.0)

    def _make_sure(self, arc: Arc) -> None:
        """Rule thrust out for good, or take the burnout back, as soon as the arc has the power to.

        Seconds of thrust that the shorter window hid are left out with its first part.
        """
        verdict = judge_kernel(arc.solution)
        if verdict.thrusting or (verdict.powerful and not verdict.coasting):
            self._leave_coast()
        elif verdict.powerful:
            told_before = arc.prior.information[0, 0] > 0.0
            if told_before and without_start(arc, np.array(self.rows), self.sensors) is None:
                self.likely = False  # what was known before thrust ended fits what came after
                return
            state, _ = arc_at(arc, self.newest_s)
            later = guarded(arc, np.array(self.rows), state, self.newest_s, self.sensors)
            self._begin(later if explained(later) else arc, sure=True)

    def _slide(self, arc: Arc) -> Arc | None:
        """Return an arc that begins later and passes, or None."""
        rows = np.array(self.rows)
        state, _ = arc_at(arc, float(rows[-1, 0]))
        for turn in range(1, SLIDES_MAX + 1):
            part = rows[(len(rows) * turn) // (SLIDES_MAX + 2) :]
            if len(part) < 2 * PLOTS_MIN:
                break
            later = fresh_arc_kernel(part, state, float(rows[-1, 0]), self.sensors)
            verdict = judge_kernel(later.solution)
            if explained(later) and verdict.powerful and verdict.coasting:
                return later
        found = find_coast(rows, state, float(rows[-1, 0]), self.sensors, 0.0)
        return found.arc

    def _leave_coast(self) -> None:
        """Fall back to the filter with a free acceleration: boost after all, or a manoeuvre."""
        assert self.arc is not None
        newest = float(self.rows[-1][0])
        state, covariance = arc_at(self.arc, newest)
        self.state, self.covariance = state, freed(covariance, UNSEEN_S)
        for span in REFIT_S:
            recent = [row for row in self.rows if row[0] >= newest - span * max(1.0, self.gap_s)]
            fitted = fit_triple(tuple(recent[-24:]), self.sensors) if len(recent) >= REFIT_MIN else None
            if fitted is not None:
                self.state, self.covariance = fitted[1].state, fitted[1].covariance
        was_sure = not self.likely
        self.time_s, self.arc, self.likely = newest, None, False
        self.failures = 0
        self._reconsider(was_sure=was_sure)

    def _reconsider(self, *, was_sure: bool) -> None:
        """Say what it was when free flight no longer explains it."""
        if self.burnout_s is None:
            return
        if self._early() or self._driven() or self.height_m() > AIR_HEIGHT_M:  # no lift without air
            self.relit = was_sure or not self._early()
            self.burnout_s, self.thrust_seen = None, True
        else:
            self.manoeuvring = True

    def _early(self) -> bool:
        """Whether burnout was declared so lately that it may have been wrong."""
        return self.burnout_s is not None and self.newest_s - self.burnout_s < PREMATURE_S

    def falling_in_air(self) -> bool:
        """Return whether lift may act: an arc that fails is then a manoeuvre, not one begun too early."""
        return not self._early() and not self.climbing() and self.height_m() < AIR_HEIGHT_M

    def _driven(self) -> bool:
        """Whether it gains speed by itself, outside thick air: thrust, not lift."""
        velocity = self.state[3:6] / np.linalg.norm(self.state[3:6])
        along = float(velocity @ self.state[7:])
        sigma = math.sqrt(max(float(velocity @ self.covariance[7:, 7:] @ velocity), 0.0))
        return along > max(3.0 * sigma, 6.0) and (self.height_m() > AIR_HEIGHT_M or self.climbing())

    def _turned_away(self) -> bool:
        """Whether it is driven across its way or back where there is no air: thrust, but no ascent's."""
        drive = self.state[7:]
        size = max(float(np.linalg.norm(drive)), 1e-9)
        sigma = math.sqrt(max(float(drive @ self.covariance[7:, 7:] @ drive), 0.0)) / size
        along = float(self.state[3:6] @ drive) / float(np.linalg.norm(self.state[3:6]))
        if size < max(AWAY_SIGMAS * sigma, AWAY_M_S2) or along > AWAY_SHARE * size:
            return False
        return self.height_m() > AIR_HEIGHT_M

    def height_m(self) -> float:
        """Return the height above the ellipsoid."""
        return float(geodetic_from_ecef_kernel(*(float(x) for x in self.state[:3]))[2])

    def climbing(self) -> bool:
        """Return whether it still gains height."""
        return float(self.state[:3] @ self.state[3:6]) > 0.0

    def phase(self) -> Phase:
        """Return the phase of flight at the estimate's time."""
        if not self.climbing() and self.height_m() < REENTRY_HEIGHT_M and self.burnout_s is not None:
            return Phase.REENTRY
        return Phase.BOOST if self.burnout_s is None else Phase.COAST

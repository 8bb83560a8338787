"""The seeded world: true flights, the sensors that look, and what they report.

Everything in it is SIMULATED. Truth is for tests and analysis; nodes are given detections alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from beaconfire.flight.ascent import Trajectory
from beaconfire.messages.detection import Detection
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Nation, TimeUs
from beaconfire.sim.flights import Flight, trajectory_of
from beaconfire.sim.sensing import Sensing, generator, simulate_detections
from beaconfire.units import microseconds_from_seconds

_STAGGER_MIN_S: Final = 4.0
_STAGGER_MAX_S: Final = 20.0


@dataclass(frozen=True, eq=False)
class World:
    """A world made from flights, sensors and a seed.

    Attributes:
        flights: as they start.
        truths: their trajectories, in the same order; never for a node.
        sensors: that look.
        seed: of every draw.
        detections: of all sensors, in order of time of measurement.
    """

    flights: tuple[Flight, ...]
    truths: tuple[Trajectory, ...]
    sensors: tuple[Sensor, ...]
    seed: int
    detections: tuple[Detection, ...]

    def detections_of(self, nation: Nation) -> tuple[Detection, ...]:
        """Return what this nation's own sensors report, in order of time."""
        own = {sensor.sensor for sensor in self.sensors if sensor.nation == nation}
        return tuple(detection for detection in self.detections if detection.sensor in own)

    @property
    def first_launch_us(self) -> TimeUs:
        """True start of the first flight."""
        return min(truth.launched_at_us for truth in self.truths)

    @property
    def last_impact_us(self) -> TimeUs:
        """True end of the last flight."""
        return max(truth.impact_at_us for truth in self.truths)


def stagger(flights: Sequence[Flight], seed: int) -> tuple[Flight, ...]:
    """Return the flights with those reported for one minute started some seconds after one another.

    The first keeps its minute; each further one starts 4 to 20 s after the one before.
    """
    draw = generator(seed, "stagger")
    next_us: dict[TimeUs, TimeUs] = {}
    out = []
    for flight in flights:
        start_us = next_us.get(flight.launched_at_us, flight.launched_at_us)
        gap_s = _STAGGER_MIN_S + float(draw.random()) * (_STAGGER_MAX_S - _STAGGER_MIN_S)
        next_us[flight.launched_at_us] = start_us + microseconds_from_seconds(gap_s)
        out.append(replace(flight, launched_at_us=start_us))
    return tuple(out)


def build_world(
    flights: Sequence[Flight], sensors: Sequence[Sensor], seed: int, sensing: Sensing | None = None
) -> World:
    """Return the world of one or more flights: the same arguments give the same detections.

    Raises:
        UsageError: no generic flight meets the figures of one of them.
    """
    started = stagger(flights, seed)
    truths = tuple(trajectory_of(flight) for flight in started)
    detections = tuple(simulate_detections(truths, sensors, seed, sensing))
    return World(started, truths, tuple(sensors), seed, detections)

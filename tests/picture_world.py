"""Flights of free fall and what nations state of them, for tests of impact, fusion, alerting and picture."""

import hashlib
import math
from dataclasses import dataclass

import msgspec
import numpy as np

from beaconfire.flight.propagation import propagate_kernel
from beaconfire.frames.geodesy import (
    Geodetic,
    ecef_from_geodetic,
    enu_from_ecef_rotation,
    geodetic_from_ecef_kernel,
)
from beaconfire.frames.types import Vector
from beaconfire.messages.estimate import Covariance, Ellipse, Kinematics, LaunchEstimate
from beaconfire.messages.event import Event
from beaconfire.messages.report import Classification, Provenance, Report, SensorUse, Timing
from beaconfire.messages.words import Mode, Nation, Phase, Status

T0_US = 1_664_835_785_000_000
JPN, KOR, USA = Nation("JPN"), Nation("KOR"), Nation("USA")
PRIOR_MEAN, PRIOR_SIGMA = math.log(1.0 / 3_000.0), 0.7
_UPPER = np.triu_indices(7)


def state_at(
    latitude_deg: float = 40.5,
    longitude_deg: float = 130.0,
    *,
    height_m: float = 110e3,
    speed_m_s: float = 4_000.0,
    climb_deg: float = 42.0,
    bearing_deg: float = 80.0,
) -> Vector:
    """Return a state of seven just after burnout."""
    place = Geodetic(math.radians(latitude_deg), math.radians(longitude_deg), height_m)
    axes = enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad)
    climb, bearing = math.radians(climb_deg), math.radians(bearing_deg)
    level = math.cos(climb)
    direction = np.array([level * math.sin(bearing), level * math.cos(bearing), math.sin(climb)])
    return np.concatenate((ecef_from_geodetic(place), axes.T @ direction * speed_m_s, [PRIOR_MEAN]))


def covariance_of(position_m: float, velocity_m_s: float, beta: float = PRIOR_SIGMA) -> Vector:
    return np.diag([position_m**2] * 3 + [velocity_m_s**2] * 3 + [beta**2])


@dataclass
class Flight:
    """One object: launched at `launched_at_us`, at burnout 100 s later in `burnout`."""

    burnout: Vector
    launched_at_us: int = T0_US

    def at(self, after_s: float) -> Vector:
        return propagate_kernel(self.burnout, after_s - 100.0, 1.0)

    def launch(self, sigma_m: float = 3_000.0, sigma_s: float = 6.0) -> LaunchEstimate:
        x, y, z = (float(value) for value in self.burnout[:3])
        latitude, longitude, _ = geodetic_from_ecef_kernel(x, y, z)
        axis = 2.4477 * sigma_m
        area = Ellipse(latitude, longitude - 0.01, axis, axis, 0.0, 0.95)
        return LaunchEstimate(self.launched_at_us, sigma_s, area)

    def report(
        self,
        nation: Nation,
        after_s: float,
        rng: np.random.Generator | None = None,
        *,
        track: str = "",
        covariance: Vector | None = None,
        status: Status = Status.CONFIRMED,
        seen_until_s: float | None = None,
    ) -> Report:
        """Return what a radar nation states `after_s` after the launch, with errors from `rng` if given."""
        full = covariance_of(100.0, 2.0) if covariance is None else covariance
        state = self.at(after_s)
        if rng is not None:
            drawn = np.linalg.cholesky(full) @ rng.standard_normal(7)
            drawn[6] = 0.0
            state = state + drawn
        at_us = self.launched_at_us + round(after_s * 1e6)
        seen_us = at_us if seen_until_s is None else self.launched_at_us + round(seen_until_s * 1e6)
        name = track or f"{nation}-7F3A"
        return Report(
            report_id=hashlib.sha256(f"{name}{at_us}".encode()).hexdigest()[:32],
            track=name,
            supersedes=None,
            originator=nation,
            mode=Mode.SIMULATED,
            exercise="",
            stated_at_us=at_us,
            launch_point=self.launch(),
            trajectory=Kinematics(
                at_us,
                tuple(map(float, state[:3])),  # type: ignore[arg-type]
                tuple(map(float, state[3:6])),  # type: ignore[arg-type]
                float(state[6]),
                Phase.COAST,
            ),
            covariance=Covariance(
                tuple(float(v) for v in full[_UPPER]), PRIOR_MEAN, PRIOR_SIGMA, process_noise=False
            ),
            timing=Timing(self.launched_at_us + 90_000_000, seen_us, self.launched_at_us + 100_000_000),
            classification=Classification(status, manoeuvring=False, thrust_possible=False),
            sensor=SensorUse((f"{nation.lower()}-1",), ("radar",), 11),
            provenance=Provenance(own_sensors_only=True, transform="coast-batch", producer="test"),
        )

    def sighting(self, nation: Nation, after_s: float, *, track: str = "") -> Report:
        """Return what an infrared nation states: launch and timing only."""
        at_us = self.launched_at_us + round(after_s * 1e6)
        name = track or f"{nation}-1A2B"
        return Report(
            report_id=hashlib.sha256(f"{name}{at_us}".encode()).hexdigest()[:32],
            track=name,
            supersedes=None,
            originator=nation,
            mode=Mode.SIMULATED,
            exercise="",
            stated_at_us=at_us,
            launch_point=self.launch(),
            timing=Timing(self.launched_at_us + 20_000_000, at_us, None),
            classification=Classification(Status.TENTATIVE, manoeuvring=False, thrust_possible=True),
            sensor=SensorUse((f"{nation.lower()}-ir",), ("ir",), 5),
            provenance=Provenance(own_sensors_only=True, transform="sight-line", producer="test"),
        )


def bare_event(**changed: object) -> Event:
    """Return Japan's event of which nothing is known but that it is there."""
    bare = Event(
        nation=JPN,
        event_id="e1",
        revision=1,
        as_of_us=0,
        observed_at_us=0,
        mode=Mode.SIMULATED,
        status=Status.CONFIRMED,
        sharing=None,
        contributors=(JPN,),
        references=("JPN-1",),
        contributions=(),
        manoeuvring=False,
        thrust_possible=False,
        raid_id=None,
        apogee_m=None,
        launch=None,
        state=None,
        covariance=(),
        impact=(),
        places=(),
    )
    return msgspec.structs.replace(bare, **changed)

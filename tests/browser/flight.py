"""A made-up flight over the sea, as the messages a picture node would send: for the page's tests only."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from beaconfire.flight.propagation import propagate_kernel, time_to_ground_kernel
from beaconfire.frames.geodesy import (
    Geodetic,
    destination,
    ecef_from_geodetic,
    enu_from_ecef_rotation,
    geodetic_from_ecef,
)
from beaconfire.frames.types import PositionEcef, Vector
from beaconfire.messages.estimate import Ellipse, ImpactEstimate, Kinematics, LaunchEstimate
from beaconfire.messages.event import Contour, Contribution, Event, ImpactAreas, Place, PlaceTime
from beaconfire.messages.health import Health, LinkHealth
from beaconfire.messages.sensor import InfraredSensor, Radar
from beaconfire.messages.words import Hypothesis, Lane, Mode, Nation, Phase, PlaceKind, Sharing, Status

JPN, KOR, USA = Nation("JPN"), Nation("KOR"), Nation("USA")
LOG_INVERSE_BETA = math.log(1.0 / 8_000.0)


def radians(degrees: float) -> float:
    """Return radians."""
    return math.radians(degrees)


PLACES = (
    Place("Aomori area", JPN, radians(40.8), radians(140.7), 60_000.0),
    Place("Sapporo area", JPN, radians(43.06), radians(141.35), 40_000.0),
    Place("Tokyo area", JPN, radians(35.68), radians(139.7), 50_000.0),
    Place("Seoul area", KOR, radians(37.56), radians(126.98), 40_000.0),
)


def _radar(name: str, nation: Nation, latitude_deg: float, longitude_deg: float) -> Radar:
    place = (radians(latitude_deg), radians(longitude_deg), 300.0)
    return Radar(name, nation, *place, 30.0, 5e-4, 5e-4, maximum_range_m=1_200_000.0)


SENSORS = (
    _radar("jpn-1", JPN, 39.2, 140.4),
    _radar("jpn-2", JPN, 35.0, 133.5),
    _radar("kor-1", KOR, 36.0, 127.8),
    InfraredSensor("jpn-ir", JPN, 1e-4),
)


class Flight:
    """A free flight from burnout on, and what a nation would say of it at any second."""

    def __init__(self, launch_us: int) -> None:
        """Fly it from `launch_us`, burnout 150 s later."""
        self.launch_us = launch_us
        burnout = Geodetic(radians(41.0), radians(128.3), 180_000.0)
        rotation = enu_from_ecef_rotation(burnout.latitude_rad, burnout.longitude_rad)
        speed, bearing, elevation = 5_450.0, radians(76.0), radians(37.0)
        level = speed * math.cos(elevation)
        enu = np.array([level * math.sin(bearing), level * math.cos(bearing), speed * math.sin(elevation)])
        self._burnout: Vector = np.concatenate(
            [ecef_from_geodetic(burnout), rotation.T @ enu, [LOG_INVERSE_BETA]]
        )
        self.flight_s = 150.0 + float(time_to_ground_kernel(self._burnout, 0.0, 1.0))

    def state(self, second: float) -> Vector:
        """Return the state of seven at seconds after launch, no earlier than burnout."""
        return propagate_kernel(self._burnout, max(0.0, second - 150.0), 1.0)

    def _second_over(self, place: Place) -> float:
        def angle(second: float) -> float:
            here = geodetic_from_ecef(PositionEcef(self.state(second)[:3]))
            return math.hypot(
                here.latitude_rad - place.latitude_rad, here.longitude_rad - place.longitude_rad
            )

        return float(min(np.arange(160.0, self.flight_s, 5.0), key=angle))

    def kinematics(self, second: float) -> Kinematics:
        """Return the state as a message, epoch at that second."""
        x, y, z, vx, vy, vz, beta = (float(value) for value in self.state(second))
        epoch_us = self.launch_us + round(max(150.0, second) * 1e6)
        return Kinematics(epoch_us, (x, y, z), (vx, vy, vz), beta, Phase.COAST)

    def impact(self, second: float) -> ImpactEstimate:
        """Return an impact area that shrinks as the flight goes on."""
        ground = geodetic_from_ecef(PositionEcef(self.state(self.flight_s)[:3]))
        major = 420_000.0 * math.exp(-(second - 150.0) / 70.0) + 12_000.0
        aside = destination(ground.latitude_rad, ground.longitude_rad, radians(75.0), 0.4 * major)
        area = Ellipse(*aside, major, 0.3 * major + 4_000.0, radians(80.0), 0.95)
        at_us = self.launch_us + round(self.flight_s * 1e6)
        return ImpactEstimate(1.0, at_us, 2.0 + major / 20_000.0, area)

    def launch(self) -> LaunchEstimate:
        """Return a launch estimate."""
        area = Ellipse(radians(40.6), radians(126.4), 42_000.0, 18_000.0, radians(70.0), 0.95)
        return LaunchEstimate(self.launch_us, 4.0, area)

    def place_times(self) -> tuple[PlaceTime, ...]:
        """Return when it passes over two of the places, at the earliest."""
        north, south = PLACES[0], PLACES[1]
        return tuple(
            PlaceTime(
                place.name,
                PlaceKind.OVERFLIGHT,
                self.launch_us + round(1e6 * (self._second_over(place) - 8.0)),
                chance,
            )
            for place, chance in ((north, 0.97), (south, 0.31))
        )


def contribution(nation: Nation, first_us: int, last_us: int, sensors: Sequence[str]) -> Contribution:
    """Return one nation's part in an event."""
    basis = () if nation == JPN else ("tri-2022",)
    return Contribution(nation, f"{nation}-7F3A", first_us, last_us, last_us, tuple(sensors), basis)


def event(flight: Flight, second: float, revision: int, sharing: Sharing | None = None) -> Event:
    """Return Japan's event at a second after launch; the shadow pictures know less."""
    at_us = flight.launch_us + round(second * 1e6)
    known = second >= 150.0
    seen = [contribution(KOR, flight.launch_us + 31_000_000, at_us, ("K1",))]
    if second >= 60.0:
        seen.append(contribution(USA, flight.launch_us + 58_000_000, at_us, ()))
    if second >= 190.0:
        seen.append(contribution(JPN, flight.launch_us + 188_000_000, at_us, ("jpn-1", "jpn-2")))
    if sharing is Sharing.ALONE:
        seen = [one for one in seen if one.nation == JPN]
    if sharing is Sharing.BILATERAL:
        seen = [one for one in seen if one.nation != KOR]
    return Event(
        nation=JPN,
        event_id="E-5C1D09AF",
        revision=revision,
        as_of_us=at_us,
        observed_at_us=at_us,
        mode=Mode.SIMULATED,
        status=Status.CONFIRMED if second >= 70.0 else Status.TENTATIVE,
        sharing=sharing,
        contributors=tuple(one.nation for one in seen),
        references=tuple(one.track for one in seen),
        contributions=tuple(seen),
        manoeuvring=False,
        thrust_possible=second < 160.0,
        raid_id=None,
        apogee_m=970_000.0 if known else None,
        launch=flight.launch(),
        state=flight.kinematics(second) if known else None,
        covariance=(1.0,) * 21 if known else (),
        impact=(flight.impact(second),) if known else (),
        places=flight.place_times() if known else (),
    )


def with_nested_areas(seen: Event, *contours: Contour) -> Event:
    """Return an event with areas of 50 and 99 % about its first impact, and contours."""
    impact = seen.impact[0]
    ellipses = tuple(
        msgspec.structs.replace(
            impact.area,
            probability=probability,
            semi_major_m=scale * impact.area.semi_major_m,
            semi_minor_m=scale * impact.area.semi_minor_m,
        )
        for probability, scale in ((0.5, 0.48), (0.95, 1.0), (0.99, 1.24))
    )
    areas = ImpactAreas(Hypothesis.FREE_FLIGHT, impact.time_us, impact.time_us, ellipses, contours)
    return msgspec.structs.replace(seen, areas=(areas,))


def health(source: str, at_us: int, *, up: bool = True) -> Health:
    """Return what a node says of itself."""
    links = (
        LinkHealth("HUB", Lane.FLASH, up, 3.2 if up else None, 0.4 if up else 12.0, 0 if up else 3),
        LinkHealth("HUB", Lane.ROUTINE, True, 4.8, 0.6, 0),
    )
    return Health(source, at_us, links, {"released": 12})

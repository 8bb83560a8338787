"""One simulated flight held against its truth: how many events, how far off, does the area hold."""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from beaconfire.flight.ascent import Trajectory
from beaconfire.frames.geodesy import Geodetic, great_circle_kernel
from beaconfire.messages.detection import Detection
from beaconfire.messages.estimate import Ellipse
from beaconfire.messages.event import Event
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Nation, Status

SEEN_LEAST: Final = 10
"""A nation could see a flight if its own sensors gave at least so many detections of it..."""
SEEN_LEAST_S: Final = 10.0
"""...over at least so long."""


class NationTrial(msgspec.Struct, frozen=True):
    """One nation's picture of one flight, held against the truth.

    Attributes:
        nation: whose.
        detections: of its own sensors.
        could_see: they were enough for a track of its own.
        events: that its picture held and did not withdraw.
        error_m: from the centre of the last impact area to the true impact, None without one.
        semi_major_m: of that area at its stated probability.
        holds: that area holds the true impact.
    """

    nation: Nation
    detections: int
    could_see: bool
    events: int
    error_m: float | None
    semi_major_m: float | None
    holds: bool | None


def could_see(detections: Sequence[Detection]) -> bool:
    """Return True if one nation's detections, in order of time, are enough for a track of its own."""
    if len(detections) < SEEN_LEAST:
        return False
    return (detections[-1].measured_at_us - detections[0].measured_at_us) / 1e6 >= SEEN_LEAST_S


def offset_in_area(area: Ellipse, truth: Geodetic) -> tuple[float, float]:
    """Return the distance of a place from the centre of an area, metres, and that in semi-axes of it.

    The second is 1 on the border of the area and less within.
    """
    distance_m, bearing_rad = great_circle_kernel(
        area.latitude_rad, area.longitude_rad, truth.latitude_rad, truth.longitude_rad
    )
    turned = bearing_rad - area.bearing_rad
    along = distance_m * math.cos(turned) / max(area.semi_major_m, 1e-3)
    across = distance_m * math.sin(turned) / max(area.semi_minor_m, 1e-3)
    return distance_m, math.hypot(along, across)


def hold_against_truth(
    nation: Nation, events: Sequence[Event], detections: Sequence[Detection], truth: Trajectory
) -> NationTrial:
    """Return how one nation's picture stands against the truth.

    Args:
        nation: whose.
        events: its main revisions, in order.
        detections: of its own sensors, in order of time.
        truth: the one flight there was.
    """
    withdrawn = {event.event_id for event in events if event.status is Status.WITHDRAWN}
    kept = [event for event in events if event.event_id not in withdrawn]
    stated = [event for event in kept if event.impact]
    error_m = semi_major_m = None
    holds = None
    if stated:
        likeliest = max(stated[-1].impact, key=lambda one: one.weight).area
        error_m, _ = offset_in_area(likeliest, truth.impact)
        semi_major_m = likeliest.semi_major_m
        holds = any(offset_in_area(one.area, truth.impact)[1] <= 1.0 for one in stated[-1].impact)
    return NationTrial(
        nation=nation,
        detections=len(detections),
        could_see=could_see(detections),
        events=len({event.event_id for event in kept}),
        error_m=error_m,
        semi_major_m=semi_major_m,
        holds=holds,
    )


def own_detections(
    detections: Sequence[Detection], sensors: Sequence[Sensor], nation: Nation
) -> list[Detection]:
    """Return the detections of one nation's sensors, in the same order."""
    own = {sensor.sensor for sensor in sensors if sensor.nation == nation}
    return [detection for detection in detections if detection.sensor in own]

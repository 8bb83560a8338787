"""Seconds from the launch to the first useful area of a picture, and how soon the geometry allowed one."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np

from beaconfire.analysis.bound import Look, arc_bounds, semi_major_95_m
from beaconfire.analysis.summary import Setting, held_after_s, semi_major_at
from beaconfire.flight.fall import fall_kernel
from beaconfire.frames.geodesy import geodetic_from_ecef_kernel, great_circle_kernel
from beaconfire.frames.types import Vector
from beaconfire.messages.event import Event
from beaconfire.messages.words import Status

LIMITS_M: Final = (100_000.0, 25_000.0)
INFRARED: Final = "infrared"
RADAR: Final = "radar"
PLOTS_LEAST: Final = 3
_STEPS: Final = np.array((100.0, 100.0, 100.0, 0.1, 0.1, 0.1, 0.01))


class FirstTimes(msgspec.Struct, frozen=True):
    """When one picture first knew what: seconds after the true launch, None if never.

    Attributes:
        detection_s: it held an event at all.
        detection_by: infrared if that event had no motion yet, else radar; empty if never.
        confirmed_s: it held a confirmed event.
        confirmed_by: as above.
        areas_s: it held a 95 % impact area with a semi-major axis under each of `LIMITS_M`.
    """

    detection_s: float | None
    detection_by: str
    confirmed_s: float | None
    confirmed_by: str
    areas_s: tuple[float | None, ...]


def _by(event: Event | None) -> str:
    if event is None:
        return ""
    return INFRARED if event.state is None else RADAR


def _is_under(event: Event, limit_m: float) -> bool:
    return bool(event.impact) and all(
        semi_major_at(one.area.semi_major_m, one.area.probability) < limit_m for one in event.impact
    )


def first_times(events: Iterable[Event], setting: Setting) -> FirstTimes:
    """Return when a picture first knew what.

    Args:
        events: revisions of one nation's events under one sharing, in order of `as_of_us`.
        setting: true launch, and the speed of the event clock.
    """
    held = [event for event in events if event.status is not Status.WITHDRAWN]
    confirmed = next((event for event in held if event.status is Status.CONFIRMED), None)
    first = next(iter(held), None)
    under = [next((one for one in held if _is_under(one, limit_m)), None) for limit_m in LIMITS_M]

    def after_s(event: Event | None) -> float | None:
        return None if event is None else round(held_after_s(event, setting), 3)

    return FirstTimes(
        detection_s=after_s(first),
        detection_by=_by(first),
        confirmed_s=after_s(confirmed),
        confirmed_by=_by(confirmed),
        areas_s=tuple(after_s(one) for one in under),
    )


def ground_partials(state: Vector) -> Vector:
    """Return the partials of east and north of the landing with a state, shape (2, 7), by differences.

    Args:
        state: of seven, ECEF, SI, of a body that comes down.
    """
    landed = fall_kernel(state, 0.0)[1]
    latitude, longitude, _ = geodetic_from_ecef_kernel(landed[0], landed[1], landed[2])

    def offset(moved: Vector) -> Vector:
        ground = fall_kernel(moved, 0.0)[1]
        there = geodetic_from_ecef_kernel(ground[0], ground[1], ground[2])
        distance, bearing = great_circle_kernel(latitude, longitude, there[0], there[1])
        return np.array((distance * math.sin(bearing), distance * math.cos(bearing)))

    out = np.empty((2, 7))
    for column, size in enumerate(_STEPS):
        step = np.zeros(7)
        step[column] = size
        out[:, column] = (offset(state + step) - offset(state - step)) / (2.0 * size)
    return out


def soonest_areas_s(
    state: Vector, looks: Sequence[Look], sensors: Vector, prior: Vector
) -> tuple[float | None, ...]:
    """Return how long after burnout the bound first allows an area under each of `LIMITS_M`, None if never.

    Args:
        state: true state of seven at burnout, ECEF, SI.
        looks: of all sensors a picture rests on, seconds after burnout, in order of time.
        sensors: sensor table.
        prior: information before the first look, shape (7, 7): of the ballistic coefficient.
    """
    ground = ground_partials(state)
    found: list[float | None] = [None] * len(LIMITS_M)
    for number, (look, (bound, _, _)) in enumerate(
        zip(looks, arc_bounds(state, looks, sensors, prior), strict=True)
    ):
        if number + 1 < PLOTS_LEAST:
            continue
        axis_m = semi_major_95_m(ground, bound.covariance())
        for place, limit_m in enumerate(LIMITS_M):
            if found[place] is None and axis_m < limit_m:
                found[place] = look.time_s
        if found[-1] is not None:
            break
    return tuple(found)

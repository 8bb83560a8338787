"""CZML from the revisions of events: what a globe shows of one nation's picture, with its marking.

Source: CZML Guide, "CZML Structure" and "Packet"; schemas of analyticalgraphicsinc/czml-writer. Positions are
earth-fixed (`FIXED`, WGS-84); an ellipse's `rotation` turns counter-clockwise from north, in radians.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from beaconfire.messages.estimate import Ellipse, ImpactEstimate
from beaconfire.messages.event import Event
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.words import Mode, Nation, TimeUs
from beaconfire.units import MICROSECONDS_PER_SECOND

Json = dict[str, Any]

VERSION: Final = "1.0"
AREA_KEPT_S: Final = 600
"""How long the newest area stays on the time line after its last revision."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRACK: Final = [230, 159, 0, 255]
_IMPACT: Final = [213, 94, 0]
_LAUNCH: Final = [204, 121, 167]
_SENSOR: Final = [86, 180, 233, 255]
"""Colours of Okabe and Ito, red green blue alpha."""


def iso_time(time_us: TimeUs) -> str:
    """Return a moment as CZML writes it: ISO 8601, UTC, microseconds."""
    return (_EPOCH + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def czml_document(
    histories: Sequence[Sequence[Event]], sensors: Iterable[Sensor], nation: Nation, mode: Mode
) -> list[Json]:
    """Return the packets of a picture.

    Args:
        histories: revisions of each event, oldest first, none empty.
        sensors: own ones; those without a place are left out.
        nation: whose picture.
        mode: said in the name of the document and of every event.
    """
    packets = [_document(histories, nation, mode)]
    packets += [_sensor(one) for one in sensors if isinstance(one, Radar)]
    for revisions in histories:
        packets += _event(revisions, mode)
    return packets


def _document(histories: Sequence[Sequence[Event]], nation: Nation, mode: Mode) -> Json:
    name = f"{mode.value} // REL TO {nation} // beaconfire, notional, unaffiliated with any government"
    packet: Json = {"id": "document", "name": name, "version": VERSION}
    starts = [_begin_us(revisions) for revisions in histories]
    if starts:
        ends = [_end_us(revisions) for revisions in histories]
        packet["clock"] = {
            "interval": _interval(min(starts), max(ends)),
            "currentTime": iso_time(min(starts)),
            "multiplier": 1.0,
            "range": "CLAMPED",
            "step": "SYSTEM_CLOCK_MULTIPLIER",
        }
    return packet


def _interval(start_us: TimeUs, end_us: TimeUs) -> str:
    return f"{iso_time(start_us)}/{iso_time(end_us)}"


def _begin_us(revisions: Sequence[Event]) -> TimeUs:
    states = [event.state.epoch_us for event in revisions if event.state is not None]
    return min([revisions[0].as_of_us, *states])


def _end_us(revisions: Sequence[Event]) -> TimeUs:
    impacts = [one.time_us for one in revisions[-1].impact]
    return max([revisions[-1].as_of_us, *impacts]) + AREA_KEPT_S * MICROSECONDS_PER_SECOND


def _event(revisions: Sequence[Event], mode: Mode) -> list[Json]:
    newest = revisions[-1]
    name = f"{mode.value}: event {newest.event_id}, {newest.status.value.lower()}, revision {newest.revision}"
    base: Json = {"name": name, "availability": _interval(_begin_us(revisions), _end_us(revisions))}
    packets = []
    samples = _samples(revisions)
    if samples:
        packets.append(base | {"id": f"{newest.event_id}/track"} | _track(samples, mode))
    for kind, colour, ellipses in (
        ("impact", _IMPACT, [(e.as_of_us, _heaviest(e).area) for e in revisions if e.impact]),
        ("launch", _LAUNCH, [(e.as_of_us, e.launch.area) for e in revisions if e.launch is not None]),
    ):
        if ellipses:
            area = _areas(ellipses, _end_us(revisions), colour)
            packets.append(base | {"id": f"{newest.event_id}/{kind}", "name": f"{name}, {kind} area"} | area)
    return packets


def _heaviest(event: Event) -> ImpactEstimate:
    return max(event.impact, key=lambda hypothesis: hypothesis.weight)


def _samples(revisions: Sequence[Event]) -> list[tuple[TimeUs, tuple[float, float, float]]]:
    """Return epoch and position, ECEF metres, of each state; of two with one epoch the later."""
    found = {
        event.state.epoch_us: event.state.position_ecef_m for event in revisions if event.state is not None
    }
    return sorted(found.items())


def _track(samples: Sequence[tuple[TimeUs, tuple[float, float, float]]], mode: Mode) -> Json:
    start_us = samples[0][0]
    cartesian: list[float] = []
    for epoch_us, position_ecef_m in samples:
        cartesian += [(epoch_us - start_us) / MICROSECONDS_PER_SECOND, *position_ecef_m]
    return {
        "position": {
            "epoch": iso_time(start_us),
            "referenceFrame": "FIXED",
            "interpolationAlgorithm": "LAGRANGE",
            "interpolationDegree": 1,
            "forwardExtrapolationType": "HOLD",
            "cartesian": cartesian,
        },
        "point": {"pixelSize": 9.0, "color": {"rgba": _TRACK}},
        "path": {"width": 2.0, "material": {"solidColor": {"color": {"rgba": _TRACK}}}},
        "label": {"text": mode.value, "font": "12px sans-serif", "fillColor": {"rgba": _TRACK}},
    }


def _areas(ellipses: Sequence[tuple[TimeUs, Ellipse]], end_us: TimeUs, colour: list[int]) -> Json:
    """Return an ellipse that changes at each revision: one value per interval."""
    starts = [as_of_us for as_of_us, _ in ellipses]
    intervals = [_interval(a, b) for a, b in zip(starts, [*starts[1:], end_us], strict=True)]
    timed = [(interval, area) for interval, (_, area) in zip(intervals, ellipses, strict=True)]
    return {
        "position": [
            {"interval": i, "cartographicRadians": [a.longitude_rad, a.latitude_rad, 0.0]} for i, a in timed
        ],
        "ellipse": {
            "semiMajorAxis": [{"interval": i, "number": a.semi_major_m} for i, a in timed],
            "semiMinorAxis": [{"interval": i, "number": a.semi_minor_m} for i, a in timed],
            "rotation": [{"interval": i, "number": -a.bearing_rad} for i, a in timed],
            "height": 0.0,
            "outline": True,
            "outlineColor": {"rgba": [*colour, 255]},
            "material": {"solidColor": {"color": {"rgba": [*colour, 60]}}},
        },
        "description": f"Area of uncertainty, probability {ellipses[-1][1].probability:g}",
    }


def _sensor(radar: Radar) -> Json:
    return {
        "id": f"sensor/{radar.sensor}",
        "name": f"notional sensor {radar.sensor}",
        "position": {"cartographicRadians": [radar.longitude_rad, radar.latitude_rad, radar.height_m]},
        "point": {"pixelSize": 7.0, "color": {"rgba": _SENSOR}},
        "label": {
            "text": radar.sensor,
            "font": "12px sans-serif",
            "pixelOffset": {"cartesian2": [12.0, 0.0]},
        },
    }

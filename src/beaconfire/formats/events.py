"""One line of `events.jsonl` from an event and back: degrees outside, radians inside.

Source: docs/interfaces.md, section "Events". The same event gives the same bytes: keys stand in the order
of that page, numbers in their shortest form that reads back to the same double.
"""

from typing import Any, Final

import msgspec

from beaconfire.errors import UsageError
from beaconfire.messages.estimate import Ellipse, ImpactEstimate, Kinematics, LaunchEstimate
from beaconfire.messages.event import Event, PlaceTime
from beaconfire.messages.words import Mode, Nation, Phase, Status
from beaconfire.units import DEGREES_PER_RADIAN, RADIANS_PER_DEGREE

Json = dict[str, Any]

MAXIMUM_EVENT_BYTES: Final = 1_000_000
"""A line longer than this is refused before anything reads it."""


class LaunchFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`launch` of a line: `LaunchEstimate` and its area, flat, degrees."""

    time_us: int
    sigma_time_s: float
    latitude_deg: float
    longitude_deg: float
    semi_major_m: float
    semi_minor_m: float
    bearing_deg: float
    probability: float


class ImpactFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `impact` of a line: `ImpactEstimate` and its area, flat, degrees."""

    weight: float
    time_us: int
    sigma_time_s: float
    latitude_deg: float
    longitude_deg: float
    semi_major_m: float
    semi_minor_m: float
    bearing_deg: float
    probability: float


class StateFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`state` of a line: `Kinematics` without the drag parameter, and the covariance's upper triangle."""

    epoch_us: int
    position_ecef_m: tuple[float, float, float]
    velocity_ecef_m_s: tuple[float, float, float]
    covariance: tuple[float, ...]
    phase: Phase


class EventLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of `events.jsonl`, field by field as the page of interfaces has it."""

    nation: Nation
    event_id: str
    revision: int
    as_of_us: int
    mode: Mode
    status: Status
    contributors: tuple[Nation, ...]
    references: tuple[str, ...]
    manoeuvring: bool
    raid_id: str | None
    apogee_m: float | None
    launch: LaunchFields | None
    state: StateFields | None
    impact: tuple[ImpactFields, ...]
    places: tuple[PlaceTime, ...]


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(EventLine)


def event_line(event: Event) -> EventLine:
    """Return the fields of an event's line."""
    return EventLine(
        nation=event.nation,
        event_id=event.event_id,
        revision=event.revision,
        as_of_us=event.as_of_us,
        mode=event.mode,
        status=event.status,
        contributors=event.contributors,
        references=event.references,
        manoeuvring=event.manoeuvring,
        raid_id=event.raid_id,
        apogee_m=event.apogee_m,
        launch=None if event.launch is None else _launch(event.launch),
        state=None if event.state is None else _state(event.state, event.covariance),
        impact=tuple(_impact(hypothesis) for hypothesis in event.impact),
        places=event.places,
    )


def _area(area: Ellipse) -> tuple[float, float, float, float, float, float]:
    """Return latitude, longitude, semi-major, semi-minor, bearing and probability; degrees and metres."""
    return (
        area.latitude_rad * DEGREES_PER_RADIAN,
        area.longitude_rad * DEGREES_PER_RADIAN,
        area.semi_major_m,
        area.semi_minor_m,
        area.bearing_rad * DEGREES_PER_RADIAN,
        area.probability,
    )


def _launch(launch: LaunchEstimate) -> LaunchFields:
    return LaunchFields(launch.time_us, launch.sigma_time_s, *_area(launch.area))


def _impact(impact: ImpactEstimate) -> ImpactFields:
    return ImpactFields(impact.weight, impact.time_us, impact.sigma_time_s, *_area(impact.area))


def _state(state: Kinematics, covariance: tuple[float, ...]) -> StateFields:
    return StateFields(
        epoch_us=state.epoch_us,
        position_ecef_m=state.position_ecef_m,
        velocity_ecef_m_s=state.velocity_ecef_m_s,
        covariance=covariance,
        phase=state.phase,
    )


def event_to_json(event: Event) -> Json:
    """Return the object of an event's line as plain values, keys in the order of the interfaces page."""
    plain: Json = msgspec.to_builtins(event_line(event), builtin_types=())
    return plain


def format_event(event: Event) -> bytes:
    """Return the line of an event, without the line's end; the same bytes for equal events."""
    return _encoder.encode(event_line(event))


def parse_event_line(line: bytes) -> EventLine:
    """Return the fields that stand in one line of `events.jsonl`.

    Raises:
        UsageError: too long, not JSON, or a field missing, unknown or of the wrong type.
    """
    if len(line) > MAXIMUM_EVENT_BYTES:
        raise UsageError("line too long", expected=f"at most {MAXIMUM_EVENT_BYTES} bytes")
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not an event: {error}") from error


def _ellipse(fields: LaunchFields | ImpactFields) -> Ellipse:
    return Ellipse(
        latitude_rad=fields.latitude_deg * RADIANS_PER_DEGREE,
        longitude_rad=fields.longitude_deg * RADIANS_PER_DEGREE,
        semi_major_m=fields.semi_major_m,
        semi_minor_m=fields.semi_minor_m,
        bearing_rad=fields.bearing_deg * RADIANS_PER_DEGREE,
        probability=fields.probability,
    )


def _kinematics(state: StateFields) -> Kinematics:
    return Kinematics(
        epoch_us=state.epoch_us,
        position_ecef_m=state.position_ecef_m,
        velocity_ecef_m_s=state.velocity_ecef_m_s,
        log_inverse_beta=0.0,
        phase=state.phase,
    )


def event_from_line(line: EventLine) -> Event:
    """Return the event of a line, for showing.

    What a line does not hold is empty: `contributions`, the drag parameter (0), `sharing` (None: only
    main events have lines), `observed_at_us` (the epoch of the state, else `as_of_us`).
    """
    launch = line.launch
    return Event(
        nation=line.nation,
        event_id=line.event_id,
        revision=line.revision,
        as_of_us=line.as_of_us,
        observed_at_us=line.as_of_us if line.state is None else line.state.epoch_us,
        mode=line.mode,
        status=line.status,
        sharing=None,
        contributors=line.contributors,
        references=line.references,
        contributions=(),
        manoeuvring=line.manoeuvring,
        thrust_possible=False,
        raid_id=line.raid_id,
        apogee_m=line.apogee_m,
        launch=None
        if launch is None
        else LaunchEstimate(launch.time_us, launch.sigma_time_s, _ellipse(launch)),
        state=None if line.state is None else _kinematics(line.state),
        covariance=() if line.state is None else line.state.covariance,
        impact=tuple(
            ImpactEstimate(one.weight, one.time_us, one.sigma_time_s, _ellipse(one)) for one in line.impact
        ),
        places=line.places,
    )

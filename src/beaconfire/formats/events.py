"""One line of `events.jsonl` from an event and back: degrees outside, radians inside.

Source: docs/interfaces.md, section "Events". The same event gives the same bytes: keys stand in the order
of that page, numbers in their shortest form that reads back to the same double.
"""

from typing import Any, Final

import msgspec

from beaconfire.errors import UsageError
from beaconfire.messages.estimate import Ellipse, ImpactEstimate, Kinematics, LaunchEstimate
from beaconfire.messages.event import Contour, Event, ImpactAreas, PlaceTime
from beaconfire.messages.words import Hypothesis, Mode, Nation, Phase, Status
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


class EllipseFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `ellipses` of an impact: centre and bearing are those of the impact."""

    probability: float
    semi_major_m: float
    semi_minor_m: float


class ContourFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `contours` of an impact: latitude and longitude in degrees, the last joins the first."""

    probability: float
    points_deg: tuple[tuple[float, float], ...]


class ImpactFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `impact` of a line: `ImpactEstimate` and its area, flat, degrees; then its `ImpactAreas`.

    A line written before there were any has the fields of the first only.
    """

    weight: float
    time_us: int
    sigma_time_s: float
    latitude_deg: float
    longitude_deg: float
    semi_major_m: float
    semi_minor_m: float
    bearing_deg: float
    probability: float
    hypothesis: Hypothesis = Hypothesis.STATED
    earliest_us: int | None = None
    latest_us: int | None = None
    ellipses: tuple[EllipseFields, ...] = ()
    contours: tuple[ContourFields, ...] = ()


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
    thrust_possible: bool = False


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
        impact=_impacts(event),
        places=event.places,
        thrust_possible=event.thrust_possible,
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


def _impacts(event: Event) -> tuple[ImpactFields, ...]:
    if len(event.areas) != len(event.impact):
        return tuple(_impact(one) for one in event.impact)
    return tuple(
        msgspec.structs.replace(
            _impact(one),
            hypothesis=areas.hypothesis,
            earliest_us=areas.earliest_us,
            latest_us=areas.latest_us,
            ellipses=tuple(
                EllipseFields(each.probability, each.semi_major_m, each.semi_minor_m)
                for each in areas.ellipses
            ),
            contours=tuple(_contour(each) for each in areas.contours),
        )
        for one, areas in zip(event.impact, event.areas, strict=True)
    )


def _impact(impact: ImpactEstimate) -> ImpactFields:
    return ImpactFields(impact.weight, impact.time_us, impact.sigma_time_s, *_area(impact.area))


def _contour(contour: Contour) -> ContourFields:
    """Return a contour in degrees, to a ten-thousandth: some ten metres."""
    points = tuple(
        (round(latitude * DEGREES_PER_RADIAN, 4), round(longitude * DEGREES_PER_RADIAN, 4))
        for latitude, longitude in contour.points_rad
    )
    return ContourFields(contour.probability, points)


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


def _areas_of(fields: ImpactFields) -> ImpactAreas:
    area = _ellipse(fields)
    return ImpactAreas(
        hypothesis=fields.hypothesis,
        earliest_us=fields.time_us if fields.earliest_us is None else fields.earliest_us,
        latest_us=fields.time_us if fields.latest_us is None else fields.latest_us,
        ellipses=tuple(
            msgspec.structs.replace(
                area,
                semi_major_m=one.semi_major_m,
                semi_minor_m=one.semi_minor_m,
                probability=one.probability,
            )
            for one in fields.ellipses
        ),
        contours=tuple(
            Contour(
                one.probability,
                tuple((a * RADIANS_PER_DEGREE, b * RADIANS_PER_DEGREE) for a, b in one.points_deg),
            )
            for one in fields.contours
        ),
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
        thrust_possible=line.thrust_possible,
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
        areas=tuple(_areas_of(one) for one in line.impact if one.earliest_us is not None),
    )

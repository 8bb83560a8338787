"""The event: one nation's picture of one object, revision by revision, and the warning made from it."""

import msgspec

from beaconfire.messages.estimate import Ellipse, ImpactEstimate, Kinematics, LaunchEstimate
from beaconfire.messages.words import Hypothesis, Mode, Nation, PlaceKind, Sharing, Status, TimeUs


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named area somebody lives in.

    Attributes:
        name: shown as it stands.
        nation: whose countdown shows it.
        latitude_rad: geodetic latitude of its centre, WGS-84.
        longitude_rad: geodetic longitude of its centre, WGS-84.
        radius_m: of the area.
    """

    name: str
    nation: Nation
    latitude_rad: float
    longitude_rad: float
    radius_m: float


class PlaceTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Earliest moment something comes down on or passes over a place.

    Attributes:
        place: its name.
        kind: impact or overflight.
        earliest_us: earliest credible moment (95 % one-sided).
        probability: that it happens at all, 0 to 1.
    """

    place: str
    kind: PlaceKind
    earliest_us: TimeUs
    probability: float


class Contribution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one nation contributed to an event: who saw it, when first, when last.

    Attributes:
        nation: originator.
        track: its national track.
        first_detected_at_us: its first detection, None if not released.
        observed_at_us: its newest detection used.
        received_at_us: when its newest report came, by the picture's clock.
        sensors: ids or opaque names of its sensors, possibly empty.
        basis: arrangements under which it was released; empty for own reports.
        report_id: of its newest report, empty if not known: what the own audit knows it by.
    """

    nation: Nation
    track: str
    first_detected_at_us: TimeUs | None
    observed_at_us: TimeUs
    received_at_us: TimeUs
    sensors: tuple[str, ...]
    basis: tuple[str, ...]
    report_id: str = ""


class Contour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Outline of an area on the ground that an ellipse does not fit.

    Attributes:
        probability: that the truth lies inside, 0 to 1.
        points_rad: latitude and longitude, geodetic, WGS-84, in order; the last joins the first.
    """

    probability: float
    points_rad: tuple[tuple[float, float], ...]


class ImpactAreas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What belongs to one hypothesis of the impact beside its 95 % area.

    Attributes:
        hypothesis: what it supposes of the rest of the flight.
        earliest_us: start of the 95 % window of the time of impact.
        latest_us: its end.
        ellipses: areas of 50, 95 and 99 %; the second is that of the impact. Of a STATED one that alone.
        contours: sampled outlines of the same probabilities, where an ellipse does not fit; else empty.
    """

    hypothesis: Hypothesis
    earliest_us: TimeUs
    latest_us: TimeUs
    ellipses: tuple[Ellipse, ...]
    contours: tuple[Contour, ...] = ()


class Event(msgspec.Struct, frozen=True, tag="event", tag_field="type", forbid_unknown_fields=True):
    """One revision of one event in one nation's picture.

    Attributes:
        nation: whose picture.
        event_id: opaque keyed hash.
        revision: counts from 1.
        as_of_us: when this nation could first hold this revision.
        observed_at_us: newest detection used.
        mode: what it is about.
        status: life of the event.
        sharing: which inputs it rests on: `None` for all that the nation was given; ALONE or BILATERAL
            for the picture it would have had with less (shown beside, never warned from).
        contributors: nations whose reports are in it.
        references: their national tracks.
        contributions: details of the two above.
        manoeuvring: the ballistic impact area does not apply.
        thrust_possible: thrust may continue; the impact may move.
        raid_id: shared by the events of a salvo, or None.
        apogee_m: height of the highest point above the ellipsoid, None until known.
        launch: None until it can honestly be stated.
        state: None until there is one.
        covariance: 21 numbers, upper triangle of x y z vx vy vz at the epoch of `state`, ECEF, SI.
        impact: hypotheses; empty until they can honestly be stated.
        places: earliest moment for each place concerned.
        areas: for each of `impact`, in the same order, what it supposes and its further areas.
    """

    nation: Nation
    event_id: str
    revision: int
    as_of_us: TimeUs
    observed_at_us: TimeUs
    mode: Mode
    status: Status
    sharing: Sharing | None
    contributors: tuple[Nation, ...]
    references: tuple[str, ...]
    contributions: tuple[Contribution, ...]
    manoeuvring: bool
    thrust_possible: bool
    raid_id: str | None
    apogee_m: float | None
    launch: LaunchEstimate | None
    state: Kinematics | None
    covariance: tuple[float, ...]
    impact: tuple[ImpactEstimate, ...]
    places: tuple[PlaceTime, ...]
    areas: tuple[ImpactAreas, ...] = ()


class Warning(msgspec.Struct, frozen=True, tag="warning", tag_field="type", forbid_unknown_fields=True):
    """A nation's own warning: issued, updated, cancelled.

    Attributes:
        warning_id: opaque keyed hash.
        event_id: what it is about.
        nation: whose warning.
        action: issue, update or cancel.
        revision: of the warning, from 1.
        mode: what it is about.
        issued_at_us: when.
        alone: True if the link to every partner was down: the nation warns alone and says so.
        places: earliest moment for each place concerned.
        impact: the newest area hypotheses.
        text: plain words in the default language.
        texts: the same words in every language it was issued in, by language code; whoever reads it reads
            their own.
    """

    warning_id: str
    event_id: str
    nation: Nation
    action: str
    revision: int
    mode: Mode
    issued_at_us: TimeUs
    alone: bool
    places: tuple[PlaceTime, ...]
    impact: tuple[ImpactEstimate, ...]
    text: str
    texts: dict[str, str] = msgspec.field(default_factory=dict)


class Acknowledgement(
    msgspec.Struct, frozen=True, tag="acknowledgement", tag_field="type", forbid_unknown_fields=True
):
    """A person's word that they have seen an event; it silences the alarm of their nation's pages.

    Attributes:
        event_id: what was seen.
        nation: whose display.
        person: name as signed in, or as typed where nobody signs in; at most 60 characters.
        revision: that was shown.
        at_us: when.
    """

    event_id: str
    nation: Nation
    person: str
    revision: int
    at_us: TimeUs

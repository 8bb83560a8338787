"""The closed vocabularies of the messages: modes, lanes, phases, groups, levels."""

from enum import Enum, IntEnum, StrEnum
from typing import Final, NewType

SCHEMA_VERSION: Final = 1
"""Of a signed header: what every nation reads, whoever relays it."""

LINK_SCHEMA: Final = 2
"""Of the frames on a link; see `messages.versions`. A node speaks this one and the one before."""
LINK_SCHEMA_BEFORE: Final = LINK_SCHEMA - 1

Nation = NewType("Nation", str)
"""ISO 3166-1 alpha-3 code of a nation, upper case."""

TimeUs = int
"""Integer microseconds UTC since 1970-01-01. Nanoseconds would pass 2**53 and break in a browser."""

HUB: Final = "HUB"
"""The party name of the connecting node; never a nation code."""

HUB_INSTANCES: Final = ("HUB-1", "HUB-2")
"""Its two instances, each with a server, a journal and sequence numbers of its own, and each enough. They
are one party: one signing key, one name in arrangements and audit records. One alone is called HUB."""


def party_of(end: str) -> str:
    """Return the party that an end of a link belongs to: HUB for each instance of the hub, else itself."""
    return HUB if is_hub(end) else end


def is_hub(end: str) -> bool:
    """Return whether an end of a link is the hub or one of its instances."""
    return end == HUB or end.startswith("HUB-")


class Mode(StrEnum):
    """What a message is about: the world, an exercise, a simulation, or a test of the link."""

    REAL = "REAL"
    EXERCISE = "EXERCISE"
    SIMULATED = "SIMULATED"
    TEST = "TEST"


class Lane(StrEnum):
    """The two lanes of a link: FLASH is never dropped, ROUTINE keeps the newest."""

    FLASH = "FLASH"
    ROUTINE = "ROUTINE"


class Phase(StrEnum):
    """Phase of flight."""

    BOOST = "BOOST"
    COAST = "COAST"
    REENTRY = "REENTRY"


class Status(StrEnum):
    """Life of a national track or an event."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    LOST = "LOST"
    ENDED = "ENDED"
    WITHDRAWN = "WITHDRAWN"


class ClockQuality(StrEnum):
    """How far two clocks are apart, as far as a third knows; coarse, so that it tells nothing else."""

    UNKNOWN = "UNKNOWN"
    GOOD = "GOOD"
    FLAGGED = "FLAGGED"
    """By more than 100 ms."""
    BARRED = "BARRED"
    """By more than 1 s: what one end states is not fused with what the other sees."""


class Group(StrEnum):
    """Field groups of a report: the unit of labelling, dropping, coarsening and digesting.

    The order is the order of the digests in a header and never changes within a schema version.
    """

    LAUNCH_POINT = "launch_point"
    TRAJECTORY = "trajectory"
    COVARIANCE = "covariance"
    IMPACT = "impact"
    TIMING = "timing"
    CLASSIFICATION = "classification"
    SENSOR = "sensor"
    RAW_MEASUREMENT = "raw_measurement"
    PROVENANCE = "provenance"


class Level(IntEnum):
    """Ordered sensitivity level of a label."""

    UNCLASSIFIED = 0
    RESTRICTED = 1
    CONFIDENTIAL = 2
    SECRET = 3


class Sharing(StrEnum):
    """Shorthand for the set of arrangements in force."""

    ALONE = "alone"
    BILATERAL = "bilateral"
    TRILATERAL = "trilateral"


class PlaceKind(StrEnum):
    """How a named place is touched: something comes down on it, or passes over it."""

    IMPACT = "IMPACT"
    OVERFLIGHT = "OVERFLIGHT"


class Hypothesis(StrEnum):
    """What an impact area supposes of the rest of the flight.

    FREE_FLIGHT: nothing drives it any more. BURNOUT_NOW, BURNOUT_LATER: thrust is on and ends now, or later.
    MANOEUVRE: it pulls up or glides. STATED: a nation stated the area itself, without a state to judge by.
    """

    FREE_FLIGHT = "FREE_FLIGHT"
    BURNOUT_NOW = "BURNOUT_NOW"
    BURNOUT_LATER = "BURNOUT_LATER"
    MANOEUVRE = "MANOEUVRE"
    STATED = "STATED"


class Severity(Enum):
    """Weight of a notice to the operator."""

    INFORMATION = "information"
    CAUTION = "caution"
    FAULT = "fault"

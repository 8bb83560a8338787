"""Health: what a node says of itself and of its links; a notice tells the operator of a fault."""

from collections.abc import Mapping

import msgspec

from beaconfire.messages.words import Lane, Severity, TimeUs

Arguments = Mapping[str, str | int]
"""What the words of a notice are about, by name: names, ids and codes as they are; numbers whole."""


class Notice(
    msgspec.Struct,
    frozen=True,
    tag="notice",
    tag_field="type",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """Tells the operator of something that is not a warning.

    Attributes:
        code: stable, lower case, hyphens.
        severity: weight.
        text: one line in plain words, in English.
        at_us: when.
        source: role and nation of the node, such as "picture/JPN".
        arguments: values for the words of this code in the reader's language, the same names for every
            notice of it; None where its title says all. Since link schema 2.
    """

    code: str
    severity: Severity
    text: str
    at_us: TimeUs
    source: str
    arguments: dict[str, str | int] | None = None


class LinkHealth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """State of one lane to one peer.

    Attributes:
        peer: party.
        lane: FLASH or ROUTINE.
        up: the last probe was answered in time.
        round_trip_ms: of the last answered probe, None if none was.
        silent_for_s: seconds since anything was heard, None if nothing ever was.
        queued: rows in the outbox.
        clock_offset_ms: the peer's clock minus the own, None if it is not known.
    """

    peer: str
    lane: Lane
    up: bool
    round_trip_ms: float | None
    silent_for_s: float | None
    queued: int
    clock_offset_ms: float | None = None


class ArrangementHealth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one arrangement stands with a node that releases under it.

    Attributes:
        arrangement: id.
        version: counts from 1.
        suspended_by: parties that have it suspended, or have withdrawn from this version.
        silent: parties, or HUB, whose silence has ended their lease: nothing of theirs passes under it.
    """

    arrangement: str
    version: int
    suspended_by: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


class Health(msgspec.Struct, frozen=True, tag="health", tag_field="type", forbid_unknown_fields=True):
    """What a node says of itself, once a second.

    Attributes:
        source: role and nation, such as "guard/KOR".
        at_us: when.
        links: state of each lane.
        counters: named counts since start, such as released, refused, lost, doubled, rejected.
        arrangements: how each one held stands; empty from a node that holds none.
    """

    source: str
    at_us: TimeUs
    links: tuple[LinkHealth, ...]
    counters: dict[str, int]
    arrangements: tuple[ArrangementHealth, ...] = ()

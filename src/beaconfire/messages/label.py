"""The label: level, releasability, restrictions, originator. Shaped like STANAG 4774."""

import msgspec

from beaconfire.messages.words import Group, Level, Nation


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may learn a message, and its groups one by one.

    Attributes:
        policy: id of the labelling policy.
        level: ordered sensitivity.
        releasable_to: parties that may receive it (permissive set).
        restrictions: all must be honoured, such as "ORCON".
        tags: informative only.
        originator: nation whose label it is.
        overrides: per group; may only tighten.
    """

    policy: str
    level: Level
    releasable_to: frozenset[Nation]
    restrictions: frozenset[str]
    tags: frozenset[str]
    originator: Nation
    overrides: tuple["GroupLabel", ...] = ()


class GroupLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tighter label for one field group."""

    group: Group
    level: Level
    releasable_to: frozenset[Nation]
    restrictions: frozenset[str]

"""Refusal is a value: why something was withheld."""

from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """Stable codes of a refusal. A code may cross a border; the detail never does."""

    NO_ARRANGEMENT = "no-arrangement"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    SUSPENDED = "suspended"
    NOT_RELEASABLE = "not-releasable"
    FORBIDDEN = "forbidden"
    POLICY_ERROR = "policy-error"
    UNKNOWN_OBLIGATION = "unknown-obligation"
    UNLABELLED = "unlabelled"
    UNKNOWN_FIELD = "unknown-field"
    MODE_MISMATCH = "mode-mismatch"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_KEY = "unknown-key"
    BAD_DIGEST = "bad-digest"
    WRONG_SENDER = "wrong-sender"
    WRONG_RECIPIENT = "wrong-recipient"
    REPLAYED = "replayed"
    TOO_MANY_HOPS = "too-many-hops"
    OWN_DATA = "own-data"
    NOT_OWN_SENSORS = "not-own-sensors"
    SCHEMA = "schema"
    SECOND_CHECK = "second-check"
    NOTHING_LEFT = "nothing-left"


class Withheld(msgspec.Struct, frozen=True, tag="withheld", forbid_unknown_fields=True):
    """Not released, and why.

    Attributes:
        reason: stable code.
        rule: id of the policy or check that decided, for the own audit.
        detail: what exactly, for the own audit only.
    """

    reason: Reason
    rule: str = ""
    detail: str = ""

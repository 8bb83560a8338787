"""The terms a report is sealed under."""

import msgspec

from beaconfire.messages.label import Label


class SealTerms(msgspec.Struct, frozen=True):
    """What the header says beside the report itself.

    Attributes:
        label: who may learn it.
        sent_at_us: now, UTC.
        expires_at_us: not after this.
        arrangements: digests of the agreements in force at the originator.
    """

    label: Label
    sent_at_us: int
    expires_at_us: int
    arrangements: tuple[str, ...]

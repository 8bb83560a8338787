"""Decide what may pass, and be the only place where a `Released` can be made."""

from enum import StrEnum
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from beaconfire.messages.words import Lane

T = TypeVar("T")

_TOKEN: Final = object()


class Released(Generic[T]):
    """Something a decision let pass to one recipient. Only this module can make one.

    Attributes:
        value: what may be sent.
        recipient: the only party it may be sent to.
    """

    __slots__ = ("recipient", "value")

    def __init__(self, value: T, recipient: str, token: object) -> None:
        """Refuse to be made by anybody without the module's own token."""
        if token is not _TOKEN:
            raise TypeError("only release.decide can make a Released")
        self.value = value
        self.recipient = recipient


class Outgoing(msgspec.Struct, frozen=True):
    """A sealed report ready for an outbox.

    Attributes:
        report_id: opaque keyed hash.
        originator: whose report it is.
        track: name of the national track.
        lane: FLASH or ROUTINE.
        expires_at_us: UTC; not worth sending after this.
        hops: relays passed once the recipient has it: 0 on the way to the hub, 1 from it.
        sealed: MessagePack of `Sealed`.
    """

    report_id: str
    originator: str
    track: str
    lane: Lane
    expires_at_us: int
    hops: int
    sealed: bytes

"""Checkpoints: a party's signed word on the size and root of a log at a time."""

from collections.abc import Iterable
from typing import Final

import msgspec

from beaconfire.messages.words import TimeUs

CHECKPOINT_TYPE: Final = "application/vnd.beaconfire.checkpoint"


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of one log.

    Attributes:
        log: its name, such as "gave/KOR".
        size: number of records.
        root: Merkle root over them, 32 bytes.
        at_us: when, UTC.
    """

    log: str
    size: int
    root: bytes
    at_us: TimeUs


class SignedCheckpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint and the signatures over its MessagePack bytes.

    Attributes:
        body: MessagePack of `Checkpoint`, as signed.
        signatures: (party, key id, Ed25519 signature) of the hub and, once it cosigned, the nation.
    """

    body: bytes
    signatures: tuple[tuple[str, str, bytes], ...]

    @property
    def is_cosigned(self) -> bool:
        """Whether the nation put its name to it, too."""
        return len(self.signatures) > 1


def open_offer(cosigned: Iterable[bool]) -> int | None:
    """Return which of a log's checkpoints a nation is asked to cosign, None if it is asked for none.

    It is the first after the last that came back: the next is not offered before. A nation that cosigned it,
    and whose word got lost, vouches for nothing that doesn't go on from there.

    Args:
        cosigned: whether each checkpoint of the log is, in the order in which they were written.
    """
    found: int | None = None
    for place, is_cosigned in enumerate(cosigned):
        found = None if is_cosigned else place if found is None else found
    return found

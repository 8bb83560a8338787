"""Checkpoints: a party's signed word on the size and root of a log at a time."""

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

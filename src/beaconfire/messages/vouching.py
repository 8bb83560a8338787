"""What hub and nation say to each other of the audit logs kept about the nation."""

import msgspec


class CheckpointOffer(
    msgspec.Struct, frozen=True, tag="checkpoint", tag_field="type", forbid_unknown_fields=True
):
    """The hub's signed word on the state of one log, with the proof that it continues an earlier one.

    Attributes:
        log: its name, such as "gave/KOR".
        body: MessagePack of `audit.checkpoint.Checkpoint`, as signed.
        key_id: fingerprint of the hub's key.
        signature: Ed25519 of the hub over `body`.
        earlier_size: size the nation vouched for last, as the hub knows; 0 for none.
        proof: RFC 6962 consistency proof from there, hashes of 32 bytes.
    """

    log: str
    body: bytes
    key_id: str
    signature: bytes
    earlier_size: int
    proof: tuple[bytes, ...]


class Cosignature(
    msgspec.Struct, frozen=True, tag="cosignature", tag_field="type", forbid_unknown_fields=True
):
    """A nation's word that a checkpoint continues all that it vouched for before.

    Attributes:
        party: nation.
        log: of the checkpoint.
        size: of the checkpoint.
        key_id: fingerprint of the nation's key.
        signature: Ed25519 over the checkpoint's bytes.
    """

    party: str
    log: str
    size: int
    key_id: str
    signature: bytes

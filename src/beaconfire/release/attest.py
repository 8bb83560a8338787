"""Signed words besides reports: receipts, suspensions, checkpoints of audit logs."""

from typing import Final

import msgspec

from beaconfire.audit.checkpoint import CHECKPOINT_TYPE, Checkpoint, SignedCheckpoint
from beaconfire.messages.codec import encode
from beaconfire.messages.transfer import Receipt, Suspension
from beaconfire.messages.vouching import CheckpointOffer, Cosignature
from beaconfire.messages.words import HUB, party_of
from beaconfire.release.keys import RECEIPT_TYPE, SUSPENSION_TYPE, Keyring, SigningKey

WORDS: Final = "suspension/"
"""Beginning of the keys of all rows that hold parties' words."""


def sign_receipt(receipt: Receipt, key: SigningKey) -> Receipt:
    """Return the receipt with key id and signature filled in."""
    unsigned = msgspec.structs.replace(receipt, key_id=key.key_id, signature=b"")
    signature = key.sign(RECEIPT_TYPE, encode(unsigned))
    return msgspec.structs.replace(unsigned, signature=signature)


def is_receipt_good(receipt: Receipt, keyring: Keyring) -> bool:
    """Return whether the party of the link's end that the receipt names as its sender signed it."""
    body = encode(msgspec.structs.replace(receipt, signature=b""))
    return keyring.verify(receipt.key_id, RECEIPT_TYPE, body, receipt.signature) == party_of(receipt.sender)


def sign_suspension(suspension: Suspension, key: SigningKey) -> Suspension:
    """Return the suspension with key id and signature filled in."""
    unsigned = msgspec.structs.replace(suspension, key_id=key.key_id, signature=b"")
    signature = key.sign(SUSPENSION_TYPE, encode(unsigned))
    return msgspec.structs.replace(unsigned, signature=signature)


def is_suspension_good(suspension: Suspension, keyring: Keyring) -> bool:
    """Return whether the party that the suspension names signed it."""
    body = encode(msgspec.structs.replace(suspension, signature=b""))
    signer = keyring.verify(suspension.key_id, SUSPENSION_TYPE, body, suspension.signature)
    return signer == suspension.party


def key_of_word(said: Suspension) -> str:
    """Return the key of a journal row that holds a party's newest word of a kind on an arrangement."""
    kind = "withdrawal" if said.final else "word"
    return f"{WORDS}{said.party}/{said.arrangement}/{kind}"


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> SignedCheckpoint:
    """Return the checkpoint signed by the keeper of the log."""
    body = encode(checkpoint)
    mark = (key.party, key.key_id, key.sign(CHECKPOINT_TYPE, body))
    return SignedCheckpoint(body=body, signatures=(mark,))


def is_offer_good(offer: CheckpointOffer, keyring: Keyring) -> bool:
    """Return whether the hub signed the checkpoint in an offer."""
    return keyring.verify(offer.key_id, CHECKPOINT_TYPE, offer.body, offer.signature) == HUB


def sign_cosignature(word: Cosignature, body: bytes, key: SigningKey) -> Cosignature:
    """Return a nation's word over the checkpoint in `body`, signed."""
    return msgspec.structs.replace(word, key_id=key.key_id, signature=key.sign(CHECKPOINT_TYPE, body))


def with_cosignature(
    signed: SignedCheckpoint, word: Cosignature, keyring: Keyring
) -> SignedCheckpoint | None:
    """Return a checkpoint with a nation's signature beside the hub's, or None if it is false."""
    if keyring.verify(word.key_id, CHECKPOINT_TYPE, signed.body, word.signature) != word.party:
        return None
    mark = (word.party, word.key_id, word.signature)
    return msgspec.structs.replace(signed, signatures=(*signed.signatures, mark))


def signers_of_checkpoint(signed: SignedCheckpoint, keyring: Keyring) -> frozenset[str]:
    """Return the parties whose signatures on the checkpoint are good; empty if any is false."""
    parties = set()
    for party, key_id, signature in signed.signatures:
        if keyring.verify(key_id, CHECKPOINT_TYPE, signed.body, signature) != party:
            return frozenset()
        parties.add(party)
    return frozenset(parties)

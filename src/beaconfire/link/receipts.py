"""Receipts: the bytes that are signed, signing and verifying. A receipt is the receiver's word, nobody else's."""

from collections.abc import Sequence

import msgspec

from beaconfire.messages.codec import encode
from beaconfire.messages.transfer import Receipt
from beaconfire.messages.words import Lane
from beaconfire.release.keys import RECEIPT_TYPE, Keyring, SigningKey


class UnsignedReceipt(msgspec.Struct, frozen=True):
    """What a receipt is to say; see `Receipt` for the fields."""

    sender: str
    recipient: str
    lane: Lane
    sequences: Sequence[int]
    refused: Sequence[int]


def receipt_body(receipt: Receipt) -> bytes:
    """Return the bytes a receipt's signature is over: all its fields but the signature."""
    return encode(msgspec.structs.replace(receipt, signature=b""))


def sign_receipt(content: UnsignedReceipt, key: SigningKey) -> Receipt:
    """Return the receipt signed with the receiver's key."""
    unsigned = Receipt(
        sender=content.sender,
        recipient=content.recipient,
        lane=content.lane,
        sequences=tuple(content.sequences),
        refused=tuple(content.refused),
        key_id=key.key_id,
        signature=b"",
    )
    signature = key.sign(RECEIPT_TYPE, receipt_body(unsigned))
    return msgspec.structs.replace(unsigned, signature=signature)


def receipt_is_signed(receipt: Receipt, keyring: Keyring) -> bool:
    """Return whether the party that is named as the receiver has signed it."""
    party = keyring.verify(receipt.key_id, RECEIPT_TYPE, receipt_body(receipt), receipt.signature)
    return party is not None and party == receipt.sender

"""Bytes from messages and back: MessagePack on the wire, JSON at the edges. Size first, then strict."""

from typing import Final, TypeVar, cast

import msgspec

from beaconfire.errors import PeerError
from beaconfire.messages.detection import DetectionBatch
from beaconfire.messages.envelope import Header, Sealed
from beaconfire.messages.event import Acknowledgement, Event, Warning
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import (
    Delivery,
    Probe,
    Receipt,
    Refusal,
    Restarted,
    Speaking,
    Standing,
    Suspension,
)
from beaconfire.messages.versions import flaw_in_version
from beaconfire.messages.vouching import CheckpointOffer, Cosignature
from beaconfire.messages.words import LINK_SCHEMA

MAXIMUM_MESSAGE_BYTES: Final = 65_536
Decoded = TypeVar("Decoded")

Message = (
    DetectionBatch
    | Report
    | Event
    | Warning
    | Acknowledgement
    | Notice
    | Health
    | Delivery
    | Receipt
    | Probe
    | Refusal
    | Restarted
    | Speaking
    | Standing
    | Suspension
    | CheckpointOffer
    | Cosignature
)
"""Everything that goes over a bus; the field `type` tells which."""

_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_message_decoder: Final = msgspec.msgpack.Decoder(Message)
_map_decoder: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_header_decoder: Final = msgspec.msgpack.Decoder(Header)
_sealed_decoder: Final = msgspec.msgpack.Decoder(Sealed)


def encode(message: object) -> bytes:
    """Return the MessagePack of a message, the same bytes for equal messages."""
    return _encoder.encode(message)


def _bounded(data: bytes) -> bytes:
    if len(data) > MAXIMUM_MESSAGE_BYTES:
        raise PeerError("oversize", f"{len(data)} bytes, at most {MAXIMUM_MESSAGE_BYTES}")
    return data


def said_once(value: Decoded, data: bytes) -> Decoded:
    """Return what was decoded from signed bytes, if these say nothing beside it.

    A MessagePack map may give a key twice; a decoder takes the last and another the first, so that two
    readers of the same signed bytes would not read the same.

    Raises:
        PeerError: the bytes are longer than what they say.
    """
    if len(_encoder.encode(value)) < len(data):
        raise PeerError("schema", "a field given twice, or longer than it need be")
    return value


def _pairs_said(data: bytes) -> int:
    """Return how many pairs a MessagePack map says it holds.

    Source: MessagePack specification, "map format family": fixmap 0x80 to 0x8f, map 16 0xde, map 32 0xdf.
    """
    first = data[0]
    if first & 0xF0 == 0x80:
        return first & 0x0F
    return int.from_bytes(data[1:3] if first == 0xDE else data[1:5], "big")


def decode(data: bytes, schema: int = LINK_SCHEMA) -> Message:
    """Return the message in `data`.

    Args:
        data: as received.
        schema: link schema to read by: what came later is refused as unknown.

    Raises:
        PeerError: oversize, not MessagePack, unknown type or field, or a value of the wrong type.
    """
    try:
        message = cast("Message", _message_decoder.decode(_bounded(data)))
        if len(_map_decoder.decode(data)) < _pairs_said(data):
            raise PeerError("schema", "a field given twice")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PeerError("schema", str(error)) from error
    if schema < LINK_SCHEMA and (flaw := flaw_in_version(message, schema)):
        raise PeerError("schema", flaw)
    return message


def decode_header(data: bytes) -> Header:
    """Return the header in `data`; raises `PeerError` as `decode` does."""
    try:
        return said_once(_header_decoder.decode(_bounded(data)), data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PeerError("schema", str(error)) from error


def decode_sealed(data: bytes) -> Sealed:
    """Return the sealed report in `data`; raises `PeerError` as `decode` does."""
    try:
        return said_once(_sealed_decoder.decode(_bounded(data)), data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PeerError("schema", str(error)) from error

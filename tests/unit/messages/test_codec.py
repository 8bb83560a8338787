"""Every message survives the wire; what is too big, unknown or malformed is the peer's fault, and said so."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beaconfire.errors import PeerError
from beaconfire.messages.codec import (
    MAXIMUM_MESSAGE_BYTES,
    Message,
    decode,
    decode_header,
    decode_sealed,
    encode,
)
from beaconfire.messages.envelope import Header, Sealed
from beaconfire.messages.health import Notice
from beaconfire.messages.words import Severity
from message_strategies import MESSAGE_TYPES, messages, structs_of

NOTICE = Notice("link-down", Severity.FAULT, "the link to the hub is down", 1, "guard/KOR")

DECODERS = [decode, decode_header, decode_sealed]


@given(messages())
def test_message_survives_the_wire(message: Message) -> None:
    assert decode(encode(message)) == message


@given(messages())
def test_message_survives_json(message: Message) -> None:
    assert msgspec.json.decode(msgspec.json.encode(message), type=Message) == message


@given(messages())
def test_equal_messages_give_equal_bytes(message: Message) -> None:
    assert encode(message) == encode(decode(encode(message)))


@given(structs_of(Header))
def test_header_survives_the_wire(header: Header) -> None:
    assert decode_header(encode(header)) == header


@given(structs_of(Sealed))
def test_sealed_report_survives_the_wire(sealed: Sealed) -> None:
    assert decode_sealed(encode(sealed)) == sealed


@pytest.mark.parametrize("order", [("a", "b", "c", "d"), ("d", "c", "b", "a")])
def test_order_of_a_set_does_not_show_in_the_bytes(order: tuple[str, ...]) -> None:
    assert encode(frozenset(order)) == encode(frozenset(("b", "a", "d", "c")))


@pytest.mark.parametrize("kind", MESSAGE_TYPES, ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_unknown_field_is_refused(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    fields = msgspec.msgpack.decode(encode(data.draw(structs_of(kind))))
    with pytest.raises(PeerError, match="schema"):
        decode(encode(fields | {"added_later": 1}))


@pytest.mark.parametrize("kind", MESSAGE_TYPES, ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_missing_field_is_refused(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    fields = msgspec.msgpack.decode(encode(data.draw(structs_of(kind))))
    del fields[kind.__struct_fields__[0]]
    with pytest.raises(PeerError, match="schema"):
        decode(encode(fields))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "notice", "code": 7, "severity": "fault", "text": "", "at_us": 1, "source": ""},
        {"type": "notice", "code": "", "severity": "grave", "text": "", "at_us": 1, "source": ""},
        {"type": "notice", "code": "", "severity": "fault", "text": "", "at_us": 1.5, "source": ""},
        {"type": "notice", "code": "", "severity": "fault", "text": "", "at_us": True, "source": ""},
        {"type": "unheard-of"},
        {},
        [],
        None,
    ],
)
def test_wrong_content_is_refused(wrong: object) -> None:
    with pytest.raises(PeerError) as caught:
        decode(encode(wrong))
    assert caught.value.code == "schema"
    assert caught.value.detail


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.__name__)
@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_value_or_the_peers_fault(decoder: Callable[[bytes], object], data: bytes) -> None:
    try:
        decoder(data)
    except PeerError as error:
        assert error.code == "schema"  # noqa: PT017 - both outcomes are right, nothing else is


@given(messages(), st.data())
def test_a_flipped_byte_gives_a_message_or_the_peers_fault(message: Message, data: st.DataObject) -> None:
    sent = bytearray(encode(message))
    sent[data.draw(st.integers(0, len(sent) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decode(bytes(sent))
    except PeerError as error:
        assert error.code == "schema"  # noqa: PT017 - as above


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.__name__)
def test_oversize_is_refused_unread(decoder: Callable[[bytes], object]) -> None:
    with pytest.raises(PeerError) as caught:
        decoder(b"\xc1" * (MAXIMUM_MESSAGE_BYTES + 1))
    assert caught.value.code == "oversize"


def test_a_message_of_the_largest_size_is_read() -> None:
    room = MAXIMUM_MESSAGE_BYTES - len(encode(msgspec.structs.replace(NOTICE, text="x" * 40_000))) + 40_000
    largest = msgspec.structs.replace(NOTICE, text="x" * room)
    assert len(encode(largest)) == MAXIMUM_MESSAGE_BYTES
    assert decode(encode(largest)) == largest
    with pytest.raises(PeerError, match="oversize"):
        decode(encode(msgspec.structs.replace(NOTICE, text="x" * (room + 1))))


@pytest.mark.parametrize("nested", [b"\x91" * 5_000 + b"\xc0", b"\x81\xa4type" * 2_000])
def test_deep_nesting_is_the_peers_fault(nested: bytes) -> None:
    with pytest.raises(PeerError, match="schema"):
        decode(nested)

"""A link schema adds and takes nothing away; what came later is unknown to the one before, and refused."""

import msgspec
import pytest

from beaconfire.errors import PeerError
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.health import Notice
from beaconfire.messages.refusal import Reason
from beaconfire.messages.transfer import Delivery, Probe, Refusal, Speaking
from beaconfire.messages.versions import SINCE, as_of, flaw_in_version
from beaconfire.messages.words import LINK_SCHEMA, LINK_SCHEMA_BEFORE, ClockQuality, Lane, Severity
from message_strategies import MESSAGE_TYPES

TOLD = Notice("gap", Severity.CAUTION, "2 are missing", 1, "picture/JPN", {"party": "HUB-1", "count": 2})
PLAIN = Delivery("HUB", "JPN", Lane.FLASH, 1, 1, 1, "r", b"s")
NEWER = msgspec.structs.replace(PLAIN, clock=ClockQuality.GOOD)
REFUSED = Refusal("HUB", "JPN", "r", Reason.SCHEMA, "gave/JPN", 3)
BEFORE = b"".join(
    (
        b"\x89\xa4type\xa8delivery\xa6sender\xa3HUB\xa9recipient\xa3JPN\xa4lane\xa5FLASH\xa8sequence\x01",
        b"\xaboldest_open\x01\xa4hops\x01\xa9report_id\xa1r\xa6sealed\xc4\x01s",
    )
)
"""A delivery as a program of link schema 1 wrote it, byte for byte."""
BEFORE_NOTICE = b"".join(
    (
        b"\x86\xa4type\xa6notice\xa4code\xa9link-down\xa8severity\xa5fault",
        b"\xa4text\xa6no hub\xa5at_us\x01\xa6source\xabpicture/JPN",
    )
)
"""A notice likewise."""


def test_delivery_of_the_schema_before_is_read_and_written_as_it_was() -> None:
    assert decode(BEFORE) == PLAIN
    assert encode(PLAIN) == BEFORE
    assert decode(encode(PLAIN), LINK_SCHEMA_BEFORE) == PLAIN


def test_a_notice_without_arguments_has_the_bytes_of_the_schema_before() -> None:
    plain = Notice("link-down", Severity.FAULT, "no hub", 1, "picture/JPN")
    assert encode(plain) == BEFORE_NOTICE
    assert decode(BEFORE_NOTICE, LINK_SCHEMA_BEFORE) == plain
    assert encode(TOLD) != encode(msgspec.structs.replace(TOLD, arguments=None))


@pytest.mark.parametrize("message", [NEWER, TOLD])
def test_as_of_the_schema_before_a_message_is_without_what_came_later(message: Delivery | Notice) -> None:
    assert as_of(message, LINK_SCHEMA) is message
    older = as_of(message, LINK_SCHEMA_BEFORE)
    assert older != message
    assert decode(encode(older), LINK_SCHEMA_BEFORE) == older


def test_as_of_the_schema_before_a_message_that_came_later_is_none() -> None:
    assert as_of(REFUSED, LINK_SCHEMA_BEFORE) is None
    assert as_of(PLAIN, LINK_SCHEMA_BEFORE) == PLAIN


@pytest.mark.parametrize("message", [NEWER, TOLD, Speaking("JPN", "HUB", LINK_SCHEMA), REFUSED])
def test_what_came_later_is_refused_by_a_node_of_the_schema_before(
    message: Delivery | Notice | Speaking | Refusal,
) -> None:
    assert decode(encode(message)) == message
    with pytest.raises(PeerError, match=f"schema {LINK_SCHEMA}"):
        decode(encode(message), LINK_SCHEMA_BEFORE)


def test_field_of_no_schema_is_refused_by_every_node() -> None:
    strange = msgspec.msgpack.encode({**msgspec.to_builtins(PLAIN), "sealed": b"s", "future": 1})
    with pytest.raises(PeerError, match="future"):
        decode(strange)


def test_what_is_older_has_no_flaw() -> None:
    assert not flaw_in_version(Probe("JPN", "HUB", Lane.FLASH, 1, 1, echo=False), LINK_SCHEMA_BEFORE)


@pytest.mark.parametrize("kind", SINCE, ids=lambda kind: kind.__name__)
def test_every_later_field_may_be_left_out_and_is_where_it_says_nothing(kind: type[msgspec.Struct]) -> None:
    since, fields = SINCE[kind]
    assert kind in MESSAGE_TYPES
    assert 1 < since <= LINK_SCHEMA
    defaults = {one.name: one.default for one in msgspec.structs.fields(kind)}
    assert all(defaults[name] is None for name in fields)
    assert kind.__struct_config__.omit_defaults or not fields

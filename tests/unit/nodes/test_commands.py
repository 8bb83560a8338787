"""Commands are few, frozen, and whatever they carry survives the wire."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beaconfire.messages.codec import Message, decode, encode
from beaconfire.messages.words import Lane
from beaconfire.nodes.commands import Channel, Command, Deliver, Inbound, Keep, Now, Send, Table, WakeAt
from message_strategies import messages

KINDS = get_args(Command)


@pytest.mark.parametrize("kind", [*KINDS, Now, Inbound], ids=lambda kind: kind.__name__)
def test_it_is_frozen(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.frozen


@pytest.mark.parametrize(
    "command",
    [Deliver(Channel.TO_HUB, "HUB", Lane.FLASH, b""), Keep(Table.OUTBOX, "1", b""), WakeAt(1)],
    ids=lambda command: type(command).__name__,
)
def test_a_command_can_not_be_changed(command: msgspec.Struct) -> None:
    with pytest.raises(AttributeError):
        setattr(command, command.__struct_fields__[0], None)


@settings(max_examples=30)
@given(messages(), st.sampled_from(Channel), st.sampled_from(Lane))
def test_what_is_sent_is_what_the_other_end_is_told(message: Message, channel: Channel, lane: Lane) -> None:
    send = Send(channel, "JPN", lane, message)
    body = encode(send.message)
    inbound = Inbound(channel, "KOR", lane, decode(body), len(body))
    assert inbound.message == send.message


def test_only_a_delivery_carries_a_report_to_a_partner() -> None:
    """`Send` takes messages and `Deliver` bytes that `link.outbox` made: neither has room for the other."""
    assert Deliver.__struct_fields__ == ("channel", "recipient", "lane", "body")
    assert "body" not in Send.__struct_fields__


def test_flows_and_tables_have_names_of_their_own() -> None:
    assert len({channel.value for channel in Channel}) == len(Channel)
    assert {table.value for table in Table} == {"outbox", "intake", "state"}

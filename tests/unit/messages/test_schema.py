"""The JSON Schema of a message judges it as the types do."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from beaconfire.formats.schema import schema_of
from beaconfire.messages.codec import Message
from message_strategies import MESSAGE_TYPES, messages

VALIDATOR = Draft202012Validator(json.loads(json.dumps(schema_of("message"))))


def _as_json(message: Message) -> Any:
    return json.loads(msgspec.json.encode(message))


def test_every_message_type_is_in_it() -> None:
    assert {kind.__name__ for kind in MESSAGE_TYPES} <= VALIDATOR.schema["$defs"].keys()


@settings(max_examples=50)
@given(messages())
def test_a_message_fits_the_schema(message: Message) -> None:
    VALIDATOR.validate(_as_json(message))


@settings(max_examples=50)
@given(messages())
def test_an_unknown_field_does_not_fit(message: Message) -> None:
    assert not VALIDATOR.is_valid(_as_json(message) | {"added_later": 1})


@pytest.mark.parametrize("wrong", [{}, {"type": "unheard-of"}, [], None, 1])
def test_what_is_no_message_does_not_fit(wrong: object) -> None:
    assert not VALIDATOR.is_valid(wrong)

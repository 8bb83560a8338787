"""The JSON Schema in the documentation is the one of the types, and it judges messages as the types do."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from beaconfire.messages.codec import Message
from beaconfire.messages.schema import message_schema
from message_strategies import MESSAGE_TYPES, messages

VALIDATOR = Draft202012Validator(json.loads(json.dumps(message_schema())))


def _as_json(message: Message) -> Any:
    return json.loads(msgspec.json.encode(message))


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)


def test_schema_in_the_documentation_is_this_one(root: Path) -> None:
    written = json.loads((root / "docs" / "schema" / "messages.json").read_text())
    assert written == VALIDATOR.schema, "run: beaconfire schema --out docs/schema/messages.json"


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

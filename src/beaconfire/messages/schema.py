"""The JSON Schema of everything that goes over a bus, made from the types that are the wire."""

from typing import Any, Final

import msgspec

from beaconfire.messages.codec import Message
from beaconfire.messages.envelope import Header, Sealed
from beaconfire.messages.words import SCHEMA_VERSION

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def message_schema() -> dict[str, Any]:
    """Return the JSON Schema of messages, header and sealed report, ready to be written as JSON.

    Source: JSON Schema, draft 2020-12; `$defs` holds one definition for each type.
    """
    (message, header, sealed), definitions = msgspec.json.schema_components(
        (Message, Header, Sealed), ref_template="#/$defs/{name}"
    )
    return {
        "$schema": DIALECT,
        "title": f"beaconfire messages, schema version {SCHEMA_VERSION}",
        "description": "Any message of a bus. Angles in radians, times in microseconds UTC, SI units.",
        **message,
        "$defs": {**definitions, "AnyHeader": header, "AnySealed": sealed},
    }

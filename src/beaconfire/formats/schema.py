"""JSON Schema of every message and every line of a file, made from the types: one definition for all."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from beaconfire.formats.detections import DetectionLine
from beaconfire.formats.events import EventLine
from beaconfire.messages.arrangement import Bundle, SignedBundle
from beaconfire.messages.codec import Message
from beaconfire.messages.envelope import Header, Sealed

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

SCHEMAS: Final[Mapping[str, object]] = {
    "message": Message,
    "header": Header,
    "sealed": Sealed,
    "arrangement": Bundle,
    "signed-arrangement": SignedBundle,
    "detection-line": DetectionLine,
    "event-line": EventLine,
}
"""What has a schema, by the name of its file."""


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one of `SCHEMAS`."""
    return {"$schema": DIALECT, "title": name, **msgspec.json.schema(SCHEMAS[name])}


def schema_files() -> dict[str, bytes]:
    """Return the text of each schema file by its name, such as `message.json`; the same bytes each time."""
    return {
        f"{name}.json": (json.dumps(schema_of(name), indent=1, sort_keys=True) + "\n").encode()
        for name in SCHEMAS
    }

"""Which link schema brought which message and field: what lets partners upgrade one at a time, and go back.

Four rules:

1. A schema adds messages, and fields that have a default and are left out where they hold it. It takes
   nothing away and changes no meaning: what is written without its additions is the schema before.
2. A node reads its own schema and the one before, and refuses what is in neither.
3. A sender writes the schema before until its receiver has said (`Speaking`) that it reads more, and again
   from when that receiver says that it was started again.
4. What stays at home has receivers that say nothing: a node held at the schema before leaves out what came
   later, and the display, which reads all, is upgraded before the others and goes back after them.
"""

from typing import Final

import msgspec

from beaconfire.messages.health import Notice
from beaconfire.messages.transfer import Delivery, Refusal, Speaking

SINCE: Final[dict[type[msgspec.Struct], tuple[int, tuple[str, ...]]]] = {
    Speaking: (2, ()),
    Refusal: (2, ()),
    Delivery: (2, ("clock",)),
    Notice: (2, ("arguments",)),
}
"""By type: the schema that brought it, or the named fields of it."""


def flaw_in_version(message: msgspec.Struct, schema: int) -> str:
    """Return what in a message a schema does not know, or an empty string."""
    since, fields = SINCE.get(type(message), (1, ()))
    if since <= schema:
        return ""
    if not fields:
        return f"{type(message).__name__} is of schema {since}, this is {schema}"
    later = [name for name in fields if getattr(message, name) is not None]
    return f"{later[0]} is of schema {since}, this is {schema}" if later else ""


def as_of(message: msgspec.Struct, schema: int) -> msgspec.Struct | None:
    """Return a message without the fields that came after a schema; None if it came later itself."""
    since, fields = SINCE.get(type(message), (1, ()))
    if since <= schema:
        return message
    return msgspec.structs.replace(message, **dict.fromkeys(fields)) if fields else None

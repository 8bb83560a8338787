"""JSON read strictly: no key twice in an object, no number that JSON does not know.

Readers of JSON differ where a key stands twice: most take the last, some the first. What was signed must say
the same to each of them.
"""

import json
from typing import NoReturn, TypeVar

import msgspec

T = TypeVar("T")


def decode_json(data: bytes | str, kind: type[T]) -> T:
    """Return the value of a JSON text.

    Args:
        data: as read; its size was bounded by the caller.
        kind: type of the value.

    Raises:
        msgspec.MsgspecError: not JSON, a key twice, nested too deeply, not UTF-8, or not of the type.

    Source: RFC 8259, section 4: names within an object should be unique.
    """
    try:
        json.loads(data, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error
    return msgspec.json.decode(data, type=kind)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:40]!r} stands twice in an object")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")

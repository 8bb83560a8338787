"""Change an input as its format is built: a value here, a key there, a line twice; else any byte.

A decoder compiled to machine code gives a fuzzer no coverage to climb by, so what is changed at random bytes
ends at "not MessagePack". A change that knows the format reaches what stands behind the decoder.
"""

import json
import math
import random
import re
from collections.abc import Callable
from typing import Any

import msgspec

Value = Any
Mutator = Callable[[bytes, int, int], bytes]
"""(data, most bytes, seed) to other data."""

NUMBERS: tuple[Value, ...] = (
    *(0, -1, 1, 2**31, 2**53, 2**63 - 1, -(2**63), 2**64 - 1, 0.0, -0.0, 1e308, -1e308, 5e-324, 1e-9),
    *(math.nan, math.inf, -math.inf, 90.0, 180.0, 360.0, 6.4e6, 1.664835785e15),
)
TEXTS: tuple[Value, ...] = (
    "",
    "x",
    "HUB",
    "KOR",
    "A" * 5_000,
    "\x00",
    "\u202e",
    "../../etc",
    "1e999",
    "NaN",
    "\ud800",
)
OTHERS: tuple[Value, ...] = (None, True, False, [], {}, b"", b"\x00" * 32, [[[[[]]]]], {"type": "report"})
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_TOKENS = (
    b"NaN",
    b"1e999",
    b"-0",
    b"9" * 400,
    b"=",
    b"[[",
    b"]]",
    b'"',
    b"'",
    b"\xff",
    b"\x00",
    b"<!DOCTYPE a>",
    b"{",
    b"}",
)


def _places(value: Value, found: list[tuple[Value, Value]]) -> None:
    """Gather (container, key) of every value inside."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found.append((value, key))
        _places(inner, found)


def _other(value: Value, chance: random.Random) -> Value:
    """Return something else in the place of a value, most often of its own kind."""
    if isinstance(value, bytes) and chance.random() < 0.7:
        return changed_msgpack(value, chance) or changed_bytes(value, chance)
    if isinstance(value, int | float) and not isinstance(value, bool) and chance.random() < 0.8:
        return chance.choice((*NUMBERS, value + 1, -value, value * 1_000))
    if isinstance(value, list) and value and chance.random() < 0.6:
        return value * chance.choice((2, 40)) if chance.random() < 0.5 else value[:-1]
    return chance.choice((*NUMBERS, *TEXTS, *OTHERS))


def _change(value: Value, chance: random.Random) -> Value:
    found: list[tuple[Value, Value]] = []
    _places(value, found)
    if not found:
        return _other(value, chance)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        holder, key = chance.choice(found)
        if isinstance(holder, dict) and chance.random() < 0.15:
            holder.pop(key, None)
            holder[chance.choice(("type", "x", "schema", *map(str, holder)))] = chance.choice(NUMBERS)
        elif (key in holder) if isinstance(holder, dict) else key < len(holder):
            holder[key] = _other(holder[key], chance)
    return value


def changed_msgpack(data: bytes, chance: random.Random) -> bytes:
    """Return MessagePack with values changed, empty if it was none."""
    try:
        return msgspec.msgpack.encode(_change(msgspec.msgpack.decode(data), chance))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError, TypeError):
        return b""


def changed_json(data: bytes, chance: random.Random) -> bytes:
    """Return JSON, or JSON lines, with values changed, empty if it was none."""
    lines = data.split(b"\n")
    place = chance.randrange(len(lines))
    try:
        value = _change(json.loads(lines[place]), chance)
        lines[place] = json.dumps(value, default=lambda one: one.hex()).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError, OverflowError):
        return b""
    return b"\n".join(lines)


def changed_text(data: bytes, chance: random.Random) -> bytes:
    """Return a text with a line or a number in it changed."""
    lines = data.split(b"\n")
    place = chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            lines.insert(chance.randrange(len(lines) + 1), lines[place])
        case 1:
            del lines[place]
        case 2:
            put = chance.choice((*_TOKENS, str(chance.choice(NUMBERS)).encode()))
            lines[place] = _NUMBER.sub(lambda _: put, lines[place], count=1)
        case 3:
            at = chance.randrange(len(lines[place]) + 1)
            lines[place] = lines[place][:at] + chance.choice(_TOKENS) + lines[place][at:]
        case _:
            other = chance.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]
    return b"\n".join(lines)


def changed_bytes(data: bytes, chance: random.Random) -> bytes:
    """Return data with a few bytes changed, cut out, or repeated."""
    held = bytearray(data or b"\x00")
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(held) + 1)
        match chance.randrange(4):
            case 0 if at < len(held):
                held[at] ^= 1 << chance.randrange(8)
            case 1:
                del held[at : at + chance.randrange(1, 64)]
            case 2:
                held[at:at] = held[at : at + chance.randrange(1, 64)]
            case _:
                held[at:at] = chance.randbytes(chance.randrange(1, 8))
    return bytes(held)


STRUCTURED = {"msgpack": changed_msgpack, "json": changed_json, "text": changed_text, "bytes": changed_bytes}


def mutator(kind: str, unstructured: Callable[[bytes, int], bytes] | None = None) -> Mutator:
    """Return a mutator of a format; every third change is of any byte.

    Args:
        kind: "msgpack", "json", "text" or "bytes".
        unstructured: a fuzzer's own change of any byte.
    """

    def change(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.7 and (made := STRUCTURED[kind](data, chance)):
            return made[:most]
        made = unstructured(data, most) if unstructured else changed_bytes(data, chance)
        return made[:most]

    return change

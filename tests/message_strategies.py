"""Hypothesis strategies for every message type, made from the types themselves."""

from enum import Enum
from types import UnionType
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from beaconfire.messages.codec import Message

MESSAGE_TYPES: tuple[type[msgspec.Struct], ...] = get_args(Message)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-(2**63), 2**63 - 1)


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Return values of one annotation: small, finite, equal to themselves."""
    if isinstance(annotation, NewType):
        return values_of(annotation.__supertype__)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return st.one_of([values_of(each) for each in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in {tuple, frozenset, dict}:
        return _containers_of(origin, arguments)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return structs_of(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    return {
        float: FINITE,
        int: INTEGERS,
        str: st.text(max_size=12),
        bytes: st.binary(max_size=32),
        bool: st.booleans(),
        type(None): st.none(),
    }[annotation]


def _containers_of(origin: Any, arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin is frozenset:
        return st.frozensets(values_of(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=3)
    if arguments[-1] is ...:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    return st.tuples(*(values_of(each) for each in arguments))


def structs_of(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Return instances of a struct with every field drawn, optional ones too."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field: values_of(hints[field]) for field in kind.__struct_fields__})


def messages() -> st.SearchStrategy[Message]:
    """Return any message that goes over a bus."""
    return st.one_of([structs_of(kind) for kind in MESSAGE_TYPES])

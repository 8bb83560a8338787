"""Values of the fragment as terms of the solver, with the condition under which computing them fails.

Text and entities become integer codes, since rules only ever compare them. A set is a list of members,
each with the condition under which it is in it; sets within sets are outside the fragment.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import msgspec
import z3

INTEGER_MAX: Final = 2**63 - 1
"""Largest integer of Cedar. Source: Cedar policy language, "Data types", long."""
INTEGER_MIN: Final = -(2**63)

TRUE: Final = z3.BoolVal(True)
FALSE: Final = z3.BoolVal(False)

Term = Any
"""A term of the solver; the library gives it no types."""


class Kind(StrEnum):
    """What a value is. NOTHING is the value of what always fails."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    TEXT = "text"
    ENTITY = "entity"
    SET = "set"
    NOTHING = "nothing"


class Value(msgspec.Struct, frozen=True):
    """One value.

    Attributes:
        kind: what it is.
        term: of the solver; meaningless for SET and NOTHING.
        fails: condition under which computing it fails.
        members: of a set, each with the condition under which it is in it.
    """

    kind: Kind
    term: Term = FALSE
    fails: Term = FALSE
    members: tuple[tuple[Term, "Value"], ...] = ()


NOTHING: Final = Value(Kind.NOTHING, fails=TRUE)


def boolean(term: Term, *parts: Value) -> Value:
    """Return a boolean that fails where any of its parts fails."""
    return Value(Kind.BOOLEAN, term, any_of(part.fails for part in parts))


def any_of(terms: Any) -> Term:
    """Return the disjunction of terms, FALSE of none."""
    return z3.Or(*terms, FALSE)


def all_of(terms: Any) -> Term:
    """Return the conjunction of terms, TRUE of none."""
    return z3.And(*terms, TRUE)


def equal(left: Value, right: Value) -> Term:
    """Return when two values that did not fail are equal: never, if they are of different kinds."""
    if left.kind is not right.kind:
        return FALSE
    if left.kind is Kind.SET:
        return z3.And(holds_all(left, right), holds_all(right, left))
    return left.term == right.term


def holds(members: Value, one: Value) -> Term:
    """Return when a set holds a value."""
    return any_of(z3.And(within, equal(member, one)) for within, member in members.members)


def holds_all(members: Value, others: Value) -> Term:
    """Return when a set holds every member of another."""
    return all_of(z3.Implies(within, holds(members, one)) for within, one in others.members)


def holds_any(members: Value, others: Value) -> Term:
    """Return when a set holds some member of another."""
    return any_of(z3.And(within, holds(members, one)) for within, one in others.members)


def both(left: Value, right: Value) -> Value:
    """Return `left && right`: the right side counts only where the left is true."""
    return _short(left, right, lambda term: term)


def either(left: Value, right: Value) -> Value:
    """Return `left || right`: the right side counts only where the left is false."""
    return _short(left, right, z3.Not)


def _short(left: Value, right: Value, goes_on: Callable[[Term], Term]) -> Value:
    if left.kind is not Kind.BOOLEAN:
        return NOTHING
    further = goes_on(left.term)
    right_fails = right.fails if right.kind is Kind.BOOLEAN else TRUE
    right_term = right.term if right.kind is Kind.BOOLEAN else FALSE
    return Value(
        Kind.BOOLEAN,
        z3.If(further, right_term, left.term),
        z3.Or(left.fails, z3.And(further, right_fails)),
    )


def negated(value: Value) -> Value:
    """Return `!value`."""
    return boolean(z3.Not(value.term), value) if value.kind is Kind.BOOLEAN else NOTHING


def bounded(term: Term, *parts: Value) -> Value:
    """Return an integer that fails where a part fails, or where it overflows."""
    overflows = z3.Or(term > INTEGER_MAX, term < INTEGER_MIN)
    return Value(Kind.INTEGER, term, z3.Or(any_of(part.fails for part in parts), overflows))

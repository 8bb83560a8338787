"""Translate our fragment of Cedar, rule by rule, into terms of the solver; refuse everything else.

The fragment: scopes; `context` attributes; booleans, integers, text, parties; `== != < <= > >= + - *`
(a product by a literal), `! && ||`, `if`, `in`, `is`, `has`, `contains`, `containsAll`, `containsAny`,
`isEmpty`, sets that hold no sets. There are no entities with attributes or parents here, so `in` is
equality and any attribute of a party fails. A rule *fails* where Cedar would skip it with an error.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import z3

from beaconfire.release.proof.values import (
    FALSE,
    NOTHING,
    TRUE,
    Kind,
    Term,
    Value,
    any_of,
    boolean,
    both,
    bounded,
    either,
    equal,
    holds,
    holds_all,
    holds_any,
    negated,
)
from beaconfire.release.rules import Rule

COMPARISONS: Final[Mapping[str, Callable[[Term, Term], Term]]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
ARITHMETIC: Final[Mapping[str, Callable[[Term, Term], Term]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
}
MEMBERSHIP: Final[Mapping[str, Callable[[Value, Value], Term]]] = {
    "containsAll": holds_all,
    "containsAny": holds_any,
}

Expression = dict[str, Any]


class OutsideFragment(Exception):
    """A rule uses a construct that the proof can't follow; caught where the proof begins.

    Attributes:
        construct: as Cedar's JSON names it.
        rule: which rule.
    """

    def __init__(self, construct: str, rule: str = "") -> None:
        self.construct = construct
        self.rule = rule
        super().__init__(construct)


class Codes:
    """Integer codes of every text and entity that rules and requests can name."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}
        self._entities: dict[tuple[str, str], int] = {}

    def text(self, text: str) -> Value:
        """Return a text as a value."""
        return Value(Kind.TEXT, z3.IntVal(self._texts.setdefault(text, len(self._texts))))

    def entity(self, kind: str, name: str) -> Value:
        """Return an entity as a value."""
        code = self._entities.setdefault((kind, name), len(self._entities))
        return Value(Kind.ENTITY, z3.IntVal(code))

    def text_of(self, code: int) -> str:
        """Return the text of a code."""
        return next(text for text, one in self._texts.items() if one == code)

    def name_of(self, code: int) -> str:
        """Return the name of the entity of a code."""
        return next(name for (_, name), one in self._entities.items() if one == code)


class Variables(msgspec.Struct, frozen=True):
    """What a request hands to the rules.

    Attributes:
        principal: who would receive.
        action: always the release.
        resource: always the report.
        kinds: the type of each of the three.
        context: attributes.
    """

    principal: Value
    action: Value
    resource: Value
    kinds: Mapping[str, str]
    context: Mapping[str, Value]


class Outcome(msgspec.Struct, frozen=True):
    """What became of one rule: the conditions under which it is satisfied, and under which it fails."""

    rule: Rule
    satisfied: Term
    fails: Term


def translate(rule: Rule, codes: Codes, variables: Variables) -> Outcome:
    """Return when a rule is satisfied by a request, and when evaluating it fails.

    Raises:
        OutsideFragment: it uses something the proof can't follow.
    """
    translator = _Translator(codes, variables)
    try:
        whole = translator.rule(rule.policy)
    except OutsideFragment as outside:
        raise OutsideFragment(outside.construct, rule.name) from outside
    return Outcome(rule, z3.And(z3.Not(whole.fails), whole.term), whole.fails)


class _Translator:
    """Translates the expressions of one request's rules."""

    def __init__(self, codes: Codes, variables: Variables) -> None:
        self._codes = codes
        self._given = variables

    def rule(self, policy: Expression) -> Value:
        """Return the conjunction of scope and conditions, each counting only where those before hold."""
        whole = Value(Kind.BOOLEAN, TRUE)
        for name in ("principal", "action", "resource"):
            whole = both(whole, self._scope(name, policy[name]))
        for condition in policy["conditions"]:
            body = self.value(condition["body"])
            if body.kind is not Kind.BOOLEAN:
                body = NOTHING
            whole = both(whole, negated(body) if condition["kind"] == "unless" else body)
        return whole

    def _scope(self, name: str, scope: Expression) -> Value:
        given: Value = getattr(self._given, name)
        if "slot" in scope:
            raise OutsideFragment("a template's slot")
        match scope["op"]:
            case "All":
                return Value(Kind.BOOLEAN, TRUE)
            case "==" | "in":
                named = scope.get("entities") or [scope["entity"]]
                return boolean(any_of(equal(given, self._entity(one)) for one in named))
            case "is":
                fits = TRUE if self._given.kinds[name] == scope["entity_type"] else FALSE
                within = equal(given, self._entity(scope["in"]["entity"])) if "in" in scope else TRUE
                return boolean(z3.And(fits, within))
            case other:
                raise OutsideFragment(str(other))

    def _entity(self, named: Mapping[str, str]) -> Value:
        return self._codes.entity(named["type"], named["id"])

    def value(self, expression: Expression) -> Value:
        """Return an expression as a value; raises `OutsideFragment`."""
        ((construct, body),) = expression.items()
        match construct:
            case "Value":
                return self._literal(body)
            case "Var":
                return self._variable(body)
            case "Set":
                return self._set([self.value(one) for one in body])
            case "." | "has":
                return self._attribute(construct, body)
            case "is":
                return self._is(body)
            case "if-then-else":
                return self._choice(*(self.value(body[part]) for part in ("if", "then", "else")))
            case "!" | "neg" | "isEmpty":
                return _unary(construct, self.value(body["arg"]))
            case "&&" | "||":
                joined = both if construct == "&&" else either
                return joined(self.value(body["left"]), self.value(body["right"]))
            case _ if construct in _BINARY:
                return _BINARY[construct](construct, self.value(body["left"]), self.value(body["right"]))
            case _:
                raise OutsideFragment(construct)

    def _literal(self, literal: Any) -> Value:
        match literal:
            case bool():
                return Value(Kind.BOOLEAN, TRUE if literal else FALSE)
            case int():
                return Value(Kind.INTEGER, z3.IntVal(literal))
            case str():
                return self._codes.text(literal)
            case list():
                return self._set([self._literal(one) for one in literal])
            case {"__entity": named}:
                return self._entity(named)
            case _:
                raise OutsideFragment("a literal of an extension")

    def _variable(self, name: str) -> Value:
        if name == "context":
            raise OutsideFragment("context as a whole")
        value: Value = getattr(self._given, name)
        return value

    def _set(self, members: list[Value]) -> Value:
        if any(one.kind is Kind.SET for one in members):
            raise OutsideFragment("a set within a set")
        return Value(
            Kind.SET,
            fails=any_of(one.fails for one in members),
            members=tuple((TRUE, one) for one in members if one.kind is not Kind.NOTHING),
        )

    def _attribute(self, construct: str, body: Expression) -> Value:
        """Return `left.attr` or `left has attr`: only the context has attributes here."""
        if body["left"] == {"Var": "context"}:
            found = self._given.context.get(body["attr"], NOTHING)
            known = TRUE if body["attr"] in self._given.context else FALSE
            return found if construct == "." else Value(Kind.BOOLEAN, known)
        left = self.value(body["left"])
        if construct == "." or left.kind is not Kind.ENTITY:
            return NOTHING
        return boolean(FALSE, left)

    def _is(self, body: Expression) -> Value:
        left = self.value(body["left"])
        if left.kind is not Kind.ENTITY:
            return NOTHING
        fits = boolean(self._is_of(body["left"], body["entity_type"]), left)
        if "in" not in body:
            return fits
        return both(fits, _within("in", left, self.value(body["in"])))

    def _is_of(self, left: Expression, kind: str) -> Term:
        match left:
            case {"Var": name}:
                return TRUE if self._given.kinds[name] == kind else FALSE
            case {"Value": {"__entity": named}}:
                return TRUE if named["type"] == kind else FALSE
            case _:
                raise OutsideFragment("is, of something computed")

    def _choice(self, condition: Value, then: Value, otherwise: Value) -> Value:
        if condition.kind is not Kind.BOOLEAN:
            return NOTHING
        kinds = {one.kind for one in (then, otherwise)} - {Kind.NOTHING}
        if len(kinds) > 1 or Kind.SET in kinds:
            raise OutsideFragment("if with sets, or with two kinds of value")
        fails = z3.Or(condition.fails, z3.If(condition.term, then.fails, otherwise.fails))
        if not kinds:
            return NOTHING
        (kind,) = kinds
        terms = [one.term if one.kind is kind else _any_term(kind) for one in (then, otherwise)]
        return Value(kind, z3.If(condition.term, *terms), fails)


def _any_term(kind: Kind) -> Term:
    return FALSE if kind is Kind.BOOLEAN else z3.IntVal(0)


def _unary(construct: str, one: Value) -> Value:
    if construct == "!":
        return negated(one)
    if construct == "neg":
        return bounded(-one.term, one) if one.kind is Kind.INTEGER else NOTHING
    if one.kind is not Kind.SET:
        return NOTHING
    return boolean(z3.Not(any_of(within for within, _ in one.members)), one)


def _equality(construct: str, left: Value, right: Value) -> Value:
    same = equal(left, right)
    return boolean(same if construct == "==" else z3.Not(same), left, right)


def _comparison(construct: str, left: Value, right: Value) -> Value:
    if {left.kind, right.kind} != {Kind.INTEGER}:
        return NOTHING
    return boolean(COMPARISONS[construct](left.term, right.term), left, right)


def _arithmetic(construct: str, left: Value, right: Value) -> Value:
    if {left.kind, right.kind} != {Kind.INTEGER}:
        return NOTHING
    if construct == "*" and not (z3.is_int_value(left.term) or z3.is_int_value(right.term)):
        raise OutsideFragment("a product of two variables")
    return bounded(ARITHMETIC[construct](left.term, right.term), left, right)


def _membership(construct: str, left: Value, right: Value) -> Value:
    if (left.kind, right.kind) != (Kind.SET, Kind.SET):
        return NOTHING
    return boolean(MEMBERSHIP[construct](left, right), left, right)


def _contains(construct: str, left: Value, right: Value) -> Value:
    del construct
    if left.kind is not Kind.SET or right.kind is Kind.NOTHING:
        return NOTHING
    return boolean(holds(left, right), left, right)


def _within(construct: str, left: Value, right: Value) -> Value:
    """Return `left in right`: without parents, being equal or among those given."""
    del construct
    if left.kind is not Kind.ENTITY:
        return NOTHING
    if right.kind is Kind.ENTITY:
        return boolean(equal(left, right), left, right)
    if right.kind is not Kind.SET:
        return NOTHING
    strangers = any_of(within for within, one in right.members if one.kind is not Kind.ENTITY)
    held = boolean(holds(right, left), left, right)
    return Value(Kind.BOOLEAN, held.term, z3.Or(held.fails, strangers))


_BINARY: Final[Mapping[str, Callable[[str, Value, Value], Value]]] = {
    **dict.fromkeys(("==", "!="), _equality),
    **dict.fromkeys(COMPARISONS, _comparison),
    **dict.fromkeys(ARITHMETIC, _arithmetic),
    **dict.fromkeys(MEMBERSHIP, _membership),
    "contains": _contains,
    "in": _within,
}

"""The translator against Cedar itself: random policies, random requests, the same answer and the same errors.

A translator with a bug planted in it must be found by the same harness.
"""

import json
from collections.abc import Callable
from typing import Any

import cedarpy
import pytest
import z3

from beaconfire.messages.label import Label
from beaconfire.messages.words import Group, Level, Mode, Nation
from beaconfire.release import cedar
from beaconfire.release.proof import translate, values
from beaconfire.release.proof.model import Model, Symbols, Terms, model_of, variables
from beaconfire.release.proof.translate import OutsideFragment
from beaconfire.release.rules import read_rules
from beaconfire.release.ruling import Question
from unit.release.proof.random_policies import MARKS, NAMES, Grower

POLICIES, REQUESTS = 250, 12


def model(policies: str) -> Model:
    parties = tuple(map(Nation, NAMES))
    return model_of(Terms("test", 1, parties, parties, (), (), policies), read_rules(policies, "test"))


def cedar_says(policies: str, request: dict[str, Any]) -> tuple[bool, set[str], bool]:
    """Return Cedar's decision, the rules it rests on, and whether any rule failed."""
    context = {name: value for name, value in request.items() if name != "principal"}
    context["releasable_to"] = [
        {"__entity": {"type": "Party", "id": name}} for name in request["releasable_to"]
    ]
    asked = {
        "principal": f'Party::"{request["principal"]}"',
        "action": 'Action::"release"',
        "resource": 'Report::"report"',
        "context": context,
    }
    answer = cedarpy.is_authorized(asked, policies, "[]")
    names = [rule.name for rule in read_rules(policies, "test")]
    reasons = {names[int(one.removeprefix("policy"))] for one in answer.diagnostics.reasons}
    return answer.allowed, reasons, bool(answer.diagnostics.errors)


def solver_says(found: Model, request: dict[str, Any]) -> tuple[bool, set[str], bool]:
    """Return the same from the terms, with every symbol replaced by the request's value."""
    terms = [found.granted, found.fails, *(one.satisfied for one in found.outcomes)]
    at_once = z3.Function("all", *[z3.BoolSort()] * (len(terms) + 1))(*terms)
    fixed = z3.simplify(z3.substitute(at_once, *fixing(found.symbols, request)))
    allowed, failed, *satisfied = map(z3.is_true, fixed.children())
    rules = [one.rule for one, so in zip(found.outcomes, satisfied, strict=True) if so]
    return allowed, {rule.name for rule in rules if rule.permits is allowed}, failed


def fixing(symbols: Symbols, request: dict[str, Any]) -> list[tuple[Any, Any]]:
    codes = symbols.codes
    fixed = [
        (symbols.principal, codes.entity("Party", request["principal"]).term),
        (symbols.originator, codes.text(request["originator"]).term),
        (symbols.group, codes.text(request["group"]).term),
        (symbols.mode, codes.text(request["mode"]).term),
        (symbols.level, z3.IntVal(request["level"])),
        (symbols.age_s, z3.IntVal(request["age_s"])),
        (symbols.lane, codes.text(request["lane"]).term),
    ]
    fixed += [(t, z3.BoolVal(name in request["releasable_to"])) for name, t in symbols.releasable.items()]
    return fixed + [
        (t, z3.BoolVal(name in request["restrictions"])) for name, t in symbols.restricted.items()
    ]


def first_disagreement(seeds: range, requests: int = REQUESTS) -> str:
    """Return the first request that the two answer differently; policies that are refused are passed over."""
    for seed in seeds:
        grower = Grower(seed)
        policies = grower.policies() + known(MARKS)
        try:
            translated = model(policies)
        except OutsideFragment:
            continue
        for _ in range(requests):
            request = grower.request()
            ours, theirs = solver_says(translated, request), cedar_says(policies, request)
            if ours != theirs:
                return f"seed {seed}: {policies}\n{request}\nours {ours}, Cedar's {theirs}"
    return ""


def known(marks: tuple[str, ...]) -> str:
    """Return a rule that changes nothing and names every restriction, so that the symbols know them."""
    named = " || ".join(f'context.restrictions.contains("{mark}")' for mark in marks)
    return f'\n@id("known") permit (principal, action == Action::"none", resource) when {{ {named} }};'


def test_thousands_of_random_requests_get_the_same_answer() -> None:
    assert not first_disagreement(range(POLICIES))


def test_the_random_policies_are_no_idle_ones() -> None:
    answers = []
    refused = 0
    for seed in range(POLICIES):
        grower = Grower(seed)
        policies = grower.policies()
        try:
            model(policies)
        except OutsideFragment:
            refused += 1
        answers += [cedar_says(policies, grower.request()) for _ in range(4)]
    allowed = sum(one[0] for one in answers) / len(answers)
    failed = sum(one[2] for one in answers) / len(answers)
    assert 0.1 < allowed < 0.9
    assert 0.1 < failed < 0.9
    assert refused < 0.05 * POLICIES


def test_the_shipped_rules_over_random_requests() -> None:
    from beaconfire.adapters.bundles import shipped_templates

    grower = Grower(1)
    for template in shipped_templates().values():
        translated = model_of(
            Terms("t", 1, template.parties, template.parties, (), (), template.policies),
            read_rules(template.policies, "t"),
        )
        for _ in range(300):
            request = grower.request()
            request = {
                name: [m for m in value if m == "ORCON"] if name == "restrictions" else value
                for name, value in request.items()
            }
            if request["originator"] in template.parties and request["principal"] in template.parties:
                named = [n for n in request["releasable_to"] if n in template.parties]
                request = request | {"releasable_to": named}
                assert solver_says(translated, request) == cedar_says(template.policies, request)


BUGS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "<= for <": lambda m: m.setitem(translate.COMPARISONS, "<", lambda a, b: a <= b),
    "> and < mixed up": lambda m: m.setitem(translate.COMPARISONS, ">", lambda a, b: a < b),
    "containsAll for containsAny": lambda m: m.setitem(
        translate.MEMBERSHIP,
        "containsAny",
        values.holds_all,
    ),
    "containsAll the wrong way round": lambda m: m.setitem(
        translate.MEMBERSHIP,
        "containsAll",
        lambda a, b: values.holds_all(b, a),
    ),
    "- for +": lambda m: m.setitem(translate.ARITHMETIC, "+", lambda a, b: a - b),
    "no overflow": lambda m: m.setattr(
        translate,
        "bounded",
        lambda term, *parts: values.Value(
            values.Kind.INTEGER, term, values.any_of(part.fails for part in parts)
        ),
    ),
    "both sides of && always evaluated": lambda m: m.setattr(
        translate,
        "both",
        lambda a, b: (
            values.NOTHING
            if {a.kind, b.kind} != {values.Kind.BOOLEAN}
            else values.boolean(z3.And(a.term, b.term), a, b)
        ),
    ),
    "|| never fails": lambda m: m.setattr(
        translate,
        "either",
        lambda a, b: values.boolean(
            z3.Or(*(one.term for one in (a, b) if one.kind is values.Kind.BOOLEAN), values.FALSE)
        ),
    ),
    "equal whatever the kind": lambda m: m.setattr(
        translate, "equal", lambda a, b: a.term == b.term if a.kind is not values.Kind.SET else values.TRUE
    ),
    "unless forgotten": lambda m: m.setattr(translate, "negated", lambda value: value),
    "a missing attribute is false": lambda m: m.setattr(
        translate, "NOTHING", values.Value(values.Kind.BOOLEAN, values.FALSE)
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_planted_in_the_translator_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)
    try:
        found = first_disagreement(range(POLICIES), 6)
    except (z3.Z3Exception, AttributeError):
        return
    assert found


@pytest.mark.parametrize(
    ("expression", "construct"),
    [
        ('context.group like "a*"', "like"),
        ('decimal("1.0").lessThan(decimal("2.0"))', "lessThan"),
        ('principal.hasTag("x")', "hasTag"),
        ("[[1]].contains([1])", "a set within a set"),
        ("{a: 1} == {a: 1}", "Record"),
        ("context == context", "context as a whole"),
        ("context.level * context.age_s > 1", "a product of two variables"),
        ('(if true then 1 else "a") == 1', "if with sets, or with two kinds of value"),
    ],
)
def test_what_is_outside_the_fragment_is_refused_by_name(expression: str, construct: str) -> None:
    with pytest.raises(OutsideFragment) as refused:
        model(f'@id("odd") permit (principal, action, resource) when {{ {expression} }};')
    assert refused.value.construct == construct
    assert refused.value.rule == "odd"


def test_rules_are_given_exactly_what_the_decider_gives_them() -> None:
    empty: frozenset[str] = frozenset()
    label = Label("p", Level.SECRET, frozenset({Nation("JPN")}), empty, empty, Nation("KOR"))
    request = cedar._request(Question(label, Nation("JPN"), Mode.REAL, 1, ()), Group.IMPACT)
    given = variables(model("permit (principal, action, resource);").symbols)
    assert set(request["context"]) == set(given.context)
    assert json.loads(request["action"].partition("::")[2]) == "release"
    kinds = {name: request[name].partition("::")[0] for name in ("principal", "action", "resource")}
    assert kinds == given.kinds

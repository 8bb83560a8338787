"""The source keeps the rules of the house, and each rule finds a text that breaks it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from structure import house

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "beaconfire"
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(SOURCE.rglob("*.py"))}

MAKER = "src/beaconfire/release/decide.py"

Rule = Callable[[str, str], list[str]]

LONG_BODY = "def f() -> None:\n" + "    print()\n" * 61

BREACHES: dict[Rule, tuple[str, str]] = {
    house.long_file: ("a.py", "\n" * 400),
    house.banned_name: ("cli/utils.py", ""),
    house.engagement_word: ("a.py", "def plan_intercept(time_us: int) -> None: ..."),
    house.passed_through: ("a.py", "def f(**rest: int) -> None:\n    g(**rest)"),
    house.too_many_positional: ("a.py", "def f(a, b, c, d, e, f): ..."),
    house.unsaid_raise: ("a.py", 'def f() -> None:\n    """Return nothing."""\n    raise ValueError("x")'),
    house.unsourced_constant: ("a.py", "GRAVITY = 9.80665"),
    house.maker_of_released: ("nodes/guard.py", "x = decide.Released(1, 'JPN', None)"),
}


@pytest.mark.parametrize("rule", BREACHES, ids=lambda rule: rule.__name__)
def test_source_keeps_the_rule(rule: Rule) -> None:
    findings = [
        finding
        for name, text in TEXTS.items()
        if not (rule is house.maker_of_released and name == MAKER)
        for finding in rule(name, text)
    ]
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("rule", BREACHES, ids=lambda rule: rule.__name__)
def test_rule_finds_a_breach(rule: Rule) -> None:
    assert rule(*BREACHES[rule])


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (house.banned_name, "class LinkManager: ..."),
        (house.engagement_word, "class Foo:\n    target: int = 1"),
        (house.engagement_word, "def f(weapon: str) -> None: ..."),
        (house.passed_through, "def f() -> None:\n    global x\n    x = 1"),
        (house.passed_through, "class A: ...\nclass B(A): ...\nclass C(B): ..."),
    ],
)
def test_rule_finds_the_other_breaches(rule: Rule, text: str) -> None:
    assert rule("a.py", text)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (house.engagement_word, "process.kill()"),
        (
            house.unsaid_raise,
            'def f() -> None:\n    """Do.\n\n    Raises:\n        E: so.\n    """\n    raise E',
        ),
        (house.unsaid_raise, 'def f() -> None:\n    """Do."""\n    raise _Refused(1)'),
        (house.unsourced_constant, "# Source: BIPM\nGRAVITY = 9.80665"),
        (house.passed_through, "class E(Exception): ...\nclass F(E): ..."),
    ],
)
def test_rule_leaves_what_is_right(rule: Rule, text: str) -> None:
    assert not rule("a.py", text)


def test_functions_are_short() -> None:
    assert not house.function_sizes(TEXTS)


def test_a_long_function_is_found() -> None:
    assert house.function_sizes({"a.py": LONG_BODY})


def test_a_released_is_made_in_one_place() -> None:
    assert house.maker_of_released(MAKER, TEXTS[MAKER])

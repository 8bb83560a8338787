"""What notices the program makes and what their words ask for, both read from the sources themselves.

A call of `Said` writes out its code, or the beginning of it, and the names of its arguments; anything else is
refused here, so that no notice escapes.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from fluent.syntax import FluentParser, visitor
from fluent.syntax import ast as fluent

VOICE = "from beaconfire.nodes.voice import"


class Made(NamedTuple):
    """One call that makes a notice.

    Attributes:
        code: of the notice; its beginning if `whole` is not set.
        whole: whether the code is known to its end.
        arguments: their names.
        where: file and line.
    """

    code: str
    whole: bool
    arguments: frozenset[str]
    where: str


class Words(NamedTuple):
    """What one language says of a code: the title, what the arguments say, and which it asks for."""

    title: str
    detail: str
    arguments: frozenset[str]


def made_in(root: Path) -> list[Made]:
    """Return every call of `nodes.voice.Said` in a folder of sources."""
    texts = {str(path.relative_to(root)): path.read_text("utf-8") for path in sorted(root.rglob("*.py"))}
    return [one for name, text in texts.items() if VOICE in text for one in made_by(text, name)]


def made_by(source: str, name: str = "planted") -> Iterator[Made]:
    """Yield the calls of `Said` in one source text."""
    tree = ast.parse(source)
    constants = dict(_assigned(tree.body))
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        known = constants | dict(_assigned(list(ast.walk(function))))
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Said":
                where = f"{name}:{node.lineno}"
                code, whole = _code(_resolved(node.args[0], known), where)
                yield Made(code, whole, _names(node, known, where), where)


def _assigned(nodes: list[ast.stmt] | list[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for node in nodes:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _resolved(node: ast.expr, known: Mapping[str, ast.expr]) -> ast.expr:
    return known.get(node.id, node) if isinstance(node, ast.Name) else node


def _code(node: ast.expr, where: str) -> tuple[str, bool]:
    if isinstance(node, ast.JoinedStr):
        start = node.values[0]
        assert isinstance(start, ast.Constant), f"{where}: a code that begins with a value"
        return str(start.value), False
    assert isinstance(node, ast.Constant), f"{where}: a code that is not written out"
    return str(node.value), True


def _names(call: ast.Call, known: Mapping[str, ast.expr], where: str) -> frozenset[str]:
    assert not call.keywords, f"{where}: arguments of `Said` stand in order"
    if len(call.args) < 4:
        return frozenset()
    given = _resolved(call.args[3], known)
    assert isinstance(given, ast.Dict), f"{where}: arguments that are not written out"
    names = [key.value for key in given.keys if isinstance(key, ast.Constant)]
    assert len(names) == len(given.keys), f"{where}: an argument whose name is not written out"
    return frozenset(map(str, names))


class _Variables(visitor.Visitor):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: fluent.VariableReference) -> None:  # noqa: N802 - of the library
        self.names.add(node.id.name)


def words_in(text: str) -> dict[str, Words]:
    """Return what a Fluent file of notices says, by code."""
    entries = FluentParser(with_spans=True).parse(text).body
    assert not [one for one in entries if isinstance(one, fluent.Junk)], "not Fluent"
    messages = [one for one in entries if isinstance(one, fluent.Message)]
    found = {one.id.name: _words(one, text) for one in messages}
    assert len(found) == len(messages), "a code stands twice"
    return found


def _words(message: fluent.Message, text: str) -> Words:
    assert {one.id.name for one in message.attributes} <= {"detail"}, message.id.name
    seen = _Variables()
    detail = ""
    for one in message.attributes:
        seen.visit(one.value)
        detail = _text(one.value, text)
    assert message.value is not None, message.id.name
    return Words(_text(message.value, text), detail, frozenset(seen.names))


def _text(pattern: fluent.Pattern, text: str) -> str:
    assert pattern.span is not None
    return text[pattern.span.start : pattern.span.end]


def flaws_in(made: list[Made], words: Mapping[str, Words]) -> list[str]:
    """Return what a language lacks of what is made, and what it has that nobody makes."""
    whole = {one.code for one in made if one.whole}
    flaws, used = [], set(whole)
    for one in made:
        codes = {one.code} if one.whole else {code for code in words if code.startswith(one.code)} - whole
        used |= codes
        flaws += [f"{one.where}: no code begins with {one.code}"] if not codes else []
        for code in sorted(codes):
            if code not in words:
                flaws.append(f"{one.where}: {code} has no text")
            elif words[code].arguments != one.arguments:
                asked, given = sorted(words[code].arguments), sorted(one.arguments)
                flaws.append(f"{one.where}: {code} gives {given}, its text asks for {asked}")
    return flaws + [f"{code} is made by nobody" for code in sorted(set(words) - used)]

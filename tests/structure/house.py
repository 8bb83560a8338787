"""The rules of the house that a program can check, each a function from text to findings.

A finding is one line: where, and what is wrong. Every rule is run over the whole source and over a piece of
text that breaks it.
"""

import ast
import re
from collections.abc import Iterator
from statistics import median
from typing import Final

FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60
LONG_FUNCTIONS_SHARE_MAX: Final = 0.03
MEDIAN_FUNCTION_LINES_MAX: Final = 10
POSITIONAL_MAX: Final = 5

BANNED_MODULE_NAMES: Final = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

ENGAGEMENT: Final = {
    "intercept",
    "interceptor",
    "interception",
    "engage",
    "engagement",
    "weapon",
    "weapons",
    "target",
    "targets",
    "targeting",
    "warhead",
    "kill",
    "shoot",
    "shooter",
    "aimpoint",
    "munition",
    "strike",
}
"""Words that name something this project doesn't do. Only names that the source defines are looked at."""

Function = ast.FunctionDef | ast.AsyncFunctionDef

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def functions(text: str) -> Iterator[Function]:
    """Yield every function of a module, methods and inner ones too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function):
            yield node


def body_lines(function: Function) -> int:
    """Return the lines of a function's body, without its docstring."""
    body = function.body
    start = body[0].lineno
    if ast.get_docstring(function, clean=False) is not None:
        start = body[1].lineno if len(body) > 1 else (body[0].end_lineno or start)
    return (function.end_lineno or start) - start + 1


def long_file(name: str, text: str) -> list[str]:
    """Find a file of 400 lines or more."""
    lines = text.count("\n")
    return [f"{name}: {lines} lines, less than {FILE_LINES_MAX} expected"] if lines >= FILE_LINES_MAX else []


def function_sizes(texts: dict[str, str]) -> list[str]:
    """Find a median over 10 lines, or more than 3 in a hundred functions over 60 lines."""
    sizes = {
        f"{name}:{f.lineno} {f.name}": body_lines(f) for name, text in texts.items() for f in functions(text)
    }
    long = {where: size for where, size in sizes.items() if size > FUNCTION_LINES_MAX}
    findings = []
    if sizes and median(sizes.values()) > MEDIAN_FUNCTION_LINES_MAX:
        findings.append(f"median of {median(sizes.values())} lines in a function")
    if len(long) > LONG_FUNCTIONS_SHARE_MAX * len(sizes):
        findings.append(f"{len(long)} of {len(sizes)} functions are long: {long}")
    return findings


def banned_name(name: str, text: str) -> list[str]:
    """Find a module or class whose name says nothing."""
    parts = {part.removesuffix(".py") for part in name.split("/")}
    findings = [f"{name}: {part} is no name" for part in sorted(parts & BANNED_MODULE_NAMES)]
    classes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    return findings + [
        f"{name}:{node.lineno} {node.name}"
        for node in classes
        if {w.lower() for w in _WORD.findall(node.name)} & {"manager", "helper", "utils"}
    ]


def defined_names(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of everything a module defines: functions, classes, parameters, variables."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def engagement_word(name: str, text: str) -> list[str]:
    """Find a name that belongs to engagement: the project warns and does nothing else."""
    stem = name.rsplit("/", 1)[-1].removesuffix(".py")
    names = [(1, stem), *defined_names(text)]
    return [
        f"{name}:{line} {word}"
        for line, word in names
        if {part.lower() for part in _WORD.findall(word)} & ENGAGEMENT
    ]


def _passes_keywords_on(function: Function) -> bool:
    given = function.args.kwarg
    return given is not None and any(
        isinstance(node, ast.keyword)
        and node.arg is None
        and isinstance(node.value, ast.Name)
        and node.value.id == given.arg
        for node in ast.walk(function)
    )


def passed_through(name: str, text: str) -> list[str]:
    """Find `**` parameters handed on, the statement `global`, and inheritance deeper than one."""
    tree = ast.parse(text)
    findings = [f"{name}:{f.lineno} {f.name} passes ** on" for f in functions(text) if _passes_keywords_on(f)]
    findings += [f"{name}:{node.lineno} global" for node in ast.walk(tree) if isinstance(node, ast.Global)]
    parents = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    roots = {"BeaconfireError"}
    return findings + [
        f"{name}: {child} inherits over two steps"
        for child, bases in parents.items()
        if any(set(parents.get(base, [])) & parents.keys() - roots for base in bases)
    ]


def too_many_positional(name: str, text: str) -> list[str]:
    """Find a public function of more than five positional parameters, compiled kernels aside."""
    return [
        f"{name}:{f.lineno} {f.name}"
        for f in functions(text)
        if not f.name.startswith("_")
        and not f.decorator_list
        and len([a for a in (*f.args.posonlyargs, *f.args.args) if a.arg not in {"self", "cls"}])
        > POSITIONAL_MAX
    ]


def _raises_itself(function: Function) -> bool:
    inner = {node for child in functions_inside(function) for node in ast.walk(child)}
    return any(
        isinstance(node, ast.Raise) and node.exc is not None and not _is_private(node.exc)
        for node in ast.walk(function)
        if node not in inner
    )


def _is_private(raised: ast.expr) -> bool:
    """Tell whether what is raised bears a private name: the module catches it itself."""
    made = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(made, ast.Name) and made.id.startswith("_")


def functions_inside(function: Function) -> list[Function]:
    """Return the functions defined inside a function."""
    return [node for node in ast.walk(function) if isinstance(node, Function) and node is not function]


def unsaid_raise(name: str, text: str) -> list[str]:
    """Find a public function that raises by itself and whose docstring doesn't say so."""
    return [
        f"{name}:{f.lineno} {f.name} raises and doesn't say so"
        for f in functions(text)
        if not f.name.startswith("_")
        and _raises_itself(f)
        and "raises" not in (ast.get_docstring(f) or "").lower()
    ]


def unsourced_constant(name: str, text: str) -> list[str]:
    """Find a constant of physics, a literal of five digits or more, in a file that names no source at all."""
    precise = [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, float)
        and len(repr(node.value).split("e")[0].replace(".", "").strip("0")) > 4
    ]
    return [] if not precise or "Source:" in text else [f"{name}:{precise[0]} a constant without a source"]


def maker_of_released(name: str, text: str) -> list[str]:
    """Find a call of `Released(…)`, which only the release decision may make."""
    return [
        f"{name}:{node.lineno} makes a Released"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and "Released" in {getattr(node.func, "id", ""), getattr(node.func, "attr", "")}
    ]

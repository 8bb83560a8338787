"""What a notice says in the reader's language, from the Fluent files that the page reads too.

A message has the title of a code as its value, and what the arguments say as its attribute `detail`.

Source: Project Fluent, syntax 1.0; the files are `notices/en.ftl`, `ja.ftl` and `ko.ftl` beside this module.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.resolver import Pattern


@cache
def _bundle(language: str) -> FluentBundle:
    file = resources.files("beaconfire.alerting").joinpath(f"notices/{language}.ftl")
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(file.read_text(encoding="utf-8")))
    return bundle


def notice_text(code: str, text: str, arguments: Mapping[str, str | int], language: str) -> str:
    """Return a notice in one line in a language.

    Args:
        code: of the notice; a node may be newer than these words and give one without any.
        text: the node's own words, which stand where the language has none, or an older node no arguments.
        arguments: of the notice, empty if it has none.
        language: one of `alerting.texts.LANGUAGES`.
    """
    bundle = _bundle(language)
    if not bundle.has_message(code):
        return text
    message = bundle.get_message(code)
    detail = message.attributes.get("detail")
    title = _said(bundle, message.value, {})
    return title if detail is None else f"{title} — {_said(bundle, detail, arguments) or text}"


def _said(bundle: FluentBundle, pattern: Pattern | None, arguments: Mapping[str, str | int]) -> str:
    if pattern is None:
        return ""
    said, faults = bundle.format_pattern(pattern, dict(arguments))
    return "" if faults else str(said)

"""What the pages show: fenced blocks, commands, links."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Block(NamedTuple):
    """A fenced block: page, line of its fence, language, text without common indentation."""

    page: str
    line: int
    language: str
    text: str


_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_COMMAND = re.compile(r"(?:^|[\s`/;&(])beaconfire ([^`\n&;]+)", re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:|#)([^)\s#]+)")


def pages(root: Path) -> dict[str, str]:
    """Return every page of the documentation by its path."""
    paths = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "benchmarks").glob("*.md")]
    return {str(path.relative_to(root)): path.read_text() for path in sorted(paths)}


def blocks(page: str, text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    for found in _FENCE.finditer(text):
        lines = [line.removeprefix(found["indent"]) for line in found["text"].splitlines()]
        yield Block(page, text.count("\n", 0, found.start()) + 1, found["language"], "\n".join(lines) + "\n")


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words after `beaconfire` of each command shown in code: a block of it or backticks."""
    code = [block.text for block in blocks("", text) if block.language in {"sh", "console"}]
    code += re.findall(r"`(beaconfire [^`]+)`", _FENCE.sub("", text))
    for piece in code:
        for found in _COMMAND.finditer(piece):
            yield found[1].split(" | ")[0].split()


def broken_links(page: Path, text: str) -> list[str]:
    """Find links to files that aren't there."""
    return [
        f"{page}: {link}" for link in _LINK.findall(_FENCE.sub("", text)) if not (page.parent / link).exists()
    ]

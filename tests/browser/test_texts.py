"""The page's words: the same keys in three languages, each used, none left in the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

LANGUAGES = ("en", "ja", "ko")
MESSAGE = re.compile(r"^(-?[a-zA-Z][\w-]*) =(.*(?:\n .*)*)", re.MULTILINE)
PLACEABLE = re.compile(r"\{ *\$(\w+)")
UNITS = {"UTC", "s", "km", "ms", "KOR", "JPN", "USA", "Esc", "A", "HUB", "v"}
"""Words that are the same in every language: symbols of units, names of parties and keys."""
ALIKE = {
    "-product",
    "title",
    "show-2d",
    "show-3d",
    "export-czml",
    "at-95",
    "percent",
    "time-to-launch",
    "probability",
}
"""Texts without a word."""
ATTRIBUTES = ("aria-label", "title", "placeholder", "alt", "aria-valuetext")


def messages(root: Path, language: str) -> dict[str, str]:
    text = (root / "web" / "src" / "texts" / f"{language}.ftl").read_text()
    found = MESSAGE.findall(text)
    assert len({key for key, _ in found}) == len(found), f"{language}: a key stands twice"
    return dict(found)


def sources(root: Path) -> dict[str, str]:
    folder = root / "web" / "src"
    paths = [*folder.rglob("*.svelte"), *folder.rglob("*.ts")]
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_says_the_same_things_with_the_same_values(root: Path, language: str) -> None:
    english, other = messages(root, "en"), messages(root, language)
    assert other.keys() == english.keys()
    for key, text in english.items():
        assert set(PLACEABLE.findall(other[key])) == set(PLACEABLE.findall(text)), key
        assert other[key].strip(), key


@pytest.mark.parametrize(("language", "letters"), [("ja", "[぀-ヿ一-鿿]"), ("ko", "[가-힣]")])
def test_nearly_every_text_is_translated(root: Path, language: str, letters: str) -> None:
    left = [key for key, text in messages(root, language).items() if not re.search(letters, text)]
    english = messages(root, "en")
    same = [key for key in left if english[key] == messages(root, language)[key]]
    assert set(left) == set(same), "a text is neither translated nor the same in every language"
    assert set(left) <= ALIKE


def test_every_text_is_used_and_every_text_used_is_there(root: Path) -> None:
    code = "\n".join(sources(root).values())
    keys = {key for key in messages(root, "en") if not key.startswith("-")}
    asked = set(re.findall(r"\bt\(\s*\"([\w-]+)\"", code))
    assert asked <= keys
    computed = set(re.findall(r"t\(`([\w-]+?)-?\$\{", code))
    quoted = set(re.findall(r"\"([\w-]+)\"", code))
    unused = [
        key
        for key in keys - asked - quoted
        if not any(key == start or key.startswith(start + "-") for start in computed)
    ]
    assert unused == []


def hard_coded(text: str) -> list[str]:
    """Return the words that a component's markup shows without asking for a text."""
    markup = re.sub(r"<script.*?</script>|<!--.*?-->|<style.*?</style>", "", text, flags=re.DOTALL)
    found = []
    for name in ATTRIBUTES:
        found += re.findall(rf'\b{name}="([^"{{}}]*[A-Za-z]{{2}}[^"{{}}]*)"', markup)
    bare = markup
    while (shorter := re.sub(r"\{[^{}]*\}", " ", bare)) != bare:
        bare = shorter
    bare = re.sub(r"<[^<>]*?(=>[^<>]*?)*>", "\n", bare)
    words = [word for line in bare.split("\n") for word in re.findall(r"[A-Za-z]{2,}", line)]
    return [word for word in [*found, *words] if word not in UNITS]


def test_no_text_is_hard_coded(root: Path) -> None:
    found = {name: hard_coded(text) for name, text in sources(root).items() if name.endswith(".svelte")}
    assert {name: words for name, words in found.items() if words} == {}


def test_a_planted_text_is_found() -> None:
    assert hard_coded("<p>Nothing seen</p>") == ["Nothing", "seen"]
    assert hard_coded('<button aria-label="Help me">?</button>') == ["Help me"]
    assert hard_coded("<p>{t('x')} UTC</p>") == []


def _codes(root: Path) -> Iterator[tuple[str, bool]]:
    """Yield what stands as the code where a notice is made: (text, True), or (beginning, False)."""
    for path in (root / "src" / "beaconfire").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name not in ("notice", "_notice", "Notice"):
                continue
            branches = [node.args[0]]
            if isinstance(node.args[0], ast.IfExp):
                branches = [node.args[0].body, node.args[0].orelse]
            for branch in branches:
                one = branch.left if isinstance(branch, ast.BinOp) else branch
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value, not one.value.endswith("-")
                elif isinstance(one, ast.JoinedStr) and isinstance(one.values[0], ast.Constant):
                    yield str(one.values[0].value), False


def test_every_notice_that_a_node_makes_has_a_text(root: Path) -> None:
    known = {key.removeprefix("notice-") for key in messages(root, "en") if key.startswith("notice-")}
    codes = set(_codes(root))
    assert len(codes) > 20
    for code, whole in codes:
        assert code in known if whole else any(one.startswith(code) for one in known), code

"""The page's words: the same keys in three languages, each used, none left in the source."""

import re
from pathlib import Path

import pytest

from notices_made import Words, flaws_in, made_by, made_in, words_in

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


def notice_words(root: Path, language: str) -> dict[str, Words]:
    folder = root / "src" / "beaconfire" / "alerting" / "notices"
    return words_in((folder / f"{language}.ftl").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_that_a_node_makes_has_a_text(root: Path, language: str) -> None:
    made = made_in(root / "src" / "beaconfire")
    assert len({one.code for one in made}) > 30
    assert flaws_in(made, notice_words(root, language)) == []


def test_nobody_makes_a_notice_beside_the_one_way(root: Path) -> None:
    files = (root / "src" / "beaconfire").rglob("*.py")
    made = [path.name for path in files if re.search(r"\bNotice\(\s*\S", path.read_text("utf-8"))]
    assert sorted(made) == ["health.py", "voice.py"], "the type itself, and who makes it"


def test_a_planted_notice_without_a_text_or_with_other_values_is_found() -> None:
    call = """def f():
    about: Arguments = {"party": "KOR", "count": 2}
    return [Said("gap", Severity.FAULT, "", about), Said("link-up", Severity.FAULT, "")]"""
    whole = "gap = Missing\n    .detail = { $count } of { $party }\nlink-up = Heard\n"
    made = list(made_by(call))
    assert flaws_in(made, words_in(whole)) == []
    assert "gives ['count', 'party']" in flaws_in(made, words_in(whole.replace("{ $count }", "Some")))[0]
    assert "gap has no text" in flaws_in(made, words_in("link-up = Heard"))[0]
    assert flaws_in(made, words_in(whole + "gone = Gone")) == ["gone is made by nobody"]
    for hidden in ('Said(code, 1, "")', 'Said("gap", 1, "", values)', 'Said("gap", 1, "", {**values})'):
        with pytest.raises(AssertionError, match="written out"):
            list(made_by(f"def f():\n    return {hidden}"))


def test_a_planted_code_that_is_put_together_is_found() -> None:
    made = list(made_by('def f():\n    return [Said(f"a-{x}", 1, "", {"y": x}), Said("a-b", 1, "")]'))
    assert flaws_in(made, words_in("a-b = B\na-c = C\n    .detail = { $y }")) == []
    assert flaws_in(made, words_in("a-b = B")) == ["planted:2: no code begins with a-"]
    assert "asks for []" in flaws_in(made, words_in("a-b = B\na-c = C"))[0]


@pytest.mark.parametrize(("language", "letters"), [("ja", "[぀-ヿ一-鿿]"), ("ko", "[가-힣]")])
def test_every_notice_is_translated(root: Path, language: str, letters: str) -> None:
    for code, words in notice_words(root, language).items():
        assert re.search(letters, words.title), code
        bare = re.sub(r"\{[^{}]*\}", "", words.detail)
        assert re.search(letters, words.detail) or not re.search(r"[a-zA-Z]", bare), code

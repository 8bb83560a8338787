import re

import pytest
from fluent.runtime import FluentResource

from beaconfire.alerting.texts import LANGUAGES, _bundle, _say, cancel_text, clock_text, warning_text
from beaconfire.messages.event import PlaceTime
from beaconfire.messages.words import Mode, PlaceKind

PLACES = tuple(
    PlaceTime(name, kind, 1_664_835_785_900_000, share)
    for name, kind, share in (
        ("Aomori", PlaceKind.OVERFLIGHT, 0.999),
        ("Hakodate", PlaceKind.OVERFLIGHT, 0.4),
        ("Sapporo", PlaceKind.IMPACT, 0.004),
        ("Akita", PlaceKind.IMPACT, 0.002),
    )
)
LETTERS = {"en": "[A-Za-z]", "ja": "[぀-ヿ一-鿿]", "ko": "[가-힣]"}
REMARKS = ("lost", "manoeuvring", "alone")
REASONS = ("withdrawn", "no-places", "ended")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_sentences(language: str) -> None:
    assert set(_bundle(language)._messages) == set(_bundle("en")._messages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_warning_names_places_times_and_how_sure_it_is(language: str) -> None:
    text = warning_text(Mode.REAL, PLACES, REMARKS, language)
    assert "22:23:05" in text
    assert "Aomori" in text
    assert "> 99 %" in text
    assert "40 %" in text
    assert "< 1 %" in text
    assert "Akita" not in text
    for key in REMARKS:
        assert _say(language, key) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_is_in_its_own_language_and_says_something_of_its_own(language: str) -> None:
    updated = warning_text(Mode.REAL, PLACES, (), language, "update")
    said = [warning_text(Mode.REAL, PLACES, (), language), updated]
    said += [warning_text(Mode.REAL, PLACES, (key,), language) for key in REMARKS]
    said += [cancel_text(Mode.REAL, reason, language) for reason in REASONS]
    assert len(set(said)) == len(said)
    for text in said:
        assert re.search(LETTERS[language], text)
        assert "{" not in text
        others = "".join(letters[1:-1] for other, letters in LETTERS.items() if other not in (language, "en"))
        assert not re.search(f"[{others}]", text)


@pytest.mark.parametrize("language", ["ja", "ko"])
def test_a_reader_gets_the_time_of_their_own_clock_too(language: str) -> None:
    text = warning_text(Mode.REAL, PLACES, (), language)
    assert "07:23:05(22:23:05 UTC)" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mode", [Mode.SIMULATED, Mode.EXERCISE, Mode.TEST])
def test_what_is_not_real_says_so_first(mode: Mode, language: str) -> None:
    first = _say(language, "mode", {"mode": mode.value})
    assert mode.value in first
    assert warning_text(mode, PLACES, [], language).startswith(first)
    assert cancel_text(mode, "ended", language).startswith(first)
    assert mode.value not in warning_text(Mode.REAL, PLACES, [], language)


def test_what_is_not_real_has_its_own_words_for_each_mode() -> None:
    for language in ("ja", "ko"):
        said = {
            _say(language, "mode", {"mode": mode}).replace(mode, "")
            for mode in ("SIMULATED", "EXERCISE", "TEST")
        }
        assert len(said) == 3


def test_no_sentence_is_more_than_the_language_file_says() -> None:
    with pytest.raises(LookupError):
        _say("en", "no-such-sentence")
    with pytest.raises(AssertionError):
        _say("en", "place-IMPACT", {"place": "Aomori"})


def test_a_name_from_outside_is_text() -> None:
    hostile = PlaceTime("{ $time } *[x]", PlaceKind.IMPACT, 0, 0.5)
    assert "{ $time } *[x]" in warning_text(Mode.REAL, (hostile,), ())


def test_time_is_rounded_towards_earlier() -> None:
    assert clock_text(1_664_835_785_999_999) == "22:23:05"
    assert clock_text(1_664_835_785_999_999, 32_400) == "07:23:05"


@pytest.mark.parametrize("time_us", [-(2**63), -1, 0, 253_402_300_800_000_000, 2**63 - 1])
def test_no_moment_is_beyond_a_clock(time_us: int) -> None:
    hours, minutes, seconds = map(int, clock_text(time_us).split(":"))
    assert (hours * 60 + minutes) * 60 + seconds == time_us // 1_000_000 % 86_400


def test_a_broken_file_would_be_found() -> None:
    assert FluentResource("mode = { $mode").body[0].__class__.__name__ == "Junk"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_part_of_a_file_is_unread(language: str) -> None:
    from importlib import resources

    text = resources.files("beaconfire.alerting").joinpath(f"{language}.ftl").read_text(encoding="utf-8")
    assert not [one for one in FluentResource(text).body if one.__class__.__name__ == "Junk"]

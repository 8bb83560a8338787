"""A notice in the reader's language; the node's own words where a language has none, or no values came."""

import pytest

from beaconfire.alerting.notice_texts import notice_text
from beaconfire.alerting.texts import LANGUAGES

CLOCK: dict[str, str | int] = {"party": "KOR", "hub": "HUB-1", "offset_ms": 1_840}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Clocks differ — KOR and HUB-1: 1,840 ms apart"),
        ("ja", "時計がずれています — KOR と HUB-1 の差 1,840 ミリ秒"),
        ("ko", "시계가 어긋나 있습니다 — KOR - HUB-1 차이 1,840 밀리초"),
    ],
)
def test_who_and_how_much_stand_in_every_language(language: str, said: str) -> None:
    assert notice_text("clock-off", "KOR: 1,840 ms apart", CLOCK, language) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_title_that_says_all_stands_alone(language: str) -> None:
    said = notice_text("link-down", "nothing comes from the hub", {}, language)
    assert said
    assert "nothing comes from the hub" not in said


@pytest.mark.parametrize("arguments", [{}, {"party": "KOR"}, {"somebody": "KOR"}])
def test_without_the_values_the_nodes_own_words_stand(arguments: dict[str, str | int]) -> None:
    said = notice_text("clock-off", "KOR: 1,840 ms apart", arguments, "ja")
    assert said == "時計がずれています — KOR: 1,840 ms apart"


def test_a_code_of_a_newer_node_is_said_as_it_came() -> None:
    assert notice_text("code-of-tomorrow", "what it said", CLOCK, "ko") == "what it said"


@pytest.mark.parametrize(("count", "said"), [(1, "1 message of"), (2, "2 messages of")])
def test_english_counts(count: int, said: str) -> None:
    about: dict[str, str | int] = {"party": "HUB-1", "lane": "FLASH", "count": count}
    assert said in notice_text("gap", "", about, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_of_what_was_no_report_names_none(language: str) -> None:
    about: dict[str, str | int] = {
        "hub": "HUB-2",
        "count": 3,
        "report": "none",
        "reason": "schema",
        "log": "gave/KOR",
        "record": 1_204,
    }
    said = notice_text("refused-by-hub", "", about, language)
    assert "none" not in said
    assert all(word in said for word in ("HUB-2", "3", "schema", "gave/KOR", "1204"))

import string

import pytest

from beaconfire.alerting.texts import TEXTS, cancel_text, clock_text, warning_text
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


@pytest.mark.parametrize("language", TEXTS)
def test_every_language_says_the_same_things(language: str) -> None:
    assert TEXTS[language].keys() == TEXTS["en"].keys()
    for key, text in TEXTS[language].items():
        fields = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        wanted = {name for _, name, _, _ in string.Formatter().parse(TEXTS["en"][key]) if name}
        assert fields == wanted


@pytest.mark.parametrize("language", TEXTS)
def test_a_warning_names_places_times_and_how_sure_it_is(language: str) -> None:
    text = warning_text(Mode.REAL, PLACES, ["lost", "alone"], language)
    assert "22:23:05" in text
    assert "Aomori" in text
    assert "> 99 %" in text
    assert "40 %" in text
    assert "< 1 %" in text
    assert "Akita" not in text
    assert TEXTS[language]["alone"].strip() in text


@pytest.mark.parametrize("mode", [Mode.SIMULATED, Mode.EXERCISE, Mode.TEST])
def test_what_is_not_real_says_so_first(mode: Mode) -> None:
    assert warning_text(mode, PLACES, []).startswith(f"{mode.value}: this is not a real warning")
    assert cancel_text(mode, "ended").startswith(f"{mode.value}: this is not a real warning")
    assert "not a real" not in warning_text(Mode.REAL, PLACES, [])


def test_time_is_rounded_towards_earlier() -> None:
    assert clock_text(1_664_835_785_999_999) == "22:23:05"

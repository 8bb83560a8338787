"""Plain words of a warning, in every language from its own Fluent file. Never more than is known.

Source: Project Fluent, syntax 1.0; the files are `en.ftl`, `ja.ftl` and `ko.ftl` beside this module.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final, Literal

from fluent.runtime import FluentBundle, FluentResource

from beaconfire.messages.event import PlaceTime
from beaconfire.messages.words import Mode, PlaceKind, TimeUs
from beaconfire.units import MICROSECONDS_PER_SECOND

PLACES_IN_TEXT: Final = 3
LANGUAGES: Final = ("en", "ja", "ko")
DEFAULT_LANGUAGE: Final = "en"
SECONDS_PER_DAY: Final = 86_400
_AHEAD_OF_UTC_S: Final = {"en": 0, "ja": 9 * 3_600, "ko": 9 * 3_600}
"""What a reader's clock shows: Japan and Korea are nine hours ahead, without summer time.

Source: IANA time zone database, Asia/Tokyo and Asia/Seoul.
"""

Action = Literal["issue", "update"]


@cache
def _bundle(language: str) -> FluentBundle:
    text = resources.files("beaconfire.alerting").joinpath(f"{language}.ftl").read_text(encoding="utf-8")
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(text))
    return bundle


def _say(language: str, key: str, values: Mapping[str, str | int] | None = None) -> str:
    """Return one sentence; a key or a value that is not there is a bug of this package."""
    bundle = _bundle(language)
    pattern = bundle.get_message(key).value
    assert pattern is not None, key
    text, faults = bundle.format_pattern(pattern, dict(values or {}))
    assert not faults, faults
    return str(text)


def clock_text(time_us: TimeUs, ahead_s: int = 0) -> str:
    """Return the time of day to the second, rounded down: early rather than late.

    Args:
        time_us: the moment.
        ahead_s: by how much the clock that is meant is ahead of UTC.
    """
    # Without a calendar: a moment may lie beyond every year that one knows, and a warning is still given.
    minutes, seconds = divmod((time_us // MICROSECONDS_PER_SECOND + ahead_s) % SECONDS_PER_DAY, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def _share_text(probability: float) -> str:
    if probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability > 0.99 else f"{100.0 * probability:.0f} %"


def _place_text(one: PlaceTime, language: str) -> str:
    kind = "IMPACT" if one.kind is PlaceKind.IMPACT else "OVERFLIGHT"
    values = {
        "place": one.place,
        "time": clock_text(one.earliest_us),
        "local": clock_text(one.earliest_us, _AHEAD_OF_UTC_S[language]),
        "probability": _share_text(one.probability),
    }
    return _say(language, f"place-{kind}", values)


def _joined(mode: Mode, sentences: Sequence[str], language: str) -> str:
    opening = [] if mode is Mode.REAL else [_say(language, "mode", {"mode": mode.value})]
    return _say(language, "between").join([*opening, *sentences])


def warning_text(
    mode: Mode,
    places: Sequence[PlaceTime],
    remarks: Sequence[str],
    language: str = DEFAULT_LANGUAGE,
    action: Action = "issue",
) -> str:
    """Return the words of a warning issued or updated.

    Args:
        mode: said first unless it is REAL.
        places: the nation's own, the earliest first.
        remarks: keys of further sentences, such as "lost", "manoeuvring", "alone".
        language: one of `LANGUAGES`.
        action: which of the two.
    """
    words = [_say(language, "heading", {"action": action})]
    words += [_place_text(one, language) for one in places[:PLACES_IN_TEXT]]
    if len(places) > PLACES_IN_TEXT:
        words.append(_say(language, "more", {"count": len(places) - PLACES_IN_TEXT}))
    return _joined(mode, [*words, *(_say(language, key) for key in remarks)], language)


def cancel_text(mode: Mode, reason: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the words of a cancellation; `reason` is "withdrawn", "no-places" or "ended"."""
    return _joined(mode, [_say(language, "cancel", {"reason": reason})], language)

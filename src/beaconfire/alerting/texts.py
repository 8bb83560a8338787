"""Plain words of a warning, one table by language. Never a bare point, never more than is known."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from beaconfire.messages.event import PlaceTime
from beaconfire.messages.words import Mode, PlaceKind, TimeUs
from beaconfire.units import seconds_from_microseconds

PLACES_IN_TEXT: Final = 3

TEXTS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "mode": "{mode}: this is not a real warning. ",
        "warning": "Ballistic missile warning. ",
        "IMPACT": "Possible impact at {place} from {time} UTC ({probability}). ",
        "OVERFLIGHT": "May pass over {place} from {time} UTC ({probability}). ",
        "more": "And {count} more places. ",
        "lost": "The object is out of sight: the stated area is growing. ",
        "manoeuvring": "The flight is not ballistic: it may come down elsewhere. ",
        "alone": "From own sensors only: there is no link to partners. ",
        "cancel": "The warning is cancelled: {reason}. ",
        "withdrawn": "no object was there",
        "no-places": "no named place is concerned any more",
        "ended": "it must be down by now",
    },
    "ja": {
        "mode": "{mode}:これは実際の警報ではありません。",
        "warning": "弾道ミサイル警報。",
        "IMPACT": "{place}に{time} UTC以降、落下の可能性({probability})。",
        "OVERFLIGHT": "{place}の上空を{time} UTC以降、通過する可能性({probability})。",
        "more": "ほか{count}か所。",
        "lost": "目標を見失いました。表示の範囲は広がっています。",
        "manoeuvring": "弾道飛行ではないため、別の場所に落下する可能性があります。",
        "alone": "自国のセンサーのみによる情報です。関係国との接続はありません。",
        "cancel": "警報を解除します:{reason}。",
        "withdrawn": "目標は存在しませんでした",
        "no-places": "対象の地域はなくなりました",
        "ended": "すでに落下したと推定されます",
    },
    "ko": {
        "mode": "{mode}: 실제 경보가 아닙니다. ",
        "warning": "탄도미사일 경보. ",
        "IMPACT": "{time} UTC 이후 {place}에 낙하 가능성({probability}). ",
        "OVERFLIGHT": "{time} UTC 이후 {place} 상공 통과 가능성({probability}). ",
        "more": "그 외 {count}곳. ",
        "lost": "표적을 놓쳤습니다. 표시된 구역이 넓어지고 있습니다. ",
        "manoeuvring": "탄도비행이 아니므로 다른 곳에 낙하할 수 있습니다. ",
        "alone": "자국 센서만의 정보입니다. 협력국과의 연결이 없습니다. ",
        "cancel": "경보를 해제합니다: {reason}. ",
        "withdrawn": "표적이 없었습니다",
        "no-places": "해당되는 지역이 더 이상 없습니다",
        "ended": "이미 낙하한 것으로 판단됩니다",
    },
}
"""Language, then key, to a text with named places to fill in."""


def clock_text(time_us: TimeUs) -> str:
    """Return the time of day, UTC, to the second, rounded down: early rather than late."""
    return datetime.fromtimestamp(int(seconds_from_microseconds(time_us)), UTC).strftime("%H:%M:%S")


def _share_text(probability: float) -> str:
    if probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability > 0.99 else f"{100.0 * probability:.0f} %"


def _opening(mode: Mode, language: str) -> str:
    table = TEXTS[language]
    return ("" if mode is Mode.REAL else table["mode"].format(mode=mode.value)) + table["warning"]


def warning_text(
    mode: Mode, places: Sequence[PlaceTime], remarks: Sequence[str], language: str = "en"
) -> str:
    """Return the words of a warning issued or updated.

    Args:
        mode: said first unless it is REAL.
        places: the nation's own, the earliest first.
        remarks: keys of further sentences, such as "lost", "manoeuvring", "alone".
        language: "en", "ja" or "ko".
    """
    table = TEXTS[language]
    words = [_opening(mode, language)]
    for one in places[:PLACES_IN_TEXT]:
        kind = "IMPACT" if one.kind is PlaceKind.IMPACT else "OVERFLIGHT"
        words.append(
            table[kind].format(
                place=one.place,
                time=clock_text(one.earliest_us),
                probability=_share_text(one.probability),
            )
        )
    if len(places) > PLACES_IN_TEXT:
        words.append(table["more"].format(count=len(places) - PLACES_IN_TEXT))
    return "".join([*words, *(table[key] for key in remarks)]).strip()


def cancel_text(mode: Mode, reason: str, language: str = "en") -> str:
    """Return the words of a cancellation; `reason` is "withdrawn", "no-places" or "ended"."""
    table = TEXTS[language]
    return (_opening(mode, language) + table["cancel"].format(reason=table[reason])).strip()

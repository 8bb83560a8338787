"""The rows in which a picture stands in the journal: what it was given of each track, and each event."""

from collections.abc import Iterable
from typing import Final

import msgspec

from beaconfire.fusion.live import Saved
from beaconfire.fusion.source import Source
from beaconfire.messages.words import Sharing

_SOURCE: Final = "source/"
_EVENT: Final = "event/"
_source_decoder: Final = msgspec.msgpack.Decoder(Source)
_saved_decoder: Final = msgspec.msgpack.Decoder(Saved)


def source_key(originator: str, track: str) -> str:
    """Return the key of the newest report of a track."""
    return f"{_SOURCE}{originator}/{track}"


def event_key(sharing: Sharing | None, event_id: str) -> str:
    """Return the key of an event of the main picture (None) or of one for comparison."""
    return f"{_EVENT}{'' if sharing is None else sharing.value}/{event_id}"


def sources_in(rows: Iterable[tuple[str, bytes]]) -> list[Source]:
    """Return the reports among rows; others are passed over."""
    return [_source_decoder.decode(body) for key, body in rows if key.startswith(_SOURCE)]


def events_in(rows: Iterable[tuple[str, bytes]]) -> list[Saved]:
    """Return the events among rows; others are passed over."""
    return [_saved_decoder.decode(body) for key, body in rows if key.startswith(_EVENT)]

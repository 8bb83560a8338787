"""Put the pieces of a log that was rotated together again, with no code of what took them apart.

Each record says where it stands; where a piece begins is read from its first record and not from a name. What
two pieces both hold must be the same: a rotation that was cut off leaves records in both.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec


class Stitched(NamedTuple):
    """A log in one piece.

    Attributes:
        first: place of the first record.
        records: as written, in order.
        flaw: what is wrong with how the pieces fit, empty if nothing is.
    """

    first: int
    records: list[bytes]
    flaw: str


def stitch(pieces: Iterable[Sequence[bytes]]) -> Stitched:
    """Return the log that pieces make, in whatever order they are given; a piece may hold no record."""
    held = sorted(((_place_of(piece[0]), piece) for piece in pieces if piece), key=lambda one: one[0])
    if not held:
        return Stitched(0, [], "")
    first = held[0][0]
    records: list[bytes] = []
    for place, piece in held:
        end = first + len(records)
        if place > end:
            return Stitched(first, records, f"records {end} to {place - 1} are missing: a file is not there")
        both = records[place - first :][: len(piece)]
        for number, (known, again) in enumerate(zip(both, piece, strict=False)):
            if known != again:
                return Stitched(first, records, f"two histories of record {place + number}: two files differ")
        records += piece[len(both) :]
    return Stitched(first, records, "")


def _place_of(record: bytes) -> int:
    """Return where a record says that it stands; 0 if it can't be read, which is found later."""
    try:
        said = msgspec.msgpack.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0
    place = said.get("index") if isinstance(said, dict) else None
    return place if isinstance(place, int) and place >= 0 else 0

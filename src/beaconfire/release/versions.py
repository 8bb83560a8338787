"""No rollback: the highest version of each arrangement that a node has ever held, kept in its journal."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from beaconfire.messages.codec import encode
from beaconfire.release.arrangements import Agreement

MARKS: Final = "version/"
"""Beginning of the keys of all rows that hold a mark."""


class Mark(msgspec.Struct, frozen=True):
    """The highest version of an arrangement ever held, and the name of its text."""

    version: int
    digest: str


class TakenBack(msgspec.Struct, frozen=True):
    """An agreement that is not held, for what was held under its name before.

    Attributes:
        arrangement: id.
        version: of the agreement that is refused.
        reason: "mark" (that can't be read), "older", or "text" (another one of the same version).
        fault: the same in words.
    """

    arrangement: str
    version: int
    reason: str
    fault: str


class Held(msgspec.Struct, frozen=True):
    """What may be held.

    Attributes:
        agreements: none of them older than its mark.
        rows: key and body of each mark to be written.
        refused: those that are not held.
    """

    agreements: tuple[Agreement, ...]
    rows: tuple[tuple[str, bytes], ...]
    refused: tuple[TakenBack, ...]


def hold(agreements: Iterable[Agreement], rows: Iterable[tuple[str, bytes]]) -> Held:
    """Return which agreements may be held in the light of the marks in a journal's rows.

    A mark that can't be read counts as the highest: nothing is held under its name.
    """
    marks = _marks(rows)
    held: list[Agreement] = []
    raised: list[tuple[str, bytes]] = []
    refused: list[TakenBack] = []
    for one in agreements:
        name, version = one.bundle.arrangement, one.bundle.version
        reason, fault = _fault(one, marks)
        if reason:
            refused.append(TakenBack(name, version, reason, fault))
            continue
        held.append(one)
        if name not in marks or marks[name] is None or marks[name].version < version:  # type: ignore[union-attr]
            raised.append((MARKS + name, encode(Mark(version, one.digest))))
    return Held(tuple(held), tuple(raised), tuple(refused))


def _marks(rows: Iterable[tuple[str, bytes]]) -> Mapping[str, Mark | None]:
    return {key.removeprefix(MARKS): _mark(body) for key, body in rows if key.startswith(MARKS)}


def _mark(body: bytes) -> Mark | None:
    try:
        return msgspec.msgpack.decode(body, type=Mark)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _fault(one: Agreement, marks: Mapping[str, Mark | None]) -> tuple[str, str]:
    if one.bundle.arrangement not in marks:
        return "", ""
    mark = marks[one.bundle.arrangement]
    if mark is None:
        return "mark", "its mark can't be read"
    if one.bundle.version < mark.version:
        return "older", f"older than version {mark.version}, which was held here before"
    if one.bundle.version == mark.version and one.digest != mark.digest:
        return "text", f"another text of version {mark.version} was held here before"
    return "", ""

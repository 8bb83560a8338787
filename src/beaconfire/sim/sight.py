"""What an observer sees of a run, and whether two sights are the same."""

import hashlib
from typing import NamedTuple

import msgspec

from beaconfire.audit.checkpoint import Checkpoint, SignedCheckpoint
from beaconfire.audit.record import decode_record
from beaconfire.messages.codec import decode_header, decode_sealed, encode
from beaconfire.messages.words import Group, Lane, TimeUs


class Breach(Exception):
    """The observer could tell two runs apart, or has what it may not have, or lacks what it may have."""


class Given(NamedTuple):
    """A delivery to the observer.

    Attributes:
        report_id: of the report.
        groups: of it.
        coarse: of these, those that are coarsened.
        lane: it came on.
        at_us: when it left the hub, UTC.
    """

    report_id: str
    groups: frozenset[Group]
    coarse: frozenset[Group]
    lane: Lane
    at_us: TimeUs


class Seen(NamedTuple):
    """Everything that reaches the observer.

    Attributes:
        letters: (time, channel, lane, bytes) of each message to it, in order.
        logs: the records of its logs on the hub's disk, by name.
        given: each delivery, resends too, in order.
        shown: (time, bytes) of each event and notice that its own picture made, if it was a real one.
    """

    letters: list[tuple[TimeUs, str, str, bytes]]
    logs: dict[str, list[bytes]]
    given: list[Given]
    shown: list[tuple[TimeUs, bytes]]


def first_difference(one: Seen, other: Seen, *, veiled: bool) -> str:
    """Return where two sights part, or an empty string."""
    if veiled:
        one, other = veil(one), veil(other)
    for place, (left, right) in enumerate(zip(one.letters, other.letters, strict=False)):
        if left != right:
            return f"message {place}: {_short(left)} against {_short(right)}"
    if len(one.letters) != len(other.letters):
        return f"{len(one.letters)} messages against {len(other.letters)}"
    names = sorted(one.logs.keys() | other.logs.keys())
    unlike = [name for name in names if one.logs.get(name, []) != other.logs.get(name, [])]
    if one.shown != other.shown:
        return f"what its picture shows: {len(one.shown)} events and notices against {len(other.shown)}"
    return f"log {unlike[0]}" if unlike else ""


def _short(letter: tuple[TimeUs, str, str, bytes]) -> str:
    at_us, role, lane, data = letter
    return f"{at_us} us {role} {lane} {len(data)} bytes {hashlib.sha256(data).hexdigest()[:8]}"


def veil(seen: Seen) -> Seen:
    """Return a sight without salted digests of what is withheld and what is computed from them."""
    letters = [(at_us, role, lane, _veil_letter(data)) for at_us, role, lane, data in seen.letters]
    logs = {name: [_veil_record(name, body) for body in bodies] for name, bodies in seen.logs.items()}
    return Seen(letters, logs, seen.given, seen.shown)


def _veil_letter(data: bytes) -> bytes:
    raw = msgspec.msgpack.decode(data)
    if raw.get("type") == "checkpoint":
        said = msgspec.msgpack.decode(raw["body"], type=Checkpoint)
        sizes = (len(data), len(raw["proof"]))
        return encode((said.log, said.size, said.at_us, raw["earlier_size"], sizes))
    if raw.get("type") != "delivery":
        return data
    sealed = decode_sealed(raw["sealed"])
    header = decode_header(sealed.header)
    shown = {one.group for one in sealed.disclosures}
    digests = tuple(
        digest if group in shown else bytes(len(digest))
        for group, digest in zip(Group, header.digests, strict=True)
    )
    bare = msgspec.structs.replace(header, digests=digests, arrangements="")
    degradations = tuple(
        msgspec.structs.replace(one, original_digest=bytes(32), signature=bytes(64))
        for one in sealed.degradations
    )
    plain = msgspec.structs.replace(
        sealed, header=encode(bare), signature=bytes(64), degradations=degradations
    )
    return encode({**raw, "sealed": (len(raw["sealed"]), encode(plain))})


def _veil_record(name: str, body: bytes) -> bytes:
    if name.startswith("checkpoint/"):
        signed = msgspec.msgpack.decode(body, type=SignedCheckpoint)
        said = msgspec.msgpack.decode(signed.body, type=Checkpoint)
        return encode((said.log, said.size, said.at_us, len(body)))
    record = decode_record(body)
    return encode((msgspec.structs.replace(record, root_before=bytes(32), digest=bytes(32)), len(body)))

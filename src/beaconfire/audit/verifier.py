"""Verify audit logs offline, with no code of what wrote them: not the tree, not the records, not the keys.

It reads plain MessagePack, hashes level by level, and encodes what was signed by itself, so that a bug of
the writer is not a bug of who looks for it. A log is whole if each record stands where it says and holds
the root over all before it, and every checkpoint fits the records and is well signed.

Source: RFC 6962 section 2.1 for the hashes; DSSE protocol v1.0 for what is signed; RFC 8032 for Ed25519.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from nacl.bindings import crypto_sign_open

_TYPE: Final = b"application/vnd.beaconfire.checkpoint"
_HUB: Final = "HUB"
_FIELDS: Final = {
    *("index", "root_before", "at_us", "outcome", "originator", "recipient", "report_id", "lane"),
    *("reason", "rule", "detail", "groups", "degraded", "basis", "digest"),
}


class Found(msgspec.Struct, frozen=True):
    """What verification of one log found.

    Attributes:
        log: its name.
        records: in it.
        vouched: records that the newest checkpoint cosigned by the nation covers.
        signed: records that the newest checkpoint of the hub covers; those after it prove nothing yet.
        flaw: the first thing wrong, empty if nothing is.
        first: place of the first record looked at: those before it stand in archives that were not given.
    """

    log: str
    records: int
    vouched: int
    signed: int
    flaw: str
    first: int = 0


Start = tuple[int, Sequence[tuple[int, int, bytes]]]
"""Where a log goes on after records were moved away: how many, and (begin, end, root) of their subtrees."""


def merkle_root(records: Sequence[bytes]) -> bytes:
    """Return the root over records: hashed in pairs, level by level; one left over goes up as it is."""
    level = [hashlib.sha256(b"\x00" + one).digest() for one in records]
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)
        ]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def path_of(records: Sequence[bytes], index: int) -> list[bytes]:
    """Return the inclusion proof of a record: the sibling on each level that has one, lowest first.

    Raises:
        IndexError: there is no such record.
    """
    if not 0 <= index < len(records):
        raise IndexError(f"no record {index} of {len(records)}")
    level = [hashlib.sha256(b"\x00" + one).digest() for one in records]
    path = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        pairs = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)
        ]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
        index //= 2
    return path


def leads_to(record: bytes, place: tuple[int, int], path: Sequence[bytes], root: bytes) -> bool:
    """Return whether an inclusion proof leads from a record to a root.

    Args:
        record: as written.
        place: (index, size of the log).
        path: hashes, lowest first.
        root: of the log.
    """
    index, width = place
    if not 0 <= index < width:
        return False
    reached, rest = hashlib.sha256(b"\x00" + record).digest(), list(path)
    while width > 1:
        if index ^ 1 < width:
            if not rest:
                return False
            other = rest.pop(0)
            both = other + reached if index & 1 else reached + other
            reached = hashlib.sha256(b"\x01" + both).digest()
        index, width = index // 2, (width + 1) // 2
    return not rest and reached == root


class _Roots:
    """The root over the first n records for each n asked in rising order, without hashing all anew."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, record: bytes) -> None:
        self.join(1, hashlib.sha256(b"\x00" + record).digest())

    def join(self, size: int, digest: bytes) -> None:
        """Add the root of a full subtree of so many records."""
        while self._peaks and self._peaks[-1][0] == size:
            _, left = self._peaks.pop()
            size, digest = 2 * size, hashlib.sha256(b"\x01" + left + digest).digest()
        self._peaks.append((size, digest))

    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        digest = self._peaks[-1][1]
        for _, left in self._peaks[-2::-1]:
            digest = hashlib.sha256(b"\x01" + left + digest).digest()
        return digest


def verify_log(
    name: str,
    records: Sequence[bytes],
    checkpoints: Sequence[bytes],
    keys: Iterable[Mapping[str, Any]] | None,
    others: Sequence[bytes] = (),
    *,
    start: Start = (0, ()),
) -> Found:
    """Return what is wrong with a log, or that nothing is.

    Args:
        name: such as "gave/KOR".
        records: as written, in order.
        checkpoints: as written, in order.
        keys: public keys as in a keyring file, plain; None leaves signatures unverified.
        others: checkpoints of the same log from elsewhere, such as a nation's own journal: if one does not
            fit these records, there are two histories.
        start: what the first record follows, if not the beginning; checkpoints of fewer records can't be
            held against anything then and count for nothing.
    """
    first, spans = start
    running = _Roots()
    flaw = _flaw_in_spans(first, spans)
    for begin, end, digest in spans:
        running.join(end - begin, digest)
    roots = {first: running.root()}
    for index, record in enumerate(records, start=first):
        flaw = flaw or _flaw_in_record(index, record, roots[index])
        running.add(record)
        roots[index + 1] = running.root()
    table = None if keys is None else {_fingerprint(one): one for one in keys}
    signed = vouched = 0
    for number, body in enumerate(checkpoints):
        wrong, size, parties = _flaw_in_checkpoint(name, body, roots, table)
        flaw = flaw or (f"checkpoint {number}: {wrong}" if wrong else "")
        signed = max(signed, size)
        nation = name.partition("/")[2]
        vouched = max(vouched, size if nation in parties else 0)
    for number, body in enumerate(others):
        wrong, _, _ = _flaw_in_checkpoint(name, body, roots, table)
        flaw = flaw or (f"checkpoint {number} from elsewhere: {wrong}: two histories" if wrong else "")
    return Found(name, len(records), vouched, signed, flaw, first)


def _flaw_in_spans(size: int, spans: Sequence[tuple[int, int, bytes]]) -> str:
    """Return whether subtrees are whole ones and follow each other up to a size."""
    reached = 0
    for begin, end, digest in spans:
        width = end - begin
        if begin != reached or width < 1 or width & (width - 1) or begin % width or len(digest) != 32:
            return f"the seam at record {size} can't be read"
        reached = end
    return "" if reached == size else f"the seam at record {size} can't be read"


def flaw_in_seams(seams: Iterable[Start], records: Sequence[bytes]) -> str:
    """Return which seam does not fit the records before it, of a log that is there from its beginning."""
    for size, spans in seams:
        said, real = _Roots(), _Roots()
        for begin, end, digest in spans:
            said.join(end - begin, digest)
        for record in records[:size]:
            real.add(record)
        if _flaw_in_spans(size, spans) or size > len(records) or said.root() != real.root():
            return f"the seam at record {size} does not fit the records before it"
    return ""


def _flaw_in_record(index: int, record: bytes, before: bytes) -> str:
    try:
        said = msgspec.msgpack.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"record {index} can't be read: {error}"
    if not isinstance(said, dict) or set(said) != _FIELDS:
        return f"record {index} is no audit record"
    if said["index"] != index:
        return f"record {index} says it is record {said['index']}: one is missing or out of order"
    if said["root_before"] != before:
        return f"a record before record {index} was altered"
    return ""


def _flaw_in_checkpoint(
    name: str, body: bytes, roots: Mapping[int, bytes], keys: Mapping[str, Mapping[str, Any]] | None
) -> tuple[str, int, set[str]]:
    """Return what is wrong with a checkpoint, the records it covers, and who signed it."""
    try:
        outer = msgspec.msgpack.decode(body)
        said = msgspec.msgpack.decode(outer["body"])
        log, size, root, marks = said["log"], said["size"], said["root"], outer["signatures"]
        strange = set(outer) != {"body", "signatures"} or set(said) != {"log", "size", "root", "at_us"}
        if strange or log != name or not isinstance(size, int) or not 0 <= size <= max(roots):
            return f"counts {size} records of {log}, which are not these", 0, set()
        if roots.get(size, root) != root:
            return f"{size} records do not have its root", 0, set()
        wrong = _flaw_in_marks(name, outer["body"], marks, keys)
        if wrong:
            return wrong, 0, set()
    except (msgspec.MsgspecError, RecursionError, KeyError, TypeError, ValueError) as error:
        return f"can't be read: {error}", 0, set()
    return "", size if size in roots else 0, {str(party) for party, _, _ in marks}


def _flaw_in_marks(
    name: str, body: bytes, marks: Sequence[Any], keys: Mapping[str, Mapping[str, Any]] | None
) -> str:
    parties = {str(party) for party, _, _ in marks}
    if len(parties) != len(marks) or not parties <= {_HUB, name.partition("/")[2]} or _HUB not in parties:
        return "not signed by the hub, or by somebody else too"
    false = [
        party
        for party, key_id, signature in marks
        if keys is not None
        and (not _is_signed(keys.get(key_id), party, body, signature) or _is_late(keys[key_id], body))
    ]
    return f"signature of {false[0]} is false" if false else ""


def flaw_in_signatures(name: str, checkpoint: bytes, keys: Iterable[Mapping[str, Any]] | None) -> str:
    """Return what is wrong with the signatures of a checkpoint of a log, or an empty string."""
    outer = msgspec.msgpack.decode(checkpoint)
    table = None if keys is None else {_fingerprint(one): one for one in keys}
    return _flaw_in_marks(name, outer["body"], outer["signatures"], table)


def _is_signed(key: Mapping[str, Any] | None, party: str, body: bytes, signature: bytes) -> bool:
    if key is None or key["party"] != party or len(signature) != 64:
        return False
    text = b"DSSEv1 %d %b %d %b" % (len(_TYPE), _TYPE, len(body), body)
    try:
        return crypto_sign_open(signature + text, key["public"]) == text
    except Exception:  # noqa: BLE001 - whatever the library throws, the signature is not good
        return False


def _is_late(key: Mapping[str, Any], body: bytes) -> bool:
    """Return whether a checkpoint says that it was signed when its key was revoked already."""
    revoked_us = key.get("revoked_from_us")
    return revoked_us is not None and msgspec.msgpack.decode(body)["at_us"] >= revoked_us


def _fingerprint(key: Mapping[str, Any]) -> str:
    text = f"beaconfire-key {key['key_class']} {key['party']} ".encode()
    return hashlib.sha256(text + key["public"]).hexdigest()[:32]

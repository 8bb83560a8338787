"""What the audit says of each release and each refusal, and the logs it says it in.

At the hub each nation has two logs and no partner shares one: `gave/KOR`, the fate of what it gave, per
recipient, and `given/JPN`, what it was given. A guard keeps one, `guard/KOR`.
"""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from beaconfire.audit.growth import Growth
from beaconfire.audit.merkle import EMPTY_ROOT, Tree
from beaconfire.audit.seam import Seam
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.words import Group, Lane, TimeUs

MAXIMUM_DETAIL: Final = 200


class Outcome(StrEnum):
    """What was decided."""

    RELEASED = "RELEASED"
    DEGRADED = "DEGRADED"
    REFUSED = "REFUSED"


class AuditRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One decision on one report towards one party.

    Attributes:
        index: of the record in its log, from 0.
        root_before: Merkle root over all records before it, 32 bytes, so the log proves itself but for
            its end, which the checkpoints prove.
        at_us: when it was decided, UTC.
        outcome: released as it was, released degraded, or refused.
        originator: whose report, as far as it could be read.
        recipient: towards whom; the party itself where a report was refused on arrival.
        report_id: opaque keyed hash, as far as it could be read.
        lane: FLASH or ROUTINE.
        reason: code of a refusal, otherwise None.
        rule: policies or check that decided.
        detail: for the own audit only, never to cross a border.
        groups: field groups that passed.
        degraded: of these, those replaced by something coarser.
        basis: arrangements it rests on.
        digest: SHA-256 of the bytes that were let pass, or that were refused.
    """

    index: int
    root_before: bytes
    at_us: TimeUs
    outcome: Outcome
    originator: str
    recipient: str
    report_id: str
    lane: Lane
    reason: Reason | None
    rule: str
    detail: str
    groups: tuple[Group, ...]
    degraded: tuple[Group, ...]
    basis: tuple[str, ...]
    digest: bytes


class Subject(msgspec.Struct, frozen=True):
    """What a decision was about; see `AuditRecord` for the fields."""

    originator: str
    recipient: str
    report_id: str
    lane: Lane
    body: bytes


class Passed(msgspec.Struct, frozen=True):
    """What passed; see `AuditRecord` for the fields."""

    groups: tuple[Group, ...]
    degraded: tuple[Group, ...]
    basis: tuple[str, ...]
    rules: tuple[str, ...]


_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decoder: Final = msgspec.msgpack.Decoder(AuditRecord)


RECORDS_MAX: Final = 500_000
"""Records of one log in a journal, some 200 MB; then nothing is decided until some were moved away."""
RECORDS_NEAR: Final = 400_000
"""From here on it is said that a log is to be rotated."""


class AuditLog:
    """One append-only log: turns decisions into records that chain to all before them.

    Attributes:
        name: of the log in the journal.
        growth: its Merkle tree, and how far it is vouched for.
        moved: records that stand in an archive.
    """

    def __init__(
        self,
        name: str,
        records: Iterable[bytes] = (),
        vouched: tuple[int, int] = (0, 0),
        seam: Seam | None = None,
    ) -> None:
        """Take what is already in the log.

        Args:
            name: of the log in the journal.
            records: in order, after the seam.
            vouched: sizes that were vouched for and offered, as `Growth` takes them.
            seam: None if nothing was moved.
        """
        self.name = name
        self.moved = seam.size if seam else 0
        self.growth = Growth(records, vouched[0], seam.spans if seam else (), vouched[1])

    @property
    def size(self) -> int:
        """Number of records."""
        return self.growth.size

    @property
    def held(self) -> int:
        """Number of records that stand in the journal."""
        return self.size - self.moved

    def root(self) -> bytes:
        """Return the Merkle root over all records, 32 bytes."""
        return self.growth.root()

    def add(self, subject: Subject, decided: Passed | Withheld, at_us: int) -> bytes:
        """Add one decision and return the bytes to append to the log in the journal."""
        passed = decided if isinstance(decided, Passed) else None
        refused = decided if isinstance(decided, Withheld) else None
        outcome = Outcome.RELEASED if passed else Outcome.REFUSED
        record = AuditRecord(
            index=self.growth.size,
            root_before=self.growth.root(),
            at_us=at_us,
            outcome=Outcome.DEGRADED if passed and passed.degraded else outcome,
            originator=subject.originator[:MAXIMUM_DETAIL],
            recipient=subject.recipient[:MAXIMUM_DETAIL],
            report_id=subject.report_id[:MAXIMUM_DETAIL],
            lane=subject.lane,
            reason=refused.reason if refused else None,
            rule=(",".join(passed.rules) if passed else refused.rule if refused else "")[:1_000],
            detail=refused.detail[:MAXIMUM_DETAIL] if refused else "",
            groups=passed.groups if passed else (),
            degraded=passed.degraded if passed else (),
            basis=passed.basis if passed else (),
            digest=hashlib.sha256(subject.body).digest(),
        )
        body = _encoder.encode(record)
        self.growth.append(body)
        return body


def decode_record(body: bytes) -> AuditRecord:
    """Return the record in `body`.

    Raises:
        msgspec.MsgspecError: it is not a record.
    """
    try:
        return _decoder.decode(body)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


def flaw_in_log(bodies: Iterable[bytes]) -> str:
    """Return the first thing wrong with a log as read back, naming the record, or an empty string."""
    tree = Tree()
    for index, body in enumerate(bodies):
        try:
            record = _decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return f"record {index} can't be read: {error}"
        if record.index != index:
            return f"record {index} says it is record {record.index}: one is missing or out of order"
        if record.root_before != (tree.root() if index else EMPTY_ROOT):
            return f"a record before record {index} was altered"
        tree.append(body)
    return ""

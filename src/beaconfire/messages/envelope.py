"""The envelope: a header the originator signs once, salted digests per group, and what is left of them."""

import msgspec

from beaconfire.messages.label import Label
from beaconfire.messages.words import Group, Mode, Nation, TimeUs


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the originator signs, once for all recipients.

    So nothing in it counts, names or times what some recipient may not have: no report before it, no lane,
    no detection, no other arrangement. What it replaces follows from track and time.

    Attributes:
        schema: schema version of the message.
        report_id: opaque keyed hash.
        kind: type tag of the content, such as "report".
        originator: nation.
        track: keyed hash naming the national track.
        mode: what it is about.
        exercise: exercise id, empty in mode REAL.
        valid_from_us: not before this.
        sent_at_us: when it was sealed.
        expires_at_us: not after this.
        label: who may learn it.
        arrangements: salted SHA-256 over the digests of the arrangements in force at the originator when
            sealed, 32 hex digits: it can be held to them later, and tells no recipient of the others.
        hops_max: how many relays it may pass.
        digests: one salted SHA-256 per group, always all of `Group` in order, 32 bytes each.
        key_id: fingerprint of the signing key.
    """

    schema: int
    report_id: str
    kind: str
    originator: Nation
    track: str
    mode: Mode
    exercise: str
    valid_from_us: TimeUs
    sent_at_us: TimeUs
    expires_at_us: TimeUs
    label: Label
    arrangements: str
    hops_max: int
    digests: tuple[bytes, ...]
    key_id: str


class Disclosure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group that is still there: `digest(salt, group, content)` stands in the header.

    Attributes:
        group: which.
        salt: 16 bytes.
        content: MessagePack of the group's value, as digested.
    """

    group: Group
    salt: bytes
    content: bytes


class Degradation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group that was replaced by something coarser, declared and signed by whoever did it.

    Attributes:
        group: which.
        content: MessagePack of the coarser value.
        original_digest: the digest in the header that it replaces.
        transform: what was done, such as "grid 10 km".
        degraded_by: party.
        key_id: fingerprint of that party's key.
        signature: Ed25519 over the fields above and the report id.
    """

    group: Group
    content: bytes
    original_digest: bytes
    transform: str
    degraded_by: str
    key_id: str
    signature: bytes


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A report as it travels: header bytes as signed, what is disclosed, what was degraded.

    Attributes:
        header: MessagePack of `Header`, the bytes that were signed.
        signature: Ed25519 of the originator over `header` (DSSE-style pre-authentication encoding).
        disclosures: groups left intact.
        degradations: groups replaced.
        basis: ids of the arrangements under which the last releaser let it pass. On the way to the hub,
            "RECIPIENT/id" of each that is in force at the originator, for each partner that may have
            anything: the hub passes it on under no other.
    """

    header: bytes
    signature: bytes
    disclosures: tuple[Disclosure, ...]
    degradations: tuple[Degradation, ...]
    basis: tuple[str, ...]

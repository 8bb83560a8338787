"""Seal a report: one signed header, a salted digest per group, contents that can be taken out later."""

import hashlib
import hmac
from collections.abc import Collection
from typing import Final

import msgspec

from beaconfire.messages.codec import encode
from beaconfire.messages.envelope import Degradation, Disclosure, Header, Sealed
from beaconfire.messages.report import Report
from beaconfire.messages.words import SCHEMA_VERSION, Group
from beaconfire.release.content import GROUPS, Content, content_of, encode_content
from beaconfire.release.keys import DEGRADATION_TYPE, HEADER_TYPE, SigningKey
from beaconfire.release.terms import SealTerms

SALT_BYTES: Final = 16
HOPS_MAX: Final = 1
NOTHING: Final = encode_content(None)


def salt_of(secret: bytes, report_id: str, group: Group) -> bytes:
    """Return the salt of one group of one report, 16 bytes: HMAC-SHA-256 under the originator's secret."""
    text = f"beaconfire-salt {group.value} {report_id}".encode()
    return hmac.digest(secret, text, "sha256")[:SALT_BYTES]


def group_digest(salt: bytes, group: Group, content: bytes) -> bytes:
    """Return the salted SHA-256 of a group's content, 32 bytes.

    Source: the idea of RFC 9901 (SD-JWT) section 4.2, over bytes instead of JSON.
    """
    return hashlib.sha256(b"beaconfire-group %b %b %b" % (group.value.encode(), salt, content)).digest()


def arrangements_digest(digests: tuple[str, ...], secret: bytes, report_id: str) -> str:
    """Return the salted SHA-256 over the digests of arrangements, sorted; 32 hex digits."""
    salt = hmac.digest(secret, f"beaconfire-salt arrangements {report_id}".encode(), "sha256")
    return hashlib.sha256(b"beaconfire-arrangements %b %b" % (salt, encode(sorted(digests)))).hexdigest()[:32]


def seal_report(report: Report, terms: SealTerms, key: SigningKey, secret: bytes) -> Sealed:
    """Return the report sealed by its originator, with every group that has a value disclosed."""
    contents = [encode_content(content_of(report, group)) for group in GROUPS]
    salts = [salt_of(secret, report.report_id, group) for group in GROUPS]
    header = Header(
        schema=SCHEMA_VERSION,
        report_id=report.report_id,
        kind="report",
        originator=report.originator,
        track=report.track,
        mode=report.mode,
        exercise=report.exercise,
        valid_from_us=report.stated_at_us,
        sent_at_us=terms.sent_at_us,
        expires_at_us=terms.expires_at_us,
        label=terms.label,
        arrangements=arrangements_digest(terms.arrangements, secret, report.report_id),
        hops_max=HOPS_MAX,
        digests=tuple(map(group_digest, salts, GROUPS, contents)),
        key_id=key.key_id,
    )
    body = encode(header)
    return Sealed(
        header=body,
        signature=key.sign(HEADER_TYPE, body),
        disclosures=tuple(
            Disclosure(group=group, salt=salt, content=content)
            for group, salt, content in zip(GROUPS, salts, contents, strict=True)
            if content != NOTHING
        ),
        degradations=(),
        basis=(),
    )


def keep_groups(sealed: Sealed, groups: Collection[Group]) -> Sealed:
    """Return the sealed report with only these groups left; the signature stays good."""
    kept = tuple(one for one in sealed.disclosures if one.group in groups)
    return msgspec.structs.replace(sealed, disclosures=kept)


def degradation_body(one: Degradation, report_id: str) -> bytes:
    """Return the bytes a degradation's signature is over: its other fields and the report id."""
    return encode(
        (
            report_id,
            one.group.value,
            one.content,
            one.original_digest,
            one.transform,
            one.degraded_by,
            one.key_id,
        )
    )


def degrade(header: Header, group: Group, value: Content, transform: str, key: SigningKey) -> Degradation:
    """Return a coarser value in the place of a group, declared and signed by whoever coarsened it."""
    unsigned = Degradation(
        group=group,
        content=encode_content(value),
        original_digest=header.digests[GROUPS.index(group)],
        transform=transform,
        degraded_by=key.party,
        key_id=key.key_id,
        signature=b"",
    )
    body = degradation_body(unsigned, header.report_id)
    return msgspec.structs.replace(unsigned, signature=key.sign(DEGRADATION_TYPE, body))

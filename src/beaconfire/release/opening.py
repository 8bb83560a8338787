"""Open a sealed report: verify everything that can be verified, then give the report or say why not."""

from typing import Final

import msgspec

from beaconfire.errors import PeerError
from beaconfire.messages.arrangement import modes_of
from beaconfire.messages.codec import decode_header, decode_sealed
from beaconfire.messages.envelope import Degradation, Disclosure, Header, Sealed
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.report import Provenance, Report
from beaconfire.messages.words import HUB, SCHEMA_VERSION, Group, Mode
from beaconfire.release.arrangements import Agreement, Arrangements
from beaconfire.release.content import GROUPS, Content, decode_content
from beaconfire.release.keys import DEGRADATION_TYPE, HEADER_TYPE, Keyring
from beaconfire.release.label import flaw_in_label
from beaconfire.release.seal import degradation_body, group_digest

CLOCK_TOLERANCE_US: Final = 2_000_000
"""How far the clock of an honest originator may be ahead of the recipient's."""


class Opened(msgspec.Struct, frozen=True):
    """A report that passed every check.

    Attributes:
        report: with the groups that were released; the others are None.
        header: what the originator signed.
        basis: ids of the arrangements under which it was released, or may be by the hub.
        degraded: groups the hub replaced by something coarser.
        sealed: as decoded.
    """

    report: Report
    header: Header
    basis: tuple[str, ...]
    degraded: tuple[Group, ...]
    sealed: Sealed


class _Refused(Exception):
    """Carries a refusal out of the checks; never leaves this module."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.withheld = Withheld(reason=reason, rule="open", detail=detail)
        super().__init__(detail)


def open_sealed(
    sealed: bytes,
    *,
    recipient: str,
    keyring: Keyring,
    now_us: int,
    mode: Mode,
    arrangements: Arrangements,
    hops: int = 1,
    exercise: str | None = None,
) -> Opened | Withheld:
    """Return the report in `sealed` if `recipient` may rely on it, otherwise why not.

    Checked: size and schema, the originator's signature, every digest, degradations (signed by the
    hub, of a group that an arrangement lets it replace), mode and key class, validity, hops,
    releasability, the arrangements named as basis, that it is not the recipient's own data, and that
    it rests on own sensors only.

    Args:
        sealed: MessagePack of `Sealed`, as delivered.
        recipient: nation, or HUB for the hub itself.
        keyring: keys trusted here.
        now_us: UTC.
        mode: the only mode this process works in.
        arrangements: as held here.
        hops: relays passed, as the delivery says.
        exercise: if given, the only exercise this process takes part in.
    """
    try:
        envelope = decode_sealed(sealed)
        header = decode_header(envelope.header)
        _check_signature(envelope, header, keyring)
        _check_terms(header, keyring, mode, now_us)
        if exercise is not None and header.exercise != exercise:
            raise _Refused(Reason.MODE_MISMATCH, f"exercise {header.exercise[:40]}")
        if hops > header.hops_max:
            raise _Refused(Reason.TOO_MANY_HOPS, f"{hops} of {header.hops_max}")
        agreements = _check_recipient(envelope, header, recipient, arrangements.in_force(now_us))
        contents = _check_contents(envelope, header, keyring, agreements)
        return Opened(
            report=report_from(header, contents),
            header=header,
            basis=envelope.basis,
            degraded=tuple(one.group for one in envelope.degradations),
            sealed=envelope,
        )
    except PeerError as error:
        return Withheld(reason=Reason.SCHEMA, rule="open", detail=error.detail)
    except _Refused as refused:
        return refused.withheld


def report_from(header: Header, contents: dict[Group, Content]) -> Report:
    """Return the report that a header and the contents of its groups make."""
    named = {group.value: content for group, content in contents.items()}
    return msgspec.structs.replace(
        Report(
            report_id=header.report_id,
            track=header.track,
            supersedes=None,
            originator=header.originator,
            mode=header.mode,
            exercise=header.exercise,
            stated_at_us=header.valid_from_us,
        ),
        **named,
    )


def _check_signature(envelope: Sealed, header: Header, keyring: Keyring) -> None:
    if header.schema != SCHEMA_VERSION or header.kind != "report":
        raise _Refused(Reason.SCHEMA, f"schema {header.schema}, kind {header.kind[:20]}")
    party = keyring.party_of(header.key_id)
    if party is None:
        revoked = "revoked " if keyring.is_revoked(header.key_id) else ""
        raise _Refused(Reason.UNKNOWN_KEY, revoked + header.key_id[:40])
    if party != header.originator or party == HUB:
        raise _Refused(Reason.BAD_SIGNATURE, f"key of {party} under a report of {header.originator[:8]}")
    if keyring.verify(header.key_id, HEADER_TYPE, envelope.header, envelope.signature) is None:
        raise _Refused(Reason.BAD_SIGNATURE, header.report_id[:40])


def _check_terms(header: Header, keyring: Keyring, mode: Mode, now_us: int) -> None:
    if header.mode is not mode or mode not in modes_of(keyring.key_class):
        raise _Refused(Reason.MODE_MISMATCH, f"{header.mode} under {keyring.key_class}, here {mode}")
    if (header.mode is Mode.REAL and header.exercise) or (
        header.mode is Mode.EXERCISE and not header.exercise
    ):
        raise _Refused(Reason.MODE_MISMATCH, "an exercise id goes with EXERCISE and never with REAL")
    if now_us >= header.expires_at_us:
        raise _Refused(Reason.EXPIRED, f"{now_us - header.expires_at_us} us ago")
    if now_us + CLOCK_TOLERANCE_US < max(header.valid_from_us, header.sent_at_us):
        raise _Refused(Reason.NOT_YET_VALID, f"sent {header.sent_at_us - now_us} us ahead")
    flaw = flaw_in_label(header.label, header.originator)
    if flaw:
        raise _Refused(Reason.UNLABELLED, flaw)
    if len(header.digests) != len(GROUPS):
        raise _Refused(Reason.BAD_DIGEST, f"{len(header.digests)} digests")


def _check_recipient(
    envelope: Sealed, header: Header, recipient: str, in_force: tuple[Agreement, ...]
) -> tuple[Agreement, ...]:
    if header.originator == recipient:
        raise _Refused(Reason.OWN_DATA, header.report_id[:40])
    if recipient == HUB:
        if envelope.degradations:
            raise _Refused(Reason.SCHEMA, "degraded before it reached the hub")
        return ()
    if recipient not in header.label.releasable_to:
        raise _Refused(Reason.WRONG_RECIPIENT, header.report_id[:40])
    held = tuple(
        a
        for a in in_force
        if a.bundle.arrangement in envelope.basis and a.binds(header.originator, recipient)
    )
    if not held or len(held) != len(envelope.basis):
        raise _Refused(Reason.NO_ARRANGEMENT, ",".join(envelope.basis)[:80])
    return held


def _check_contents(
    envelope: Sealed, header: Header, keyring: Keyring, agreements: tuple[Agreement, ...]
) -> dict[Group, Content]:
    groups = [one.group for one in envelope.disclosures]
    groups += [one.group for one in envelope.degradations]
    if len(groups) != len(set(groups)):
        raise _Refused(Reason.SCHEMA, "a group given twice")
    contents: dict[Group, Content] = {}
    for disclosure in envelope.disclosures:
        _check_digest(header, disclosure)
        contents[disclosure.group] = decode_content(disclosure.group, disclosure.content)
    for degradation in envelope.degradations:
        _check_degradation(header, degradation, keyring, agreements)
        contents[degradation.group] = decode_content(degradation.group, degradation.content)
    provenance = contents.get(Group.PROVENANCE)
    if not isinstance(provenance, Provenance) or provenance.own_sensors_only is not True:
        raise _Refused(Reason.NOT_OWN_SENSORS, header.report_id[:40])
    return contents


def _check_digest(header: Header, disclosure: Disclosure) -> None:
    digest = group_digest(disclosure.salt, disclosure.group, disclosure.content)
    if len(disclosure.salt) != 16 or digest != header.digests[GROUPS.index(disclosure.group)]:
        raise _Refused(Reason.BAD_DIGEST, disclosure.group)


def _check_degradation(
    header: Header, one: Degradation, keyring: Keyring, agreements: tuple[Agreement, ...]
) -> None:
    if one.original_digest != header.digests[GROUPS.index(one.group)]:
        raise _Refused(Reason.BAD_DIGEST, one.group)
    if one.degraded_by != HUB or keyring.party_of(one.key_id) != HUB:
        raise _Refused(Reason.BAD_SIGNATURE, f"{one.group} degraded by {one.degraded_by[:8]}")
    if not any(one.group in a.bundle.degradable for a in agreements):
        raise _Refused(Reason.NO_ARRANGEMENT, f"no arrangement lets the hub replace {one.group}")
    body = degradation_body(one, header.report_id)
    if keyring.verify(one.key_id, DEGRADATION_TYPE, body, one.signature) is None:
        raise _Refused(Reason.BAD_SIGNATURE, one.group)

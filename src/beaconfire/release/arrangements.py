"""Bundles made from templates, signed, verified, and kept in force or suspended."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import (
    ArrangementTemplate,
    Bundle,
    BundleSignature,
    Flow,
    SignedBundle,
)
from beaconfire.messages.strict_json import decode_json
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import HUB, Nation, Sharing
from beaconfire.release.keys import BUNDLE_TYPE, Keyring, SigningKey, fingerprint

MAXIMUM_BUNDLE_BYTES: Final = 1_000_000
MAXIMUM_ARRANGEMENTS: Final = 64

BILATERALS: Final = ("bilateral-usa-jpn", "bilateral-usa-kor")
ARRANGEMENTS_OF: Final[dict[Sharing, tuple[str, ...]]] = {
    Sharing.ALONE: (),
    Sharing.BILATERAL: BILATERALS,
    Sharing.TRILATERAL: (*BILATERALS, "trilateral"),
}
"""Ids of the shipped arrangements that each shorthand puts in force."""


class Agreement(msgspec.Struct, frozen=True):
    """A bundle whose signatures were verified.

    Attributes:
        bundle: what was signed.
        digest: 32 hex digits of SHA-256 over the signed text; names this version of it.
    """

    bundle: Bundle
    digest: str

    def __hash__(self) -> int:
        """Hash by digest, which stands for all of it."""
        return hash(self.digest)

    def binds(self, originator: str, recipient: str) -> bool:
        """Return whether both are parties to it (and are two)."""
        parties = self.bundle.parties
        return originator != recipient and originator in parties and recipient in parties

    def flow(self, originator: str, recipient: str) -> Flow | None:
        """Return the most that may pass between two parties, or None if nothing may."""
        return next(
            (f for f in self.bundle.flows if (f.originator, f.recipient) == (originator, recipient)), None
        )


def make_bundle(
    template: ArrangementTemplate, keys: Sequence[SigningKey], *, valid_from_us: int, valid_until_us: int
) -> SignedBundle:
    """Return a template filled with keys and validity and signed by every key of a required signer.

    The same arguments give the same bytes. A key of a party that is not in the arrangement is left out.

    Raises:
        UsageError: no keys, keys of different classes, or an empty validity window.
    """
    if valid_until_us <= valid_from_us:
        raise UsageError("an empty validity window", template.arrangement, "an end after the beginning")
    held = sorted((k for k in keys if k.party in (*template.parties, HUB)), key=lambda k: k.party)
    classes = {key.public.key_class for key in held}
    if len(classes) != 1:
        raise UsageError(f"keys of {len(classes)} classes", template.arrangement, "keys of one class")
    bundle = Bundle(
        arrangement=template.arrangement,
        version=template.version,
        parties=template.parties,
        valid_from_us=valid_from_us,
        valid_until_us=valid_until_us,
        key_class=classes.pop(),
        required_signers=template.required_signers,
        keys=tuple(key.public for key in held),
        flows=template.flows,
        degradable=template.degradable,
        policies=template.policies,
        lease_s=template.lease_s,
    )
    text = msgspec.json.encode(bundle, order="deterministic").decode()
    unsigned = SignedBundle(bundle=text, signatures=())
    signers = [key for key in held if key.party in template.required_signers]
    for key in signers:
        unsigned = add_signature(unsigned, key)
    return unsigned


def add_signature(signed: SignedBundle, key: SigningKey) -> SignedBundle:
    """Return the bundle with one more signature (replacing an earlier one of the same party)."""
    mark = BundleSignature(
        party=key.party, key_id=key.key_id, signature=key.sign(BUNDLE_TYPE, signed.bundle.encode())
    )
    others = tuple(one for one in signed.signatures if one.party != key.party)
    return SignedBundle(bundle=signed.bundle, signatures=(*others, mark))


def read_bundle(text: bytes, where: str) -> SignedBundle:
    """Return the signed bundle in a JSON text, unverified.

    Raises:
        UsageError: oversize or not a signed bundle.
    """
    if len(text) > MAXIMUM_BUNDLE_BYTES:
        raise UsageError("arrangement too large", where, f"at most {MAXIMUM_BUNDLE_BYTES} bytes")
    try:
        return decode_json(text, SignedBundle)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"not a signed arrangement: {error}", where, "JSON with bundle, signatures"
        ) from error


def bundle_of(signed: SignedBundle, where: str) -> Bundle:
    """Return what stands in a signed bundle, unverified.

    Raises:
        UsageError: not a bundle.
    """
    try:
        return decode_json(signed.bundle.encode(), Bundle)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UsageError(f"not an arrangement: {error}", where) from error


def verify_bundle(
    signed: SignedBundle, where: str, *, now_us: int | None, trusted: Keyring | None
) -> Agreement:
    """Return the agreement if it is whole, signed by all who must, trusted and valid now.

    Args:
        signed: as read.
        where: named in the error.
        now_us: UTC; None where `Arrangements.in_force` looks at the validity each time, as a running node
            does: one that has ended, or has yet to begin, is held there without effect.
        trusted: keys known beforehand: every key in the bundle must be among them. None accepts the
            keys as stated, which proves that nothing was altered but not who wrote it: only for
            looking at a bundle, and for simulation.

    Raises:
        UsageError: anything missing or wrong, naming it.
    """
    bundle = bundle_of(signed, where)
    name = f"{where}: {bundle.arrangement}" if bundle.arrangement not in where else where
    own = Keyring(bundle.key_class, bundle.keys)
    if trusted is not None:
        _check_trusted(bundle, trusted, name)
    _check_shape(bundle, name)
    _check_signatures(signed, bundle, own, name)
    if now_us is not None:
        _check_validity(bundle, now_us, name)
    return Agreement(bundle=bundle, digest=hashlib.sha256(signed.bundle.encode()).hexdigest()[:32])


def _check_validity(bundle: Bundle, now_us: int, where: str) -> None:
    if now_us < bundle.valid_from_us:
        raise UsageError("arrangement not yet in force", where, "now within its validity")
    if now_us >= bundle.valid_until_us:
        raise UsageError("arrangement expired", where, "now within its validity")


def is_trusted(bundle: Bundle, keyring: Keyring) -> bool:
    """Return whether every key that a bundle names is trusted, as its party's."""
    return all(keyring.party_of(fingerprint(key)) == key.party for key in bundle.keys)


def _check_trusted(bundle: Bundle, trusted: Keyring, where: str) -> None:
    for key in bundle.keys:
        if key.key_class is not trusted.key_class:
            raise UsageError(f"key class {key.key_class}", where, f"{trusted.key_class} as here")
        if trusted.party_of(fingerprint(key)) != key.party:
            raise UsageError(f"a key of {key.party} that is not trusted here", where, "the key exchanged")


def _check_shape(bundle: Bundle, where: str) -> None:
    parties = set(bundle.parties)
    if len(parties) < 2 or HUB in parties:
        raise UsageError("not an arrangement between nations", where, "two parties or more, without HUB")
    if set(bundle.required_signers) != parties:
        raise UsageError("a party need not sign", where, "every party among the required signers")
    if {key.party for key in bundle.keys} != parties | {HUB}:
        raise UsageError("keys do not fit the parties", where, "a key of each party and of the hub")
    for flow in bundle.flows:
        if not {flow.originator, flow.recipient} <= parties or flow.originator == flow.recipient:
            raise UsageError(f"a flow {flow.originator} to {flow.recipient}", where, "flows between parties")


def _check_signatures(signed: SignedBundle, bundle: Bundle, own: Keyring, where: str) -> None:
    if not signed.signatures:
        raise UsageError("arrangement not signed", where, _names(bundle.required_signers))
    text = signed.bundle.encode()
    for mark in signed.signatures:
        if own.verify(mark.key_id, BUNDLE_TYPE, text, mark.signature) != mark.party:
            raise UsageError(f"signature of {mark.party} does not fit the text", where, "the text signed")
    missing = set(bundle.required_signers) - {mark.party for mark in signed.signatures}
    if missing:
        raise UsageError(f"arrangement not signed by {', '.join(sorted(missing))}", where)


def _names(parties: Iterable[Nation]) -> str:
    return "signed by " + ", ".join(parties)


def _by_id(agreements: Iterable[Agreement]) -> dict[str, Agreement]:
    found: dict[str, Agreement] = {}
    for agreement in agreements:
        name = agreement.bundle.arrangement
        if name in found or len(found) >= MAXIMUM_ARRANGEMENTS:
            raise UsageError("arrangement given twice, or too many of them", name)
        found[name] = agreement
    return found


class _Word(msgspec.Struct, frozen=True):
    """A party's newest word of a kind on an arrangement."""

    number: int
    suspended: bool
    version: int


class Arrangements:
    """The agreements one node holds, and which of them are in force.

    An agreement is in force within its validity, while no party to it has it suspended or has withdrawn
    from it, and while the leases hold: the node has, within the agreement's lease, heard from those whose
    word could stop it. A word is strictly newer than the one before it, per party and kind, or void.
    """

    def __init__(self, agreements: Iterable[Agreement]) -> None:
        """Take the agreements.

        Raises:
            UsageError: two of one id, or too many.
        """
        self._by_id = _by_id(agreements)
        self._said: dict[tuple[str, str, bool], _Word] = {}
        self._heard: dict[str, int] = {}
        self._monotonic_us = 0

    def replace(self, agreements: Iterable[Agreement]) -> None:
        """Hold these from now on; what parties said of those of the same names, and leases, stay.

        Raises:
            UsageError: two of one id, or too many; nothing is changed.
        """
        self._by_id = _by_id(agreements)

    @property
    def agreements(self) -> tuple[Agreement, ...]:
        """All held, in force or not."""
        return tuple(self._by_id.values())

    def take(self, said: Suspension) -> bool:
        """Take a party's word; return whether it was new. Who said it is the caller's to verify."""
        agreement = self._by_id.get(said.arrangement)
        if agreement is None or said.party not in agreement.bundle.parties:
            return False
        key = (said.party, said.arrangement, said.final)
        if key in self._said and said.number <= self._said[key].number:
            return False
        self._said[key] = _Word(said.number, said.suspended, said.version)
        return True

    def has_taken(self, said: Suspension) -> bool:
        """Return whether a word is the newest of its kind here."""
        held = self._said.get((said.party, said.arrangement, said.final))
        return held is not None and held.number == said.number

    def suspend(self, party: str, arrangement: str, *, number: int, suspended: bool) -> bool:
        """Take a party's suspension or resumption; return whether it was new."""
        return self.take(Suspension(party, arrangement, 0, suspended, number, 0, "", b""))

    def is_suspended(self, arrangement: str) -> bool:
        """Return whether any party has it suspended, or has withdrawn from the version held."""
        return bool(self.suspended_by(arrangement))

    def suspended_by(self, arrangement: str) -> tuple[str, ...]:
        """Return the parties that have it suspended or have withdrawn from the version held, sorted."""
        agreement = self._by_id.get(arrangement)
        version = agreement.bundle.version if agreement else 0
        said = {
            party
            for (party, name, final), word in self._said.items()
            if name == arrangement and (word.version >= version if final else word.suspended)
        }
        return tuple(sorted(said))

    def watch(self, parties: Iterable[str], monotonic_us: int) -> None:
        """Begin a lease with each of these, unless there is one: from now on their silence ends it."""
        self._monotonic_us = max(self._monotonic_us, monotonic_us)
        for party in parties:
            self._heard.setdefault(party, monotonic_us)

    def renew(self, party: str, monotonic_us: int) -> None:
        """Renew the lease with a party that is known to have been heard at this time, monotonic."""
        if party in self._heard:
            self._heard[party] = max(self._heard[party], monotonic_us)

    def is_lapsed(self, arrangement: str, party: str) -> bool:
        """Return whether a party that is watched has been silent for longer than an arrangement's lease."""
        heard_us = self._heard.get(party)
        agreement = self._by_id.get(arrangement)
        if heard_us is None or agreement is None:
            return False
        return self._monotonic_us - heard_us > agreement.bundle.lease_s * 1_000_000

    def lapsed(self) -> tuple[tuple[str, str], ...]:
        """Return arrangement and silent party of every lease that has ended."""
        pairs = ((name, party) for name in self._by_id for party in self._heard)
        return tuple(pair for pair in pairs if self.is_lapsed(*pair))

    def in_force(self, now_us: int) -> tuple[Agreement, ...]:
        """Return the agreements in force at a time, UTC."""
        return tuple(
            a
            for name, a in self._by_id.items()
            if a.bundle.valid_from_us <= now_us < a.bundle.valid_until_us
            and not self.is_suspended(name)
            and not self.is_lapsed(name, HUB)
        )

    def between(self, originator: str, recipient: str, now_us: int) -> tuple[Agreement, ...]:
        """Return the agreements in force that bind both, and whose originator has not fallen silent."""
        held = (a for a in self.in_force(now_us) if a.binds(originator, recipient))
        return tuple(a for a in held if not self.is_lapsed(a.bundle.arrangement, originator))

    def partners(self, nation: str, now_us: int) -> tuple[Nation, ...]:
        """Return the nations that share an agreement in force with this one, sorted."""
        held = (a.bundle.parties for a in self.in_force(now_us) if nation in a.bundle.parties)
        return tuple(sorted({p for parties in held for p in parties if p != nation}))

"""The life of an arrangement, told from the papers the parties hand each other.

Proposed (by one, signed by some) → countered (a newer version answers it) → signed by all → in force →
suspended and resumed → ended by a newer version, withdrawn by a party, or expired.
"""

import hashlib
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import ArrangementTemplate, Bundle, PublicKey, SignedBundle
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import HUB, Nation
from beaconfire.release.arrangements import bundle_of
from beaconfire.release.attest import is_suspension_good
from beaconfire.release.keys import BUNDLE_TYPE, Keyring

LEASE_S_MAX: Final = 3_600
FIRST_VERSION: Final = 1


class Stage(StrEnum):
    """Where in its life a version of an arrangement is."""

    PROPOSED = "proposed"
    COUNTERED = "countered"
    SIGNED = "signed by all"
    IN_FORCE = "in force"
    SUSPENDED = "suspended"
    ENDED = "ended"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    VOID = "void"


class Standing(msgspec.Struct, frozen=True):
    """How one version of an arrangement stands.

    Attributes:
        arrangement: id.
        version: of it.
        digest: names its text.
        stage: where in its life it is.
        proposed_by: who wrote it.
        signed: parties whose signatures are good.
        open: parties that must sign and have not.
        because: of whom or of what, if it is suspended, withdrawn, ended, countered or void.
        valid_from_us: UTC.
        valid_until_us: UTC.
    """

    arrangement: str
    version: int
    digest: str
    stage: Stage
    proposed_by: str
    signed: tuple[str, ...]
    open: tuple[str, ...]
    because: str
    valid_from_us: int
    valid_until_us: int


class Paper(msgspec.Struct, frozen=True):
    """A bundle as it was handed over: its text, what stands in it, and where it was found."""

    where: str
    signed: SignedBundle
    bundle: Bundle
    digest: str


def paper_of(signed: SignedBundle, where: str) -> Paper:
    """Return a bundle as a paper; raises `UsageError` if it is none."""
    return Paper(where, signed, bundle_of(signed, where), digest_of(signed))


def digest_of(signed: SignedBundle) -> str:
    """Return the name of a bundle's text: 32 hex digits of SHA-256."""
    return hashlib.sha256(signed.bundle.encode()).hexdigest()[:32]


def draft(
    template: ArrangementTemplate,
    keys: Iterable[PublicKey],
    *,
    proposed_by: str,
    validity_us: tuple[int, int],
    counters: Paper | None = None,
) -> SignedBundle:
    """Return an unsigned draft: a first version, or one that counters another.

    Args:
        template: what is proposed; its version is the first, or follows the one countered.
        keys: public keys of every party and the hub; others are left out.
        proposed_by: a party.
        validity_us: from and until, UTC.
        counters: the version answered.

    Raises:
        UsageError: a key is missing or of another class, no party, an empty validity, a bad lease.
    """
    held = tuple(sorted((k for k in keys if k.party in (*template.parties, HUB)), key=lambda k: k.party))
    _check_draft(template, held, proposed_by, validity_us)
    if counters is not None and counters.bundle.arrangement != template.arrangement:
        raise UsageError(
            f"{template.arrangement} does not answer {counters.bundle.arrangement}", counters.where
        )
    bundle = Bundle(
        arrangement=template.arrangement,
        version=counters.bundle.version + 1 if counters else max(FIRST_VERSION, template.version),
        parties=template.parties,
        valid_from_us=validity_us[0],
        valid_until_us=validity_us[1],
        key_class=held[0].key_class,
        required_signers=template.required_signers,
        keys=held,
        flows=template.flows,
        degradable=template.degradable,
        policies=template.policies,
        lease_s=template.lease_s,
        proposed_by=proposed_by,
        counters=counters.digest if counters else "",
    )
    return SignedBundle(bundle=msgspec.json.encode(bundle, order="deterministic").decode(), signatures=())


def _check_draft(
    template: ArrangementTemplate, keys: Sequence[PublicKey], proposed_by: str, validity_us: tuple[int, int]
) -> None:
    name = template.arrangement
    if proposed_by not in template.parties:
        raise UsageError(f"{proposed_by} is no party to it", name, ", ".join(template.parties))
    missing = [party for party in (*template.parties, HUB) if party not in {key.party for key in keys}]
    if missing:
        raise UsageError(f"no public key of {', '.join(missing)}", name, "a key of each party and of HUB")
    if len(keys) != len(template.parties) + 1 or len({key.key_class for key in keys}) != 1:
        raise UsageError("two keys of one party, or keys of two classes", name)
    if validity_us[0] >= validity_us[1]:
        raise UsageError("an empty validity window", name, "an end after the beginning")
    if not 1 <= template.lease_s <= LEASE_S_MAX:
        raise UsageError(f"a lease of {template.lease_s} s", name, f"1 to {LEASE_S_MAX}")


def standings(papers: Sequence[Paper], words: Sequence[Suspension], now_us: int) -> tuple[Standing, ...]:
    """Return how every paper stands at a time, in order of arrangement and version.

    Args:
        papers: all that is known, of any arrangements.
        words: suspensions, resumptions and withdrawals; those that are not well signed are passed over.
        now_us: UTC.
    """
    ordered = sorted(papers, key=lambda one: (one.bundle.arrangement, one.bundle.version))
    return tuple(_standing(one, papers, words, now_us) for one in ordered)


def _standing(paper: Paper, papers: Sequence[Paper], words: Sequence[Suspension], now_us: int) -> Standing:
    bundle = paper.bundle
    signed = signers_of(paper)
    still_open = tuple(party for party in bundle.required_signers if party not in signed)
    stage, because = _stage(paper, papers, words, now_us)
    return Standing(
        arrangement=bundle.arrangement,
        version=bundle.version,
        digest=paper.digest,
        stage=stage,
        proposed_by=bundle.proposed_by,
        signed=signed,
        open=still_open,
        because=because,
        valid_from_us=bundle.valid_from_us,
        valid_until_us=bundle.valid_until_us,
    )


def _stage(
    paper: Paper, papers: Sequence[Paper], words: Sequence[Suspension], now_us: int
) -> tuple[Stage, str]:
    bundle = paper.bundle
    others = [one for one in papers if one.bundle.arrangement == bundle.arrangement]
    twins = [one for one in others if one.bundle.version == bundle.version and one.digest != paper.digest]
    if len(signers_of(paper)) != len({one.party for one in paper.signed.signatures}):
        return Stage.VOID, "a signature does not fit the text"
    said = [one for one in words if _is_of(one, bundle)]
    leaving = sorted({one.party for one in said if one.final and one.version >= bundle.version})
    if leaving:
        return Stage.WITHDRAWN, f"by {', '.join(leaving)}"
    if not is_signed_by_all(paper):
        return _stage_of_a_draft(bundle, others, twins)
    later = [one for one in others if one.bundle.version > bundle.version and is_signed_by_all(one)]
    if later:
        return Stage.ENDED, f"by version {max(one.bundle.version for one in later)}"
    if any(is_signed_by_all(one) for one in twins):
        return Stage.VOID, f"two texts of version {bundle.version} signed by all"
    if now_us >= bundle.valid_until_us:
        return Stage.EXPIRED, ""
    if now_us < bundle.valid_from_us:
        return Stage.SIGNED, ""
    suspending = [one.party for one in newest_words(said) if one.suspended]
    return (Stage.SUSPENDED, f"by {', '.join(suspending)}") if suspending else (Stage.IN_FORCE, "")


def _stage_of_a_draft(bundle: Bundle, others: Sequence[Paper], twins: Sequence[Paper]) -> tuple[Stage, str]:
    later = [one.bundle for one in others if one.bundle.version > bundle.version]
    if later:
        last = max(later, key=lambda one: one.version)
        return Stage.COUNTERED, f"version {last.version} of {last.proposed_by or 'a party'}"
    if twins:
        return Stage.PROPOSED, f"there is another text of version {bundle.version}: counter one of them"
    return Stage.PROPOSED, ""


def signers_of(paper: Paper) -> tuple[str, ...]:
    """Return the parties whose signatures on a paper are good, by the keys in it."""
    ring = Keyring(paper.bundle.key_class, paper.bundle.keys)
    text = paper.signed.bundle.encode()
    good = (
        mark.party
        for mark in paper.signed.signatures
        if ring.verify(mark.key_id, BUNDLE_TYPE, text, mark.signature) == mark.party
    )
    return tuple(dict.fromkeys(good))


def is_signed_by_all(paper: Paper) -> bool:
    """Return whether every party that must sign has signed."""
    return set(paper.bundle.required_signers) <= set(signers_of(paper))


def _is_of(word: Suspension, bundle: Bundle) -> bool:
    """Return whether a word is on this arrangement, by a party to it, well signed by a key in it."""
    if word.arrangement != bundle.arrangement or Nation(word.party) not in bundle.parties:
        return False
    return is_suspension_good(word, Keyring(bundle.key_class, bundle.keys))


def newest_words(words: Iterable[Suspension]) -> list[Suspension]:
    """Return each party's newest word, withdrawals aside."""
    ordered = sorted((word for word in words if not word.final), key=lambda word: word.number)
    return list({word.party: word for word in ordered}.values())

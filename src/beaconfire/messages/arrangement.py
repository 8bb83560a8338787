"""The arrangement: a signed sharing agreement between named parties, as data."""

from enum import StrEnum
from typing import Final

import msgspec

from beaconfire.messages.words import Group, Level, Mode, Nation, TimeUs

LEASE_S: Final = 60
"""Lease of an arrangement that states none, in seconds."""


class KeyClass(StrEnum):
    """What a key may sign: keys of one class are never accepted where another is asked for."""

    SIMULATION = "SIMULATION"
    EXERCISE = "EXERCISE"
    LIVE = "LIVE"


def modes_of(key_class: KeyClass) -> frozenset[Mode]:
    """Return the modes that keys of a class may sign; a test of the link may use any class."""
    own = {
        KeyClass.SIMULATION: Mode.SIMULATED,
        KeyClass.EXERCISE: Mode.EXERCISE,
        KeyClass.LIVE: Mode.REAL,
    }[key_class]
    return frozenset({own, Mode.TEST})


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public half of a party's signing key.

    Attributes:
        party: nation or HUB.
        key_class: what it may sign.
        public: Ed25519 public key, 32 bytes.
    """

    party: str
    key_class: KeyClass
    public: bytes


class TrustedKey(PublicKey, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A public key as it stands in a keyring.

    Attributes:
        revoked_from_us: UTC; what is signed with it from then on is not its party's word, and nothing more
            is taken under it at all, since who holds a stolen key can state any time. None: it is trusted.
    """

    revoked_from_us: TimeUs | None = None


class Flow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The most that may pass from one party to another: a plain list beside the Cedar policies.

    The second checker and the recipient hold what they see against it; the policies may grant less.

    Attributes:
        originator: whose reports.
        recipient: who may receive them.
        groups: field groups that may pass at all.
        launch_point_grid_m: if above 0, the launch point passes only on a grid this coarse.
        coast_only: trajectory and covariance pass only once the boost is over.
        opaque_sensors: sensor ids pass only as opaque names.
        level_max: the highest level that may pass.
        routine_delay_s: a ROUTINE report passes only after the hub has had it for so long.
    """

    originator: Nation
    recipient: Nation
    groups: tuple[Group, ...]
    launch_point_grid_m: float = 0.0
    coast_only: bool = False
    opaque_sensors: bool = False
    level_max: Level = Level.SECRET
    routine_delay_s: float = 0.0


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the parties sign.

    Attributes:
        arrangement: id, such as "trilateral".
        version: counts up; an older version is never accepted after a newer one.
        parties: nations bound by it.
        valid_from_us: not in force before this.
        valid_until_us: not in force from this on.
        key_class: class of all keys in it.
        required_signers: parties that must all have signed.
        keys: public keys of the parties and of the hub.
        flows: the most that may pass.
        degradable: groups the hub may replace by something coarser.
        policies: Cedar text.
        lease_s: how long a node that is cut off goes on under it before it stops.
        proposed_by: party that wrote this version; empty of an installed one.
        counters: digest of the version that this one answers; empty of a first one.
    """

    arrangement: str
    version: int
    parties: tuple[Nation, ...]
    valid_from_us: TimeUs
    valid_until_us: TimeUs
    key_class: KeyClass
    required_signers: tuple[Nation, ...]
    keys: tuple[PublicKey, ...]
    flows: tuple[Flow, ...]
    degradable: tuple[Group, ...]
    policies: str
    lease_s: int = LEASE_S
    proposed_by: str = ""
    counters: str = ""


class BundleSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One party's Ed25519 signature over the text of a bundle."""

    party: str
    key_id: str
    signature: bytes


class SignedBundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bundle as it is stored and exchanged (JSON).

    Attributes:
        bundle: JSON of `Bundle`, the text that was signed, byte for byte.
        signatures: one per signer.
    """

    bundle: str
    signatures: tuple[BundleSignature, ...]


class ArrangementTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bundle without keys, validity and signatures, as it ships; see `Bundle` for the fields."""

    arrangement: str
    version: int
    parties: tuple[Nation, ...]
    required_signers: tuple[Nation, ...]
    flows: tuple[Flow, ...]
    degradable: tuple[Group, ...]
    policies: str = ""
    lease_s: int = LEASE_S

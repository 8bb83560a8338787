"""Signing keys and the keyring: Ed25519, one class of keys at a time, fingerprints that name the class."""

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey as _NaclSigningKey
from nacl.signing import VerifyKey as _NaclVerifyKey

from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import KeyClass, PublicKey, TrustedKey

SEED_BYTES: Final = 32
MAXIMUM_KEYS: Final = 256

HEADER_TYPE: Final = "application/vnd.beaconfire.header"
DEGRADATION_TYPE: Final = "application/vnd.beaconfire.degradation"
BUNDLE_TYPE: Final = "application/vnd.beaconfire.bundle+json"
RECEIPT_TYPE: Final = "application/vnd.beaconfire.receipt"
SUSPENSION_TYPE: Final = "application/vnd.beaconfire.suspension"
ROTATION_TYPE: Final = "application/vnd.beaconfire.rotation"


def pre_authentication_encoding(content_type: str, body: bytes) -> bytes:
    """Return the bytes that are signed: type and body with their lengths, so neither can run over.

    Source: DSSE protocol v1.0 (secure-systems-lab/dsse), section "Signature Definition".
    """
    kind = content_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def fingerprint(key: PublicKey) -> str:
    """Return the name of a public key: 32 hex digits over class, party and key."""
    text = f"beaconfire-key {key.key_class.value} {key.party} ".encode()
    return hashlib.sha256(text + key.public).hexdigest()[:32]


class SigningKey:
    """One party's private key. It never leaves the process that was given its seed.

    Attributes:
        public: the public half, with party and class.
        key_id: its fingerprint.
    """

    def __init__(self, party: str, key_class: KeyClass, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise UsageError(f"a key seed of {len(seed)} bytes", party, f"{SEED_BYTES} bytes")
        self._key = _NaclSigningKey(seed)
        self.public = PublicKey(party=party, key_class=key_class, public=bytes(self._key.verify_key))
        self.key_id = fingerprint(self.public)

    @property
    def party(self) -> str:
        """Who signs with it."""
        return self.public.party

    def sign(self, content_type: str, body: bytes) -> bytes:
        """Return the Ed25519 signature (64 bytes) over the pre-authentication encoding."""
        return self._key.sign(pre_authentication_encoding(content_type, body)).signature


class Keyring:
    """The public keys one process trusts, all of one class, and those it trusts no more.

    A party may have several while it changes from one to the next. A revoked key stays in the keyring, so
    that it is known why it is refused; it verifies nothing, whatever time is stated under it.

    Attributes:
        key_class: the class of every key in it.
    """

    def __init__(self, key_class: KeyClass, keys: Iterable[PublicKey]) -> None:
        """Take the keys.

        Raises:
            UsageError: a key of another class, a malformed key, or too many keys.
        """
        self.key_class = key_class
        self._keys: dict[str, tuple[str, _NaclVerifyKey]] = {}
        self._revoked: set[str] = set()
        for key in keys:
            self._add(key)

    def _add(self, key: PublicKey) -> None:
        if key.key_class is not self.key_class:
            wanted = f"only keys of class {self.key_class}"
            raise UsageError(f"a key of class {key.key_class} in the keyring", key.party, wanted)
        if len(self._keys) + len(self._revoked) >= MAXIMUM_KEYS:
            raise UsageError("too many keys", key.party, f"at most {MAXIMUM_KEYS}")
        try:
            verifier = _NaclVerifyKey(key.public)
        except (CryptoError, ValueError, TypeError) as error:
            raise UsageError("a malformed public key", key.party, "32 bytes") from error
        if isinstance(key, TrustedKey) and key.revoked_from_us is not None:
            self._revoked.add(fingerprint(key))
            self._keys.pop(fingerprint(key), None)
        elif fingerprint(key) not in self._revoked:
            self._keys[fingerprint(key)] = (key.party, verifier)

    @property
    def revoked(self) -> frozenset[str]:
        """Fingerprints of the keys that are revoked."""
        return frozenset(self._revoked)

    def revoke(self, key_id: str) -> None:
        """Trust a key no more."""
        self._revoked.add(key_id)
        self._keys.pop(key_id, None)

    def take(self, newer: "Keyring") -> None:
        """Trust from now on what another keyring does, and nothing else; all who hold this one do so too.

        Raises:
            UsageError: it is of another class.
        """
        if newer.key_class is not self.key_class:
            raise UsageError(f"a keyring of class {newer.key_class}", "keyring", f"class {self.key_class}")
        self._keys = dict(newer._keys)  # noqa: SLF001 - of its own kind
        self._revoked = set(newer._revoked)  # noqa: SLF001

    def __len__(self) -> int:
        """Return how many keys are trusted."""
        return len(self._keys)

    def is_revoked(self, key_id: str) -> bool:
        """Return whether that key was trusted here and is no more."""
        return key_id in self._revoked

    def party_of(self, key_id: str) -> str | None:
        """Return whose key that is, or None if it is not trusted here."""
        entry = self._keys.get(key_id)
        return entry[0] if entry else None

    def verify(self, key_id: str, content_type: str, body: bytes, signature: bytes) -> str | None:
        """Return the party that signed `body`, or None if the key is unknown or the signature false."""
        entry = self._keys.get(key_id)
        if entry is None or len(signature) != 64:
            return None
        try:
            entry[1].verify(pre_authentication_encoding(content_type, body), signature)
        except (CryptoError, ValueError, TypeError):
            return None
        return entry[0]


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party's new public key, signed with the one before it: who trusts that one can see whose it is.

    Attributes:
        new: the new key's public half.
        old_key_id: fingerprint of the key that vouches for it.
        signature: of that key over the new one's fingerprint.
    """

    new: PublicKey
    old_key_id: str
    signature: bytes


def rotation_to(new: PublicKey, old: SigningKey) -> Rotation:
    """Return the old key's word for a new one of the same party and class.

    Raises:
        UsageError: they are of two parties or classes, or the same.
    """
    if (new.party, new.key_class) != (old.party, old.public.key_class) or fingerprint(new) == old.key_id:
        raise UsageError("not the next key of the same party", new.party, f"a new {old.public.key_class} key")
    return Rotation(new, old.key_id, old.sign(ROTATION_TYPE, fingerprint(new).encode()))


def is_rotation_good(rotation: Rotation, keyring: Keyring) -> bool:
    """Return whether a key of the same party and class that is trusted here vouches for the new one."""
    body = fingerprint(rotation.new).encode()
    signer = keyring.verify(rotation.old_key_id, ROTATION_TYPE, body, rotation.signature)
    return signer == rotation.new.party and rotation.new.key_class is keyring.key_class

"""What one party hands over to the others to be linked: public halves and addresses, and nothing else.

A card comes from outside, and parts of it end up in a server's configuration: it is read strictly, and
each word in it has to be what it is said to be. Who it is from, its fingerprint tells, over another channel.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from beaconfire.adapters.credentials import LinkKeys
from beaconfire.adapters.wiring import LINK_ROLES, Role
from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import TrustedKey
from beaconfire.messages.words import HUB, Lane, Nation, is_hub
from beaconfire.release.keys import SEED_BYTES, fingerprint

MAXIMUM_CARD_BYTES: Final = 262_144
SUFFIX: Final = ".card.json"
INSTANCES_MAX: Final = 4
SERVERS_MAX: Final = 8
# Source: NATS ADR-14 (nkeys): a public user key is 56 characters of base32 and begins with U.
_NKEY: Final = re.compile(r"U[A-Z2-7]{55}")
_NATION: Final = re.compile(r"[A-Z]{3}")
_INSTANCE: Final = re.compile(r"HUB(-[1-9])?")
# What cryptography raises for a certificate it can't take: not all of it is a ValueError.
_CERTIFICATE_ERRORS: Final = (
    ValueError,
    x509.InvalidVersion,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)
_ADDRESS: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9.-]{0,252})|\[[0-9a-f:.]{2,45}\]):([0-9]{1,5})")


class LinkKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public nkey of one role for one lane of a link.

    Attributes:
        instance: of the hub, at the other end.
        role: of the process.
        lane: of the link.
        public: nkey, begins with U.
    """

    instance: str
    role: Role
    lane: Lane
    public: str


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a party hands over.

    Attributes:
        party: nation or HUB.
        signing: public half of its signing key, whose class says for what mode it all is.
        authorities: of its certificates, PEM, by end: the nation itself, or each instance of the hub.
        links: of a nation: its keys for the links.
        servers: of the hub: HOST:PORT of the servers of each instance.
    """

    party: str
    signing: TrustedKey
    authorities: dict[str, str]
    links: tuple[LinkKey, ...] = ()
    servers: dict[str, tuple[str, ...]] = {}

    @property
    def signing_id(self) -> str:
        """Fingerprint of its signing key."""
        return fingerprint(self.signing)

    def keys_for(self, instance: str) -> LinkKeys:
        """Return a nation's keys for its links to an instance; raises `UsageError` if one is missing."""
        found = {(one.role, one.lane): one.public for one in self.links if one.instance == instance}
        if set(found) != {(role, lane) for role in LINK_ROLES for lane in Lane}:
            raise UsageError(f"no keys for {instance}", f"card of {self.party}", f"made with {instance}")
        return found

    def authority(self, end: str) -> bytes:
        """Return the authority of one of its ends."""
        return self.authorities[end].encode()


def fingerprint_of(data: bytes) -> str:
    """Return what is compared over another channel: 32 hex digits over the bytes of a card."""
    return hashlib.sha256(b"beaconfire-card " + data).hexdigest()[:32]


def encode_card(card: Card) -> bytes:
    """Return the bytes of a card's file."""
    return msgspec.json.format(msgspec.json.encode(card), indent=1) + b"\n"


def read_card(path: Path) -> tuple[Card, bytes]:
    """Return a card and its bytes.

    Raises:
        UsageError: unreadable, too large, malformed, or a word in it is not what it is said to be.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAXIMUM_CARD_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(path), "a card") from error
    if len(data) > MAXIMUM_CARD_BYTES:
        raise UsageError("too large", str(path), f"at most {MAXIMUM_CARD_BYTES} bytes")
    try:
        card = msgspec.json.decode(data, type=Card)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not a card: {error}", str(path), "what setup make writes") from error
    if flaw := flaw_in(card):
        raise UsageError(f"not a card: {flaw}", str(path), "what setup make writes")
    return card, data


def flaw_in(card: Card) -> str:
    """Return what is wrong with a card, empty if nothing is."""
    hub = card.party == HUB
    if not hub and (not _NATION.fullmatch(card.party) or card.party == HUB):
        return f"no party {card.party[:20]!r}"
    if card.signing.party != card.party or len(card.signing.public) != SEED_BYTES:
        return "its signing key is not its own"
    if hub is bool(card.links) or hub is not bool(card.servers):
        return "a nation states links, the hub states servers"
    ends = tuple(card.servers) if hub else (card.party,)
    if set(card.authorities) != set(ends) or len(ends) > INSTANCES_MAX:
        return "not one authority for each of its ends"
    flaws = (
        *(_flaw_in_authority(text) for text in card.authorities.values()),
        *(_flaw_in_link(one) for one in card.links),
        *(_flaw_in_servers(end, held) for end, held in card.servers.items()),
    )
    return next((one for one in flaws if one), "")


def _flaw_in_authority(text: str) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except _CERTIFICATE_ERRORS as error:
        return f"no certificate: {error}"
    if certificate.public_bytes(Encoding.PEM).decode() != text:
        return "more than one certificate, or something beside it"
    return "" if constraints.ca else "a certificate that is no authority's"


def _flaw_in_link(link: LinkKey) -> str:
    if link.role not in LINK_ROLES or not _INSTANCE.fullmatch(link.instance):
        return f"no link of {link.role} to {link.instance[:20]!r}"
    return "" if _NKEY.fullmatch(link.public) else "a key that is no public nkey"


def _flaw_in_servers(end: str, addresses: tuple[str, ...]) -> str:
    if not _INSTANCE.fullmatch(end) or not 1 <= len(addresses) <= SERVERS_MAX:
        return f"no servers of {end[:20]!r}"
    bad = [one for one in addresses if not is_address(one)]
    return f"no address {bad[0][:40]!r}" if bad else ""


def is_address(text: str) -> bool:
    """Return whether a text is HOST:PORT, and nothing that means more inside a configuration."""
    found = _ADDRESS.fullmatch(text)
    return found is not None and 0 < int(found[3]) < 65_536


def is_party(text: str) -> bool:
    """Return whether a text names a nation or the hub."""
    return text == HUB or (_NATION.fullmatch(text) is not None and not is_hub(text))


def is_instance(text: str) -> bool:
    """Return whether a text names an instance of the hub."""
    return _INSTANCE.fullmatch(text) is not None


def nations_of(cards: Mapping[str, Card]) -> tuple[Nation, ...]:
    """Return the nations whose cards these are, sorted."""
    return tuple(Nation(party) for party in sorted(cards) if party != HUB)

"""Keys that change, are lost or stolen, rehearsed on the real guard, hub and picture.

Korea is the nation whose key it is. What a partner does is done in its keyring alone.
"""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.bundles import make_agreements
from beaconfire.audit.record import Outcome, decode_record
from beaconfire.cli.keys import read_keyring, read_public
from beaconfire.cli.main import main
from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import KeyClass, PublicKey, TrustedKey
from beaconfire.messages.codec import decode
from beaconfire.messages.refusal import Reason
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Mode, Nation, Sharing
from beaconfire.nodes.commands import Channel, Command, Deliver
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.nodes.picture import PictureConfig, PictureNode
from beaconfire.release.arrangements import ARRANGEMENTS_OF, Agreement
from beaconfire.release.keys import Keyring, SigningKey, fingerprint, is_rotation_good, rotation_to
from release_world import (
    FROM_US,
    JPN,
    KOR,
    UNTIL_US,
    MemoryRows,
    guard_config,
    hub_config,
    key_of,
    keys_of,
    now,
    own,
    report,
    to_hub,
)

OLD = key_of(KOR)
NEW = SigningKey(KOR, KeyClass.SIMULATION, hashlib.sha256(b"the next one of Korea").digest())


def ring_of(*korean: PublicKey) -> Keyring:
    others = [key.public for party, key in keys_of().items() if party != KOR]
    return Keyring(KeyClass.SIMULATION, [*others, *korean])


def revoked(key: SigningKey, from_us: int = 1) -> TrustedKey:
    return TrustedKey(key.party, key.public.key_class, key.public.public, from_us)


def delivered(commands: list[Command], recipient: str) -> Delivery | None:
    found = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    return next((one for one in found if isinstance(one, Delivery) and one.recipient == recipient), None)


def said_by(key: SigningKey, number: int, after_us: int = 0) -> Delivery:
    config = msgspec.structs.replace(guard_config(), key=key, keyring=ring_of(OLD.public, NEW.public))
    commands = GuardNode(config, MemoryRows()).receive(own(report(number)), now(after_us))
    delivery = delivered(commands, HUB)
    assert delivery is not None
    return msgspec.structs.replace(delivery, sequence=number)


def agreements_naming(korean: SigningKey) -> tuple[Agreement, ...]:
    """Return the arrangements with a key of Korea's in them, signed by all."""
    names = ARRANGEMENTS_OF[Sharing.TRILATERAL]
    keys = {**keys_of(), KOR: korean}
    return make_agreements(keys, names, valid_from_us=FROM_US, valid_until_us=UNTIL_US)


class Partner:
    """The hub and Japan's picture, both with one keyring."""

    def __init__(self, keyring: Keyring) -> None:
        self.rows = MemoryRows()
        held = agreements_naming(OLD if keyring.party_of(OLD.key_id) else NEW)
        terms = msgspec.structs.replace(hub_config(), keyring=keyring, agreements=held)
        self.hub = HubNode(terms, self.rows)
        config = PictureConfig(
            nation=JPN,
            mode=Mode.SIMULATED,
            exercise="",
            key=key_of(JPN),
            keyring=keyring,
            agreements=held,
            places=(),
            secret=bytes(32),
        )
        self.picture = PictureNode(config, MemoryRows())

    def take(self, delivery: Delivery, after_us: int = 0) -> Delivery | None:
        """Give the hub what Korea sent, and Japan's picture what comes of it."""
        commands = self.hub.receive(to_hub(delivery, KOR, delivery.lane), now(after_us))
        self.rows.commit(commands)
        passed = delivered(commands, JPN)
        if passed is not None:
            self.show(passed, after_us)
        return passed

    def show(self, passed: Delivery, after_us: int = 0) -> None:
        inbound = msgspec.structs.replace(to_hub(passed, HUB, passed.lane), channel=Channel.TO_NATION)
        self.picture.receive(inbound, now(after_us))

    def refusals(self) -> list[tuple[Reason | None, str]]:
        records = [decode_record(body) for body in self.rows.log("gave/KOR")]
        return [(one.reason, one.detail) for one in records if one.outcome is Outcome.REFUSED]


def test_across_a_rotation_a_partner_verifies_what_either_key_signed() -> None:
    partner = Partner(ring_of(OLD.public, NEW.public))
    assert partner.take(said_by(OLD, 1)) is not None
    assert partner.take(said_by(NEW, 2, 1_000_000), 1_000_000) is not None
    assert (partner.picture.counters["received"], partner.picture.counters["refused"]) == (2, 0)


def test_a_key_not_accepted_yet_is_refused_audited_and_counted() -> None:
    partner = Partner(ring_of(OLD.public))
    assert partner.take(said_by(NEW, 1)) is None
    assert partner.refusals() == [(Reason.UNKNOWN_KEY, NEW.key_id)]
    assert partner.hub.counters["rejected"] == 1


@pytest.mark.parametrize("revoked_after_us", [-600_000_000, 0, 600_000_000])
def test_whatever_time_is_stated_nothing_passes_under_a_stolen_key(revoked_after_us: int) -> None:
    """Who holds it can state a time before the revocation; so no stated time is believed."""
    stolen = revoked(OLD, now().utc_us + revoked_after_us)
    partner = Partner(ring_of(stolen, NEW.public))
    assert partner.take(said_by(OLD, 1)) is None
    assert partner.refusals() == [(Reason.UNKNOWN_KEY, f"revoked {OLD.key_id}")]
    assert partner.hub.counters["rejected"] == 1
    assert partner.take(said_by(NEW, 2)) is not None, "the nation goes on with its new key"


def test_a_picture_refuses_by_itself_what_a_hub_that_knows_less_passed_on() -> None:
    passed = Partner(ring_of(OLD.public)).take(said_by(OLD, 1))
    assert passed is not None
    knowing = Partner(ring_of(revoked(OLD), NEW.public))
    knowing.show(passed)
    assert (knowing.picture.counters["received"], knowing.picture.counters["refused"]) == (0, 1)


def test_a_lost_key_is_followed_by_one_that_nothing_vouches_for_but_its_fingerprint() -> None:
    partner = Partner(ring_of(NEW.public))
    assert partner.take(said_by(NEW, 1)) is not None
    assert partner.take(said_by(OLD, 2)) is None


def test_revoked_and_trusted_at_once_is_revoked() -> None:
    for keys in ((OLD.public, revoked(OLD)), (revoked(OLD), OLD.public)):
        assert ring_of(*keys).party_of(OLD.key_id) is None


def test_only_a_trusted_key_of_the_same_party_and_class_vouches() -> None:
    rotation = rotation_to(NEW.public, OLD)
    assert is_rotation_good(rotation, ring_of(OLD.public))
    assert not is_rotation_good(rotation, ring_of(revoked(OLD)))
    assert not is_rotation_good(rotation, ring_of())
    other = msgspec.structs.replace(rotation, new=key_of(JPN).public)
    assert not is_rotation_good(other, ring_of(OLD.public))
    with pytest.raises(UsageError):
        rotation_to(key_of(JPN).public, OLD)
    with pytest.raises(UsageError):
        rotation_to(key_of(KOR, KeyClass.LIVE).public, OLD)


def made(party: Nation | str, where: Path) -> str:
    assert main(["keys", "make", party, "--out", str(where)]) == 0
    return str(where / f"{party}.public.json")


def test_rotate_accept_and_revoke_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each writes the next keyring; a wrong fingerprint or a strange rotation writes none."""
    first, second, third = (str(tmp_path / f"ring{number}.json") for number in (1, 2, 3))
    publics = [made(party, tmp_path / "keys") for party in (KOR, JPN, HUB)]
    assert main(["keys", "ring", *publics, "--out", first]) == 0
    seed = str(tmp_path / "keys" / "KOR.seed")
    assert main(["keys", "rotate", "KOR", "--key", seed, "--out", str(tmp_path / "next")]) == 0
    (new,) = read_public(tmp_path / "next" / "KOR.public.json")
    (old,) = read_public(tmp_path / "keys" / "KOR.public.json")
    rotation = str(tmp_path / "next" / "KOR.rotation.json")
    wrong = ["keys", "accept", first, rotation, "--fingerprint", "0" * 32, "--out", second]
    assert main(wrong) == 2
    assert not Path(second).exists()
    assert main([*wrong[:4], "--fingerprint", fingerprint(new), "--out", second]) == 0
    held = read_keyring(Path(second))
    assert held.party_of(fingerprint(old)) == held.party_of(fingerprint(new)) == KOR
    assert (
        main(["keys", "revoke", second, fingerprint(old), "--from", "2026-11-25T12:00", "--out", third]) == 0
    )
    held = read_keyring(Path(third))
    assert held.party_of(fingerprint(old)) is None
    assert held.party_of(fingerprint(new)) == KOR
    capsys.readouterr()
    assert main(["keys", "show", third, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [one["revoked_from_us"] for one in rows if one["fingerprint"] == fingerprint(old)] == [
        1_795_608_000_000_000
    ]
    assert main(["keys", "accept", third, rotation, "--fingerprint", fingerprint(new), "--out", first]) == 2
    assert main(["keys", "revoke", third, "f" * 32, "--out", str(tmp_path / "ring4.json")]) == 2
    assert main(["keys", "revoke", third, fingerprint(new), "--from", "soon", "--out", second]) == 2

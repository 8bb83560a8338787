"""The hub offers checkpoints; a guard cosigns what continues what it cosigned, and nothing else."""

import msgspec
import pytest

from beaconfire.audit.checkpoint import SignedCheckpoint
from beaconfire.audit.verifier import Found, verify_log
from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.codec import decode
from beaconfire.messages.health import Notice
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.vouching import CheckpointOffer, Cosignature
from beaconfire.nodes.commands import Command, Deliver, Send
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.release.attest import sign_cosignature
from beaconfire.release.keys import Keyring, SigningKey
from release_world import (
    JPN,
    KOR,
    NATIONS,
    MemoryRows,
    guard_config,
    hub_config,
    key_of,
    keys_of,
    now,
    own,
    report,
    to_hub,
    to_nation,
)

MINUTE_US = 60_000_000
KEYS = [msgspec.to_builtins(key.public, builtin_types=(bytes,)) for key in keys_of().values()]


class Pair:
    """Korea's guard and a hub, each with its journal."""

    def __init__(self) -> None:
        self.hub_rows, self.guard_rows = MemoryRows(), MemoryRows()
        self.restart()
        self.minute = 0
        self.reports = 0

    def restart(self, **changed: SigningKey | Keyring) -> None:
        guard_changed = {name: one for name, one in changed.items() if name == "keyring"}
        self.hub = HubNode(msgspec.structs.replace(hub_config(), **changed), self.hub_rows)
        self.guard = GuardNode(msgspec.structs.replace(guard_config(), **guard_changed), self.guard_rows)

    def say(self, count: int = 1) -> None:
        for _ in range(count):
            self.reports += 1
            at = now(self.minute * MINUTE_US + self.reports)
            self.guard.arrangements.renew("HUB", at.monotonic_us)
            for nation in NATIONS:
                self.hub.arrangements.renew(nation, at.monotonic_us)
            one = report(self.reports, at_us=at.utc_us)
            for command in self.guard_rows.commit(self.guard.receive(own(one), at)):
                if isinstance(command, Deliver):
                    delivery = decode(command.body)
                    assert isinstance(delivery, Delivery)
                    self.hub_rows.commit(self.hub.receive(to_hub(delivery, KOR, command.lane), at))

    def offers(self) -> list[CheckpointOffer]:
        self.minute += 1
        sent = self.hub_rows.commit(self.hub.tick(now(self.minute * MINUTE_US)))
        found = [one for one in sent if isinstance(one, Send) and one.recipient == KOR]
        return [one.message for one in found if isinstance(one.message, CheckpointOffer)]

    def offered(self, offer: CheckpointOffer) -> list[Command]:
        return self.guard_rows.commit(self.guard.receive(to_nation(offer), now(self.minute * MINUTE_US + 1)))

    def cosign(self) -> int:
        """Let the guard take every offer, and the hub every answer; return how many were answered."""
        answers = [one for offer in self.offers() for one in self.offered(offer)]
        words = [one.message for one in answers if isinstance(one, Send)]
        words = [one for one in words if isinstance(one, Cosignature)]
        for word in words:
            self.hub_rows.commit(self.hub.receive(to_hub(word), now(self.minute * MINUTE_US + 2)))
        return len(words)

    def verified(self) -> Found:
        log = "gave/KOR"
        return verify_log(log, self.hub_rows.log(log), self.hub_rows.log(f"checkpoint/{log}"), KEYS)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def codes(commands: list[Command]) -> list[str]:
    sent = [one.message for one in commands if isinstance(one, Send)]
    return [one.code for one in sent if isinstance(one, Notice)]


def test_each_state_is_cosigned_and_the_proof_goes_on_from_it(pair: Pair) -> None:
    for said in (1, 3, 2):
        pair.say(said)
        assert pair.cosign() == 1
    assert pair.verified() == Found("gave/KOR", 12, 12, 12, "")
    assert pair.hub.counters["cosigned"] == 3


def test_restarts_on_both_sides_change_nothing(pair: Pair) -> None:
    for _ in range(3):
        pair.say(2)
        pair.restart()
        assert pair.cosign() == 1
    assert pair.verified().vouched == 12


def test_an_answer_that_got_lost_is_asked_for_again_while_records_come(pair: Pair) -> None:
    pair.say(2)
    (first,) = pair.offers()
    pair.offered(first)
    pair.say(3)
    (again,) = pair.offers()
    assert again == first, "one offer is open at a time"
    assert pair.cosign() == 1
    assert pair.cosign() == 0, "nothing has grown"
    pair.say()
    assert pair.cosign() == 1
    assert pair.verified().vouched == 12


@pytest.mark.parametrize("times", [1, 3])
def test_an_answer_that_got_lost_with_a_hub_is_asked_for_again_and_nobody_is_accused(
    pair: Pair, times: int
) -> None:
    pair.say(2)
    pair.cosign()
    for _ in range(times):
        pair.say(2)
        (lost,) = pair.offers()
        assert codes(pair.offered(lost)) == []
        pair.say(3)
        pair.restart()
        (again,) = pair.offers()
        assert again == lost
    assert pair.cosign() == 1
    pair.say()
    assert pair.cosign() == 1
    assert pair.verified().vouched == pair.verified().records
    assert pair.guard_rows.log("evidence/KOR") == []


def test_what_is_still_asked_is_signed_with_the_key_that_the_hub_has_now(pair: Pair) -> None:
    pair.say(2)
    (lost,) = pair.offers()
    pair.offered(lost)
    new = SigningKey("HUB", KeyClass.SIMULATION, bytes(32))
    others = [key.public for party, key in keys_of().items() if party != "HUB"]
    keyring = Keyring(KeyClass.SIMULATION, [*others, new.public])
    pair.restart(key=new, keyring=keyring)
    (again,) = pair.offers()
    assert (again.body, again.key_id) == (lost.body, new.key_id)
    assert pair.cosign() == 1


def test_a_hub_that_tells_another_history_is_not_cosigned_and_is_told_of(pair: Pair) -> None:
    pair.say(3)
    pair.cosign()
    other = Pair()
    other.reports = 50
    other.minute = 5
    other.guard_rows = pair.guard_rows
    other.guard = pair.guard
    other.say(5)
    (offer,) = other.offers()
    answer = other.offered(offer)
    assert codes(answer) == ["audit-fork"]
    assert not [one for one in answer if isinstance(one, Send) and isinstance(one.message, Cosignature)]
    evidence = [msgspec.msgpack.decode(body) for body in pair.guard_rows.log("evidence/KOR")]
    marks = [["HUB", one["key_id"], one["signature"]] for one in evidence]
    elsewhere = [
        msgspec.msgpack.encode({"body": one["body"], "signatures": [mark]})
        for one, mark in zip(evidence, marks, strict=True)
    ]
    log = "gave/KOR"
    records, checkpoints = pair.hub_rows.log(log), pair.hub_rows.log(f"checkpoint/{log}")
    assert not verify_log(log, records, checkpoints, KEYS).flaw
    assert "from elsewhere" in verify_log(log, records, checkpoints, KEYS, elsewhere).flaw


def test_offer_that_the_hub_did_not_sign_is_not_looked_at(pair: Pair) -> None:
    pair.say()
    (offer,) = pair.offers()
    forged = msgspec.structs.replace(offer, signature=bytes(64))
    assert pair.offered(forged) == []
    assert pair.guard_rows.log("evidence/KOR") == []


def test_cosignature_of_another_or_over_something_else_counts_for_nothing(pair: Pair) -> None:
    pair.say()
    (offer,) = pair.offers()
    word = Cosignature(KOR, "gave/KOR", 2, key_of(KOR).key_id, b"")
    good = sign_cosignature(word, offer.body, key_of(KOR))
    for bad, account in (
        (sign_cosignature(word, offer.body, key_of(JPN)), KOR),
        (sign_cosignature(word, offer.body + b"x", key_of(KOR)), KOR),
        (msgspec.structs.replace(good, log="given/KOR"), KOR),
        (msgspec.structs.replace(good, party=JPN), JPN),
        (good, JPN),
    ):
        assert pair.hub.receive(to_hub(bad, account), now(1)) == []
    assert pair.hub.counters["cosigned"] == 0
    assert pair.hub_rows.commit(pair.hub.receive(to_hub(good), now(2))) == []
    (_, signed) = pair.hub_rows.log("checkpoint/gave/KOR")
    assert len(msgspec.msgpack.decode(signed, type=SignedCheckpoint).signatures) == 2

"""Sequences an attacking nation, or an attacker on its link, sends to the hub."""

import msgspec
import pytest

from beaconfire.audit.record import Outcome, decode_record
from beaconfire.messages.codec import decode, decode_header, decode_sealed, encode
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import HUB, Group, Lane
from beaconfire.nodes.commands import Command, Deliver, Send, Table
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.release.arrangements import Agreement
from beaconfire.release.attest import sign_receipt
from beaconfire.release.cedar import CedarDecider
from beaconfire.release.keys import HEADER_TYPE
from beaconfire.release.obligations import Obligations
from beaconfire.release.ruling import Question, Ruling
from release_world import (
    JPN,
    KOR,
    USA,
    MemoryRows,
    agreements,
    guard,
    guard_config,
    hub_config,
    key_of,
    now,
    own,
    report,
    suspension,
    to_hub,
)


class Bench:
    """A hub and its journal."""

    def __init__(self) -> None:
        self.rows = MemoryRows()
        self.node = HubNode(hub_config(), self.rows)

    def take(self, delivery: Delivery, account: str = KOR, after_us: int = 0) -> list[Command]:
        commands = self.node.receive(to_hub(delivery, account, delivery.lane), now(after_us))
        self.rows.commit(commands)
        return commands

    def last_reason(self, account: str = KOR) -> Reason | None:
        return decode_record(self.rows.log(f"gave/{account}")[-1]).reason


@pytest.fixture
def bench() -> Bench:
    return Bench()


def delivered(commands: list[Command]) -> list[Delivery]:
    found = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    return [one for one in found if isinstance(one, Delivery)]


def good(number: int = 1) -> Delivery:
    return delivered(guard().receive(own(report(number)), now()))[0]


def receipts(commands: list[Command]) -> list[Receipt]:
    sent = [one.message for one in commands if isinstance(one, Send)]
    return [one for one in sent if isinstance(one, Receipt)]


def test_one_nations_report_sent_over_anothers_account(bench: Bench) -> None:
    assert not delivered(bench.take(good(), account=USA))
    assert bench.last_reason(USA) is Reason.WRONG_SENDER


def test_reexport_of_what_another_nation_gave(bench: Bench) -> None:
    """Japan sends on, under its own frame, what Korea's guard had sealed."""
    stolen = msgspec.structs.replace(good(), sender=JPN)
    assert not delivered(bench.take(stolen, account=JPN))
    assert bench.last_reason(JPN) is Reason.WRONG_SENDER


def test_reexport_under_the_thiefs_own_signature(bench: Bench) -> None:
    """Japan signs Korea's header with its own key: the label still names Korea."""
    stolen = msgspec.structs.replace(good(), sender=JPN)
    resealed = decode_sealed(stolen.sealed)
    header = msgspec.structs.replace(
        decode_header(resealed.header), originator=JPN, key_id=key_of(JPN).key_id
    )
    body = encode(header)
    forged = msgspec.structs.replace(resealed, header=body, signature=key_of(JPN).sign(HEADER_TYPE, body))
    claimed = msgspec.structs.replace(stolen, sealed=encode(forged))
    assert not delivered(bench.take(claimed, account=JPN))
    assert bench.last_reason(JPN) is Reason.UNLABELLED


def test_replayed_report_is_receipted_and_not_passed_on_twice(bench: Bench) -> None:
    assert len(delivered(bench.take(good()))) == 2
    for after_us in (1, 2, 3):
        again = bench.take(good(), after_us=after_us)
        assert not delivered(again)
        assert receipts(again)
    assert bench.node.counters["doubled"] == 3
    assert len(bench.rows.log("given/JPN")) == 1


def test_replay_after_expiry_with_a_forgotten_memory(bench: Bench) -> None:
    assert not delivered(bench.take(good(), after_us=601_000_000))
    assert bench.last_reason() is Reason.EXPIRED


def test_refusal_is_receipted_as_such_and_recorded_once(bench: Bench) -> None:
    bad = msgspec.structs.replace(good(), sealed=good().sealed[:-3])
    (receipt,) = receipts(bench.take(bad))
    assert (receipt.sequences, receipt.refused) == ((), (1,))
    bench.take(bad, after_us=1)
    assert [decode_record(b).outcome for b in bench.rows.log("gave/KOR")] == [Outcome.REFUSED]


@pytest.mark.parametrize(
    "change",
    [{"recipient": JPN}, {"report_id": "other"}, {"hops": 1}, {"sequence": 0}, {"oldest_open": 2**60}],
)
def test_frame_that_does_not_fit_its_content(bench: Bench, change: dict[str, object]) -> None:
    assert not delivered(bench.take(msgspec.structs.replace(good(), **change)))
    assert len(bench.rows.log("gave/KOR")) == 1


def test_lane_that_does_not_fit(bench: Bench) -> None:
    commands = bench.node.receive(to_hub(good(), KOR, Lane.ROUTINE), now())
    assert not delivered(commands)


def test_unknown_account_is_not_answered(bench: Bench) -> None:
    assert bench.take(good(), account="FRA") == []
    assert bench.take(good(), account=HUB) == []


def test_receipt_forged_by_another_nation_empties_nothing(bench: Bench) -> None:
    (to_japan, _) = delivered(bench.take(good()))
    blank = Receipt(JPN, HUB, Lane.FLASH, (to_japan.sequence,), (), "", b"")
    for forged in (sign_receipt(blank, key_of(KOR)), blank):
        assert bench.node.receive(to_hub(forged, JPN), now()) == []
    assert sum(not key.endswith("next") for key in bench.rows.tables[Table.OUTBOX]) == 2


def test_suspension_in_anothers_name_is_void(bench: Bench) -> None:
    bench.node.tick(now())
    forged = suspension(JPN, signer=KOR)
    assert bench.node.receive(to_hub(forged, KOR), now()) == []
    assert bench.node.receive(to_hub(forged, JPN), now()) == []
    assert not bench.node.arrangements.is_suspended("trilateral")


def test_an_old_suspension_played_again_does_not_undo_the_newer(bench: Bench) -> None:
    for number, suspended in ((1, False), (2, True), (1, False)):
        bench.node.receive(to_hub(suspension(JPN, number, suspended=suspended), JPN), now())
    assert bench.node.arrangements.is_suspended("trilateral")


class _LetsAllPass:
    """Known bad: a judge that grants every group to everybody, whatever the label or the policies say."""

    def decide(self, question: Question, agreements: tuple[Agreement, ...]) -> Ruling | Withheld:
        assert question.recipient
        groups = dict.fromkeys(Group, Obligations())
        basis = tuple(sorted(one.bundle.arrangement for one in agreements))
        return Ruling(groups=groups, rules={}, basis=basis)


def test_known_bad_judge_at_the_hub_is_caught_by_the_second_check() -> None:
    rows = MemoryRows()
    bad = HubNode(hub_config(), rows, _LetsAllPass())
    commands = bad.receive(to_hub(good()), now())
    rows.commit(commands)
    assert not [one for one in delivered(commands) if one.recipient == JPN]
    records = [decode_record(body) for body in rows.log("gave/KOR")]
    assert [one.reason for one in records if one.recipient == JPN] == [Reason.SECOND_CHECK]


def test_known_bad_guard_that_skips_the_label_is_caught() -> None:
    """Its rules do not hold raw measurements at home and its judge lets all pass."""
    config = guard_config()
    careless = msgspec.structs.replace(config, rules=msgspec.structs.replace(config.rules, overrides=()))
    rows = MemoryRows()
    bad = GuardNode(careless, rows, _LetsAllPass())
    commands = bad.receive(own(report()), now())
    rows.commit(commands)
    assert not delivered(commands)
    (record,) = [decode_record(body) for body in rows.log("guard/KOR")]
    assert record.reason is Reason.SECOND_CHECK
    assert "raw_measurement" in record.detail


def test_the_same_guard_with_the_real_judge_leaves_raw_measurements_out() -> None:
    config = guard_config()
    careless = msgspec.structs.replace(config, rules=msgspec.structs.replace(config.rules, overrides=()))
    good_guard = GuardNode(careless, MemoryRows(), CedarDecider(agreements()))
    (delivery,) = delivered(good_guard.receive(own(report()), now()))
    groups = {one.group for one in decode_sealed(delivery.sealed).disclosures}
    assert Group.RAW_MEASUREMENT not in groups

from dataclasses import dataclass

import msgspec
import pytest

from beaconfire.audit.record import AuditRecord, Outcome, decode_record, flaw_in_log
from beaconfire.messages.codec import decode, decode_header, decode_sealed
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.refusal import Reason
from beaconfire.messages.transfer import Delivery, Probe, Receipt, Refusal
from beaconfire.messages.words import HUB, Group, Lane, Mode, Phase, Sharing
from beaconfire.nodes.commands import Channel, Command, Deliver, Forget, Inbound, Keep, Now, Send, Table
from beaconfire.nodes.guard import LIFE_US, GuardNode
from beaconfire.release.attest import sign_receipt
from release_world import (
    JPN,
    KOR,
    T0_US,
    MemoryRows,
    guard_config,
    key_of,
    keyring,
    now,
    own,
    report,
    suspension,
    to_nation,
)


@dataclass
class Bench:
    rows: MemoryRows
    node: GuardNode

    def commit(self, inbound: Inbound, at: Now) -> list[Command]:
        commands = self.node.receive(inbound, at)
        self.rows.commit(commands)
        return commands

    def records(self) -> list[AuditRecord]:
        return [decode_record(body) for body in self.rows.log("guard/KOR")]


@pytest.fixture
def bench() -> Bench:
    rows = MemoryRows()
    return Bench(rows, GuardNode(guard_config(), rows))


def deliveries(commands: list[Command]) -> list[Delivery]:
    found = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    return [one for one in found if isinstance(one, Delivery)]


def receipt(sequence: int, lane: Lane = Lane.FLASH, signer: str = HUB) -> Receipt:
    blank = Receipt(HUB, KOR, lane, (sequence,), (), "", b"")
    return sign_receipt(blank, key_of(signer))


def test_first_report_goes_flash_and_is_kept_until_receipted(bench: Bench) -> None:
    commands = bench.node.receive(own(report()), now())
    bench.rows.commit(commands)
    (delivery,) = deliveries(commands)
    assert (delivery.sender, delivery.recipient, delivery.lane) == (KOR, HUB, Lane.FLASH)
    assert any(isinstance(one, Keep) and one.table is Table.OUTBOX for one in commands)
    settled = bench.node.receive(to_nation(receipt(delivery.sequence)), now(1_000))
    assert any(isinstance(one, Forget) and one.table is Table.OUTBOX for one in settled)
    assert bench.node.counters["delivered"] == 1


def test_a_fast_clock_shortens_no_life_on_the_wall() -> None:
    config = msgspec.structs.replace(guard_config(), clock_speed=20.0)
    commands = GuardNode(config, MemoryRows()).receive(own(report()), now())
    (delivery,) = deliveries(commands)
    header = decode_header(decode_sealed(delivery.sealed).header)
    assert header.expires_at_us - header.sent_at_us == 20 * LIFE_US


def test_raw_measurements_never_leave_the_nation(bench: Bench) -> None:
    (delivery,) = deliveries(bench.node.receive(own(report()), now()))
    sealed = decode_sealed(delivery.sealed)
    assert Group.RAW_MEASUREMENT not in {one.group for one in sealed.disclosures}
    assert b"812345" not in delivery.sealed
    assert len(decode_header(sealed.header).digests) == len(Group)


def test_only_what_changes_the_stage_is_flash(bench: Bench) -> None:
    lanes = []
    phases = [Phase.BOOST, Phase.BOOST, Phase.COAST, Phase.COAST]
    for number, phase in enumerate(phases, start=1):
        one = report(number, phase=phase, at_us=T0_US + number)
        lanes += [d.lane for d in deliveries(bench.node.receive(own(one), now(number * 1_000)))]
    assert lanes == [Lane.FLASH, Lane.ROUTINE, Lane.FLASH, Lane.ROUTINE]


def test_newer_routine_report_of_the_track_replaces_the_one_before(bench: Bench) -> None:
    for number in range(1, 5):
        one = report(number, at_us=T0_US + number)
        bench.rows.commit(bench.node.receive(own(one), now(number * 1_000)))
    held = [key for key in bench.rows.tables[Table.OUTBOX] if not key.endswith("next")]
    assert [key.split("/")[1] for key in held] == ["FLASH", "ROUTINE"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"originator": JPN}, Reason.NOT_OWN_SENSORS),
        ({"provenance": None}, Reason.NOT_OWN_SENSORS),
        ({"mode": Mode.REAL}, Reason.MODE_MISMATCH),
        ({"mode": Mode.EXERCISE, "exercise": "drill"}, Reason.MODE_MISMATCH),
    ],
)
def test_what_may_not_leave_is_refused_and_audited(
    bench: Bench, change: dict[str, object], reason: Reason
) -> None:
    bad = msgspec.structs.replace(report(), **change)
    commands = bench.node.receive(own(bad), now())
    bench.rows.commit(commands)
    assert not deliveries(commands)
    assert [(one.outcome, one.reason) for one in bench.records()] == [(Outcome.REFUSED, reason)]


def test_the_last_report_of_a_track_told_again_is_no_other_report(bench: Bench) -> None:
    (first,) = deliveries(bench.commit(own(report(1)), now()))
    assert bench.commit(own(report(1)), now(5_000_000)) == []
    assert len(bench.records()) == 1
    assert deliveries(bench.commit(own(report(2)), now(6_000_000)))
    bench.node = GuardNode(guard_config(), bench.rows)
    (again,) = deliveries(bench.commit(own(report(2)), now(7_000_000)))
    assert again.report_id != first.report_id, "one that was started again may not have heard it"


def test_without_arrangement_nothing_leaves() -> None:
    rows = MemoryRows()
    node = GuardNode(guard_config(sharing=Sharing.ALONE), rows)
    commands = node.receive(own(report()), now())
    rows.commit(commands)
    assert not deliveries(commands)
    (record,) = [decode_record(body) for body in rows.log("guard/KOR")]
    assert record.reason is Reason.NO_ARRANGEMENT


def basis_of(delivery: Delivery) -> tuple[str, ...]:
    return decode_sealed(delivery.sealed).basis


def test_under_bilateral_the_hub_is_not_told_to_pass_it_to_japan() -> None:
    node = GuardNode(guard_config(sharing=Sharing.BILATERAL), MemoryRows())
    (delivery,) = deliveries(node.receive(own(report()), now()))
    assert basis_of(delivery) == ("USA/bilateral-usa-kor",)


def test_what_is_signed_for_all_does_not_tell_which_arrangements_are_in_force() -> None:
    headers = []
    for sharing in (Sharing.BILATERAL, Sharing.TRILATERAL):
        node = GuardNode(guard_config(sharing=sharing), MemoryRows())
        (delivery,) = deliveries(node.receive(own(report()), now()))
        headers.append(decode_header(decode_sealed(delivery.sealed).header))
    first, second = (msgspec.structs.replace(one, arrangements="") for one in headers)
    assert first == second
    assert headers[0].arrangements != headers[1].arrangements


def test_own_suspension_acts_at_once_is_passed_on_and_survives_restart(bench: Bench) -> None:
    commands = bench.node.receive(own(suspension(KOR)), now())
    bench.rows.commit(commands)
    assert [one.recipient for one in commands if isinstance(one, Send)] == [KOR, HUB]
    restarted = GuardNode(guard_config(), bench.rows)
    for node in (bench.node, restarted):
        (delivery,) = deliveries(node.receive(own(report()), now()))
        assert basis_of(delivery) == ("USA/bilateral-usa-kor",)
        (health,) = [
            one.message for one in node.tick(now()) if isinstance(one, Send) and one.channel is Channel.HEALTH
        ]
        assert isinstance(health, Health)
        by = {one.arrangement: one.suspended_by for one in health.arrangements}
        assert by == {"bilateral-usa-jpn": (), "bilateral-usa-kor": (), "trilateral": (KOR,)}


def test_restart_sends_again_what_was_not_receipted_and_audit_goes_on(bench: Bench) -> None:
    bench.rows.commit(bench.node.receive(own(report()), now()))
    restarted = GuardNode(guard_config(), bench.rows)
    again = deliveries(restarted.tick(now(1_000_000)))
    assert [one.report_id for one in again] == [report().report_id]
    bench.rows.commit(restarted.receive(own(report(2)), now(2_000_000)))
    assert [one.index for one in bench.records()] == [0, 1]
    assert not flaw_in_log(bench.rows.log("guard/KOR"))


def test_receipt_that_the_hub_did_not_sign_settles_nothing(bench: Bench) -> None:
    (delivery,) = deliveries(bench.node.receive(own(report()), now()))
    assert bench.node.receive(to_nation(receipt(delivery.sequence, signer=JPN)), now()) == []
    assert bench.node.counters["rejected"] == 1
    assert keyring().party_of(key_of(HUB).key_id) == HUB


def notices(commands: list[Command]) -> list[str]:
    said = [one.message for one in commands if isinstance(one, Send)]
    return [one.text for one in said if isinstance(one, Notice) and one.code == "refused-by-hub"]


def test_what_the_hub_refused_is_told_of_with_its_record_once_and_then_gathered(bench: Bench) -> None:
    told = [Refusal(HUB, KOR, f"report-{n}", Reason.BAD_SIGNATURE, "gave/KOR", n) for n in (7, 8)]
    (said,) = notices(bench.node.receive(to_nation(told[0]), now()))
    assert said == f"{HUB} refused 1, the last report report-7: bad-signature, record 7 of gave/KOR"
    assert not notices(bench.node.receive(to_nation(told[1]), now(1_000_000)))
    assert not notices(bench.node.tick(now(2_000_000)))
    (later,) = notices(bench.node.tick(now(11_000_000)))
    assert "report-8" in later
    assert not notices(bench.node.tick(now(30_000_000)))


def test_a_refusal_said_in_the_name_of_another_is_passed_over(bench: Bench) -> None:
    said = Refusal("HUB2", KOR, "report-7", Reason.BAD_SIGNATURE, "gave/KOR", 7)
    assert not notices(bench.node.receive(to_nation(said), now()))


def test_says_each_second_how_it_is_and_probes_both_lanes(bench: Bench) -> None:
    sent = [one for one in bench.node.tick(now()) if isinstance(one, Send)]
    probes = [one.message for one in sent if isinstance(one.message, Probe)]
    assert {one.lane for one in probes} == set(Lane)
    for probe in probes:
        echo = msgspec.structs.replace(probe, echo=True, answered_at_us=T0_US)
        bench.node.receive(to_nation(echo, lane=probe.lane), now(5_000))
    later = [one.message for one in bench.node.tick(now(1_000_000)) if isinstance(one, Send)]
    (health,) = [one for one in later if isinstance(one, Health)]
    assert [one.up for one in health.links] == [True, True]
    assert health.counters["released"] == 0

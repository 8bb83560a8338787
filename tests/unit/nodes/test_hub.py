from dataclasses import dataclass

import msgspec
import pytest

from beaconfire.audit.record import Outcome, decode_record, flaw_in_log
from beaconfire.messages.codec import decode
from beaconfire.messages.health import Notice
from beaconfire.messages.refusal import Reason
from beaconfire.messages.transfer import Delivery, Receipt, Refusal
from beaconfire.messages.words import HUB, Group, Lane, Mode, Nation, Phase, Sharing
from beaconfire.nodes.commands import Command, Deliver, Send, Table
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.release.arrangements import Arrangements
from beaconfire.release.attest import is_receipt_good, sign_receipt
from beaconfire.release.opening import Opened, open_sealed
from release_world import (
    JPN,
    KOR,
    T0_US,
    USA,
    MemoryRows,
    agreements,
    guard,
    guard_config,
    hub_config,
    key_of,
    keyring,
    now,
    own,
    report,
    suspension,
    to_hub,
)


@dataclass
class Bench:
    rows: MemoryRows
    node: HubNode

    def take(self, delivery: Delivery, after_us: int = 0) -> list[Command]:
        commands = self.node.receive(to_hub(delivery, delivery.sender, delivery.lane), now(after_us))
        self.rows.commit(commands)
        return commands


def bench_of(sharing: Sharing = Sharing.TRILATERAL) -> Bench:
    rows = MemoryRows()
    return Bench(rows, HubNode(hub_config(sharing), rows))


@pytest.fixture
def bench() -> Bench:
    return bench_of()


def passed_to(commands: list[Command]) -> dict[str, Delivery]:
    found = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    return {one.recipient: one for one in found if isinstance(one, Delivery)}


def receipts(commands: list[Command]) -> list[Receipt]:
    sent = [one.message for one in commands if isinstance(one, Send)]
    return [one for one in sent if isinstance(one, Receipt)]


def delivery_of(node: GuardNode, number: int = 1, nation: Nation = KOR, after_us: int = 0) -> Delivery:
    at_us = T0_US + after_us
    commands = node.receive(own(report(number, nation, at_us=at_us), nation), now(after_us))
    return passed_to(commands)[HUB]


def opened_by(nation: Nation, delivery: Delivery) -> Opened:
    opened = open_sealed(
        delivery.sealed,
        recipient=nation,
        keyring=keyring(),
        now_us=T0_US,
        mode=Mode.SIMULATED,
        arrangements=Arrangements(agreements()),
        hops=delivery.hops,
    )
    assert isinstance(opened, Opened), opened
    return opened


def test_each_partner_gets_what_the_arrangements_let_pass(bench: Bench) -> None:
    commands = bench.take(delivery_of(guard()))
    given = passed_to(commands)
    assert set(given) == {JPN, USA}
    japan, america = opened_by(JPN, given[JPN]), opened_by(USA, given[USA])
    assert japan.degraded == (Group.LAUNCH_POINT, Group.SENSOR)
    assert japan.basis == ("trilateral",)
    assert america.report.launch_point == report().launch_point
    assert america.basis == ("bilateral-usa-kor",)
    assert japan.report.trajectory == america.report.trajectory == report().trajectory
    for one in (japan.report, america.report):
        assert one.raw_measurement is None
        assert one.sensor is not None
        assert "kor-1" not in one.sensor.sensors
    assert japan.report.sensor != america.report.sensor


def test_under_bilateral_nothing_passes_between_japan_and_korea() -> None:
    bench = bench_of(Sharing.BILATERAL)
    node = guard(sharing=Sharing.BILATERAL)
    assert set(passed_to(bench.take(delivery_of(node)))) == {USA}
    given = passed_to(bench.take(delivery_of(guard(USA, Sharing.BILATERAL), nation=USA)))
    assert set(given) == {JPN, KOR}


def test_boost_trajectory_and_covariance_stay_behind_a_coarse_launch_point(bench: Bench) -> None:
    boosted = report(phase=Phase.BOOST)
    delivery = passed_to(guard().receive(own(boosted), now()))[HUB]
    given = passed_to(bench.take(delivery))
    japan = opened_by(JPN, given[JPN]).report
    assert japan.launch_point is not None
    assert (japan.trajectory, japan.covariance) == (None, None)
    assert opened_by(USA, given[USA]).report.trajectory == boosted.trajectory


def test_receipt_is_signed_and_comes_with_the_rows_it_vouches_for(bench: Bench) -> None:
    commands = bench.take(delivery_of(guard()))
    (receipt,) = receipts(commands)
    assert is_receipt_good(receipt, keyring())
    assert (receipt.recipient, receipt.sequences, receipt.refused) == (KOR, (1,), ())
    held = [key for key in bench.rows.tables[Table.OUTBOX] if not key.endswith("next")]
    assert len(held) == 2


def test_restart_loses_nothing_receipted_and_knows_doubles(bench: Bench) -> None:
    delivery = delivery_of(guard())
    bench.take(delivery)
    restarted = Bench(bench.rows, HubNode(hub_config(), bench.rows))
    assert set(passed_to(restarted.node.tick(now(1_000_000)))) == {JPN, USA}
    again = restarted.take(delivery, 1_000_000)
    assert not passed_to(again)
    assert receipts(again)[0].sequences == (1,)
    assert restarted.node.counters["doubled"] == 1


def test_partner_receipt_empties_its_outbox_only(bench: Bench) -> None:
    given = passed_to(bench.take(delivery_of(guard())))
    blank = Receipt(JPN, HUB, Lane.FLASH, (given[JPN].sequence,), (), "", b"")
    commands = bench.node.receive(to_hub(sign_receipt(blank, key_of(JPN)), JPN), now(1_000))
    bench.rows.commit(commands)
    held = [key for key in bench.rows.tables[Table.OUTBOX] if not key.endswith("next")]
    assert [key.split("/")[0] for key in held] == ["HUB>USA"]


def test_every_decision_has_one_record_and_logs_are_apart() -> None:
    bench = bench_of(Sharing.BILATERAL)
    bench.take(delivery_of(guard(sharing=Sharing.BILATERAL)))
    gave = [decode_record(body) for body in bench.rows.log("gave/KOR")]
    assert [(one.recipient, one.outcome) for one in gave] == [
        (JPN, Outcome.REFUSED),
        (USA, Outcome.DEGRADED),
    ]
    assert len(bench.rows.log("given/USA")) == 1
    assert bench.rows.log("given/JPN") == []
    assert not flaw_in_log(bench.rows.log("gave/KOR"))


def test_bytes_to_japan_do_not_depend_on_what_is_not_releasable_to_it() -> None:
    """Korea says something more, under bilateral: what Japan gets stays the same to the byte."""
    sent: list[list[bytes]] = []
    for korea_speaks in (False, True):
        bench = bench_of(Sharing.BILATERAL)
        bodies: list[bytes] = []
        korea, america = guard(sharing=Sharing.BILATERAL), guard(USA, Sharing.BILATERAL)
        for number in range(1, 4):
            if korea_speaks:
                extra = bench.take(delivery_of(korea, number, after_us=number), number)
                bodies += [one.body for one in extra if isinstance(one, Deliver) and one.recipient == JPN]
            commands = bench.take(delivery_of(america, number, USA, after_us=number), number)
            bodies += [one.body for one in commands if isinstance(one, Deliver) and one.recipient == JPN]
        bodies += bench.rows.log("given/JPN")
        sent.append(bodies)
    assert sent[0] == sent[1]
    assert len(sent[0]) == 6


def test_older_routine_report_is_not_passed_on_after_a_newer(bench: Bench) -> None:
    node = GuardNode(guard_config(), MemoryRows())
    first, second, third = (delivery_of(node, n, after_us=1_000_000 * n) for n in (1, 2, 3))
    assert (second.lane, third.lane) == (Lane.ROUTINE, Lane.ROUTINE)
    bench.take(first, 3_000_000)
    assert set(passed_to(bench.take(third, 3_000_000))) == {JPN, USA}
    assert not passed_to(bench.take(second, 3_000_000))
    assert bench.node.counters["superseded"] == 2, "one decision for each partner"


def test_a_newer_report_that_a_nation_may_not_have_supersedes_nothing_for_it(bench: Bench) -> None:
    """What Japan gets of Korea's older report does not tell whether a newer one was withheld from it."""
    config = guard_config()
    american_only = msgspec.structs.replace(config.rules, releasable_to=frozenset({USA}))
    open_guard = GuardNode(config, MemoryRows())
    closed = GuardNode(msgspec.structs.replace(config, rules=american_only), MemoryRows())
    bench.take(delivery_of(open_guard, 1))
    older, newer = delivery_of(open_guard, 2, after_us=1_000_000), delivery_of(closed, 3, after_us=2_000_000)
    assert set(passed_to(bench.take(newer, 2_000_000))) == {USA}
    assert JPN in passed_to(bench.take(older, 2_000_000))


def test_lane_follows_from_what_a_partner_sees(bench: Bench) -> None:
    """A boost that Japan may not see changes nothing for it; for America, which sees it, it is FLASH."""
    node = GuardNode(guard_config(), MemoryRows())
    lanes: list[dict[str, Lane]] = []
    hidden = msgspec.structs.replace(report(1, phase=Phase.BOOST), trajectory=None, covariance=None)
    for number, one in enumerate((hidden, report(2, phase=Phase.BOOST))):
        commands = node.receive(own(one), now(number))
        given = passed_to(bench.take(passed_to(commands)[HUB], number))
        lanes.append({recipient: delivery.lane for recipient, delivery in given.items()})
    assert lanes == [{JPN: Lane.FLASH, USA: Lane.FLASH}, {JPN: Lane.ROUTINE, USA: Lane.FLASH}]


def test_nothing_passes_under_an_arrangement_that_the_originator_has_suspended(bench: Bench) -> None:
    """The hub has not heard of it yet, and the report goes to America all the same."""
    node = guard()
    assert node.arrangements.suspend(KOR, "trilateral", number=1, suspended=True)
    assert set(passed_to(bench.take(delivery_of(node)))) == {USA}


def test_suspension_stops_release_at_once_and_goes_to_the_other_parties(bench: Bench) -> None:
    said = suspension(JPN)
    sent = [one for one in bench.node.receive(to_hub(said, JPN), now()) if isinstance(one, Send)]
    assert {one.recipient for one in sent if one.message == said} == {KOR, USA}
    assert set(passed_to(bench.take(delivery_of(guard())))) == {USA}


def test_what_waits_under_an_arrangement_suspended_since_is_held_back_and_goes_on_resumption(
    bench: Bench,
) -> None:
    """Japan would refuse it; America's rests on another arrangement and goes on being resent."""
    bench.take(delivery_of(guard()))
    assert set(passed_to(bench.node.tick(now(1_000_000)))) == {JPN, USA}, "unreceipted, so it is resent"
    bench.node.receive(to_hub(suspension(JPN, 1, suspended=True), JPN), now(1_100_000))
    assert set(passed_to(bench.node.tick(now(6_000_000)))) == {USA}
    bench.node.receive(to_hub(suspension(JPN, 2, suspended=False), JPN), now(6_100_000))
    assert JPN in passed_to(bench.node.tick(now(11_000_000)))


def test_what_a_picture_refused_is_told_of_at_the_hub_and_counted(bench: Bench) -> None:
    said = Refusal(JPN, HUB, "report-7", Reason.BAD_SIGNATURE, "", 0)
    commands = bench.node.receive(to_hub(said, JPN), now())
    sent = [one.message for one in commands if isinstance(one, Send)]
    (notice,) = [one for one in sent if isinstance(one, Notice)]
    assert (notice.code, notice.text) == (
        "refused-by-partner",
        f"{JPN} refused 1, the last report report-7: bad-signature",
    )
    assert bench.node.counters["refused_there"] == 1


def expired_routine(commands: list[Command]) -> list[str]:
    said = [one.message for one in commands if isinstance(one, Send)]
    return sorted(one.text for one in said if isinstance(one, Notice) and one.code == "routine-expired")


def test_a_routine_report_that_expires_undelivered_is_told_of_towards_each_partner(bench: Bench) -> None:
    node = guard()
    bench.take(delivery_of(node))
    second = delivery_of(node, 2, after_us=1_000_000)
    assert second.lane is Lane.ROUTINE
    bench.take(second, 1_000_000)
    assert expired_routine(bench.node.tick(now(60_000_000))) == []
    said = expired_routine(bench.node.tick(now(61_000_000)))
    assert said == ["1 times, towards JPN", "1 times, towards USA"]
    assert expired_routine(bench.node.tick(now(900_000_000))) == [], "each is told of once"


def test_routine_expiries_that_follow_are_gathered_and_the_last_of_them_told_of_too(bench: Bench) -> None:
    node = guard()
    bench.take(delivery_of(node))
    for number, at_us in ((2, 1_000_000), (3, 4_000_000), (4, 8_000_000)):
        bench.take(delivery_of(node, number, after_us=at_us), at_us)
        assert expired_routine(bench.node.tick(now(at_us + 1))) == [], (
            "a newer one replaces it: nothing is lost"
        )
    usa = guard(USA)
    bench.take(delivery_of(usa, 1, USA, after_us=9_000_000), 9_000_000)
    bench.take(delivery_of(usa, 2, USA, after_us=12_000_000), 12_000_000)
    assert expired_routine(bench.node.tick(now(68_000_000))) == [
        "1 times, towards JPN",
        "1 times, towards USA",
    ]
    assert expired_routine(bench.node.tick(now(72_000_000))) == ["1 times, towards KOR"], (
        "Japan's is held back"
    )
    assert expired_routine(bench.node.tick(now(77_900_000))) == []
    assert expired_routine(bench.node.tick(now(78_000_000))) == ["1 times, towards JPN"]
    assert expired_routine(bench.node.tick(now(100_000_000))) == []


def test_a_routine_report_that_was_receipted_expires_in_silence(bench: Bench) -> None:
    node = guard()
    given: dict[Nation, list[Delivery]] = {JPN: [], USA: []}
    for number, at_us in ((1, 0), (2, 1_000_000)):
        for nation, one in passed_to(bench.take(delivery_of(node, number, after_us=at_us), at_us)).items():
            given[Nation(nation)].append(one)
    receipt = Receipt(JPN, HUB, Lane.ROUTINE, (given[JPN][1].sequence,), (), "", b"")
    bench.node.receive(to_hub(sign_receipt(receipt, key_of(JPN)), JPN, Lane.ROUTINE), now(1_100_000))
    assert expired_routine(bench.node.tick(now(61_000_000))) == ["1 times, towards USA"]


def test_what_is_refused_as_superseded_is_older_than_what_the_partner_was_given_in_the_same_stage(
    bench: Bench,
) -> None:
    """A FLASH that comes late is refused only where its news was given already, on FLASH too."""
    node = GuardNode(guard_config(), MemoryRows())
    first = delivery_of(node, 1)
    newer = delivery_of(node, 2, after_us=1_000_000)
    assert (first.lane, newer.lane) == (Lane.FLASH, Lane.ROUTINE)
    given = passed_to(bench.take(newer, 1_000_000))
    assert {one.lane for one in given.values()} == {Lane.FLASH}, "its stage is news, whatever lane it came on"
    assert not passed_to(bench.take(first, 1_100_000))

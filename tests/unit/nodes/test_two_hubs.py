"""Two instances of the hub: each gets all, either is enough, and a picture takes each report once."""

from typing import TypeVar

import msgspec
import pytest

from beaconfire.link.hearing import SILENT_US
from beaconfire.messages.codec import Message, decode
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.transfer import Delivery, Probe, Receipt, Restarted, Standing, Suspension
from beaconfire.messages.words import HUB, HUB_INSTANCES, Lane, Mode
from beaconfire.nodes.commands import RECEIVED_LOG, Channel, Command, Deliver, Inbound, Keep, Send, Table
from beaconfire.nodes.guard import UNRECEIPTED_US, GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.nodes.picture import PictureConfig, PictureNode
from beaconfire.release.attest import is_receipt_good, sign_receipt
from picture_world import Flight, state_at
from release_world import (
    JPN,
    KOR,
    USA,
    MemoryRows,
    agreements,
    guard_config,
    hub_config,
    key_of,
    keyring,
    now,
    own,
    suspension,
    to_hub,
)

ONE, TWO = HUB_INSTANCES
FLIGHT = Flight(state_at())
REPORT = FLIGHT.report(KOR, 110.0)
AT_US = 110_000_000
T = TypeVar("T")


class Bench:
    """Korea's guard, both instances, Japan's picture."""

    def __init__(self) -> None:
        self.guard_rows, self.picture_rows = MemoryRows(), MemoryRows()
        self.guard = GuardNode(
            msgspec.structs.replace(guard_config(KOR), hubs=HUB_INSTANCES), self.guard_rows
        )
        self.hubs = {
            hub: HubNode(msgspec.structs.replace(hub_config(), instance=hub), MemoryRows())
            for hub in HUB_INSTANCES
        }
        self.picture = self.restored_picture()

    def restored_picture(self) -> PictureNode:
        config = PictureConfig(
            nation=JPN,
            mode=Mode.SIMULATED,
            exercise="",
            key=key_of(JPN),
            keyring=keyring(),
            agreements=agreements(),
            places=(),
            secret=b"p" * 32,
            shadows=False,
            hubs=HUB_INSTANCES,
        )
        return PictureNode(config, self.picture_rows)

    def through(self, hub: str, sent: Delivery) -> Delivery:
        """Return what Japan gets of what Korea sent to one instance."""
        commands = self.hubs[hub].receive(to_hub(sent, KOR, sent.lane), now(AT_US))
        (passed,) = [one for one in deliveries(commands) if one.recipient == JPN]
        return passed

    def take(self, hub: str, delivery: Delivery, at_us: int = AT_US) -> list[Command]:
        inbound = from_hub(hub, delivery, delivery.lane)
        return self.picture_rows.commit(self.picture.receive(inbound, now(at_us)))


def from_hub(hub: str, message: Message, lane: Lane = Lane.FLASH) -> Inbound:
    return Inbound(Channel.TO_NATION, hub, lane, message, 100)


def deliveries(commands: list[Command]) -> list[Delivery]:
    found = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    return [one for one in found if isinstance(one, Delivery)]


def messages(commands: list[Command], kind: type[T]) -> list[tuple[str, T]]:
    return [
        (one.recipient, one.message)
        for one in commands
        if isinstance(one, Send) and isinstance(one.message, kind)
    ]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def sent(bench: Bench) -> dict[str, Delivery]:
    commands = bench.guard_rows.commit(bench.guard.receive(own(REPORT, KOR), now(AT_US)))
    return {one.recipient: one for one in deliveries(commands)}


def test_a_guard_seals_once_and_sends_to_both(bench: Bench) -> None:
    found = sent(bench)
    assert found.keys() == {ONE, TWO}
    assert found[ONE].sealed == found[TWO].sealed
    assert bench.guard.counters["released"] == 1


@pytest.mark.parametrize("first", HUB_INSTANCES)
def test_a_picture_takes_the_first_copy_and_receipts_the_second_unopened(bench: Bench, first: str) -> None:
    second = TWO if first == ONE else ONE
    copies = {hub: bench.through(hub, one) for hub, one in sent(bench).items()}
    bench.take(first, copies[first])
    broken = msgspec.structs.replace(copies[second], sealed=b"never opened")
    commands = bench.take(second, broken)
    assert bench.picture.counters["received"] == 1
    assert bench.picture.counters["parallel"] == 1
    assert bench.picture_rows.log(RECEIVED_LOG) == [copies[first].report_id.encode()]
    ((to, receipt),) = messages(commands, Receipt)
    assert to == receipt.recipient == second
    assert receipt.sequences == (copies[second].sequence,)
    assert is_receipt_good(receipt, keyring())


def test_a_restarted_picture_still_knows_what_it_took_from_the_other(bench: Bench) -> None:
    copies = {hub: bench.through(hub, one) for hub, one in sent(bench).items()}
    bench.take(ONE, copies[ONE])
    bench.picture = bench.restored_picture()
    bench.take(TWO, copies[TWO])
    assert len(bench.picture_rows.log(RECEIVED_LOG)) == 1


def test_what_one_copy_was_refused_for_the_other_copy_may_still_bring(bench: Bench) -> None:
    copies = {hub: bench.through(hub, one) for hub, one in sent(bench).items()}
    bench.take(ONE, msgspec.structs.replace(copies[ONE], sealed=b"spoilt on the way"))
    assert bench.picture.counters["refused"] == 1
    bench.take(TWO, copies[TWO])
    assert bench.picture.counters["received"] == 1


def test_a_receipt_counts_for_the_instance_that_brought_it_and_no_other(bench: Bench) -> None:
    number = sent(bench)[ONE].sequence
    blank = Receipt(TWO, KOR, Lane.FLASH, (number,), (), "", b"")
    forged = sign_receipt(blank, key_of(HUB))
    bench.guard.receive(from_hub(ONE, forged), now(AT_US))
    assert bench.guard.counters["rejected"] == 1
    assert bench.guard.counters["delivered"] == 0
    bench.guard.receive(from_hub(TWO, forged), now(AT_US))
    assert bench.guard.counters["delivered"] == 1


def test_an_own_suspension_goes_to_both(bench: Bench) -> None:
    said = suspension(KOR)
    commands = bench.guard.receive(Inbound(Channel.TO_HUB, KOR, Lane.FLASH, said, 10), now())
    assert [to for to, _ in messages(commands, Suspension)] == [ONE, TWO]


def test_a_hub_that_answers_and_receipts_nothing_is_told_of_once(bench: Bench) -> None:
    sent(bench)
    at_us = AT_US
    told: list[str] = []
    for _ in range(8):
        commands = bench.guard.tick(now(at_us))
        for hub, probe in messages(commands, Probe):
            echo = msgspec.structs.replace(probe, echo=True, answered_at_us=now(at_us).utc_us)
            if hub == ONE:
                commands += bench.guard.receive(from_hub(hub, echo, probe.lane), now(at_us))
        told += [f"{at_us - AT_US} {one.code} {one.text}" for _, one in messages(commands, Notice)]
        at_us += 500_000
    assert len(told) == 1
    at, code, *text = told[0].split()
    assert UNRECEIPTED_US < int(at) <= 2_000_000
    assert code == "unreceipted"
    assert ONE in text


def test_links_to_both_are_in_the_health_of_both_ends(bench: Bench) -> None:
    for node in (bench.guard, bench.picture):
        ((_, health),) = messages(node.tick(now()), Health)
        assert {one.peer for one in health.links} == {ONE, TWO}
    ((_, health),) = messages(bench.hubs[ONE].tick(now()), Health)
    assert health.source == f"hub/{ONE}"


def test_one_silent_hub_is_a_caution_and_two_are_alone(bench: Bench) -> None:
    def notices(at_us: int) -> list[str]:
        return [one.code for _, one in messages(bench.picture.tick(now(at_us)), Notice)]

    def probe(hub: str, at_us: int) -> list[str]:
        asked = Probe(hub, JPN, Lane.FLASH, 1, 0, echo=False)
        commands = bench.picture.receive(from_hub(hub, asked), now(at_us))
        return [one.code for _, one in messages(commands, Notice)]

    assert notices(0) == []
    assert probe(ONE, 0) == ["link-up"]
    assert probe(TWO, 1) == []
    assert probe(ONE, SILENT_US) == []
    assert notices(SILENT_US + 2) == ["hub-instance-down"]
    assert notices(2 * SILENT_US + 2) == ["link-down"]
    assert probe(TWO, 2 * SILENT_US + 3) == ["link-up", "hub-instance-down"]
    assert probe(ONE, 2 * SILENT_US + 4) == ["hub-instance-up"]


def test_each_instance_keeps_rows_under_its_own_name(bench: Bench) -> None:
    commands = bench.guard.receive(own(REPORT, KOR), now(AT_US))
    keys = [one.key for one in commands if isinstance(one, Keep) and one.table is Table.OUTBOX]
    assert {key.partition("/")[0] for key in keys} == {f"KOR>{ONE}", f"KOR>{TWO}"}


def test_a_picture_that_lost_its_journal_is_sent_again_what_it_had_receipted(bench: Bench) -> None:
    copies = {hub: bench.through(hub, one) for hub, one in sent(bench).items()}
    for receipt in messages(bench.take(ONE, copies[ONE]), Receipt):
        bench.hubs[ONE].receive(Inbound(Channel.TO_HUB, JPN, Lane.FLASH, receipt[1], 9), now(AT_US))
    bench.picture_rows = MemoryRows()
    bench.picture = bench.restored_picture()
    asked = bench.picture.receive(from_hub(ONE, Probe(ONE, JPN, Lane.FLASH, 1, 0, echo=False)), now(AT_US))
    ((to, word),) = messages(asked, Restarted)
    assert to == ONE
    again = bench.hubs[ONE].receive(Inbound(Channel.TO_HUB, JPN, Lane.FLASH, word, 9), now(AT_US))
    assert copies[ONE] in [msgspec.structs.replace(one, oldest_open=1) for one in deliveries(again)]
    bench.take(ONE, copies[ONE])
    assert bench.picture_rows.log(RECEIVED_LOG) == [copies[ONE].report_id.encode()]


def test_a_picture_asks_until_its_word_came_through_each_instance_for_itself(
    bench: Bench,
) -> None:
    def asked(at_s: int) -> list[tuple[str, Restarted]]:
        probes = [from_hub(hub, Probe(hub, JPN, Lane.FLASH, 1, 0, echo=False)) for hub in bench.hubs]
        heard = [bench.picture.receive(probe, now(AT_US + at_s * 1_000_000)) for probe in probes]
        return [one for commands in heard for one in messages(commands, Restarted)]

    first = asked(0)
    assert [hub for hub, _ in first] == [ONE, TWO]
    assert asked(1) == first, "the word was lost: it hears, and is not heard"
    answer = bench.hubs[ONE].receive(Inbound(Channel.TO_HUB, JPN, Lane.FLASH, first[0][1], 9), now(AT_US))
    ((to, echo),) = messages(answer, Restarted)
    assert (to, echo) == (JPN, first[0][1])
    strange = Inbound(Channel.TO_HUB, JPN, Lane.FLASH, Restarted(KOR, ONE), 9)
    assert not bench.hubs[ONE].receive(strange, now(AT_US + 60_000_000)), "one party asks for no other"
    assert bench.hubs[ONE].counters["rejected"] == 1
    bench.picture.receive(from_hub(ONE, echo), now(AT_US))
    assert bench.picture.counters["rejected"] == 0
    assert asked(2) == [first[1]]


def test_a_hub_asks_until_a_guard_answers_and_a_guard_minds_no_answer_to_its_picture(bench: Bench) -> None:
    hub, probe = bench.hubs[ONE], Probe(KOR, ONE, Lane.FLASH, 1, 0, echo=False)

    def asked(at_s: int) -> list[tuple[str, Restarted]]:
        heard = Inbound(Channel.TO_HUB, KOR, Lane.FLASH, probe, 9)
        return messages(hub.receive(heard, now(AT_US + at_s * 1_000_000)), Restarted)

    ((_, word),) = asked(0)
    assert asked(1) == [(KOR, word)]
    ((to, standing),) = messages(bench.guard.receive(from_hub(ONE, word), now(AT_US)), Standing)
    assert to == ONE
    hub.receive(Inbound(Channel.TO_HUB, KOR, Lane.FLASH, standing, 9), now(AT_US + 2_000_000))
    assert not asked(3)
    assert not bench.guard.receive(from_hub(ONE, Restarted(KOR, ONE)), now(AT_US + 60_000_000))


def test_a_hub_that_lost_its_journal_is_sent_again_what_it_had_receipted(bench: Bench) -> None:
    first = sent(bench)[ONE]
    commands = bench.hubs[ONE].receive(to_hub(first, KOR, first.lane), now(AT_US))
    for to, receipt in messages(commands, Receipt):
        assert to == KOR
        bench.guard.receive(from_hub(ONE, receipt), now(AT_US))
    fresh = HubNode(msgspec.structs.replace(hub_config(), instance=ONE), MemoryRows())
    probe = Probe(KOR, ONE, Lane.FLASH, 1, 0, echo=False)
    ((_, word),) = messages(
        fresh.receive(Inbound(Channel.TO_HUB, KOR, Lane.FLASH, probe, 9), now(AT_US)), Restarted
    )
    again = deliveries(bench.guard.receive(from_hub(ONE, word), now(AT_US)))
    assert first.report_id in [one.report_id for one in again]
    passed = deliveries(fresh.receive(to_hub(again[0], KOR, first.lane), now(AT_US)))
    assert {one.report_id for one in passed} == {first.report_id}


def test_a_hub_that_lost_its_journal_releases_nothing_until_every_party_has_said_what_it_suspends(
    bench: Bench,
) -> None:
    rows = MemoryRows()
    config = msgspec.structs.replace(hub_config(), instance=ONE, cautious=True)
    hub = HubNode(config, rows)
    rows.commit(hub.tick(now(AT_US)))
    hub = HubNode(msgspec.structs.replace(config, cautious=False), rows)
    first = sent(bench)[ONE]
    assert not deliveries(hub.receive(to_hub(first, KOR, first.lane), now(AT_US)))
    assert hub.counters["refused"] == 2

    for nation in (KOR, JPN):
        word = Standing(nation, ())
        rows.commit(hub.receive(Inbound(Channel.TO_HUB, nation, Lane.FLASH, word, 9), now(AT_US)))
    later = FLIGHT.report(KOR, 111.0)
    second = {
        one.recipient: one for one in deliveries(bench.guard.receive(own(later, KOR), now(AT_US + 1_000_000)))
    }[ONE]
    passed = deliveries(hub.receive(to_hub(second, KOR, second.lane), now(AT_US + 1_000_000)))
    assert JPN not in {one.recipient for one in passed}, "the United States has not been heard"

    word = Standing(USA, ())
    hub.receive(Inbound(Channel.TO_HUB, KOR, Lane.FLASH, word, 9), now(AT_US))
    assert hub.counters["rejected"] == 1, "one party speaks for no other"
    rows.commit(hub.receive(Inbound(Channel.TO_HUB, USA, Lane.FLASH, word, 9), now(AT_US)))
    third = FLIGHT.report(KOR, 112.0)
    out = deliveries(bench.guard.receive(own(third, KOR), now(AT_US + 2_000_000)))
    (delivery,) = [one for one in out if one.recipient == ONE]
    passed = deliveries(hub.receive(to_hub(delivery, KOR, delivery.lane), now(AT_US + 2_000_000)))
    assert JPN in {one.recipient for one in passed}
    assert not [key for key, _ in rows.rows(Table.STATE) if key.startswith("unheard/")]


def test_what_a_party_has_suspended_stands_after_a_hub_lost_its_journal(bench: Bench) -> None:
    said = suspension(KOR)
    bench.guard.receive(Inbound(Channel.TO_HUB, KOR, Lane.FLASH, said, 10), now())
    hub = HubNode(msgspec.structs.replace(hub_config(), instance=ONE, cautious=True), MemoryRows())
    probe = Probe(KOR, ONE, Lane.FLASH, 1, 0, echo=False)
    ((_, word),) = messages(
        hub.receive(Inbound(Channel.TO_HUB, KOR, Lane.FLASH, probe, 9), now(AT_US)), Restarted
    )
    ((_, standing),) = messages(bench.guard.receive(from_hub(ONE, word), now(AT_US)), Standing)
    for nation, one in ((KOR, standing), (JPN, Standing(JPN, ())), (USA, Standing(USA, ()))):
        hub.receive(Inbound(Channel.TO_HUB, nation, Lane.FLASH, one, 9), now(AT_US))
    assert hub.arrangements.is_suspended("trilateral")
    assert not hub.arrangements.is_suspended("bilateral-usa-kor")


def test_clocks_that_differ_are_told_of_by_both_ends_and_shown(bench: Bench) -> None:
    asked = messages(bench.guard.tick(now(AT_US)), Probe)
    for hub, probe in asked:
        late_us = 1_700_000 if hub == ONE else 0
        echo = msgspec.structs.replace(probe, echo=True, answered_at_us=now(AT_US).utc_us + late_us)
        bench.guard.receive(from_hub(hub, echo, probe.lane), now(AT_US + 2_000))
    commands = bench.guard.tick(now(AT_US + 1_000_000))
    said = [notice for _, notice in messages(commands, Notice) if notice.code == "clock-off"]
    assert [ONE in notice.text for notice in said] == [True]
    ((_, health),) = messages(commands, Health)
    offsets = {one.peer: one.clock_offset_ms for one in health.links}
    assert offsets == {ONE: 1_699.0, TWO: -1.0}

    other = bench.hubs[TWO]
    for to, probe in messages(other.tick(now(AT_US)), Probe):
        if to == KOR:
            echo = msgspec.structs.replace(
                probe, echo=True, answered_at_us=now(AT_US).utc_us - 86_400_000_000
            )
            other.receive(Inbound(Channel.TO_HUB, KOR, probe.lane, echo, 9), now(AT_US))
    codes = [notice.code for _, notice in messages(other.tick(now(AT_US + 1_000_000)), Notice)]
    assert "clock-off" in codes

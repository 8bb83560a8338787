"""The picture node behind the real guards and the real hub: every report is sealed, decided and delivered."""

from typing import TypeVar

import msgspec
import pytest

from beaconfire.messages.codec import decode, encode
from beaconfire.messages.event import Event, Place
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery, Probe, Receipt
from beaconfire.messages.words import HUB, Lane, Mode, Nation, Sharing, Status
from beaconfire.nodes.commands import Channel, Command, Deliver, Inbound, Keep, Send, Table, WakeAt
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.nodes.picture import PictureConfig, PictureNode
from beaconfire.nodes.tenure import Trust
from beaconfire.release.attest import is_receipt_good
from picture_world import Flight, state_at
from release_world import (
    JPN,
    KOR,
    T0_US,
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
    to_nation,
)

T = TypeVar("T")
FLIGHT = Flight(state_at())
HERE = Place("below", JPN, 0.72, 2.40, 400_000.0)


def config(*, shadows: bool = True) -> PictureConfig:
    return PictureConfig(
        nation=JPN,
        mode=Mode.SIMULATED,
        exercise="",
        key=key_of(JPN),
        keyring=keyring(),
        agreements=agreements(),
        places=(HERE,),
        secret=b"p" * 32,
        shadows=shadows,
    )


class Bench:
    """Guards of three nations, one hub, and Japan's picture."""

    def __init__(self, sharing: Sharing = Sharing.TRILATERAL, *, shadows: bool = True) -> None:
        self.guards = {n: GuardNode(guard_config(n, sharing), MemoryRows()) for n in (KOR, USA)}
        self.hub = HubNode(hub_config(sharing), MemoryRows())
        self.rows = MemoryRows()
        self.node = PictureNode(config(shadows=shadows), self.rows)

    def deliveries(self, report: Report) -> list[Delivery]:
        """Return what reaches Japan of another nation's report."""
        at = now(report.stated_at_us - T0_US)
        guard = self.guards[Nation(report.originator)]
        out: list[Delivery] = []
        for command in guard.receive(own(report, report.originator), at):
            if isinstance(command, Deliver):
                sent = decode(command.body)
                assert isinstance(sent, Delivery)
                for passed in self.hub.receive(to_hub(sent, report.originator, sent.lane), at):
                    if isinstance(passed, Deliver) and passed.recipient == JPN:
                        message = decode(passed.body)
                        assert isinstance(message, Delivery)
                        out.append(message)
        return out

    def give(self, delivery: Delivery, after_us: int) -> list[Command]:
        return self.take(to_nation(delivery, delivery.lane), after_us)

    def take(self, inbound: Inbound, after_us: int) -> list[Command]:
        """Give the node what comes, and the call it asks for when pictures for comparison wait."""
        commands = self.node.receive(inbound, now(after_us))
        sent = self.rows.commit(commands)
        soon = WakeAt(now(after_us).monotonic_us + 1)
        return [*sent, *(self.tick(after_us + 1) if soon in commands else ())]

    def share(self, report: Report) -> list[Command]:
        after_us = report.stated_at_us - T0_US
        return [one for d in self.deliveries(report) for one in self.give(d, after_us)]

    def see(self, report: Report) -> list[Command]:
        return self.take(own(report, JPN), report.stated_at_us - T0_US)

    def tick(self, after_us: int) -> list[Command]:
        return self.rows.commit(self.node.tick(now(after_us)))


def events(commands: list[Command]) -> dict[Sharing | None, Event]:
    return {
        one.message.sharing: one.message
        for one in commands
        if isinstance(one, Send) and one.channel is Channel.EVENT and isinstance(one.message, Event)
    }


def messages(commands: list[Command], kind: type[T]) -> list[T]:
    return [one.message for one in commands if isinstance(one, Send) and isinstance(one.message, kind)]


def test_own_reports_make_all_three_pictures() -> None:
    found = events(Bench().see(FLIGHT.report(JPN, 110.0)))
    assert found.keys() == {None, Sharing.ALONE, Sharing.BILATERAL}
    assert all(one.contributors == (JPN,) for one in found.values())
    assert found[None].as_of_us == T0_US + 110_000_000
    assert len({one.event_id for one in found.values()}) == 3


def test_what_is_warned_from_comes_before_what_is_compared() -> None:
    bench = Bench()
    first = bench.node.receive(own(FLIGHT.report(JPN, 110.0), JPN), now(110_000_000))
    newer = bench.node.receive(own(FLIGHT.report(JPN, 111.0), JPN), now(111_000_000))
    assert events(first).keys() == events(newer).keys() == {None}
    commands = bench.node.tick(now(111_000_001))
    assert {one.lane for one in newer if isinstance(one, Send)} == {Lane.FLASH}
    assert {one.lane for one in commands if isinstance(one, Send) and one.channel is Channel.EVENT} == {
        Lane.ROUTINE
    }
    later = events(commands)
    assert later.keys() == {Sharing.ALONE, Sharing.BILATERAL}
    assert {one.state.epoch_us for one in later.values() if one.state} == {T0_US + 111_000_000}
    assert events(bench.node.tick(now(111_000_002))) == {}


def test_shadows_can_be_left_out() -> None:
    bench = Bench(shadows=False)
    assert events(bench.see(FLIGHT.report(JPN, 110.0))).keys() == {None}


def test_a_partners_report_enters_only_the_pictures_it_would_have_been_in() -> None:
    bench = Bench()
    bench.see(FLIGHT.report(JPN, 110.0))
    of_korea = events(bench.share(FLIGHT.report(KOR, 111.0)))
    assert of_korea.keys() == {None}
    assert of_korea[None].contributors == (JPN, KOR)
    of_america = events(bench.share(FLIGHT.report(USA, 112.0)))
    assert of_america.keys() == {None, Sharing.BILATERAL}
    assert of_america[None].contributors == (JPN, KOR, USA)
    assert of_america[Sharing.BILATERAL].contributors == (JPN, USA)
    by_nation = {one.nation: one.basis for one in of_america[None].contributions}
    assert by_nation[JPN] == ()
    assert any(basis.startswith("bilateral-") for basis in by_nation[USA])
    assert not any(basis.startswith("bilateral-") for basis in by_nation[KOR])


def test_under_the_bilateral_arrangements_nothing_of_korea_arrives() -> None:
    bench = Bench(Sharing.BILATERAL)
    assert bench.deliveries(FLIGHT.report(KOR, 111.0)) == []


def test_a_delivery_is_receipted_after_its_rows_and_once_more_when_it_comes_again() -> None:
    bench = Bench()
    (delivery,) = bench.deliveries(FLIGHT.report(KOR, 111.0))
    commands = bench.node.receive(to_nation(delivery, delivery.lane), now(111_000_000))
    commands += bench.node.tick(now(112_000_000))
    (receipt,) = messages(commands, Receipt)
    assert receipt.sequences == (delivery.sequence,)
    assert is_receipt_good(receipt, keyring())
    kept = {one.table for one in commands if isinstance(one, Keep)}
    assert kept == {Table.INTAKE, Table.STATE}
    again = bench.node.receive(to_nation(delivery, delivery.lane), now(112_500_000))
    again += bench.node.tick(now(113_000_000))
    assert events(again) == {}
    assert len(messages(again, Receipt)) == 1
    assert bench.node.counters["doubled"] == 1


def test_a_forged_delivery_is_refused_receipted_as_refused_and_told() -> None:
    bench = Bench()
    (delivery,) = bench.deliveries(FLIGHT.report(KOR, 111.0))
    forged = msgspec.structs.replace(delivery, sealed=delivery.sealed[:-1] + b"x")
    commands = bench.give(forged, 111_000_000) + bench.tick(112_000_000)
    assert events(commands) == {}
    (receipt,) = messages(commands, Receipt)
    assert receipt.refused == (delivery.sequence,)
    assert "report-refused" in [one.code for one in messages(commands, Notice)]
    assert bench.node.counters["refused"] == 1


def test_own_data_that_comes_back_is_refused() -> None:
    bench = Bench()
    theirs = GuardNode(guard_config(JPN), MemoryRows())
    (sent,) = [
        one
        for one in theirs.receive(own(FLIGHT.report(JPN, 111.0), JPN), now(111_000_000))
        if isinstance(one, Deliver)
    ]
    delivery = decode(sent.body)
    assert isinstance(delivery, Delivery)
    echoed = msgspec.structs.replace(delivery, sender=HUB, recipient=JPN, hops=1)
    assert events(bench.give(echoed, 111_000_000)) == {}
    assert bench.node.counters["refused"] == 1


def test_every_re_export_is_refused_counted_and_changes_nothing() -> None:
    """Own reports, as they went out, come back among reports that may come: a hundred of a hundred."""
    bench, ours = Bench(), GuardNode(guard_config(JPN), MemoryRows())
    theirs = GuardNode(guard_config(KOR), MemoryRows())
    injected = 0
    for second in range(50):
        at_us = 111_000_000 + second * 1_000_000
        report = FLIGHT.report(JPN, 111.0 + second, track=f"JPN-{second:04d}")
        bench.see(report)
        held = [one.event_id for one in bench.node._pictures[None].events]
        # Korea's guard takes nothing that is not of Korea's own sensors,
        assert not [one for one in theirs.receive(own(report, KOR), now(at_us)) if isinstance(one, Deliver)]
        for sent in ours.receive(own(report, JPN), now(at_us)):
            if not isinstance(sent, Deliver):
                continue
            delivery = decode(sent.body)
            assert isinstance(delivery, Delivery)
            # and what Japan itself sent is refused if it comes back, addressed to Japan or not.
            for recipient, sequence in ((JPN, 2 * second + 1), (delivery.recipient, 2 * second + 2)):
                echoed = msgspec.structs.replace(
                    delivery, sender=HUB, recipient=recipient, hops=1, sequence=sequence
                )
                assert events(bench.give(echoed, at_us)) == {}
                injected += 1
        assert [one.event_id for one in bench.node._pictures[None].events] == held
    assert injected == 100
    assert bench.node.counters["refused"] + bench.node.counters["rejected"] == 100
    assert bench.node.counters["received"] == 0


def test_a_report_from_inside_that_is_not_ours_is_rejected() -> None:
    bench = Bench()
    assert bench.node.receive(own(FLIGHT.report(KOR, 110.0), JPN), now()) == []
    assert bench.node.receive(own(FLIGHT.report(JPN, 110.0), KOR), now()) == []
    assert bench.node.counters["rejected"] == 2


@pytest.mark.parametrize("sender", [KOR, USA, JPN])
def test_only_the_hub_is_heard_on_the_link(sender: str) -> None:
    bench = Bench()
    (delivery,) = bench.deliveries(FLIGHT.report(KOR, 111.0))
    message = Inbound(Channel.TO_NATION, sender, delivery.lane, delivery, len(encode(delivery)))
    assert bench.node.receive(message, now(111_000_000)) == []
    assert bench.node.counters["rejected"] == 1


def test_silence_of_the_hub_is_told_and_the_picture_goes_on() -> None:
    bench = Bench()
    probe = Probe(HUB, JPN, Lane.FLASH, 1, 0, echo=False)
    bench.tick(0)
    heard = bench.rows.commit(bench.node.receive(to_nation(probe), now(500_000)))
    assert [one.code for one in messages(heard, Notice)] == ["link-up"]
    assert messages(bench.tick(2_900_000), Notice) == []
    (down,) = messages(bench.tick(3_100_000), Notice)
    assert down.code == "link-down"
    assert "alone" in down.text
    assert None in events(bench.see(FLIGHT.report(JPN, 110.0)))
    health = messages(bench.tick(120_000_000), Health)[-1]
    assert health.counters["alone"] == 1
    assert not any(link.up for link in health.links)
    back = bench.rows.commit(bench.node.receive(to_nation(probe), now(121_000_000)))
    assert [one.code for one in messages(back, Notice)] == ["link-up"]


def test_a_hub_that_was_never_heard_is_told_of_too() -> None:
    bench = Bench()
    bench.tick(0)
    assert [one.code for one in messages(bench.tick(3_000_000), Notice)] == ["link-down"]


def test_health_comes_once_a_second() -> None:
    bench = Bench()
    count = sum(len(messages(bench.tick(after_us), Health)) for after_us in range(0, 5_000_000, 250_000))
    assert count == 5


def test_a_suspended_arrangement_is_not_accepted_under_any_more() -> None:
    bench = Bench()
    (delivery,) = bench.deliveries(FLIGHT.report(KOR, 111.0))
    (basis,) = {a.bundle.arrangement for a in agreements() if "trilateral" in a.bundle.arrangement}
    said = suspension(KOR, arrangement=basis)
    forged = msgspec.structs.replace(said, party=USA)
    assert bench.rows.commit(bench.node.receive(to_nation(forged), now())) == []
    bench.rows.commit(bench.node.receive(to_nation(said), now()))
    assert events(bench.give(delivery, 111_000_000)) == {}
    again = PictureNode(config(), bench.rows)
    assert again.arrangements.is_suspended(basis)


def test_under_a_key_revoked_while_it_runs_nothing_is_taken_restarts_included() -> None:
    bench = Bench()
    (delivery,) = bench.deliveries(FLIGHT.report(KOR, 111.0))
    ring = keyring()
    ring.revoke(key_of(KOR).key_id)
    said = bench.rows.commit(bench.node.renew(Trust(ring, agreements()), now()))
    assert "trust-renewed" in [one.code for one in messages(said, Notice)]
    assert {"bilateral-usa-jpn"} == {a.bundle.arrangement for a in bench.node.arrangements.agreements}
    assert events(bench.give(delivery, 111_000_000)) == {}
    back = bench.rows.commit(bench.node.renew(Trust(keyring(), agreements()), now(1_000_000)))
    assert [one.code for one in messages(back, Notice)] == ["keyring-rollback"]
    bench.node = PictureNode(config(), bench.rows)
    assert {"bilateral-usa-jpn"} == {a.bundle.arrangement for a in bench.node.arrangements.agreements}
    assert events(bench.give(delivery, 112_000_000)) == {}


def test_a_restarted_node_goes_on_where_it_was() -> None:
    bench = Bench()
    bench.see(FLIGHT.report(JPN, 110.0))
    (delivery,) = bench.deliveries(FLIGHT.report(KOR, 111.0))
    before = events(bench.give(delivery, 111_000_000))[None]
    bench.node = PictureNode(config(), bench.rows)
    assert events(bench.give(delivery, 111_500_000)) == {}
    after = events(bench.see(FLIGHT.report(JPN, 112.0)))
    assert after[None].event_id == before.event_id
    assert after[None].revision == before.revision + 1
    assert after[None].contributors == (JPN, KOR)
    assert after[Sharing.ALONE].revision == 2


def test_places_and_life_are_told_by_time_alone() -> None:
    bench = Bench(shadows=False)
    first = events(bench.see(FLIGHT.report(JPN, 110.0)))[None]
    assert [one.place for one in first.places] == ["below"]
    said = [
        (event.revision, event.status)
        for after_s in range(111, 1_200, 5)
        for event in events(bench.tick(after_s * 1_000_000)).values()
    ]
    statuses = [status for _, status in dict.fromkeys(said)]
    assert statuses[:2] == [Status.CONFIRMED, Status.LOST], "the first is told again"
    assert statuses[-1] is Status.ENDED


def test_the_last_word_on_an_event_is_told_again_and_at_once_after_a_start() -> None:
    bench = Bench(shadows=False)
    first = events(bench.see(FLIGHT.report(JPN, 110.0)))[None]
    assert events(bench.tick(113_000_000)) == {}
    assert events(bench.tick(116_000_000)) == {None: first}
    kept = len(bench.rows.log("events"))
    bench.node = PictureNode(config(), bench.rows)
    assert events(bench.tick(116_100_000)) == {None: first}
    assert events(bench.tick(117_000_000)) == {}
    assert len(bench.rows.log("events")) == kept, "nothing new is written for it"


def test_the_journal_stays_bounded_over_many_revisions() -> None:
    bench = Bench()
    for after_s in range(110, 140):
        bench.see(FLIGHT.report(JPN, float(after_s)))
    rows = [key for key in bench.rows.tables[Table.STATE] if not key.startswith("version/")]
    assert len(rows) == 4  # one source, three events

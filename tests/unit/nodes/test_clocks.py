"""A report whose originator's clock is more than a second from the recipient's is taken and never fused.

The real guard, hub and picture; the hub learns of both clocks by its probes, and says so with each delivery
once it knows that the picture reads it.
"""

import msgspec
import pytest

from beaconfire.link.peer_clock import BARRED_US
from beaconfire.messages.codec import decode
from beaconfire.messages.event import Event
from beaconfire.messages.health import Notice
from beaconfire.messages.transfer import Delivery, Probe, Receipt, Restarted, Speaking
from beaconfire.messages.words import LINK_SCHEMA, LINK_SCHEMA_BEFORE, ClockQuality, Lane
from beaconfire.nodes.commands import Channel, Inbound
from release_world import JPN, KOR, now, own, to_hub
from unit.nodes.test_two_hubs import (
    AT_US,
    FLIGHT,
    ONE,
    REPORT,
    Bench,
    deliveries,
    from_hub,
    messages,
)

SECOND_US = 1_000_000


def tell_clocks(bench: Bench, offsets_us: dict[str, int], at_us: int = AT_US) -> None:
    """Let the hub ask, and nations answer with clocks so far off."""
    hub = bench.hubs[ONE]
    for nation, probe in messages(hub.tick(now(at_us)), Probe):
        if nation in offsets_us:
            answered_us = now(at_us).utc_us + offsets_us[nation]
            echo = msgspec.structs.replace(probe, echo=True, answered_at_us=answered_us)
            hub.receive(Inbound(Channel.TO_HUB, nation, probe.lane, echo, 9), now(at_us))


def speak(bench: Bench, schema: int = LINK_SCHEMA) -> None:
    said = Speaking(JPN, ONE, schema)
    bench.hubs[ONE].receive(to_hub(said, JPN), now(AT_US))


def delivered(bench: Bench) -> Delivery:
    commands = bench.guard.receive(own(REPORT, KOR), now(AT_US))
    (sent,) = [one for one in deliveries(commands) if one.recipient == ONE]
    return bench.through(ONE, sent)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("korea_us", "japan_us", "quality"),
    [
        (0, 0, ClockQuality.GOOD),
        (200_000, 0, ClockQuality.FLAGGED),
        (BARRED_US + 1, 0, ClockQuality.BARRED),
        (0, -2 * SECOND_US, ClockQuality.BARRED),
        (86_400 * SECOND_US, 0, ClockQuality.BARRED),
        (3 * SECOND_US, 3 * SECOND_US, ClockQuality.GOOD),
    ],
)
def test_each_delivery_says_how_far_the_two_clocks_are_apart(
    bench: Bench, korea_us: int, japan_us: int, quality: ClockQuality
) -> None:
    tell_clocks(bench, {KOR: korea_us, JPN: japan_us})
    speak(bench)
    assert delivered(bench).clock is quality


def test_before_both_clocks_are_known_it_says_so(bench: Bench) -> None:
    speak(bench)
    assert delivered(bench).clock is ClockQuality.UNKNOWN


def test_a_picture_of_the_schema_before_is_sent_what_it_reads(bench: Bench) -> None:
    tell_clocks(bench, {KOR: 5 * SECOND_US, JPN: 0})
    assert delivered(bench).clock is None


def test_a_picture_that_was_started_again_is_taken_for_one_of_the_schema_before_until_it_speaks(
    bench: Bench,
) -> None:
    speak(bench)
    hub = bench.hubs[ONE]
    hub.receive(to_hub(Restarted(JPN, ONE), JPN), now(AT_US))
    first = delivered(bench)
    assert first.clock is None
    speak(bench)
    again = [one for one in deliveries(hub.tick(now(AT_US + SECOND_US))) if one.recipient == JPN]
    assert [one.clock for one in again] == [ClockQuality.UNKNOWN], "a resend is written anew"
    assert again[0].sequence == first.sequence


def test_a_schema_that_is_not_here_yet_is_spoken_as_far_as_it_is_known(bench: Bench) -> None:
    speak(bench, LINK_SCHEMA + 5)
    assert delivered(bench).clock is not None
    speak(bench, LINK_SCHEMA_BEFORE)
    assert bench.hubs[ONE]._links[JPN].outbox.schema == LINK_SCHEMA_BEFORE


def test_a_picture_says_what_it_reads_when_it_is_started_and_once_a_second(bench: Bench) -> None:
    probe = Probe(ONE, JPN, Lane.FLASH, 1, 1, echo=False)
    first = bench.picture.receive(from_hub(ONE, probe), now(AT_US))
    assert [type(one) for _, one in messages(first, object)][:2] == [Restarted, Speaking]
    said = messages(bench.picture.tick(now(AT_US)), Speaking)
    assert {hub for hub, _ in said} == set(bench.hubs)
    assert all(one.schema == LINK_SCHEMA for _, one in said)


@pytest.mark.parametrize("quality", [None, *ClockQuality])
def test_only_a_barred_report_stays_out_of_the_picture_and_it_is_receipted_and_told_of(
    bench: Bench, quality: ClockQuality | None
) -> None:
    delivery = msgspec.structs.replace(delivered(bench), clock=quality)
    commands = bench.picture.receive(from_hub(ONE, delivery), now(AT_US))
    bench.picture_rows.commit(commands)
    ((_, receipt),) = messages(commands, Receipt)
    assert receipt.sequences == (delivery.sequence,), "it is settled, and not sent again"
    barred = quality is ClockQuality.BARRED
    assert bool(messages(commands, Event)) is not barred
    codes = [notice.code for _, notice in messages(commands, Notice)]
    assert ("clock-barred" in codes) is barred
    assert bench.picture.counters["barred"] == int(barred)
    again = bench.picture.receive(from_hub(ONE, delivery), now(AT_US))
    assert not messages(again, Event)


def test_own_warning_goes_on_beside_a_partner_who_is_barred(bench: Bench) -> None:
    delivery = msgspec.structs.replace(delivered(bench), clock=ClockQuality.BARRED)
    bench.take(ONE, delivery)
    report = FLIGHT.report(JPN, 111.0)
    commands = bench.picture.receive(own(report, JPN), now(AT_US + SECOND_US))
    ((_, event),) = messages(commands, Event)
    assert event.contributors == (JPN,)


def test_a_clock_set_right_lets_the_nation_in_again(bench: Bench) -> None:
    speak(bench)
    tell_clocks(bench, {KOR: 5 * SECOND_US, JPN: 0})
    assert delivered(bench).clock is ClockQuality.BARRED
    tell_clocks(bench, {KOR: 0, JPN: 0}, AT_US + SECOND_US)
    report = FLIGHT.report(KOR, 112.0)
    commands = bench.guard.receive(own(report, KOR), now(AT_US + 2 * SECOND_US))
    (sent,) = [one for one in deliveries(commands) if one.recipient == ONE]
    passed = bench.hubs[ONE].receive(to_hub(sent, KOR, sent.lane), now(AT_US + 2 * SECOND_US))
    (delivery,) = [one for one in deliveries(passed) if one.recipient == JPN]
    assert delivery.clock is ClockQuality.GOOD
    assert isinstance(decode(msgspec.msgpack.encode(delivery)), Delivery)

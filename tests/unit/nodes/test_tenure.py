"""Leases, words and versions at the real guard and hub: who stops releasing, when, and who is told."""

import msgspec
import pytest

from beaconfire.messages.arrangement import ArrangementTemplate
from beaconfire.messages.health import Notice
from beaconfire.messages.transfer import Probe, Suspension
from beaconfire.messages.words import HUB, Lane
from beaconfire.nodes.commands import Command, Deliver, Send
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.nodes.tenure import REFUSED_WORD
from beaconfire.release.arrangements import Agreement
from release_world import (
    JPN,
    KOR,
    T0_US,
    USA,
    MemoryRows,
    agreements,
    guard_config,
    hub_config,
    now,
    own,
    report,
    suspension,
    to_hub,
    to_nation,
)

S = 1_000_000


def notices(commands: list[Command]) -> list[Notice]:
    sent = (one.message for one in commands if isinstance(one, Send))
    return [one for one in sent if isinstance(one, Notice)]


def codes(commands: list[Command]) -> list[str]:
    return [one.code for one in notices(commands)]


def deliveries(commands: list[Command]) -> list[Deliver]:
    return [one for one in commands if isinstance(one, Deliver)]


def echoed(node: GuardNode, after_us: int, answered_us: int | None = None) -> list[Command]:
    """Let the guard ask at a time and be answered at once, or later."""
    asked = [
        one.message
        for one in node.tick(now(after_us))
        if isinstance(one, Send) and isinstance(one.message, Probe) and one.lane is Lane.FLASH
    ]
    (probe,) = asked
    echo = msgspec.structs.replace(probe, echo=True, answered_at_us=now(after_us).utc_us)
    return node.receive(to_nation(echo), now(after_us if answered_us is None else answered_us))


def releases(node: GuardNode, number: int, after_us: int) -> bool:
    return bool(deliveries(node.receive(own(report(number, at_us=T0_US + after_us)), now(after_us))))


@pytest.fixture
def guard() -> GuardNode:
    node = GuardNode(guard_config(), MemoryRows())
    node.tick(now())
    return node


def test_a_guard_that_is_cut_off_goes_on_for_its_lease_and_then_stops(guard: GuardNode) -> None:
    assert releases(guard, 1, 60 * S)
    assert not releases(guard, 2, 61 * S)
    assert guard.counters["refused"] == 1


def test_the_lease_runs_from_when_the_hub_was_asked(guard: GuardNode) -> None:
    echoed(guard, 50 * S, answered_us=55 * S)
    assert releases(guard, 1, 110 * S)
    assert not releases(guard, 2, 111 * S)


def test_the_end_of_a_lease_is_told_once_and_so_is_its_renewal(guard: GuardNode) -> None:
    told = notices(guard.tick(now(61 * S)))
    assert {one.code for one in told} == {"lease-ended"}
    assert any(
        "trilateral: nothing more is released under it while HUB is silent" in one.text for one in told
    )
    assert codes(guard.tick(now(62 * S))) == []
    echoed(guard, 63 * S)
    assert set(codes(guard.tick(now(64 * S)))) == {"lease-renewed"}


def test_what_was_first_stated_without_a_lease_is_news_after_its_renewal(guard: GuardNode) -> None:
    assert not releases(guard, 1, 70 * S)
    echoed(guard, 71 * S)
    (delivery,) = deliveries(guard.receive(own(report(2, at_us=T0_US + 72 * S)), now(72 * S)))
    assert delivery.lane is Lane.FLASH


def test_an_echo_that_nobody_asked_for_renews_nothing(guard: GuardNode) -> None:
    forged = Probe(KOR, HUB, Lane.FLASH, 99, now(59 * S).monotonic_us, echo=True, answered_at_us=T0_US)
    guard.receive(to_nation(forged), now(59 * S))
    assert not releases(guard, 1, 61 * S)


def test_a_lease_is_as_long_as_its_bundle_says() -> None:
    short = tuple(
        Agreement(msgspec.structs.replace(one.bundle, lease_s=5), one.digest) for one in agreements()
    )
    node = GuardNode(msgspec.structs.replace(guard_config(), agreements=short), MemoryRows())
    node.tick(now())
    assert releases(node, 1, 5 * S)
    assert not releases(node, 2, 6 * S)


def test_the_hub_stops_for_an_originator_it_does_not_hear() -> None:
    node = HubNode(hub_config(), MemoryRows())
    node.tick(now())
    assert node.arrangements.between(KOR, JPN, T0_US)
    told = node.tick(now(61 * S))
    assert "lease-ended" in codes(told)
    assert not node.arrangements.between(KOR, JPN, T0_US)
    probes = [one.message for one in told if isinstance(one, Send) and isinstance(one.message, Probe)]
    mine = next(one for one in probes if one.recipient == KOR and one.lane is Lane.FLASH)
    node.receive(to_hub(msgspec.structs.replace(mine, echo=True, answered_at_us=T0_US), KOR), now(62 * S))
    assert node.arrangements.between(KOR, JPN, T0_US)
    assert not node.arrangements.between(JPN, KOR, T0_US)


def test_the_guard_answers_its_operator_and_answers_again(guard: GuardNode) -> None:
    word = suspension(KOR, 7)
    for _ in range(2):
        (told,) = notices(guard.receive(own(word), now()))
        assert told.code == "arrangement-suspended"
        assert told.text.endswith("(word 7)")
    (late,) = notices(guard.receive(own(suspension(KOR, 6, suspended=False)), now()))
    assert late.code == REFUSED_WORD
    assert guard.arrangements.is_suspended("trilateral")


def test_the_operator_says_nothing_in_the_name_of_others(guard: GuardNode) -> None:
    assert guard.receive(own(suspension(JPN, 7)), now()) == []
    assert not guard.arrangements.is_suspended("trilateral")


def test_a_withdrawal_is_not_undone_by_resuming(guard: GuardNode) -> None:
    guard.receive(own(suspension(KOR, 7, final=True, version=1)), now())
    guard.receive(own(suspension(KOR, 8, suspended=False)), now())
    assert guard.arrangements.is_suspended("trilateral")
    assert guard.arrangements.partners(KOR, T0_US) == (USA,)


def test_own_words_go_before_anything_queued_when_the_link_is_back(guard: GuardNode) -> None:
    guard.receive(own(report()), now(1))
    guard.receive(own(suspension(KOR, 7)), now(2))
    sent = [one for one in echoed(guard, 2 * S) if isinstance(one, Send | Deliver)]
    assert isinstance(sent[0], Send)
    assert isinstance(sent[0].message, Suspension)
    assert any(isinstance(one, Deliver) for one in sent[1:])


def test_words_and_versions_survive_a_restart_and_no_older_version_is_held() -> None:
    rows = MemoryRows()
    newer = tuple(
        Agreement(msgspec.structs.replace(one.bundle, version=2), f"newer {one.digest}")
        for one in agreements()
    )
    node = GuardNode(msgspec.structs.replace(guard_config(), agreements=newer), rows)
    rows.commit(node.tick(now()))
    rows.commit(node.receive(own(suspension(KOR, 7)), now()))
    again = GuardNode(msgspec.structs.replace(guard_config(), agreements=newer), rows)
    assert again.arrangements.is_suspended("trilateral")
    older = GuardNode(guard_config(), rows)
    assert older.arrangements.agreements == ()
    assert codes(older.tick(now())).count("arrangement-rollback") == 3
    assert not releases(older, 1, S)


def test_templates_state_a_lease() -> None:
    assert ArrangementTemplate("x", 1, (), (), (), ()).lease_s == 60

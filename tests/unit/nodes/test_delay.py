"""A ROUTINE report that an arrangement delays waits at the hub, by its clocks; a FLASH never does."""

import msgspec
import pytest

from beaconfire.adapters.bundles import shipped_templates
from beaconfire.audit.record import Outcome, decode_record
from beaconfire.messages.codec import decode
from beaconfire.messages.refusal import Reason
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import Lane
from beaconfire.nodes import audit_room
from beaconfire.nodes.commands import Command, Deliver, Now, Table, WakeAt
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.nodes.hub import waiting as waiting_room
from beaconfire.release.arrangements import Agreement, make_bundle, verify_bundle
from release_world import (
    FROM_US,
    JPN,
    KOR,
    T0_US,
    UNTIL_US,
    USA,
    MemoryRows,
    guard_config,
    hub_config,
    keyring,
    keys_of,
    now,
    own,
    report,
    suspension,
    to_hub,
)

DELAY_S = 5
DELAY_US = 1_000_000 * DELAY_S
LATE = f"""
@id("trilateral/late") @delay("{DELAY_S}")
permit (principal, action == Action::"release", resource)
when {{ context.lane == "ROUTINE" && context.group == "provenance" &&
  context.releasable_to.contains(principal) }};"""


def delaying(policies: str = LATE, name: str = "trilateral") -> Agreement:
    """Return the shipped trilateral arrangement with ROUTINE reports some seconds late."""
    template = shipped_templates()["trilateral"]
    flows = tuple(msgspec.structs.replace(one, routine_delay_s=float(DELAY_S)) for one in template.flows)
    text = template.policies + policies
    changed = msgspec.structs.replace(template, arrangement=name, flows=flows, policies=text)
    signed = make_bundle(changed, list(keys_of().values()), valid_from_us=FROM_US, valid_until_us=UNTIL_US)
    return verify_bundle(signed, "test", now_us=T0_US, trusted=keyring())


class World:
    """Korea's guard and a hub under the delaying arrangement, and what reaches Japan."""

    def __init__(self, *agreements: Agreement) -> None:
        held = agreements or (delaying(),)
        self.guard = GuardNode(msgspec.structs.replace(guard_config(), agreements=held), MemoryRows())
        self.rows = MemoryRows()
        self.config = msgspec.structs.replace(hub_config(), agreements=held)
        self.hub = HubNode(self.config, self.rows)
        self.woken_at_us: list[int] = []

    def _done(self, commands: list[Command]) -> list[Delivery]:
        self.rows.commit(commands)
        self.woken_at_us += [one.monotonic_us for one in commands if isinstance(one, WakeAt)]
        sent = [decode(one.body) for one in commands if isinstance(one, Deliver)]
        return [one for one in sent if isinstance(one, Delivery) and one.recipient == JPN]

    def give(self, number: int, after_us: int, one: Report | None = None) -> list[Delivery]:
        """Have Korea say one thing; return what goes to Japan at once."""
        said = one or report(number, at_us=T0_US + after_us)
        sent = [one for one in self.guard.receive(own(said), now(after_us)) if isinstance(one, Deliver)]
        (delivery,) = [decode(one.body) for one in sent]
        assert isinstance(delivery, Delivery)
        return self._done(self.hub.receive(to_hub(delivery, KOR, delivery.lane), now(after_us)))

    def tick(self, at: Now) -> list[Delivery]:
        return self._done(self.hub.tick(at))

    def fates(self) -> list[Reason | Outcome]:
        """Return the fate of each report of Korea towards Japan, in order."""
        records = [decode_record(body) for body in self.rows.log("gave/KOR")]
        return [one.reason or one.outcome for one in records if one.recipient == JPN]


@pytest.fixture
def world() -> World:
    made = World()
    (first,) = made.give(1, 0)
    assert first.lane is Lane.FLASH
    made.rows.tables[Table.OUTBOX].clear()
    return made


def fresh(deliveries: list[Delivery], number: int) -> bool:
    """Return whether a report is among deliveries, resends of others apart."""
    return any(one.report_id == report(number).report_id for one in deliveries)


def test_a_routine_report_leaves_once_its_time_has_come_by_the_clock_passed_in(world: World) -> None:
    assert not world.give(2, 100_000)
    assert world.fates() == [Outcome.DEGRADED], "no record before there is a decision"
    assert not fresh(world.tick(now(100_000 + DELAY_US - 1)), 2)
    late = world.tick(now(100_000 + DELAY_US))
    assert fresh(late, 2)
    assert [one.lane for one in late if one.report_id == report(2).report_id] == [Lane.ROUTINE]
    assert world.fates() == [Outcome.DEGRADED, Outcome.DEGRADED]
    assert not [key for key in world.rows.tables[Table.STATE] if key.startswith("waiting/")]


def test_the_hub_asks_to_be_woken_when_the_time_comes(world: World) -> None:
    world.give(2, 100_000)
    assert now(100_000 + DELAY_US).monotonic_us in world.woken_at_us


def test_a_flash_passes_at_once_whatever_waits(world: World) -> None:
    world.give(2, 100_000)
    changed = report(3, at_us=T0_US + 200_000)
    landed = msgspec.structs.replace(changed, impact=None)
    (passed,) = world.give(3, 200_000, landed)
    assert passed.lane is Lane.FLASH
    assert not fresh(world.tick(now(100_000 + DELAY_US)), 2), "a newer one passed before it"
    assert world.fates() == [Outcome.DEGRADED, Outcome.DEGRADED, Reason.REPLAYED]


@pytest.mark.parametrize("other", ["utc", "monotonic"])
def test_neither_clock_alone_lets_it_out(world: World, other: str) -> None:
    """A clock that is set forward, even by a day, releases nothing early."""
    world.give(2, 100_000)
    soon, due = now(200_000), now(100_000 + DELAY_US)
    half = Now(due.utc_us, soon.monotonic_us) if other == "utc" else Now(soon.utc_us, due.monotonic_us)
    assert not fresh(world.tick(half), 2)
    assert fresh(world.tick(now(100_000 + 2 * DELAY_US)), 2)


def test_a_restart_loses_nothing_and_lets_nothing_out_early(world: World) -> None:
    world.give(2, 100_000)
    world.hub = HubNode(world.config, world.rows)
    at_us = 100_000 + DELAY_US
    assert not fresh(world.tick(now(at_us)), 2)
    assert not fresh(world.tick(now(at_us + DELAY_US - 1)), 2)
    assert fresh(world.tick(now(at_us + DELAY_US)), 2)


def test_what_was_suspended_while_it_waited_does_not_leave(world: World) -> None:
    world.give(2, 100_000)
    said = suspension(USA)
    world._done(world.hub.receive(to_hub(said, USA), now(200_000)))
    assert not fresh(world.tick(now(100_000 + DELAY_US)), 2)
    assert world.fates()[-1] is Reason.NO_ARRANGEMENT


def test_it_passes_only_under_what_was_in_force_when_it_came() -> None:
    """One of two is suspended meanwhile: its obligations would be gone, and more would pass than before."""
    world = World(delaying(), delaying(name="second"))
    world.give(1, 0)
    world.give(2, 100_000)
    said = suspension(USA, arrangement="second")
    world._done(world.hub.receive(to_hub(said, USA), now(200_000)))
    assert not fresh(world.tick(now(100_000 + DELAY_US)), 2)
    assert world.fates() == [Outcome.DEGRADED, Reason.NO_ARRANGEMENT]
    world.give(3, 6_000_000)
    assert fresh(world.tick(now(6_000_000 + DELAY_US)), 3), "what comes after it passes under the other"


def test_a_full_room_lets_the_oldest_go_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_room, "WAITING_MAX", 3)
    for number in range(2, 7):
        assert not world.give(number, 100_000 * number)
    assert world.fates() == [Outcome.DEGRADED, Reason.REPLAYED, Reason.REPLAYED]
    late = world.tick(now(600_000 + DELAY_US))
    assert [fresh(late, number) for number in range(2, 7)] == [False, False, True, True, True]
    assert len([key for key in world.rows.tables[Table.STATE] if key.startswith("waiting/")]) == 0


def test_while_the_audit_is_full_what_waits_stays_and_asks_for_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing passes that can't be recorded; nor does the hub spin until there is room."""
    world.give(2, 100_000)
    monkeypatch.setattr(audit_room, "RECORDS_MAX", 1)
    world.woken_at_us.clear()
    at = now(100_000 + DELAY_US)
    assert not fresh(world.tick(at), 2)
    assert min(world.woken_at_us) > at.monotonic_us + 1
    monkeypatch.undo()
    assert fresh(world.tick(now(200_000 + DELAY_US)), 2)


def test_reports_that_are_ready_leave_in_order_of_coming(world: World) -> None:
    for number in (2, 3):
        world.give(number, 100_000 * number)
    assert fresh(world.tick(now(200_000 + DELAY_US)), 2)
    assert fresh(world.tick(now(300_000 + DELAY_US)), 3)


def test_a_policy_that_would_delay_a_flash_releases_nothing() -> None:
    bad = World(delaying(LATE.replace('context.lane == "ROUTINE" && ', "")))
    config = msgspec.structs.replace(bad.config, agreements=(delaying(),))
    assert not [one for one in bad.guard.receive(own(report()), now()) if isinstance(one, Deliver)]
    honest = GuardNode(msgspec.structs.replace(guard_config(), agreements=config.agreements), MemoryRows())
    bad.guard = honest
    assert not bad.give(1, 0)
    assert bad.fates() == [Reason.UNKNOWN_OBLIGATION]


def test_a_delay_shorter_than_the_flow_demands_is_stopped_by_the_second_check() -> None:
    hasty = World(delaying(LATE.replace(f'"{DELAY_S}"', '"1"')))
    assert hasty.give(1, 0)
    assert not hasty.give(2, 100_000)
    hasty.tick(now(1_200_000))
    assert hasty.fates() == [Outcome.DEGRADED, Reason.SECOND_CHECK]

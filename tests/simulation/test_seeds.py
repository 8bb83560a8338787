"""Seeds of the simulated house: loss, delay, disorder, partitions, crashes; every invariant holds."""

import os
from functools import partial

import msgspec
import pytest

from beaconfire.audit.record import AuditLog
from beaconfire.cli.assess import shipped_agreements
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.report import Report
from beaconfire.messages.words import HUB_INSTANCES, Group, Lane, Nation, Severity, Sharing
from beaconfire.nodes.commands import Append, Channel, Command, Deliver, Inbound, Node, Now, Rows, Send
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import books
from beaconfire.release.cedar import CedarDecider
from beaconfire.sim import engine
from beaconfire.sim.campaign import Campaign, Scenario
from beaconfire.sim.chain import default_rules
from beaconfire.sim.faults import (
    ClockStep,
    Crash,
    Cut,
    FaultPlan,
    Suspend,
    format_plan,
    plan_faults,
    read_plan,
)
from beaconfire.sim.network import Address
from beaconfire.sim.passages import Breach
from beaconfire.sim.scenarios import RESERVED, shipped_scenario
from beaconfire.sim.shrink import shrink
from beaconfire.sim.timeliness import INVARIANT as TIMELINESS
from beaconfire.sim.warned import INVARIANT as WARNED

SEEDS = int(os.environ.get("BEACONFIRE_SEEDS", "100"))
PIECE = 10
KEY_SEED = 1
COSIGNED_IN_VAIN = 43
RELEASED_FROM_MEMORY = b"""{"seed":5170,"faults":[
 {"type":"cut","source":"","destination":"JPN","from_us":3401452,"until_us":8271070},
 {"type":"frailty","share":0.008116470647734603},
 {"type":"full-disk","party":"HUB-1","role":"hub","from_us":14531209,"until_us":16704701},
 {"type":"crash","party":"HUB-2","role":"hub","at_us":7238292,"down_us":1000000000000}]}"""
SEALED_AT_ONE_TIME = b"""{"seed":102516,"faults":[
 {"type":"storm","party":"","from_us":0,"until_us":23635637,"weather":{"to_hub_us":[48218,264186],
  "to_nation_us":[48218,264186],"control_us":[1000,1000],"local_us":1430,"loss":0.18263538920896258,
  "reorder":0.1782646209138251,"reorder_us":2488144}},
 {"type":"cut","source":"JPN","destination":"HUB-1","from_us":4599565,"until_us":6365407},
 {"type":"cut","source":"HUB-1","destination":"JPN","from_us":4599565,"until_us":6365407},
 {"type":"crash","party":"JPN","role":"picture","at_us":9821613,"down_us":112255},
 {"type":"crash","party":"USA","role":"national","at_us":4413727,"down_us":1156173},
 {"type":"clock-step","party":"KOR","at_us":8617249,"by_us":-37185953755},
 {"type":"crash","party":"HUB-2","role":"hub","at_us":5555676,"down_us":1000000000000}]}"""
FLASH_TO_THE_HUB_ALONE = b"""{"seed":203663,"faults":[
 {"type":"storm","party":"","from_us":0,"until_us":11817818,"weather":{"to_hub_us":[22997,292789],
  "to_nation_us":[22997,292789],"control_us":[22997,292789],"local_us":844,"loss":0.17527451528766758,
  "duplicate":0.09592145210535669,"reorder":0.18933392707520613,"reorder_us":1557938}},
 {"type":"pause","party":"JPN","role":"guard","from_us":1011342,"until_us":10230268},
 {"type":"suspend","at_us":10052356},
 {"type":"wipe","party":"USA","role":"picture","at_us":12105327,"down_us":4152456}]}"""
FLASH_OF_A_DEAD_HUB = b"""{"seed":103866,"faults":[
 {"type":"storm","party":"","from_us":7940095,"until_us":8124749,"weather":{"control_us":[22796,106475]}},
 {"type":"cut","source":"","destination":"USA","from_us":7546832,"until_us":10402595},
 {"type":"crash","party":"HUB-1","role":"hub","at_us":6975245,"down_us":614811},
 {"type":"clock-step","party":"USA","at_us":2879655,"by_us":85722877308},
 {"type":"crash","party":"HUB-1","role":"hub","at_us":8948128,"down_us":1000000000000}]}"""
EXPIRED_BY_A_WRONG_CLOCK = b"""{"seed":205815,"faults":[
 {"type":"storm","party":"","from_us":0,"until_us":23635637,"weather":{"to_hub_us":[29643,78022],
  "to_nation_us":[29643,78022],"control_us":[29643,78022],"local_us":865,"loss":0.091655379900729,
  "duplicate":0.029630989228573906,"reorder":0.14627645402705583,"reorder_us":662712}},
 {"type":"pause","party":"KOR","role":"national","from_us":5265405,"until_us":15462599},
 {"type":"clock-step","party":"HUB-1","at_us":14082344,"by_us":6471597746},
 {"type":"wipe","party":"KOR","role":"picture","at_us":10237891,"down_us":1629755}]}"""
TAKEN_BY_ALL = b"""{"seed":205889,"faults":[
 {"type":"storm","party":"","from_us":0,"until_us":5908909,"weather":{"to_hub_us":[4332,250055],
  "control_us":[4332,250055],"loss":0.1683267075623176,"duplicate":0.09455992418212465,
  "reorder":0.18404975456360217,"reorder_us":342766}},
 {"type":"clock-step","party":"KOR","at_us":4238317,"by_us":52891955263},
 {"type":"wipe","party":"HUB-2","role":"hub","at_us":11920530,"down_us":1592125}]}"""
EXPIRED_AT_THE_GUARD = b"""{"seed":106262,"faults":[
 {"type":"cut","source":"JPN","destination":"","from_us":6194980,"until_us":6331585},
 {"type":"crash","party":"JPN","role":"guard","at_us":6467845,"down_us":3183581},
 {"type":"clock-step","party":"JPN","at_us":9082699,"by_us":75207486309}]}"""
WORD_LOST = b"""{"seed":200167,"faults":[
 {"type":"cut","source":"JPN","destination":"","from_us":8974331,"until_us":9082676},
 {"type":"wipe","party":"JPN","role":"picture","at_us":7116304,"down_us":899987}]}"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return shipped_scenario(shipped_agreements(KEY_SEED)[Sharing.TRILATERAL.value], KEY_SEED)


@pytest.fixture(scope="module")
def campaign(scenario: Scenario) -> Campaign:
    return Campaign(scenario)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, SEEDS, PIECE))
def test_every_invariant_holds(campaign: Campaign, first: int) -> None:
    runs = [campaign.run(seed) for seed in range(first, min(first + PIECE, SEEDS))]
    assert sum(bool(run.crashes) for run in runs) > 0.8 * len(runs)
    assert all(run.deliveries for run in runs)
    assert sum(bool(run.confirmed) for run in runs) == len(runs)


@pytest.mark.parametrize("party", ["HUB-1", "JPN"])
def test_a_clock_that_was_wrong_for_a_while_harms_nobody_afterwards(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, party: str
) -> None:
    """Known bad: a node that waits until the time is as late again as it was."""
    plan = FaultPlan(1, (ClockStep(party, 3_000_000, 3_600_000_000, 5_000_000),))
    campaign.run_plan(plan)
    monkeypatch.setattr(engine, "SET_BACK_MAX_US", 10**12)
    with pytest.raises(Breach) as caught:
        campaign.run_plan(plan)
    assert caught.value.invariant == TIMELINESS


def test_the_same_seed_gives_the_same_run(scenario: Scenario) -> None:
    assert Campaign(scenario).run(5) == Campaign(scenario).run(5)


def test_a_guard_that_skips_a_label_is_found(scenario: Scenario) -> None:
    campaign = Campaign(scenario)
    nations = tuple(scenario.rules)
    config = campaign.chain.guard_config(RESERVED)
    careless = msgspec.structs.replace(config, rules=default_rules(nations)[RESERVED])

    def build(rows: Rows) -> Node:
        return GuardNode(careless, rows, CedarDecider(scenario.agreements))

    broken = Campaign(scenario, {Address(RESERVED, "guard"): build})
    with pytest.raises(Breach, match=f"{Group.SENSOR.value} of {RESERVED} leaves for JPN") as caught:
        broken.run(0)
    assert caught.value.invariant == 1


def test_a_hub_that_forgets_the_trilateral_suspension_is_found(scenario: Scenario) -> None:
    """The oracle knows of the suspension; a hub whose arrangements can't be suspended goes on releasing."""
    campaign = Campaign(scenario)

    def build(instance: str, rows: Rows) -> Node:
        hub = campaign.chain.hub(rows, instance)
        hub.arrangements.take = lambda *_, **__: False  # type: ignore[method-assign]
        return hub

    broken = Campaign(scenario, {Address(hub, "hub"): partial(build, hub) for hub in HUB_INSTANCES})
    plans = (plan_faults(seed, broken.field) for seed in range(200))
    early = next(
        plan.seed for plan in plans for one in plan.of(Suspend) if one.at_us < broken.field.span_us // 4
    )
    with pytest.raises(Breach, match="whose right to it is 'no'"):
        broken.run(early)


def test_a_warning_node_that_does_not_know_that_it_is_alone_is_found(campaign: Campaign) -> None:
    """It was started again while its nation is alone, which a notice says every ten seconds."""
    plan = FaultPlan(
        1,
        (
            Cut("", "JPN", 2_000_000, 21_000_000),
            Cut("JPN", "", 2_000_000, 21_000_000),
            Crash("JPN", "warning", 14_100_000, 400_000),
        ),
    )
    campaign.run_plan(plan)

    class Deaf:
        """A warning node that keeps nothing of being alone, and hears of it by notices alone."""

        def __init__(self, rows: Rows) -> None:
            self._node = campaign.chain.warning(Nation("JPN"), rows)
            self._node._life.alone = False

        def receive(self, inbound: Inbound, now: Now) -> list[Command]:
            return [] if isinstance(inbound.message, Health) else self._node.receive(inbound, now)

        def tick(self, now: Now) -> list[Command]:
            return self._node.tick(now)

    broken = Campaign(campaign._scenario, {Address(Nation("JPN"), "warning"): Deaf})
    with pytest.raises(Breach, match="says of being alone: False") as caught:
        broken.run_plan(plan)
    assert caught.value.invariant == WARNED


def test_a_hub_that_forgets_what_it_asked_a_nation_to_cosign_is_found(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nation's word is lost, the hub dies, and its next proof starts where the nation no longer is."""
    restored = books._restored

    def forgetful(name: str, rows: Rows) -> tuple[AuditLog, None]:
        log, _ = restored(name, rows)
        log.growth._offered = 0
        return log, None

    campaign.run(COSIGNED_IN_VAIN)
    monkeypatch.setattr(books, "_restored", forgetful)
    with pytest.raises(Breach, match="accuses a hub that lost nothing"):
        campaign.run(COSIGNED_IN_VAIN)


def test_a_guard_that_does_not_commit_before_it_sends_is_found(scenario: Scenario) -> None:
    """A guard whose audit record is left out of what it commits."""
    campaign = Campaign(scenario)
    nation = Nation("JPN")

    class Hasty:
        """A guard that forgets to write down what it decided."""

        def __init__(self, rows: Rows) -> None:
            self._guard = campaign.chain.guard(nation, rows)

        def receive(self, inbound: Inbound, now: Now) -> list[Command]:
            return [one for one in self._guard.receive(inbound, now) if not isinstance(one, Append)]

        def tick(self, now: Now) -> list[Command]:
            return self._guard.tick(now)

    broken = Campaign(scenario, {Address(nation, "guard"): Hasty})
    with pytest.raises(Breach, match="records") as caught:
        broken.run(0)
    assert caught.value.invariant == 3


def test_a_picture_that_takes_its_own_trackers_statements_of_one_time_for_one_is_found(
    scenario: Scenario,
) -> None:
    campaign = Campaign(scenario)
    nation = Nation("KOR")

    class Coarse:
        """A picture that is told times of ten seconds, and hears several statements as one."""

        def __init__(self, rows: Rows) -> None:
            self._picture = campaign.chain.picture(nation, rows)

        def receive(self, inbound: Inbound, now: Now) -> list[Command]:
            said = inbound.message
            if isinstance(said, Report):
                about_us = said.stated_at_us // 10_000_000 * 10_000_000
                said = msgspec.structs.replace(said, stated_at_us=about_us)
                inbound = msgspec.structs.replace(inbound, message=said)
            return self._picture.receive(inbound, now)

        def tick(self, now: Now) -> list[Command]:
            return self._picture.tick(now)

    broken = Campaign(scenario, {Address(nation, "picture"): Coarse})
    with pytest.raises(Breach, match="its own tracker") as caught:
        broken.run(0)
    assert caught.value.invariant == 4


def test_a_hub_that_loses_what_one_nation_is_owed_and_tells_of_another_is_found(scenario: Scenario) -> None:
    """Known bad: an excuse is of one recipient, not of the whole run."""
    campaign = Campaign(scenario)

    class Lossy:
        """A hub that drops every FLASH towards Korea from its outbox, and tells of expiry towards the USA."""

        def __init__(self, instance: str, rows: Rows) -> None:
            self._instance = instance
            self._hub = campaign.chain.hub(rows, instance)
            self._lane = self._hub._links[Nation("KOR")].outbox._lanes[Lane.FLASH]

        def _lose(self, commands: list[Command]) -> list[Command]:
            for number in list(self._lane.open):
                self._lane.remove(number)
            return [
                one
                for one in commands
                if not (isinstance(one, Deliver) and (one.recipient, one.lane) == ("KOR", Lane.FLASH))
            ]

        def receive(self, inbound: Inbound, now: Now) -> list[Command]:
            return self._lose(self._hub.receive(inbound, now))

        def tick(self, now: Now) -> list[Command]:
            told = Notice("flash-expired", Severity.FAULT, "towards USA", now.utc_us, f"hub/{self._instance}")
            said = Send(Channel.NOTICE, self._instance, Lane.FLASH, told)
            return [said, *self._lose(self._hub.tick(now))]

    broken = Campaign(scenario, {Address(hub, "hub"): partial(Lossy, hub) for hub in HUB_INSTANCES})
    with pytest.raises(Breach, match="never reached KOR") as caught:
        broken.run_plan(FaultPlan(0, ()))
    assert caught.value.invariant == 4


def test_a_hub_that_dies_with_a_release_in_memory_owes_it_to_nobody(scenario: Scenario) -> None:
    """Seed 5170, made small: its disk was full, nothing was receipted, and a newer report arrived."""
    plan = read_plan(RELEASED_FROM_MEMORY, "seed 5170")
    assert Campaign(scenario).run_plan(plan).crashes


def test_a_picture_whose_word_was_lost_says_again_that_its_disk_is_gone(scenario: Scenario) -> None:
    """Seed 200167, made small: it heard the hub while nothing that it said came through."""
    run = Campaign(scenario).run_plan(read_plan(WORD_LOST, "seed 200167"))
    assert run.crashes
    assert run.deliveries


def test_the_newest_arrives_that_was_sealed_at_one_time_with_what_it_overtook(scenario: Scenario) -> None:
    """Seed 102516, made small: a clock set back stood still, and an older report came last to the hub."""
    assert Campaign(scenario).run_plan(read_plan(SEALED_AT_ONE_TIME, "seed 102516")).deliveries


def test_what_went_to_a_nation_on_routine_may_be_replaced_whatever_lane_led_to_the_hub(
    scenario: Scenario,
) -> None:
    """Seed 203663, made small: a disk was lost after it, and the newest of the track came again."""
    assert Campaign(scenario).run_plan(read_plan(FLASH_TO_THE_HUB_ALONE, "seed 203663")).deliveries


def test_what_replaced_a_report_and_was_refused_came_all_the_same(scenario: Scenario) -> None:
    """Seed 103866, made small: an instance that had forgotten made it FLASH and died, a clock a day off."""
    assert Campaign(scenario).run_plan(read_plan(FLASH_OF_A_DEAD_HUB, "seed 103866")).deliveries


@pytest.mark.parametrize(
    ("plan", "name"), [(EXPIRED_BY_A_WRONG_CLOCK, "seed 205815"), (TAKEN_BY_ALL, "seed 205889")]
)
def test_nobody_is_owed_what_expired_by_the_clock_of_who_gave_it_or_what_all_have(
    scenario: Scenario, plan: bytes, name: str
) -> None:
    """Made small: a nation lost its disk and a hub's clock jumped; a hub lost its disk after all had it."""
    assert Campaign(scenario).run_plan(read_plan(plan, name)).deliveries


def test_a_guard_says_that_a_routine_report_expired_with_it(scenario: Scenario) -> None:
    """Seed 106262, made small: it died before a resend, and came back with a clock a day ahead."""
    assert Campaign(scenario).run_plan(read_plan(EXPIRED_AT_THE_GUARD, "seed 106262")).deliveries


def forgetful(scenario: Scenario) -> Campaign:
    """Return a campaign whose disks lose their newest commits with their power."""
    campaign = Campaign(scenario)
    campaign.disk_forgets = 3
    return campaign


def breach_of(campaign: Campaign, plan: FaultPlan) -> Breach | None:
    try:
        campaign.run_plan(plan)
    except Breach as breach:
        return breach
    return None


def test_a_disk_that_does_not_sync_is_found_and_its_plan_shrunk_read_and_run_again(
    scenario: Scenario,
) -> None:
    """Known bad: a journal whose newest commits are gone after a crash loses what it had receipted."""
    campaign = forgetful(scenario)
    plans = (plan_faults(seed, campaign.field) for seed in range(10))
    plan = next(plan for plan in plans if breach_of(campaign, plan) is not None)

    def fails(smaller: FaultPlan) -> bool:
        return breach_of(campaign, smaller) is not None

    small = shrink(plan, fails, tries=12)
    assert len(small.faults) < len(plan.faults)
    again = breach_of(campaign, read_plan(format_plan(small), "plan"))
    assert str(again) == str(breach_of(campaign, small))
    assert breach_of(Campaign(scenario), small) is None, "a sound disk holds"

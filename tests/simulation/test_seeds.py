"""Seeds of the simulated house: loss, delay, disorder, partitions, crashes; every invariant holds."""

import os
from functools import partial

import msgspec
import pytest

from beaconfire.cli.assess import shipped_agreements
from beaconfire.messages.words import HUB_INSTANCES, Group, Nation, Sharing
from beaconfire.nodes.commands import Append, Command, Inbound, Node, Now, Rows
from beaconfire.nodes.guard import GuardNode
from beaconfire.release.cedar import CedarDecider
from beaconfire.sim.campaign import Campaign, Scenario
from beaconfire.sim.chain import default_rules
from beaconfire.sim.faults import FaultPlan, Suspend, format_plan, plan_faults, read_plan
from beaconfire.sim.network import Address
from beaconfire.sim.passages import Breach
from beaconfire.sim.scenarios import RESERVED, shipped_scenario
from beaconfire.sim.shrink import shrink

SEEDS = int(os.environ.get("BEACONFIRE_SEEDS", "100"))
PIECE = 10
KEY_SEED = 1


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return shipped_scenario(shipped_agreements(KEY_SEED)[Sharing.TRILATERAL.value], KEY_SEED)


@pytest.fixture(scope="module")
def campaign(scenario: Scenario) -> Campaign:
    return Campaign(scenario)


@pytest.mark.parametrize("first", range(0, SEEDS, PIECE))
def test_every_invariant_holds(campaign: Campaign, first: int) -> None:
    runs = [campaign.run(seed) for seed in range(first, min(first + PIECE, SEEDS))]
    assert sum(bool(run.crashes) for run in runs) > 0.8 * len(runs)
    assert all(run.deliveries for run in runs)
    assert sum(bool(run.confirmed) for run in runs) == len(runs)


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

"""Seeds of the simulated house: loss, delay, disorder, partitions, crashes; every invariant holds."""

import os

import msgspec
import pytest

from beaconfire.cli.assess import shipped_agreements
from beaconfire.messages.words import Group, Nation, Sharing
from beaconfire.nodes.commands import Append, Command, Inbound, Node, Now, Rows
from beaconfire.nodes.guard import GuardNode
from beaconfire.release.cedar import CedarDecider
from beaconfire.sim.campaign import Campaign, Scenario
from beaconfire.sim.chain import default_rules
from beaconfire.sim.faults import plan_faults
from beaconfire.sim.invariants import Breach
from beaconfire.sim.network import Address
from beaconfire.sim.scenarios import RESERVED, shipped_scenario

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
    assert all(run.crashes for run in runs)
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

    def build(rows: Rows) -> Node:
        hub = campaign.chain.hub(rows)
        hub.arrangements.suspend = lambda *_, **__: False  # type: ignore[method-assign]
        return hub

    broken = Campaign(scenario, {Address("HUB", "hub"): build})
    nations = tuple(scenario.rules)
    start_us, end_us = (scenario.detections[place].measured_at_us for place in (0, -1))
    plans = ((seed, plan_faults(seed, nations, start_us, end_us)) for seed in range(100))
    early = next(
        seed
        for seed, plan in plans
        if plan.suspended_at_us is not None and plan.suspended_at_us < start_us + 5_000_000
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

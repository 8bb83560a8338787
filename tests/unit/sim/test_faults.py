import pytest

from beaconfire.errors import UsageError
from beaconfire.messages.words import HUB_INSTANCES, Nation
from beaconfire.nodes.commands import SET_BACK_MAX_US
from beaconfire.sim.faults import (
    FOR_GOOD_US,
    ClockDrift,
    ClockStep,
    Crash,
    Cut,
    FaultPlan,
    Field,
    Frailty,
    FullDisk,
    Pause,
    Storm,
    Suspend,
    Wipe,
    format_plan,
    plan_faults,
    read_plan,
)

FIELD = Field((Nation("JPN"), Nation("KOR"), Nation("USA")), HUB_INSTANCES, 22_000_000)
PLANS = [plan_faults(seed, FIELD) for seed in range(300)]


def test_a_seed_always_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan_faults(7, FIELD) == PLANS[7]
    assert len({format_plan(plan) for plan in PLANS}) == len(PLANS)


@pytest.mark.parametrize(
    "kind", [Storm, Cut, Crash, Frailty, Pause, FullDisk, ClockStep, ClockDrift, Suspend, Wipe]
)
def test_every_kind_of_fault_is_drawn(kind: type) -> None:
    assert sum(bool(plan.of(kind)) for plan in PLANS) >= 30


def test_partitions_are_also_one_way_and_from_one_instance_alone() -> None:
    cuts = [plan.of(Cut) for plan in PLANS]
    assert any(len(one) == 1 for one in cuts)
    assert any(cut.source in HUB_INSTANCES or cut.destination in HUB_INSTANCES for one in cuts for cut in one)


def test_some_crashes_tear_a_write_and_some_hubs_stay_down() -> None:
    crashes = [crash for plan in PLANS for crash in plan.of(Crash)]
    assert any(crash.torn for crash in crashes)
    gone = [[c for c in plan.of(Crash) if c.down_us == FOR_GOOD_US] for plan in PLANS]
    assert any(gone)
    assert max(len(one) for one in gone) == 1, "one hub must be left"


def test_all_is_over_by_the_end_but_for_a_hub_that_stays_down() -> None:
    for plan in PLANS:
        for fault in plan.faults:
            if isinstance(fault, Storm | Cut | Pause | FullDisk | ClockDrift):
                assert 0 <= fault.from_us < fault.until_us <= FIELD.span_us
            elif isinstance(fault, Crash) and fault.down_us != FOR_GOOD_US:
                assert fault.at_us + fault.down_us <= FIELD.span_us


def test_clocks_are_put_wrong_for_good_and_for_a_while_and_two_at_once() -> None:
    steps = [[one for one in plan.of(ClockStep) if one.at_us] for plan in PLANS]
    assert any(len(one) == 1 and one[0].until_us is None for one in steps)
    assert any(len(one) == 1 and one[0].until_us is not None for one in steps)
    assert any(len({step.party for step in one}) == 2 for one in steps)
    sizes_s = {round(abs(step.by_us) / 1e6) for one in steps for step in one}
    assert min(sizes_s) < 2
    assert max(sizes_s) > 3_600


def test_one_journal_is_lost_and_nobody_else_dies() -> None:
    for plan in PLANS:
        if plan.of(Wipe):
            assert len(plan.of(Wipe)) == 1
            assert not plan.of(Crash)
            assert not plan.of(Frailty)
            for step in plan.of(ClockStep):
                set_back_us = max(-step.by_us, step.by_us if step.until_us is not None else 0)
                assert set_back_us <= SET_BACK_MAX_US, (
                    "a node whose clock is set back further is started anew"
                )


def test_a_plan_is_read_back_as_it_was_written() -> None:
    for plan in PLANS[:50]:
        assert read_plan(format_plan(plan), "plan") == plan


@pytest.mark.parametrize("data", [b"", b"{}", b'{"seed":1,"faults":[{"type":"flood"}]}', b" " * 1_000_001])
def test_what_is_no_plan_is_named(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"plan\.json"):
        read_plan(data, "plan.json")


def test_a_plan_without_faults_is_a_plan() -> None:
    assert FaultPlan(1, ()).of(Crash) == []

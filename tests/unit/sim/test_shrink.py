from beaconfire.messages.words import HUB_INSTANCES, Nation
from beaconfire.sim import shrink as module
from beaconfire.sim.faults import Crash, Cut, FaultPlan, Field, Storm, plan_faults
from beaconfire.sim.shrink import shrink

FIELD = Field((Nation("JPN"), Nation("KOR")), HUB_INSTANCES, 22_000_000)
NEEDED = Crash("KOR", "guard", 5, 10)
CUT = Cut("KOR", "", 0, 8_000_000)


def crowded(*needed: object) -> FaultPlan:
    plan = plan_faults(3, FIELD)
    return FaultPlan(3, (*plan.faults[:4], *needed, *plan.faults[4:]))  # type: ignore[arg-type]


def test_only_what_the_failure_needs_is_left() -> None:
    assert shrink(crowded(NEEDED), lambda plan: NEEDED in plan.faults).faults == (NEEDED,)


def test_two_that_fail_together_stay_together() -> None:
    def fails(plan: FaultPlan) -> bool:
        return NEEDED in plan.faults and any(
            one.source == "KOR" and not one.destination for one in plan.of(Cut)
        )

    assert set(shrink(crowded(NEEDED, CUT), fails).faults) >= {NEEDED}
    assert len(shrink(crowded(NEEDED, CUT), fails).faults) == 2


def test_what_stays_is_made_shorter_and_milder() -> None:
    def fails(plan: FaultPlan) -> bool:
        return any(one.weather.loss > 0 for one in plan.of(Storm))

    (left,) = shrink(plan_faults(3, FIELD), fails).faults
    assert isinstance(left, Storm)
    assert left.weather.duplicate == 0.0
    assert left.weather.loss > 0.0
    assert left.until_us - left.from_us <= 2 * module.SHORTEST_US


def test_the_number_of_runs_is_bounded() -> None:
    runs = 0

    def fails(plan: FaultPlan) -> bool:
        nonlocal runs
        runs += 1
        return runs % 2 == 0 and bool(plan.faults)

    shrink(crowded(*[NEEDED] * 500), fails)
    assert runs <= module.TRIES_MAX

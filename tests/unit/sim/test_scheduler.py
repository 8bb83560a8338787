"""The simulated clock: order of time, then of scheduling."""

from beaconfire.sim.scheduler import Scheduler


def test_order_is_of_time_then_of_scheduling() -> None:
    scheduler = Scheduler(100)
    done: list[str] = []
    scheduler.at(130, lambda: done.append("late"))
    scheduler.at(120, lambda: done.append("first"))
    scheduler.at(120, lambda: done.append("second"))
    scheduler.at(5, lambda: done.append(f"past at {scheduler.now_us}"))
    scheduler.run_until(125)
    assert done == ["past at 100", "first", "second"]
    assert scheduler.now_us == 125
    assert scheduler.next_us() == 130


def test_action_may_schedule_at_its_own_time() -> None:
    scheduler = Scheduler(0)
    done: list[int] = []
    scheduler.at(10, lambda: scheduler.at(10, lambda: done.append(scheduler.now_us)))
    scheduler.run_until(10)
    assert done == [10]


def test_skip_does_what_was_due_afterwards_in_order() -> None:
    scheduler = Scheduler(0)
    done: list[tuple[str, int]] = []
    scheduler.at(20, lambda: done.append(("b", scheduler.now_us)))
    scheduler.at(10, lambda: done.append(("a", scheduler.now_us)))
    scheduler.skip_to(1_000)
    scheduler.run_until(1_000)
    assert sorted(done) == [("a", 1_000), ("b", 1_000)]

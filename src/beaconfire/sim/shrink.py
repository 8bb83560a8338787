"""Make a failing plan of faults small: leave faults out, then make those that stay shorter and milder.

Source: A. Zeller, R. Hildebrandt, IEEE Transactions on Software Engineering 28(2), 2002 (ddmin).
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

import msgspec

from beaconfire.sim.faults import Crash, Fault, FaultPlan, Storm
from beaconfire.sim.network import Weather

TRIES_MAX: Final = 400
SHORTEST_US: Final = 200_000

Fails = Callable[[FaultPlan], bool]
"""Runs a plan and tells whether it still fails in the same way."""


def shrink(plan: FaultPlan, fails: Fails, tries: int = TRIES_MAX) -> FaultPlan:
    """Return a plan that still fails and from which nothing more can be left out.

    Args:
        plan: that fails.
        fails: see there; called with smaller and smaller plans.
        tries: the most calls of it; the smallest plan found until then is returned.
    """
    left = iter(range(tries))
    plan = _fewer(plan, fails, left)
    return _milder(plan, fails, left)


def _fewer(plan: FaultPlan, fails: Fails, tries: Iterator[int]) -> FaultPlan:
    pieces = 2
    while len(plan.faults) > 1:
        smaller = _one_piece_less(plan, pieces, fails, tries)
        if smaller is not None:
            plan, pieces = smaller, max(pieces - 1, 2)
        elif pieces < len(plan.faults):
            pieces = min(2 * pieces, len(plan.faults))
        else:
            break
    return plan


def _one_piece_less(plan: FaultPlan, pieces: int, fails: Fails, tries: Iterator[int]) -> FaultPlan | None:
    count = len(plan.faults)
    bounds = [count * piece // pieces for piece in range(pieces + 1)]
    for start, end in pairwise(bounds):
        rest = msgspec.structs.replace(plan, faults=(*plan.faults[:start], *plan.faults[end:]))
        if next(tries, None) is not None and fails(rest):
            return rest
    return None


def _milder(plan: FaultPlan, fails: Fails, tries: Iterator[int]) -> FaultPlan:
    changed = True
    while changed:
        changed = False
        for place, fault in enumerate(plan.faults):
            for milder in _milder_than(fault):
                faults = (*plan.faults[:place], milder, *plan.faults[place + 1 :])
                candidate = msgspec.structs.replace(plan, faults=faults)
                if next(tries, None) is not None and fails(candidate):
                    plan, changed = candidate, True
                    break
    return plan


def _milder_than(fault: Fault) -> Iterator[Fault]:
    if isinstance(fault, Storm):
        yield from (msgspec.structs.replace(fault, weather=one) for one in _calmer(fault.weather))
    if isinstance(fault, Crash) and fault.torn:
        yield msgspec.structs.replace(fault, torn=False)
    start_us, end_us = getattr(fault, "from_us", None), getattr(fault, "until_us", None)
    if start_us is not None and end_us is not None and end_us - start_us > SHORTEST_US:
        middle_us = (start_us + end_us) // 2
        yield msgspec.structs.replace(fault, until_us=middle_us)
        yield msgspec.structs.replace(fault, from_us=middle_us)


def _calmer(weather: Weather) -> Iterator[Weather]:
    calm = Weather()
    for name in ("loss", "duplicate", "reorder", "to_hub_us", "to_nation_us", "control_us", "local_us"):
        if getattr(weather, name) != getattr(calm, name):
            yield msgspec.structs.replace(weather, **{name: getattr(calm, name)})

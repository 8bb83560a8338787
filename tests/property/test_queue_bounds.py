"""Every queue of the link keeps its bound whatever is offered: ROUTINE gives way, FLASH never does."""

from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beaconfire.adapters import loop as loop_module
from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import Clock
from beaconfire.adapters.loop import Loop, LoopOptions
from beaconfire.adapters.wiring import Heard
from beaconfire.link import intake, lane_queue, outbox
from beaconfire.link.intake import Intake
from beaconfire.link.outbox import Outbox
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import HUB, Lane
from beaconfire.nodes.commands import Channel, Node
from unit.link.test_outbox import released

BOUND = 5
LANES = st.sampled_from(list(Lane))
OFFERS = st.lists(st.tuples(LANES, st.integers(0, 11)), max_size=60)


@pytest.fixture(scope="module", autouse=True)
def _small_bounds() -> object:
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            (outbox, "FLASH_ROWS_MAX"),
            (outbox, "ROUTINE_ROWS_MAX"),
            (lane_queue, "RETAINED_MAX"),
            (intake, "REMEMBERED_MAX"),
            (intake, "GAPS_MAX"),
        ):
            patch.setattr(module, name, BOUND)
        patch.setattr(loop_module, "QUEUE_MAX", dict.fromkeys(Lane, BOUND))
        yield


@given(OFFERS, st.sets(st.integers(0, 59)))
def test_outbox_never_holds_more_and_never_drops_an_accepted_flash(
    offers: list[tuple[Lane, int]], receipted: set[int]
) -> None:
    box = Outbox("KOR", HUB, ())
    flash: list[str] = []
    newest: dict[str, str] = {}
    for number, (lane, track) in enumerate(offers):
        report = f"r{number:03d}"
        put = box.put(
            released(report, lane, track=f"t{track}", sent_us=number), utc_us=0, monotonic_us=number
        )
        if lane is Lane.FLASH:
            full = len(flash) == BOUND
            assert bool(put.refused) is full, "refused at the door when full, and only then"
            flash += [] if full else [report]
        else:
            assert not put.refused, "the newest is always taken"
            newest[f"t{track}"] = report
        assert all(box.queued(one) <= BOUND for one in Lane)
        assert box.open_ids(Lane.FLASH) == flash
        if number in receipted and flash:
            held = box._lanes[Lane.FLASH].open
            first = next(iter(held))
            box.receipt(Receipt(HUB, "KOR", Lane.FLASH, (first,), (), "", b""))
            flash.pop(0)
    held_routine = box._lanes[Lane.ROUTINE].open.values()
    assert all(newest[one.track] == one.report_id for one in held_routine), "newest of each track"
    if offers and offers[-1][0] is Lane.ROUTINE:
        assert f"r{len(offers) - 1:03d}" in {one.report_id for one in held_routine}


@given(st.lists(st.tuples(LANES, st.integers(1, 10**6)), max_size=60))
def test_intake_remembers_no_more_and_owes_no_more(deliveries: list[tuple[Lane, int]]) -> None:
    taken = Intake(HUB, "KOR", ())
    for lane, sequence in deliveries:
        one = Delivery("KOR", HUB, lane, sequence, 1, 0, f"r{sequence}", b"")
        if taken.is_new(one, lane=lane, monotonic_us=sequence):
            taken.settle(one, refused=False, monotonic_us=sequence)
        for state in taken._lanes.values():
            assert max(map(len, state.settled.values())) <= BOUND
            assert len(state.owed) <= BOUND
            assert len(state.missing) <= BOUND


@settings(max_examples=50)
@given(st.lists(LANES, max_size=40))
def test_loop_keeps_the_oldest_flash_and_the_newest_routine(lanes: list[Lane]) -> None:
    held = Loop(cast("Node", SimpleNamespace()), cast("Bus", None), None, Clock(), LoopOptions("KOR", "x"))
    for number, lane in enumerate(lanes):
        held.accept(Heard("event", Channel.EVENT, "KOR", lane), str(number).encode())
    for lane in Lane:
        given_ = [str(number).encode() for number, one in enumerate(lanes) if one is lane]
        kept = [one.body for one in held._queues[lane]]
        assert kept == (given_[:BOUND] if lane is Lane.FLASH else given_[-BOUND:])
    dropped = sum(max(0, lanes.count(lane) - BOUND) for lane in Lane)
    assert held.counters["overflow"] == dropped

"""What must arrive, and that each excuse is of one report, one instance and one recipient."""

from typing import Final

import pytest

from beaconfire.audit.record import AuditRecord, Outcome
from beaconfire.messages.health import Notice
from beaconfire.messages.refusal import Reason
from beaconfire.messages.words import HUB, HUB_INSTANCES, Lane, Nation, Severity
from beaconfire.nodes.commands import Now
from beaconfire.sim.arrivals import HELD_BACK_US, LIMIT_US, Arrivals
from beaconfire.sim.network import Address
from beaconfire.sim.passages import Breach, Passage

JPN, KOR, USA = Nation("JPN"), Nation("KOR"), Nation("USA")
ONE, TWO = HUB_INSTANCES
LIFE_US: Final = 600_000_000
ROUTINE_US: Final = 60_000_000
END_US: Final = 700_000_000


def hold(invariant: int, what: str, *, holds: bool) -> None:
    if not holds:
        raise Breach(invariant, what, END_US)


class Run:
    """Two instances that are up, and reports of Korea's one track, sealed at 0 s and later."""

    def __init__(self, hubs: tuple[str, ...] = HUB_INSTANCES) -> None:
        self.arrivals = Arrivals((JPN, KOR, USA))
        for hub in hubs:
            self.arrivals.called(Address(hub, "hub"), Now(END_US, END_US))

    def give(self, report_id: str = "one", lane: Lane = Lane.FLASH, at_us: int = 0) -> Passage:
        passage = Passage(KOR, "KOR-7F3A", lane, at_us, good_us=(at_us, at_us + LIFE_US))
        self.arrivals.passages[report_id] = passage
        return passage

    def decide(
        self,
        hub: str,
        recipient: Nation,
        lane: Lane = Lane.FLASH,
        *,
        report_id: str = "one",
        refused: Reason | None = None,
    ) -> None:
        record = AuditRecord(
            index=0,
            root_before=b"",
            at_us=0,
            outcome=Outcome.REFUSED if refused else Outcome.RELEASED,
            originator=KOR,
            recipient=recipient,
            report_id=report_id,
            lane=lane,
            reason=refused,
            rule="",
            detail="",
            groups=(),
            degraded=(),
            basis=(),
            digest=b"",
        )
        self.arrivals.committed(Address(hub, "hub"), "gave/KOR", record)
        if refused is None:
            self.arrivals.committed(Address(hub, "hub"), f"given/{recipient}", record)

    def tell(self, party: str, text: str, code: str = "flash-expired", at_us: int = LIFE_US) -> None:
        notice = Notice(code=code, severity=Severity.FAULT, text=text, at_us=at_us, source="")
        role = "hub" if party in HUB_INSTANCES else "guard"
        self.arrivals.told(Address(party, role), notice, Now(at_us, at_us))

    def end(self, *, may_have: bool = True) -> None:
        self.arrivals.hold(hold, END_US, lambda _originator, _recipient: may_have)


@pytest.fixture
def run() -> Run:
    return Run()


def test_what_is_released_flash_must_be_taken(run: Run) -> None:
    passage = run.give()
    run.decide(ONE, JPN)
    with pytest.raises(Breach, match="one of KOR never reached JPN"):
        run.end()
    passage.taken.add(JPN)
    run.end()


def test_what_no_instance_committed_must_reach_one(run: Run) -> None:
    run.give()
    with pytest.raises(Breach, match=f"never reached {HUB}"):
        run.end()


def test_what_an_instance_released_in_memory_alone_is_not_owed(run: Run) -> None:
    """Seed 5170: ROUTINE to the hub, which died with its FLASH in memory; a newer one arrived."""
    run.give(lane=Lane.ROUTINE)
    newer = run.give("two", Lane.ROUTINE, at_us=1_000_000)
    run.decide(ONE, JPN, report_id="two")
    newer.taken.add(JPN)
    run.end()


def test_what_gave_way_to_a_newer_one_that_was_refused_is_not_owed(run: Run) -> None:
    """Seed 200487: one instance died with it, the other's clock was hours off and refused what came later."""
    passage = run.give(lane=Lane.ROUTINE)
    run.decide(ONE, JPN, Lane.ROUTINE)
    run.arrivals.died(Address(ONE, "hub"))
    with pytest.raises(Breach, match="never reached JPN"):
        run.end()
    newer = run.give("two", Lane.ROUTINE, at_us=1_000_000)
    newer.refused.add(ONE)
    with pytest.raises(Breach, match="never reached JPN"):
        run.end()
    newer.refused.add(TWO)
    run.end()
    passage.lane = Lane.FLASH
    with pytest.raises(Breach, match="never reached JPN"):
        run.end()
    passage.lane = Lane.ROUTINE
    run.decide(TWO, JPN, Lane.ROUTINE)
    with pytest.raises(Breach, match="one of KOR never reached JPN"):
        run.end()


def test_what_gave_way_to_a_newer_one_that_was_taken_is_owed_in_the_newer_one(run: Run) -> None:
    """Seed 200204: one took it for FLASH and its clock leapt hours, the other had the newer alone."""
    run.give(lane=Lane.ROUTINE)
    run.decide(ONE, JPN)
    run.tell(ONE, "towards JPN")
    newer = run.give("two", Lane.ROUTINE, at_us=1_000_000)
    run.decide(TWO, JPN, Lane.ROUTINE, report_id="two")
    with pytest.raises(Breach, match="two of KOR never reached JPN"):
        run.end()
    newer.taken.add(JPN)
    run.end()


def test_a_report_that_is_young_may_be_on_its_way(run: Run) -> None:
    run.give(at_us=END_US - LIMIT_US + 1)
    run.end()


def test_only_the_newest_routine_report_of_a_track_is_owed(run: Run) -> None:
    run.give("one", Lane.ROUTINE)
    passage = run.give("two", Lane.ROUTINE, 1_000_000)
    for report_id in ("one", "two"):
        run.decide(ONE, JPN, Lane.ROUTINE, report_id=report_id)
    with pytest.raises(Breach, match="two of KOR never reached JPN"):
        run.end()
    passage.taken.add(JPN)
    run.end()


def test_flash_is_not_replaced_by_a_newer_one_and_routine_is(run: Run) -> None:
    run.give()
    newer = run.give("two", at_us=1_000_000)
    newer.taken.add(JPN)
    for hub in HUB_INSTANCES:
        run.decide(hub, JPN)
        run.decide(hub, JPN, report_id="two")
    with pytest.raises(Breach, match="one of KOR"):
        run.end()
    run.decide(TWO, JPN, Lane.ROUTINE)
    run.end()


@pytest.mark.parametrize(
    ("party", "text", "at_us"),
    [
        (ONE, "towards USA", LIFE_US),
        (TWO, "towards JPN", LIFE_US),
        (ONE, "towards JPN", LIFE_US - 1),
        ("KOR", "one", LIFE_US),
    ],
    ids=["of another recipient", "of an instance without it", "before it had expired", "of its guard"],
)
def test_a_notice_excuses_what_it_speaks_of_and_nothing_else(party: str, text: str, at_us: int) -> None:
    run = Run((ONE,))
    run.give()
    run.decide(ONE, JPN)
    run.tell(party, text, at_us=at_us)
    with pytest.raises(Breach, match="never reached JPN"):
        run.end()
    run.tell(ONE, "towards JPN")
    run.end()


def test_an_instance_that_still_holds_it_owes_it_though_the_other_says_that_it_expired(run: Run) -> None:
    run.give()
    for hub in HUB_INSTANCES:
        run.decide(hub, JPN)
    run.tell(ONE, "towards JPN")
    with pytest.raises(Breach):
        run.end()
    run.arrivals.died(Address(TWO, "hub"))
    run.end()


def test_an_instance_that_never_had_it_owes_it_no_more_once_its_guard_took_it_for_expired(run: Run) -> None:
    run.give()
    run.decide(ONE, JPN)
    run.tell(ONE, "towards JPN")
    guard = Address(KOR, "guard")
    run.arrivals.called(guard, Now(LIFE_US - 1, 0))
    with pytest.raises(Breach, match="never reached JPN"):
        run.end()
    run.arrivals.called(guard, Now(LIFE_US, 0))
    run.arrivals.called(guard, Now(0, 0))
    run.end()


def test_on_routine_a_tenth_of_a_life_is_enough_and_the_notice_is_another(run: Run) -> None:
    run = Run((ONE,))
    run.give(lane=Lane.ROUTINE)
    run.decide(ONE, JPN, Lane.ROUTINE)
    run.tell(ONE, "1 times, towards JPN", "flash-expired")
    run.tell(ONE, "1 times, towards JPN", "routine-expired", at_us=ROUTINE_US - 1)
    with pytest.raises(Breach):
        run.end()
    run.tell(ONE, "1 times, towards JPN", "routine-expired", at_us=ROUTINE_US)
    run.end()


def test_a_notice_of_routine_may_still_be_held_back_at_the_end(run: Run) -> None:
    run = Run((ONE,))
    run.give(lane=Lane.ROUTINE, at_us=END_US - ROUTINE_US)
    run.decide(ONE, JPN, Lane.ROUTINE)
    run.tell(ONE, "1 times, towards JPN", "routine-expired", at_us=END_US - HELD_BACK_US)
    with pytest.raises(Breach):
        run.end()
    run.tell(ONE, "1 times, towards JPN", "routine-expired", at_us=END_US - HELD_BACK_US + 1)
    run.end()


def test_a_guard_names_what_expired_on_the_way_to_the_hub(run: Run) -> None:
    run.give()
    run.tell("KOR", "another")
    with pytest.raises(Breach):
        run.end()
    run.tell("KOR", "another, one")
    run.end()


def test_a_refusal_excuses_towards_who_refused(run: Run) -> None:
    run = Run((ONE,))
    passage = run.give()
    run.decide(ONE, JPN)
    passage.refused.add("USA")
    with pytest.raises(Breach):
        run.end()
    passage.refused.add("JPN")
    run.end()


def test_what_was_withheld_as_expired_or_suspended_since_is_excused_and_for_another_reason_is_not() -> None:
    run = Run()
    run.give()
    run.decide(ONE, JPN)
    run.tell(ONE, "towards JPN")
    run.decide(TWO, JPN, refused=Reason.POLICY_ERROR)
    with pytest.raises(Breach):
        run.end()
    run.end(may_have=False)
    run.decide(TWO, JPN, refused=Reason.EXPIRED)
    run.end()


def test_what_a_lost_disk_held_is_not_there(run: Run) -> None:
    run.give()
    run.decide(ONE, JPN)
    run.arrivals.wiped(Address(ONE, "hub"))
    with pytest.raises(Breach, match=f"never reached {HUB}"):
        run.end()


def test_a_guard_that_dies_takes_with_it_what_it_had_in_memory_unless_an_instance_has_it(run: Run) -> None:
    run.give()
    run.give("two", at_us=1_000_000).taken.add(JPN)
    run.decide(ONE, JPN, report_id="two")
    run.arrivals.forget_unwritten(["one", "two"])
    assert set(run.arrivals.passages) == {"two"}
    assert run.arrivals.orphans == {"one", "two"}
    run.end()

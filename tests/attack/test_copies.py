"""Copies of what was once genuine: replayed, reordered, sent to another partner, out of another exercise.

Whatever an attacker on the link sends again, in whatever order, across restarts from the journal: a picture
takes each report that was meant for it once, and nothing else; a hub passes each on once.
"""

import os
import random
from collections import Counter

import msgspec
import pytest

from beaconfire.messages.codec import decode
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Lane, Mode, Nation
from beaconfire.nodes.commands import RECEIVED_LOG, Command, Deliver
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.nodes.picture import PictureConfig, PictureNode
from beaconfire.release.opening import Opened, open_sealed
from release_world import (
    JPN,
    KOR,
    NATIONS,
    USA,
    MemoryRows,
    agreements,
    guard_config,
    hub_config,
    key_of,
    keyring,
    now,
    own,
    report,
    to_hub,
    to_nation,
)

COPIES = int(os.environ.get("BEACONFIRE_COPIES", "10000"))
REPORTS = 12
DRILLS = ("drill-1", "drill-2")


def delivered(commands: list[Command]) -> list[Delivery]:
    found = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    return [one for one in found if isinstance(one, Delivery)]


class Drill:
    """What guards and hub of one exercise sent."""

    def __init__(self, name: str) -> None:
        self.to_hub: list[Delivery] = []
        self.passed: list[Delivery] = []
        hub = HubNode(hub_config(), MemoryRows())
        guards = {
            nation: GuardNode(msgspec.structs.replace(guard_config(nation), exercise=name), MemoryRows())
            for nation in (KOR, USA)
        }
        for number in range(REPORTS):
            for nation, guard in guards.items():
                said = report(100 * DRILLS.index(name) + number, nation, at_us=now(number * 1_000).utc_us)
                said = msgspec.structs.replace(said, exercise=name)
                at = now(number * 1_000)
                for delivery in delivered(guard.receive(own(said, nation), at)):
                    self.to_hub.append(delivery)
                    self.passed += delivered(hub.receive(to_hub(delivery, nation, delivery.lane), at))


@pytest.fixture(scope="module")
def drills() -> list[Drill]:
    return [Drill(name) for name in DRILLS]


def picture(rows: MemoryRows) -> PictureNode:
    config = PictureConfig(
        nation=JPN,
        mode=Mode.SIMULATED,
        exercise=DRILLS[0],
        key=key_of(JPN),
        keyring=keyring(),
        agreements=agreements(),
        places=(),
        secret=bytes(32),
        shadows=False,
    )
    return PictureNode(config, rows)


def spoilt(delivery: Delivery, chance: random.Random) -> Delivery:
    """Return a copy as it was, or in another frame."""
    change: dict[str, object] = chance.choice(
        [
            {},
            {},
            {"recipient": JPN},
            {"sender": HUB, "recipient": JPN, "hops": 1},
            {"sequence": chance.randint(1, 2**40)},
            {"lane": Lane.ROUTINE},
            {"report_id": report(chance.randint(1, REPORTS)).report_id},
            {"oldest_open": 1, "recipient": JPN},
        ]
    )
    return msgspec.structs.replace(delivery, **change)


def meant_for_japan(drill: Drill) -> set[str]:
    return {one.report_id for one in drill.passed if one.recipient == JPN}


def test_a_picture_takes_each_report_meant_for_it_once_and_no_copy(drills: list[Drill]) -> None:
    chance, rows = random.Random(6), MemoryRows()
    node, counted = picture(rows), Counter[str]()
    pool = [one for drill in drills for one in (*drill.passed, *drill.to_hub)]
    for trial in range(COPIES):
        if chance.random() < 0.002:
            counted.update({name: node.counters[name] for name in ("rejected", "doubled")})
            node = picture(rows)
        copy = spoilt(chance.choice(pool), chance)
        rows.commit(node.receive(to_nation(copy, copy.lane), now(20_000 + trial)))
    counted.update({name: node.counters[name] for name in ("rejected", "doubled")})
    taken = Counter(body.decode() for body in rows.log(RECEIVED_LOG))
    assert taken.keys() <= meant_for_japan(drills[0])
    assert len(taken) > REPORTS
    assert set(taken.values()) == {1}
    assert min(counted.values()) > COPIES / 10, "copies were refused, others known again"


def test_a_hub_passes_each_report_on_once_whatever_is_sent_to_it_again(drills: list[Drill]) -> None:
    chance, rows = random.Random(8), MemoryRows()
    node = HubNode(hub_config(), rows)
    accounts: list[Nation] = [*NATIONS]
    passed: Counter[tuple[str, str]] = Counter()
    for trial in range(COPIES // 4):
        if chance.random() < 0.002:
            node = HubNode(hub_config(), rows)
        copy = spoilt(chance.choice([*drills[0].to_hub, *drills[0].passed]), chance)
        account = chance.choice([*accounts, copy.sender])
        commands = node.receive(to_hub(copy, account, copy.lane), now(20_000 + trial))
        rows.commit(commands)
        passed.update((one.recipient, one.report_id) for one in delivered(commands))
    assert set(passed.values()) == {1}
    originators = {one.report_id: one.sender for one in drills[0].to_hub}
    assert all(report_id in originators for _, report_id in passed)
    assert not [one for one, report_id in passed if originators[report_id] == one]


def test_known_bad_a_picture_of_no_exercise_takes_the_copies_of_both(drills: list[Drill]) -> None:
    """The harness would see it: without its exercise nothing holds the other drill's reports apart."""
    opened = [
        open_sealed(
            one.sealed,
            recipient=JPN,
            keyring=keyring(),
            now_us=now(20_000).utc_us,
            mode=Mode.SIMULATED,
            arrangements=node.arrangements,
            hops=1,
        )
        for node in [picture(MemoryRows())]
        for one in drills[1].passed
        if one.recipient == JPN
    ]
    assert opened
    assert all(isinstance(one, Opened) for one in opened)

"""Audit logs near their bound and at it: told, and then nothing is released while a nation warns itself."""

from pathlib import Path

import pytest

from beaconfire.audit.record import RECORDS_MAX, RECORDS_NEAR, AuditLog
from beaconfire.audit.seam import Seam, seam_row
from beaconfire.messages.codec import decode
from beaconfire.messages.event import Event
from beaconfire.messages.health import Notice
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import Lane
from beaconfire.nodes import audit_room
from beaconfire.nodes.audit_room import REPEAT_US, AuditRoom
from beaconfire.nodes.commands import (
    Append,
    Channel,
    Command,
    Deliver,
    Inbound,
    Keep,
    Send,
    Table,
    Unreadable,
)
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.nodes.picture import PictureConfig, PictureNode
from release_world import (
    JPN,
    KOR,
    MemoryRows,
    agreements,
    guard,
    guard_config,
    hub_config,
    key_of,
    keyring,
    now,
    own,
    report,
    to_hub,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a log be full with eight records."""
    monkeypatch.setattr(audit_room, "RECORDS_MAX", 8)
    monkeypatch.setattr(audit_room, "RECORDS_NEAR", 4)


def codes(commands: list[Command]) -> list[str]:
    said = [one.message for one in commands if isinstance(one, Send)]
    return [one.code for one in said if isinstance(one, Notice) and one.code.startswith("audit-")]


def deliveries(commands: list[Command]) -> list[Delivery]:
    found = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    return [one for one in found if isinstance(one, Delivery)]


def test_a_change_is_told_once_and_again_only_after_a_while() -> None:
    log = AuditLog("gave/KOR")
    room = AuditRoom([AuditLog("given/KOR"), log])
    assert room.look(0) == []
    for _ in range(4):
        log.growth.append(b"x")
    assert [one.code for one in room.look(1)] == ["audit-near-full"]
    assert room.look(REPEAT_US) == []
    assert [one.code for one in room.look(REPEAT_US + 1)] == ["audit-near-full"]
    for _ in range(4):
        log.growth.append(b"x")
    assert room.full
    assert [one.code for one in room.look(REPEAT_US + 2)] == ["audit-full"]
    log.moved = 8
    assert [one.code for one in room.look(REPEAT_US + 3)] == ["audit-room-again"]
    assert room.look(REPEAT_US + 4) == []


def test_a_guard_at_the_bound_releases_nothing_and_its_nation_warns_itself() -> None:
    rows = MemoryRows()
    node = GuardNode(guard_config(), rows)
    for number in range(1, 9):
        assert deliveries(rows.commit(node.receive(own(report(number)), now(number))))
    assert codes(node.tick(now(10))) == ["audit-full"]
    assert node.receive(own(report(9)), now(11)) == []
    assert node.counters["unrecorded"] == 1
    config = PictureConfig(
        nation=KOR,
        mode=guard_config().mode,
        exercise="",
        key=key_of(KOR),
        keyring=keyring(),
        agreements=agreements(),
        places=(),
        secret=b"p" * 32,
    )
    said = PictureNode(config, MemoryRows()).receive(own(report(9)), now(11))
    assert any(isinstance(one, Send) and isinstance(one.message, Event) for one in said)


def test_a_hub_at_the_bound_leaves_reports_to_their_senders_and_takes_them_once_there_is_room() -> None:
    rows = MemoryRows()
    node, korea = HubNode(hub_config(), rows), guard()
    sent = [deliveries(korea.receive(own(report(number)), now(number)))[0] for number in range(1, 6)]
    told: list[str] = []
    for number, delivery in enumerate(sent[:4], start=1):
        assert deliveries(rows.commit(node.receive(to_hub(delivery, KOR, delivery.lane), now(number))))
        told += codes(rows.commit(node.tick(now(number))))
    assert told == ["audit-near-full", "audit-full"]
    left = node.receive(to_hub(sent[4], KOR, sent[4].lane), now(9))
    assert not [one for one in left if isinstance(one, Append | Keep | Deliver)], "neither taken nor refused"
    assert node.counters["left"] == 1
    node.rotated({"gave/KOR": 7, "given/JPN": 2})
    assert deliveries(node.receive(to_hub(sent[4], KOR, sent[4].lane), now(10))), "told while it runs"
    log = AuditLog("gave/KOR", rows.logs["gave/KOR"])
    key, body = seam_row(Seam("gave/KOR", log.size, log.growth.spans()))
    rows.tables[Table.STATE][key] = body
    rows.logs["gave/KOR"] = []
    again = HubNode(hub_config(), rows)
    taken = again.receive(to_hub(sent[4], KOR, sent[4].lane), now(12))
    assert deliveries(taken)
    assert sum(isinstance(one, Append) and one.log == "gave/KOR" for one in taken) == 2


def test_who_fills_its_own_log_with_rubbish_stops_itself_alone() -> None:
    node = HubNode(hub_config(), MemoryRows())
    for number in range(20):
        rubbish = Unreadable(b"\xc1%d" % number, "schema: rubbish")
        node.receive(Inbound(Channel.TO_HUB, KOR, Lane.FLASH, rubbish, 1), now(number * 1_000_000))
    korean, japanese = guard(KOR), guard(JPN)
    (one,) = deliveries(korean.receive(own(report(1, KOR), KOR), now(30_000_000)))
    assert node.receive(to_hub(one, KOR, one.lane), now(31_000_000)) == []
    assert node._links[KOR].books.gave.held == 8, "and its log grows no more"
    (other,) = deliveries(japanese.receive(own(report(1, JPN), JPN), now(32_000_000)))
    assert deliveries(node.receive(to_hub(other, JPN, other.lane), now(33_000_000)))


def test_a_full_log_of_what_a_nation_was_given_stops_all() -> None:
    logs = {name: AuditLog(name) for name in ("gave/JPN", "gave/KOR", "given/JPN", "given/KOR")}
    room = AuditRoom(list(logs.values()))
    for _ in range(8):
        logs["given/JPN"].growth.append(b"x")
    assert room.is_full_for("gave/JPN")
    assert room.is_full_for("gave/KOR")


def test_the_bounds_are_those_that_the_docs_state() -> None:
    assert (RECORDS_MAX, RECORDS_NEAR) == (500_000, 400_000)
    text = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()
    assert "500,000" in text
    assert "400,000" in text

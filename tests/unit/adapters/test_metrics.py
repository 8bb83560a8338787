"""`/metrics`, read by Prometheus's own parser; the dashboard asks only for what is there."""

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from beaconfire.adapters.web.broadcast import Broadcast
from beaconfire.adapters.web.metrics import families_of, format_families
from beaconfire.messages.codec import Message
from beaconfire.messages.health import Notice
from beaconfire.messages.words import Lane, Severity
from beaconfire.nodes.commands import Channel, Inbound
from beaconfire.nodes.display import DisplayFacts, DisplayNode
from browser.flight import JPN, PLACES, SENSORS, Flight, event, health
from browser.served import EventClock

LAUNCH_US = 1_664_835_700_000_000


class Book:
    """An audit with a flaw."""

    def refresh(self) -> bool:
        return False

    def about(self, report_id: str) -> list[dict[str, object]]:
        del report_id
        return []

    def recent(self) -> list[dict[str, object]]:
        return []

    def chain(self) -> dict[str, object]:
        return {"records": 7, "logs": ["guard/JPN"], "flaw": "broken"}


def text_of_a_display() -> str:
    clock = EventClock(LAUNCH_US, 1.0)
    node = DisplayNode(JPN, DisplayFacts(PLACES, SENSORS))
    said: list[tuple[Channel, Message]] = [
        (Channel.EVENT, event(Flight(LAUNCH_US), 199.0, 2)),
        (Channel.EVENT, event(Flight(LAUNCH_US), 190.0, 1)),
        (Channel.HEALTH, health('guard/"J\\P\nN', LAUNCH_US)),
        (Channel.NOTICE, Notice("x", Severity.FAULT, "text", LAUNCH_US, "guard/JPN")),
    ]
    for channel, message in said:
        node.receive(Inbound(channel, JPN, Lane.FLASH, message, 100), clock())
    broadcast = Broadcast(node, clock, 1.0, {})
    return format_families(families_of(node.snapshot(clock()), broadcast, Book()))


def test_prometheus_reads_it() -> None:
    families = {one.name: one for one in text_string_to_metric_families(text_of_a_display())}
    events = {one.labels["status"]: one.value for one in families["beaconfire_events"].samples}
    assert events == {"CONFIRMED": 1, "TENTATIVE": 0, "LOST": 0, "ENDED": 0}
    (rejected,) = families["beaconfire_rejected"].samples
    assert (rejected.labels["code"], rejected.value) == ("old-revision", 1)
    up = families["beaconfire_link_up"].samples
    assert {one.labels["lane"]: one.value for one in up} == {"FLASH": 1, "ROUTINE": 1}
    assert up[0].labels["source"] == 'guard/"J\\P\nN'
    assert families["beaconfire_link_round_trip_seconds"].samples[0].value == 0.0032
    assert families["beaconfire_audit_whole"].samples[0].value == 0


def test_the_dashboard_asks_only_for_what_is_there(root: Path) -> None:
    dashboard = json.loads((root / "docs" / "grafana" / "beaconfire.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
        for name in re.findall(r"beaconfire_\w+", target["expr"])
    }
    there = set(re.findall(r"^# TYPE (\w+)", text_of_a_display(), re.MULTILINE))
    assert len(asked) > 6
    assert asked <= there
    assert "SIMULATED" in dashboard["title"] or "notional" in dashboard["description"]

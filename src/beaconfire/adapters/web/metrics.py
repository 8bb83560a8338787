"""`/metrics`: the state of one display, its nodes and links for Prometheus.

Source: Prometheus, "Exposition formats", text format version 0.0.4. Base units: seconds, counts.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beaconfire.adapters.web.broadcast import Broadcast
from beaconfire.adapters.web.shapes import Audit
from beaconfire.messages.words import Severity, Status
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import DisplayNode, DisplaySnapshot

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[dict[str, str], float]
Family = tuple[str, str, str, list[Sample]]
"""Name without prefix, type, help, samples."""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def format_families(families: Iterable[Family]) -> str:
    """Return families in the text format, each with its help and type line."""
    lines: list[str] = []
    for name, kind, about, samples in families:
        lines += [f"# HELP beaconfire_{name} {about}", f"# TYPE beaconfire_{name} {kind}"]
        for labels, value in samples:
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"beaconfire_{name}{{{inside}}} {value:.12g}")
    return "\n".join(lines) + "\n"


def families_of(shown: DisplaySnapshot, broadcast: Broadcast, audit: Audit | None) -> list[Family]:
    """Return what one display has to say.

    Args:
        shown: snapshot with its events.
        broadcast: the sockets.
        audit: of the own nation, or None.
    """
    nation = {"nation": str(shown.nation), "mode": shown.mode.value}
    statuses = Counter(one.event.status for one in shown.events)
    oldest_s = max((one.age_s for one in shown.events if one.event.status is Status.CONFIRMED), default=0.0)
    severities = Counter(notice.severity for notice in shown.notices)
    found: list[Family] = [
        (
            "events",
            "gauge",
            "Events held, by state.",
            [(nation | {"status": s.value}, statuses[s]) for s in Status if s is not Status.WITHDRAWN],
        ),
        (
            "event_age_seconds_max",
            "gauge",
            "Age of the oldest confirmed event's newest revision.",
            [(nation, oldest_s)],
        ),
        ("changes_total", "counter", "Changes shown since the start.", [(nation, shown.sequence)]),
        (
            "rejected_total",
            "counter",
            "Messages refused, by reason.",
            [(nation | {"code": c}, n) for c, n in shown.rejected.items()],
        ),
        (
            "notices",
            "gauge",
            "Notices held, by severity.",
            [(nation | {"severity": s.value}, severities[s]) for s in Severity],
        ),
        ("pages", "gauge", "Pages that are open.", [(nation, broadcast.clients)]),
        ("frames_total", "counter", "Frames queued for pages.", [(nation, broadcast.frames)]),
        ("resyncs_total", "counter", "Times that all pages had to read anew.", [(nation, broadcast.resyncs)]),
    ]
    return found + _nodes(shown) + _links(shown) + ([] if audit is None else _audit(nation, audit))


def _nodes(shown: DisplaySnapshot) -> list[Family]:
    nodes = [(one, {"source": one.health.source}) for one in shown.health]
    counters = [
        (labels | {"name": name}, float(count))
        for one, labels in nodes
        for name, count in one.health.counters.items()
    ]
    return [
        (
            "node_silent_seconds",
            "gauge",
            "Since a node last spoke of itself.",
            [(at, one.age_s) for one, at in nodes],
        ),
        ("node_count", "gauge", "A node's own counts since its start.", counters),
    ]


def _links(shown: DisplaySnapshot) -> list[Family]:
    links = [
        (link, {"source": one.health.source, "peer": link.peer, "lane": link.lane.value})
        for one in shown.health
        for link in one.health.links
    ]
    trips = [(at, link.round_trip_ms / 1e3) for link, at in links if link.round_trip_ms is not None]
    silent = [(at, link.silent_for_s) for link, at in links if link.silent_for_s is not None]
    return [
        (
            "link_up",
            "gauge",
            "1 while the newest probe was answered in time.",
            [(at, float(link.up)) for link, at in links],
        ),
        ("link_round_trip_seconds", "gauge", "Of the last answered probe.", trips),
        ("link_silent_seconds", "gauge", "Since anything was heard.", silent),
        ("link_queued", "gauge", "Rows in the outbox.", [(at, float(link.queued)) for link, at in links]),
    ]


def _audit(nation: dict[str, str], audit: Audit) -> list[Family]:
    chain = audit.chain()
    return [
        ("audit_records_total", "counter", "Audit records read and checked.", [(nation, chain["records"])]),
        ("audit_whole", "gauge", "1 while the audit chain holds.", [(nation, float(not chain["flaw"]))]),
    ]


def metrics_route(
    display: DisplayNode, clock: Callable[[], Now], broadcast: Broadcast, audit: Audit | None
) -> Route:
    """Return the route `/metrics` over one display."""

    async def answer(_: Request) -> Response:
        families = families_of(display.snapshot(clock()), broadcast, audit)
        return Response(format_families(families), headers={"content-type": CONTENT_TYPE})

    return Route("/metrics", answer)

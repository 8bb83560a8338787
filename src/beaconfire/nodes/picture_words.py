"""What a picture node tells its operators: of refused reports, of clocks, gaps, silence, disagreement."""

from beaconfire.fusion.live import Revised
from beaconfire.link.intake import Gap
from beaconfire.link.peer_clock import BARRED_US
from beaconfire.messages.health import Arguments
from beaconfire.messages.refusal import Reason
from beaconfire.messages.report import Report
from beaconfire.messages.words import Severity
from beaconfire.nodes.voice import Said


def report_refused(count: int, reason: Reason) -> Said:
    """Return that delivered reports were refused, the last of them for a reason."""
    text = f"delivered reports were refused: {count}, the last for {reason.value}"
    return Said("report-refused", Severity.CAUTION, text, {"count": count, "reason": reason.value})


def clock_barred(report: Report, count: int) -> Said:
    """Return that reports are kept out of the fusion for the clock of who gave them, this one last."""
    who = f"{report.originator} reports {report.track}"
    text = f"{who}, with a clock more than 1 s from the own one: not in the picture ({count} reports)"
    about: Arguments = {
        "party": report.originator,
        "track": report.track,
        "count": count,
        "limit_ms": BARRED_US // 1_000,
    }
    return Said("clock-barred", Severity.FAULT, text, about)


def missing(gap: Gap) -> Said:
    """Return that deliveries which the sender numbered did not come."""
    count = len(gap.sequences)
    text = f"{count} deliveries of {gap.sender} on {gap.lane.value} did not come"
    about: Arguments = {"party": gap.sender, "lane": gap.lane.value, "count": count}
    return Said("gap", Severity.CAUTION, text, about)


def sources_disagree(revised: Revised) -> Said:
    """Return that some sources of an event can't be reconciled with the others."""
    named = ", ".join(key.track for key in revised.disagreeing)
    event = revised.event.event_id[:6]
    text = f"{named} disagrees with the rest of {event}: the area covers both"
    return Said("sources-disagree", Severity.CAUTION, text, {"track": named, "event": event})


def hubs_heard(lost: frozenset[str], *, alone: bool | None) -> list[Said]:
    """Return what is to be said of which instances of the hub are heard.

    That none is heard, or one again, has no arguments: the warning node acts on it, and must understand it
    whatever link schema it reads.

    Args:
        lost: instances that are not heard while another is.
        alone: whether no instance is heard, None if that has not changed.
    """
    if alone:
        text = "nothing comes from the hub: the picture rests on own sensors, warning goes on alone"
        return [Said("link-down", Severity.FAULT, text)]
    said = [Said("link-up", Severity.INFORMATION, "the hub is heard")] if alone is False else []
    if lost:
        named = ", ".join(sorted(lost))
        text = f"nothing comes from {named}: the other instance carries all"
        said.append(Said("hub-instance-down", Severity.CAUTION, text, {"hub": named}))
    elif alone is None:
        text = "every instance of the hub is heard"
        said.append(Said("hub-instance-up", Severity.INFORMATION, text))
    return said

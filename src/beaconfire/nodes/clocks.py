"""What both ends of a link say when their clocks part, and when they agree again."""

from beaconfire.link.peer_clock import PeerClock
from beaconfire.messages.words import Severity
from beaconfire.nodes.voice import Said


def clock_said(
    clock: PeerClock, party: str, hub: str, *, named: str, severity: Severity = Severity.CAUTION
) -> Said | None:
    """Return what is to be said now of the clocks of a nation and an instance of the hub, None if nothing is.

    Args:
        clock: of the peer, as the end that speaks knows it.
        party: the nation.
        hub: the instance.
        named: the two in English, as the end that speaks names them.
        severity: of their being apart.
    """
    off = clock.changed()
    if off is None:
        return None
    if not off:
        text = f"{named}: together again"
        return Said("clock-well", Severity.INFORMATION, text, {"party": party, "hub": hub})
    apart_ms = round(abs(clock.offset_ms or 0.0))
    text = f"{named}: {apart_ms:,} ms apart"
    return Said("clock-off", severity, text, {"party": party, "hub": hub, "offset_ms": apart_ms})

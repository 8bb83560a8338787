"""What an end says of what it refused, and what it says when the other end refuses."""

from typing import Final

from beaconfire.messages.refusal import Reason
from beaconfire.messages.transfer import Delivery, Refusal
from beaconfire.messages.words import Severity
from beaconfire.nodes.repetition import Repetition
from beaconfire.nodes.voice import Said

REPORT_ID_MAX: Final = 64
NONE: Final = "none"
"""Value of an argument where there is no report: the words of each language know it."""


def refusal_of(delivery: Delivery, refuser: str, reason: Reason) -> Refusal:
    """Return the word of one who keeps no audit log to the sender of a delivery that was refused."""
    return Refusal(refuser, delivery.sender, delivery.report_id[:REPORT_ID_MAX], reason, "", 0)


class RefusalsHeard:
    """What was heard to be refused, said again at most every ten seconds for each end that refuses."""

    def __init__(self, *, by_hub: bool) -> None:
        """Start with nothing heard; it is instances of the hub that refuse, or else nations."""
        self._by_hub = by_hub
        self._repetition = Repetition()
        self._last: dict[str, Refusal] = {}

    def hear(self, refusal: Refusal, monotonic_us: int) -> list[Said]:
        """Return what to say of a refusal now, or nothing."""
        self._last[refusal.sender] = refusal
        return self._said(refusal, self._repetition.count_to_say(refusal.sender, monotonic_us))

    def left(self, monotonic_us: int) -> list[Said]:
        """Return what is still to be said of those who refuse no more."""
        return [
            said
            for refuser, last in self._last.items()
            for said in self._said(last, self._repetition.left_to_say(refuser, monotonic_us))
        ]

    def _said(self, last: Refusal, count: int) -> list[Said]:
        if not count:
            return []
        return [_of_hub(last, count) if self._by_hub else _of_partner(last, count)]


def _of_hub(last: Refusal, count: int) -> Said:
    return Said(
        "refused-by-hub",
        Severity.FAULT,
        _words(last, count),
        {
            "hub": last.sender,
            "count": count,
            "report": last.report_id[:REPORT_ID_MAX] or NONE,
            "reason": last.reason.value,
            "log": last.log[:REPORT_ID_MAX] or "—",
            "record": last.index,
        },
    )


def _of_partner(last: Refusal, count: int) -> Said:
    return Said(
        "refused-by-partner",
        Severity.FAULT,
        _words(last, count),
        {
            "party": last.sender,
            "count": count,
            "report": last.report_id[:REPORT_ID_MAX] or NONE,
            "reason": last.reason.value,
        },
    )


def _words(last: Refusal, count: int) -> str:
    what = f"report {last.report_id[:REPORT_ID_MAX]}" if last.report_id else "a message"
    where = f", record {last.index} of {last.log[:REPORT_ID_MAX]}" if last.log else ""
    return f"{last.sender} refused {count}, the last {what}: {last.reason.value}{where}"

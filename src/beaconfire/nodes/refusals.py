"""What an end says of what it refused, and what it says when the other end refuses."""

from typing import Final

from beaconfire.messages.refusal import Reason
from beaconfire.messages.transfer import Delivery, Refusal
from beaconfire.nodes.repetition import Repetition

REPORT_ID_MAX: Final = 64


def refusal_of(delivery: Delivery, refuser: str, reason: Reason) -> Refusal:
    """Return the word of one who keeps no audit log to the sender of a delivery that was refused."""
    return Refusal(refuser, delivery.sender, delivery.report_id[:REPORT_ID_MAX], reason, "", 0)


class RefusalsHeard:
    """What was heard to be refused, said again at most every ten seconds for each end that refuses."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._repetition = Repetition()
        self._last: dict[str, Refusal] = {}

    def hear(self, refusal: Refusal, monotonic_us: int) -> str:
        """Return what to say of a refusal now, or nothing."""
        self._last[refusal.sender] = refusal
        return _words(refusal, self._repetition.count_to_say(refusal.sender, monotonic_us))

    def left(self, monotonic_us: int) -> list[str]:
        """Return what is still to be said of those who refuse no more."""
        said = [
            _words(last, self._repetition.left_to_say(refuser, monotonic_us))
            for refuser, last in self._last.items()
        ]
        return [words for words in said if words]


def _words(last: Refusal, count: int) -> str:
    if not count:
        return ""
    what = f"report {last.report_id[:REPORT_ID_MAX]}" if last.report_id else "a message"
    where = f", record {last.index} of {last.log[:REPORT_ID_MAX]}" if last.log else ""
    return f"{last.sender} refused {count}, the last {what}: {last.reason.value}{where}"

"""Whether anything is refused for its time although all clocks are right again."""

from typing import Final

from beaconfire.audit.record import AuditRecord, Outcome
from beaconfire.messages.health import Notice
from beaconfire.messages.refusal import Reason
from beaconfire.messages.words import TimeUs

INVARIANT: Final = 8
REASONS: Final = frozenset({Reason.NOT_YET_VALID, Reason.EXPIRED})
CODES: Final = frozenset({"detection-clock", "detection-future", "detection-too-old"})


class Timeliness:
    """Looks at what is refused since a time."""

    def __init__(self, right_from_us: TimeUs | None) -> None:
        """Take the simulated time from which on all clocks are right; None if they never are."""
        self._right_from_us = right_from_us

    def _are_clocks_right(self, at_us: TimeUs) -> bool:
        return self._right_from_us is not None and at_us >= self._right_from_us

    def is_kept_by(self, notice: Notice, at_us: TimeUs) -> bool:
        """Return whether a notice given then says of no detection that it is from the wrong time."""
        return notice.code not in CODES or not self._are_clocks_right(at_us)

    def is_kept_in(self, record: AuditRecord, sealed_at_us: TimeUs) -> bool:
        """Return whether a record refuses no report for its time that was sealed then."""
        refused = record.outcome is Outcome.REFUSED and record.reason in REASONS
        return not refused or not self._are_clocks_right(sealed_at_us)

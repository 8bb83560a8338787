"""What the invariants keep of each report on its way, and how they say that one does not hold."""

from collections.abc import Mapping

import msgspec

from beaconfire.messages.transfer import Standing, Suspension
from beaconfire.messages.words import HUB, Lane, Nation, TimeUs


class Breach(AssertionError):
    """An invariant does not hold.

    Attributes:
        invariant: its number in the module's list.
        at_us: simulated time.
    """

    def __init__(self, invariant: int, what: str, at_us: TimeUs) -> None:
        """Name the invariant, what was seen and when."""
        self.invariant = invariant
        self.at_us = at_us
        super().__init__(f"invariant {invariant} at {at_us}: {what}")


class Passage(msgspec.Struct):
    """One report on its way, from the guard that released it.

    Attributes:
        originator: whose.
        track: of the report.
        lane: it went to the hub on.
        sent_at_us: when it was sealed, on the simulated clock.
        good_us: from when to when it is good, by its originator's clock; None before it left.
        at_hubs: instances of the hub that have it on their disk.
        refused: parties whose receipt refused it.
        released: lanes on which it is released on an instance's disk, by instance and recipient.
        replaceable: recipients to which an instance released it on ROUTINE, where a newer one replaces it.
        taken: nations that committed it.
    """

    originator: Nation
    track: str
    lane: Lane
    sent_at_us: TimeUs
    good_us: tuple[TimeUs, TimeUs] | None = None
    at_hubs: set[str] = msgspec.field(default_factory=set)
    refused: set[str] = msgspec.field(default_factory=set)
    released: dict[tuple[str, str], Lane] = msgspec.field(default_factory=dict)
    replaceable: set[str] = msgspec.field(default_factory=set)
    taken: set[str] = msgspec.field(default_factory=set)

    def release(self, hub: str, recipient: str, lane: Lane) -> None:
        """Note a release that is on an instance's disk; on FLASH stands over on ROUTINE."""
        if self.released.get((hub, recipient)) is not Lane.FLASH:
            self.released[hub, recipient] = lane
        if lane is Lane.ROUTINE:
            self.replaceable.add(recipient)

    def forget(self, hub: str) -> None:
        """Forget what was on an instance's disk."""
        self.at_hubs.discard(hub)
        for ends in [ends for ends in self.released if ends[0] == hub]:
            del self.released[ends]

    @property
    def lanes(self) -> dict[str, Lane]:
        """On which it went to each recipient, FLASH if it did so from any instance."""
        found: dict[str, Lane] = {}
        for (_, recipient), lane in self.released.items():
            if found.get(recipient) is not Lane.FLASH:
                found[recipient] = lane
        return found


def newest_of_tracks(passages: Mapping[str, Passage]) -> dict[tuple[str, str, str], str]:
    """Return the id of the newest report by recipient (the hub too), originator and track.

    Args:
        passages: by id of the report, in order of time.
    """
    newest: dict[tuple[str, str, str], str] = {}
    for report_id, passage in passages.items():
        for recipient in (HUB, *passage.lanes):
            newest[recipient, passage.originator, passage.track] = report_id
    return newest


def words_of(said: Suspension | Standing) -> tuple[Suspension, ...]:
    """Return the single words of what a party said of its arrangements."""
    return said.words if isinstance(said, Standing) else (said,)

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
        sent_at_us: when it was sealed.
        at_hub: the hub committed it.
        refused: the hub committed a refusal of it.
        towards: recipients the hub released it to, and whether each committed it.
        lanes: on which it went to each of them, FLASH if it did so from any instance.
        replaceable: recipients to which an instance released it on ROUTINE, where a newer one replaces it.
    """

    originator: Nation
    track: str
    lane: Lane
    sent_at_us: TimeUs
    at_hub: bool = False
    refused: bool = False
    towards: dict[str, bool] = msgspec.field(default_factory=dict)
    lanes: dict[str, Lane] = msgspec.field(default_factory=dict)
    replaceable: set[str] = msgspec.field(default_factory=set)


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

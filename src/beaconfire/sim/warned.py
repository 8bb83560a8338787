"""Whether a nation's warnings say what its picture holds, and of being alone what its picture says."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from beaconfire.alerting.life import Standing
from beaconfire.messages.event import Event, Place, PlaceTime, Warning
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.words import Nation, PlaceKind, Status, TimeUs
from beaconfire.nodes.picture_rows import events_in
from beaconfire.sim.network import Address

INVARIANT: Final = 9
HEARD_US: Final = 2_500_000
"""A picture says once a second whether its nation is alone; a warning node has heard it by then."""
LINK: Final = ("link-down", "link-up")
LATE_US: Final = 60_000_000
"""Nobody is warned of an impact longer ago."""
_decoder: Final = msgspec.msgpack.Decoder(Standing)

Rows = Mapping[str, bytes]
"""Of the state table of one node's disk, by key."""


class Warned:
    """What each nation's picture says of its link."""

    def __init__(self, places: Iterable[Place]) -> None:
        """Take the named places of all nations."""
        self._places = tuple(places)
        self._alone: dict[str, tuple[bool, TimeUs]] = {}
        self._up_us: dict[str, TimeUs] = {}

    def said(self, address: Address, word: Health | Notice, at_us: TimeUs) -> None:
        """Note since when a picture says that its nation is alone, or that it is not."""
        if address.role != "picture" or (isinstance(word, Notice) and word.code not in LINK):
            return
        alone = word.counters["alone"] > 0 if isinstance(word, Health) else word.code == LINK[0]
        known = self._alone.get(address.party)
        if known is None or known[0] is not alone:
            self._alone[address.party] = (alone, at_us)

    def called(self, address: Address, at_us: TimeUs) -> None:
        """Note since when a warning node is up."""
        if address.role == "warning":
            self._up_us.setdefault(address.party, at_us)

    def died(self, address: Address) -> None:
        """Forget a node that is down."""
        if address.role == "picture":
            self._alone.pop(address.party, None)
        elif address.role == "warning":
            self._up_us.pop(address.party, None)

    def is_true(self, warning: Warning, at_us: TimeUs) -> bool:
        """Return whether a warning says of being alone what its picture has said for a while."""
        if warning.nation not in self._alone:
            return True
        alone, since_us = self._alone[warning.nation]
        heard = at_us - max(since_us, self._up_us[warning.nation]) >= HEARD_US
        return not heard or alone is warning.alone

    def flaws(self, nation: Nation, picture: Rows, warnings: Rows, now_us: TimeUs) -> list[str]:
        """Return what a nation's warnings lack, or have too much, beside its picture.

        Args:
            nation: whose.
            picture: rows of its picture.
            warnings: rows of its warning node.
            now_us: UTC by the nation's clock.
        """
        events = [one.event for one in events_in(picture.items()) if one.event.sharing is None]
        kept = (_decoder.decode(body) for key, body in warnings.items() if key.startswith("warning/"))
        standing = {one.warning.event_id: one for one in kept}
        return [flaw for event in events if (flaw := self._flaw(event, standing, nation, now_us))]

    def _flaw(self, event: Event, standing: Mapping[str, Standing], nation: Nation, now_us: TimeUs) -> str:
        known = standing.get(event.event_id)
        is_open = known is not None and not known.is_over
        if is_open and event.status in {Status.ENDED, Status.WITHDRAWN}:
            return f"{nation} warns of {event.event_id}, which is {event.status}"
        names = {one.name for one in self._places if one.nation == nation}
        own = [one for one in event.places if one.place in names]
        pressing = event.status is Status.CONFIRMED and any(not _is_late(one, now_us) for one in own)
        if pressing and not is_open:
            return f"{nation} does not warn of {event.event_id}, which comes to {own[0].place}"
        return ""


def _is_late(place: PlaceTime, now_us: TimeUs) -> bool:
    return place.kind is PlaceKind.IMPACT and place.earliest_us < now_us - LATE_US

"""Listen to what the nodes of each nation say, each nation over its own server, and keep it for showing.

An observer holds a key that may subscribe and nothing else. It never joins what two nations hold: there
is one display model for each, and the caller looks at them one by one.
"""

from collections.abc import Mapping

from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import Clock
from beaconfire.adapters.installation import Installation
from beaconfire.adapters.loop import WAITING
from beaconfire.adapters.wiring import Heard, Role
from beaconfire.errors import PeerError
from beaconfire.messages.codec import decode
from beaconfire.messages.event import Event
from beaconfire.messages.health import Health
from beaconfire.messages.words import Nation, is_hub
from beaconfire.nodes.commands import Inbound
from beaconfire.nodes.display import DisplayFacts, DisplayNode, DisplaySnapshot

EVENTS_MAX = 200_000
"""Revisions kept of one nation: about a day of one event; over it the oldest tenth goes."""


class Observer:
    """One listener for each nation of an installation, and one for each hub's own word."""

    def __init__(
        self, installation: Installation, clock: Clock, facts: Mapping[Nation, DisplayFacts]
    ) -> None:
        """Take what is to be listened to; nothing is opened yet.

        Args:
            installation: running.
            clock: its event clock.
            facts: what each nation's display knows.
        """
        self._clock = clock
        self._displays = {nation: DisplayNode(nation, facts[nation]) for nation in installation.nations}
        self._buses = {
            party: Bus(party, Role.OBSERVER, [installation.observer(party)])
            for party in (*installation.hubs, *installation.nations)
        }
        self.events: dict[Nation, list[Event]] = {nation: [] for nation in installation.nations}
        self.health: dict[str, Health] = {}
        self._heard_us: dict[str, int] = {}
        self.undecodable = 0

    async def open(self, *, within_s: float) -> None:
        """Connect to every server.

        Raises:
            EnvironmentFault: one could not be reached within the time.
        """
        for bus in self._buses.values():
            await bus.open(self._hear, within_s=within_s)

    async def close(self) -> None:
        """Close every connection."""
        for bus in self._buses.values():
            await bus.close()

    def snapshot(self, nation: Nation) -> DisplaySnapshot:
        """Return what one nation's screen shows now."""
        return self._displays[nation].snapshot(self._clock.now())

    def behind(self, since_us: int) -> list[str]:
        """Return who has not said since then, on the monotonic clock, that nothing waits with it."""
        return [
            source
            for source, health in self.health.items()
            if self._heard_us[source] < since_us or health.counters.get(WAITING, 0)
        ]

    def _hear(self, heard: Heard, body: bytes) -> None:
        try:
            message = decode(body)
        except PeerError:
            self.undecodable += 1
            return
        if isinstance(message, Health):
            self.health[message.source] = message
            self._heard_us[message.source] = self._clock.now().monotonic_us
        if is_hub(heard.sender):
            return
        nation = Nation(heard.sender)
        if isinstance(message, Event) and not self._displays[nation].holds(message):
            self._keep(nation, message)
        inbound = Inbound(heard.channel, heard.sender, heard.lane, message, len(body))
        self._displays[nation].receive(inbound, self._clock.now())

    def _keep(self, nation: Nation, event: Event) -> None:
        held = self.events[nation]
        held.append(event)
        if len(held) > EVENTS_MAX:
            del held[: EVENTS_MAX // 10]

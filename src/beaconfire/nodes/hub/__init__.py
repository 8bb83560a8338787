"""The hub: verifies what each nation sends, and passes to each partner what the arrangements let pass."""

from beaconfire.nodes.hub.config import HubConfig
from beaconfire.nodes.hub.node import COUNTERS, HubNode

__all__ = ["COUNTERS", "HubConfig", "HubNode"]

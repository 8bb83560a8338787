"""The hub: verifies what each nation sends, and passes to each partner what the arrangements let pass."""

from beaconfire.nodes.hub.node import COUNTERS, HubConfig, HubNode

__all__ = ["COUNTERS", "HubConfig", "HubNode"]

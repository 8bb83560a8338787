"""The display model: what one nation's screen may show, numbered so that a page can follow it.

Pure: messages in, a `DisplaySnapshot` or the ids of what changed out. It holds what its own nation was
given and nothing else: an event, a warning or a report of health that came from anybody else, or in
another mode, is refused and counted.
"""

from beaconfire.nodes.display.node import DisplayNode
from beaconfire.nodes.display.views import (
    ArrangementLine,
    Changes,
    DisplayFacts,
    DisplaySnapshot,
    Milestones,
    ShownEvent,
    ShownHealth,
)

__all__ = [
    "ArrangementLine",
    "Changes",
    "DisplayFacts",
    "DisplayNode",
    "DisplaySnapshot",
    "Milestones",
    "ShownEvent",
    "ShownHealth",
]

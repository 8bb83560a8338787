"""Which roles hear what: the table of `adapters.wiring`, as far as nodes take part, for the simulator.

A test holds the two tables against each other.
"""

from collections.abc import Mapping
from typing import Final

from beaconfire.messages.codec import Message
from beaconfire.nodes.commands import Channel

HOME: Final[Mapping[Channel, tuple[str, ...]]] = {
    Channel.DETECTION: ("national",),
    Channel.OWN_REPORT: ("guard", "picture"),
    Channel.EVENT: ("display", "warning"),
    Channel.WARNING: ("display",),
    Channel.NOTICE: ("display", "warning"),
    Channel.HEALTH: ("display", "warning"),
    Channel.TO_HUB: ("guard",),
}
"""Within a nation, by channel."""

LINK: Final[Mapping[tuple[Channel, str], tuple[str, ...]]] = {
    (Channel.TO_HUB, "delivery"): ("hub",),
    (Channel.TO_HUB, "suspension"): ("hub",),
    (Channel.TO_HUB, "receipt"): ("hub",),
    (Channel.TO_HUB, "probe"): ("hub",),
    (Channel.TO_HUB, "restarted"): ("hub",),
    (Channel.TO_HUB, "standing"): ("hub",),
    (Channel.TO_NATION, "delivery"): ("picture",),
    (Channel.TO_NATION, "receipt"): ("guard",),
    (Channel.TO_NATION, "restarted"): ("guard",),
    (Channel.TO_HUB, "cosignature"): ("hub",),
    (Channel.TO_NATION, "checkpoint"): ("guard",),
    (Channel.TO_NATION, "suspension"): ("guard", "picture"),
    (Channel.TO_NATION, "probe"): ("guard", "picture"),
}
"""Between a nation and the hub, by channel and type tag of the message."""


def kind_of(message: Message) -> str:
    """Return the type tag of a message."""
    return str(message.__struct_config__.tag)


def roles_for(channel: Channel, message: Message, *, between_parties: bool) -> tuple[str, ...]:
    """Return the roles at the receiving party that hear a message; none if nobody does."""
    if between_parties:
        return LINK.get((channel, kind_of(message)), ())
    return HOME.get(channel, ())

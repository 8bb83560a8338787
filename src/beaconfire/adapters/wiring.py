"""Who may say what to whom over which server: one table, from which the server's allow-lists are made.

Each nation has a home server with one account. Each instance of the hub has a server, which has an account
for each nation and lane, and one of the hub's own; no account imports from or exports to another. On a home
server a subject is `channel.lane`, on the hub's `channel.kind`, since there the lane is the account.
"""

from enum import StrEnum
from typing import Final

import msgspec

from beaconfire.messages.words import Lane, is_hub
from beaconfire.nodes.commands import Channel


class Role(StrEnum):
    """What a process of an installation does."""

    FEED = "feed"
    NATIONAL = "national"
    GUARD = "guard"
    HUB = "hub"
    PICTURE = "picture"
    WARNING = "warning"
    DISPLAY = "display"
    OBSERVER = "observer"
    OPERATOR = "operator"


class Server(StrEnum):
    """Which message server carries a flow."""

    HOME = "home"
    HUB = "hub"


class Flow(msgspec.Struct, frozen=True):
    """One line of the table.

    Attributes:
        channel: of the messages.
        server: that carries it.
        publishers: roles that may say it.
        subscribers: roles that hear it.
        kind: type tag of the messages on a link; empty on a home server, which carries any.
    """

    channel: Channel
    server: Server
    publishers: frozenset[Role]
    subscribers: frozenset[Role]
    kind: str = ""


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


_HOME_NODES: Final = _roles(Role.FEED, Role.NATIONAL, Role.GUARD, Role.PICTURE, Role.WARNING, Role.DISPLAY)
_LINKED: Final = _roles(Role.GUARD, Role.PICTURE)
_SHOWN: Final = _roles(Role.DISPLAY, Role.OBSERVER)

FLOWS: Final = (
    Flow(Channel.DETECTION, Server.HOME, _roles(Role.FEED), _roles(Role.NATIONAL)),
    Flow(Channel.OWN_REPORT, Server.HOME, _roles(Role.FEED, Role.NATIONAL), _LINKED),
    Flow(Channel.EVENT, Server.HOME, _roles(Role.PICTURE), _SHOWN | {Role.WARNING}),
    Flow(Channel.WARNING, Server.HOME, _roles(Role.WARNING), _SHOWN),
    Flow(Channel.NOTICE, Server.HOME, _HOME_NODES, _SHOWN | {Role.WARNING, Role.OPERATOR}),
    Flow(Channel.HEALTH, Server.HOME, _HOME_NODES, _SHOWN | {Role.WARNING}),
    Flow(Channel.TO_HUB, Server.HOME, _roles(Role.OPERATOR), _roles(Role.GUARD)),
    Flow(Channel.TO_HUB, Server.HUB, _roles(Role.GUARD), _roles(Role.HUB), "delivery"),
    Flow(Channel.TO_HUB, Server.HUB, _roles(Role.GUARD), _roles(Role.HUB), "suspension"),
    Flow(Channel.TO_HUB, Server.HUB, _roles(Role.GUARD), _roles(Role.HUB), "standing"),
    Flow(Channel.TO_HUB, Server.HUB, _roles(Role.GUARD), _roles(Role.HUB), "cosignature"),
    Flow(Channel.TO_HUB, Server.HUB, _roles(Role.PICTURE), _roles(Role.HUB), "receipt"),
    Flow(Channel.TO_HUB, Server.HUB, _roles(Role.PICTURE), _roles(Role.HUB), "restarted"),
    Flow(Channel.TO_HUB, Server.HUB, _roles(Role.PICTURE), _roles(Role.HUB), "speaking"),
    Flow(Channel.TO_HUB, Server.HUB, _LINKED, _roles(Role.HUB), "probe"),
    Flow(Channel.TO_NATION, Server.HUB, _roles(Role.HUB), _roles(Role.PICTURE), "delivery"),
    Flow(Channel.TO_NATION, Server.HUB, _roles(Role.HUB), _roles(Role.GUARD), "receipt"),
    Flow(Channel.TO_NATION, Server.HUB, _roles(Role.HUB), _LINKED, "restarted"),
    Flow(Channel.TO_NATION, Server.HUB, _roles(Role.HUB), _roles(Role.GUARD), "checkpoint"),
    Flow(Channel.TO_NATION, Server.HUB, _roles(Role.HUB), _LINKED, "suspension"),
    Flow(Channel.TO_NATION, Server.HUB, _roles(Role.HUB), _LINKED, "probe"),
)
"""All that may be said in an installation. What is not here, the servers refuse."""

HUB_OWN_CHANNELS: Final = (Channel.NOTICE, Channel.HEALTH)
"""What the hub says of itself, in its own account on its server; heard by its display and its observer."""
HUB_LISTENERS: Final = (Role.OBSERVER, Role.DISPLAY)

HOME_ROLES: Final = tuple(sorted(_HOME_NODES | {Role.OBSERVER, Role.OPERATOR}))
LINK_ROLES: Final = tuple(sorted(_LINKED))


class Allowed(msgspec.Struct, frozen=True):
    """The subjects that one user may publish to and subscribe to; all others are refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def home_subject(channel: Channel, lane: Lane) -> str:
    """Return the subject of a channel on a home server."""
    return f"{channel.value}.{lane.value}"


def link_subject(channel: Channel, kind: str) -> str:
    """Return the subject of a kind of message in an account of the hub's server."""
    return f"{channel.value}.{kind}"


def _subjects(flow: Flow) -> tuple[str, ...]:
    if flow.server is Server.HUB:
        return (link_subject(flow.channel, flow.kind),)
    return tuple(home_subject(flow.channel, lane) for lane in Lane)


def allowed(role: Role, server: Server) -> Allowed:
    """Return what a role's user may do in its account of a server (any account of a link's)."""
    flows = [flow for flow in FLOWS if flow.server is server]
    return Allowed(
        publish=tuple(s for flow in flows if role in flow.publishers for s in _subjects(flow)),
        subscribe=tuple(s for flow in flows if role in flow.subscribers for s in _subjects(flow)),
    )


def allowed_in_hub_account(role: Role) -> Allowed:
    """Return what the hub, or who observes it, may do in the hub's own account."""
    subjects = tuple(home_subject(channel, lane) for channel in HUB_OWN_CHANNELS for lane in Lane)
    return Allowed(subjects, ()) if role is Role.HUB else Allowed((), subjects)


class Line(msgspec.Struct, frozen=True):
    """One client connection of a process.

    Attributes:
        server: HOME also stands for the hub's own account.
        peer: the other end of a link, a nation or an instance of the hub; the own end on a home server.
        lane: of a link; None on a home server.
    """

    server: Server
    peer: str
    lane: Lane | None


class Heard(msgspec.Struct, frozen=True):
    """A subscription and what the server vouches for when something comes in on it.

    Attributes:
        subject: to subscribe to.
        channel: it carries.
        sender: party whose credentials alone can have published it.
        lane: it belongs to.
    """

    subject: str
    channel: Channel
    sender: str
    lane: Lane


def line_for(party: str, channel: Channel, recipient: str, lane: Lane) -> Line:
    """Return the connection that a message of `party` to `recipient` goes over."""
    if channel in {Channel.TO_HUB, Channel.TO_NATION} and recipient != party:
        return Line(Server.HUB, recipient, lane)
    return Line(Server.HOME, party, None)


def subject_for(line: Line, channel: Channel, lane: Lane, kind: str) -> str:
    """Return the subject of a message of type tag `kind` on a connection."""
    return home_subject(channel, lane) if line.lane is None else link_subject(channel, kind)


def heard_on(line: Line, role: Role, party: str) -> tuple[Heard, ...]:
    """Return what a role subscribes to on one of its connections."""
    if line.lane is None:
        if is_hub(party):
            chosen: tuple[Channel, ...] = HUB_OWN_CHANNELS if role in HUB_LISTENERS else ()
        else:
            flows = [f for f in FLOWS if f.server is Server.HOME and role in f.subscribers]
            chosen = tuple(flow.channel for flow in flows)
        return tuple(
            Heard(home_subject(channel, lane), channel, party, lane) for channel in chosen for lane in Lane
        )
    flows = [f for f in FLOWS if f.server is Server.HUB and role in f.subscribers]
    return tuple(
        Heard(link_subject(flow.channel, flow.kind), flow.channel, line.peer, line.lane) for flow in flows
    )

"""What a node is told and what it answers: inbound message and time in, a few frozen commands out.

Two rules hold for whoever runs a node:

1. All `Keep`, `Forget` and `Append` of one returned list are committed in one transaction before any
   `Send` of that list leaves.
2. A node is called by one caller at a time; `now` never runs back: see `SET_BACK_MAX_US`.
"""

from enum import StrEnum
from typing import Final, Protocol

import msgspec

from beaconfire.messages.codec import Message
from beaconfire.messages.words import Lane, TimeUs


class Now(msgspec.Struct, frozen=True):
    """The time as the runner gives it.

    Attributes:
        utc_us: microseconds UTC: expiry, epochs, what people read. Runs fast under `--speed`.
        monotonic_us: never set, never scaled: time-outs, ages, latency.
    """

    utc_us: TimeUs
    monotonic_us: int


SET_BACK_MAX_US: Final = 1_000_000
"""A UTC that is set back stands still for a node until it is as late again. One that is set back further than
this is not waited for: the node is started anew, with the time as it is. A clock that was a day ahead for a
minute would else bar a nation from all others, and from its own sensors, for a day."""


class Channel(StrEnum):
    """The flows between nodes; `adapters` and `sim` map each to a connection and a subject."""

    DETECTION = "detection"
    OWN_REPORT = "own-report"
    TO_HUB = "to-hub"
    TO_NATION = "to-nation"
    EVENT = "event"
    WARNING = "warning"
    NOTICE = "notice"
    HEALTH = "health"
    ACKNOWLEDGEMENT = "acknowledgement"
    """From a page of the own nation to its display, inside one process: on no server."""


class Unreadable(msgspec.Struct, frozen=True):
    """What came over a link and is no message: kept for the audit, and for nothing else.

    Attributes:
        body: as received.
        detail: why it can't be read.
    """

    body: bytes
    detail: str


class Inbound(msgspec.Struct, frozen=True):
    """A decoded message and what the bus vouches for.

    Attributes:
        channel: flow it came in on.
        sender: party whose credentials published it (a nation, or HUB).
        lane: connection it came over.
        message: decoded; to the hub also what can't be.
        size: of its bytes.
    """

    channel: Channel
    sender: str
    lane: Lane
    message: Message | Unreadable
    size: int


class Send(msgspec.Struct, frozen=True):
    """Publish a message within the nation, or a receipt, probe or suspension on a link.

    Never a report to a partner: that is `Deliver`.
    """

    channel: Channel
    recipient: str
    lane: Lane
    message: Message


class Deliver(msgspec.Struct, frozen=True):
    """Publish a delivery on a link: `body` is made by `link.outbox` from a `Released` value only.

    Attributes:
        channel: TO_HUB or TO_NATION.
        recipient: party.
        lane: FLASH or ROUTINE.
        body: MessagePack of a `Delivery`.
    """

    channel: Channel
    recipient: str
    lane: Lane
    body: bytes


class Table(StrEnum):
    """Tables of a node's journal."""

    OUTBOX = "outbox"
    INTAKE = "intake"
    STATE = "state"


class Keep(msgspec.Struct, frozen=True):
    """Insert or replace one row of the journal."""

    table: Table
    key: str
    body: bytes


class Forget(msgspec.Struct, frozen=True):
    """Delete one row of the journal, if it is there."""

    table: Table
    key: str


RECEIVED_LOG: Final = "received"
"""Log of a picture: the report id of each delivery that it took, in order."""

EVENTS_LOG: Final = "events"
"""Log of a picture: each revision of a main event, MessagePack, in order."""


class Append(msgspec.Struct, frozen=True):
    """Append one record to an append-only log of the journal, such as the audit of one nation."""

    log: str
    body: bytes


class WakeAt(msgspec.Struct, frozen=True):
    """Call `tick` once the monotonic clock reaches this. The earliest of several wins."""

    monotonic_us: int


Command = Send | Deliver | Keep | Forget | Append | WakeAt


class Rows(Protocol):
    """What a restarted node may read of its journal, before its first message."""

    def rows(self, table: Table) -> list[tuple[str, bytes]]:
        """Return all rows of a table as (key, body), in order of insertion."""
        ...

    def log(self, name: str) -> list[bytes]:
        """Return all records of a log, in order."""
        ...


class Node(Protocol):
    """A node as `adapters.loop` and `sim` run it. Constructed with its `Rows`."""

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Take one message and return what is to be done."""
        ...

    def tick(self, now: Now) -> list[Command]:
        """Take the time and return what is to be done."""
        ...

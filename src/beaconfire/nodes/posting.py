"""From what an outbox says to commands: not a node, but what the sending nodes share."""

from collections.abc import Iterable

from beaconfire.link.outbox import Due, Parcel, Put
from beaconfire.link.parallel import Pending, Posted
from beaconfire.nodes.commands import Channel, Command, Deliver, Forget, Keep, Table


def commands_from_put(put: Put, channel: Channel, recipient: str) -> list[Command]:
    """Return the rows to write and delete, then the delivery."""
    commands: list[Command] = [Keep(Table.OUTBOX, row.key, row.body) for row in put.keep]
    commands += [Forget(Table.OUTBOX, key) for key in put.forget]
    return commands + deliveries([put.parcel] if put.parcel else [], channel, recipient)


def commands_from_due(due: Due, channel: Channel, recipient: str) -> list[Command]:
    """Return the rows to delete, then what is to be published again."""
    commands: list[Command] = [Forget(Table.OUTBOX, key) for key in due.forget]
    return commands + deliveries(due.parcels, channel, recipient)


def commands_from_posted(posted: Posted, channel: Channel) -> list[Command]:
    """Return the rows to write and delete and the deliveries, towards each instance of the recipient."""
    return [
        one for recipient, put in posted.puts.items() for one in commands_from_put(put, channel, recipient)
    ]


def commands_from_pending(pending: Pending, channel: Channel) -> list[Command]:
    """Return the rows to delete and what is to be published again, towards each instance."""
    return [
        one for recipient, due in pending.dues.items() for one in commands_from_due(due, channel, recipient)
    ]


def deliveries(parcels: Iterable[Parcel], channel: Channel, recipient: str) -> list[Command]:
    """Return one delivery for each parcel."""
    return [Deliver(channel, recipient, parcel.lane, parcel.body) for parcel in parcels]

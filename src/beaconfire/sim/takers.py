"""Stand-ins for a picture: one that settles and receipts what comes, one that is down."""

from beaconfire.errors import PeerError
from beaconfire.link.intake import Intake
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Nation
from beaconfire.nodes.commands import Channel, Command, Inbound, Keep, Now, Rows, Send, Table
from beaconfire.release.attest import sign_receipt
from beaconfire.release.keys import SigningKey
from beaconfire.sim.sight import Breach


class Taker:
    """A picture that only takes: it settles and receipts what comes, and looks at nothing."""

    def __init__(self, nation: Nation, key: SigningKey, rows: Rows) -> None:
        """Restore from the rows."""
        self._intake = Intake(nation, HUB, rows.rows(Table.INTAKE))
        self._key = key

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Settle a delivery and receipt it.

        Raises:
            Breach: it is one that the link refuses.
        """
        message = inbound.message
        if not isinstance(message, Delivery):
            return []
        commands: list[Command] = []
        try:
            if self._intake.is_new(message, lane=inbound.lane, monotonic_us=now.monotonic_us):
                row = self._intake.settle(message, refused=False, monotonic_us=now.monotonic_us)
                commands.append(Keep(Table.INTAKE, row.key, row.body))
        except PeerError as error:
            raise Breach(f"the hub sent what its link refuses: {error}") from error
        return [*commands, *self._receipts(now)]

    def _receipts(self, now: Now) -> list[Command]:
        owed = self._intake.receipts(lambda one: sign_receipt(one, self._key), monotonic_us=now.monotonic_us)
        return [Send(Channel.TO_HUB, HUB, one.lane, one) for one in owed]

    def tick(self, now: Now) -> list[Command]:
        """Send the receipts that were gathered."""
        return self._receipts(now)


class Mute:
    """A picture that is down."""

    def receive(self, inbound: Inbound, now: Now) -> list[Command]:
        """Do nothing."""
        del inbound, now
        return []

    def tick(self, now: Now) -> list[Command]:
        """Do nothing."""
        del now
        return []

"""What the hub keeps for one nation, and shares with no other."""

from beaconfire.link.intake import Intake
from beaconfire.link.liveness import Liveness
from beaconfire.link.outbox import Outbox
from beaconfire.link.restart import Answering
from beaconfire.messages.words import Nation
from beaconfire.nodes.commands import Rows, Table
from beaconfire.nodes.hub.books import Books
from beaconfire.nodes.hub.waiting import WaitingRoom


class Tie:
    """What the hub keeps for one nation: what it owes it, what it had of it, what waits, its books."""

    def __init__(self, instance: str, nation: Nation, rows: Rows) -> None:
        """Restore from the journal."""
        self.nation = nation
        self.outbox = Outbox(instance, nation, rows.rows(Table.OUTBOX))
        self.books = Books(instance, nation, rows)
        self.intake = Intake(instance, nation, rows.rows(Table.INTAKE))
        self.liveness = Liveness(instance, nation)
        self.answering = Answering()
        self.room = WaitingRoom(nation, rows.rows(Table.STATE))

"""The hub's books: two audit logs for each nation and none that two nations share.

`gave/KOR` holds the fate of what Korea gave, towards each other nation; `given/JPN` what Japan was given.
So the size of no log tells a nation of traffic that it may not know of.
"""

import msgspec

from beaconfire.audit.checkpoint import Checkpoint
from beaconfire.audit.record import AuditLog, Passed, Subject
from beaconfire.messages.codec import encode
from beaconfire.messages.refusal import Withheld
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Nation, TimeUs
from beaconfire.nodes.commands import Append, Command, Rows
from beaconfire.release.attest import sign_checkpoint
from beaconfire.release.decide import Outgoing
from beaconfire.release.keys import SigningKey


class Books:
    """The two logs of one nation, and how far each is vouched for.

    Attributes:
        nation: whose.
        gave: the fate of what it gave.
        given: what it was given.
    """

    def __init__(self, nation: Nation, rows: Rows) -> None:
        """Go on where the journal ends."""
        self.nation = nation
        self.gave = AuditLog(f"gave/{nation}", rows.log(f"gave/{nation}"))
        self.given = AuditLog(f"given/{nation}", rows.log(f"given/{nation}"))
        self._checkpointed: dict[str, int] = {}

    def refuse(self, delivery: Delivery, why: Withheld, at_us: TimeUs) -> Command:
        """Record that a delivery of this nation was refused on arrival."""
        return _append(self.gave, self._subject(delivery, HUB), why, at_us)

    def withhold(self, delivery: Delivery, recipient: Nation, why: Withheld, at_us: TimeUs) -> Command:
        """Record that a report of this nation was not released to another."""
        return _append(self.gave, self._subject(delivery, recipient), why, at_us)

    def release(self, delivery: Delivery, out: Outgoing, recipient: "Books", at_us: TimeUs) -> list[Command]:
        """Record a release with the giver and with the recipient."""
        subject = self._subject(delivery, recipient.nation)
        subject = msgspec.structs.replace(subject, lane=out.lane, body=out.sealed)
        passed = Passed(groups=out.groups, degraded=out.degraded, basis=out.basis, rules=out.rules)
        return [_append(log, subject, passed, at_us) for log in (self.gave, recipient.given)]

    def _subject(self, delivery: Delivery, recipient: str) -> Subject:
        return Subject(
            originator=self.nation,
            recipient=recipient,
            report_id=delivery.report_id,
            lane=delivery.lane,
            body=delivery.sealed,
        )

    def checkpoints(self, key: SigningKey, at_us: TimeUs) -> list[Command]:
        """Sign the state of each log that has grown."""
        grown = [log for log in (self.gave, self.given) if log.size != self._checkpointed.get(log.name, 0)]
        self._checkpointed.update({log.name: log.size for log in grown})
        states = [Checkpoint(log=log.name, size=log.size, root=log.root(), at_us=at_us) for log in grown]
        return [Append(f"checkpoint/{one.log}", encode(sign_checkpoint(one, key))) for one in states]


def _append(log: AuditLog, subject: Subject, decided: Passed | Withheld, at_us: TimeUs) -> Command:
    return Append(log.name, log.add(subject, decided, at_us))

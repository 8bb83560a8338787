"""Hold the journals of an installation against each other once it has ended: what was lost, what was doubled.

Nothing here believes a counter: released is what the hub's audit logs say, received is what each picture
committed, and what still stands in an outbox is neither lost nor received. Instances of the hub decide on
the same reports: a decision on one report towards one nation counts once, and is a release if either made it.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from beaconfire.adapters.installation import Installation
from beaconfire.adapters.journal import Journal
from beaconfire.adapters.wiring import Role
from beaconfire.audit.record import AuditRecord, Outcome
from beaconfire.messages.event import Event
from beaconfire.messages.words import Lane, Nation
from beaconfire.nodes.commands import EVENTS_LOG, RECEIVED_LOG, Table


class Reconciled(msgspec.Struct, frozen=True):
    """What the journals say together.

    Attributes:
        released: decisions to release a report to a partner.
        refused: decisions not to.
        lost: FLASH reports released to a partner, no longer in the outbox and never taken by its picture.
        doubled: reports that a picture took more than once.
        acknowledged: reports that an instance of the hub took: it has decided on them towards somebody.
    """

    released: int
    refused: int
    lost: int
    doubled: int
    acknowledged: int


def reconcile(installation: Installation) -> Reconciled:
    """Return what the journals of an installation that has ended say together.

    Raises:
        EnvironmentFault: a journal can't be read.
    """
    records: dict[tuple[str, str, str], AuditRecord] = {}
    waiting: list[bytes] = []
    for hub in installation.hubs:
        journal = Journal(installation.journal(Role.HUB, hub))
        try:
            for nation in installation.nations:
                _gather(records, _records(journal, nation))
            waiting += [body for _, body in journal.rows(Table.OUTBOX)]
        finally:
            journal.close()
    taken = {nation: _taken(installation, nation) for nation in installation.nations}
    passed = [one for one in records.values() if one.outcome is not Outcome.REFUSED]
    return Reconciled(
        released=len(passed),
        refused=len(records) - len(passed),
        lost=sum(_is_lost(one, taken, waiting) for one in passed),
        acknowledged=len({report_id for _, _, report_id in records}),
        doubled=sum(count - 1 for ids in taken.values() for count in ids.values()),
    )


def _gather(records: dict[tuple[str, str, str], AuditRecord], found: Iterable[AuditRecord]) -> None:
    """Add decisions; one to release stands over one not to, of the same report towards the same party."""
    for record in found:
        key = (record.originator, record.recipient, record.report_id)
        if key not in records or records[key].outcome is Outcome.REFUSED:
            records[key] = record


def _records(hub: Journal, nation: Nation) -> Iterable[AuditRecord]:
    decoder = msgspec.msgpack.Decoder(AuditRecord)
    return (decoder.decode(body) for body in hub.log(f"gave/{nation}"))


def _taken(installation: Installation, nation: Nation) -> Counter[str]:
    journal = Journal(installation.journal(Role.PICTURE, nation))
    try:
        return Counter(body.decode() for body in journal.log(RECEIVED_LOG))
    finally:
        journal.close()


def _is_lost(record: AuditRecord, taken: dict[Nation, Counter[str]], waiting: list[bytes]) -> bool:
    if record.lane is not Lane.FLASH or Nation(record.recipient) not in taken:
        return False
    if taken[Nation(record.recipient)][record.report_id]:
        return False
    marked = record.report_id.encode()
    return not any(marked in body for body in waiting)


def journalled_events(installation: Installation, nation: Nation) -> list[Event]:
    """Return every revision of the main events that a nation's picture journalled, in order.

    Raises:
        EnvironmentFault: the journal can't be read.
    """
    decoder = msgspec.msgpack.Decoder(Event)
    journal = Journal(installation.journal(Role.PICTURE, nation))
    try:
        return [decoder.decode(body) for body in journal.log(EVENTS_LOG)]
    finally:
        journal.close()

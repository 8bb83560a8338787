"""Hold the journals of an installation against each other once it has ended: what was lost, what was doubled.

Nothing here believes a counter: released is what the hub's audit logs say, received is what each picture
committed, and what still stands in an outbox is neither lost nor received. Instances of the hub decide on
the same reports: a decision on one report towards one nation counts once, is a release if either made it, and
on FLASH if either made it so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from beaconfire.adapters.installation import Installation
from beaconfire.adapters.journal import Journal, count_unreceipted
from beaconfire.adapters.wiring import Role
from beaconfire.audit.record import AuditRecord, Outcome
from beaconfire.errors import EnvironmentFault
from beaconfire.messages.event import Event
from beaconfire.messages.refusal import Reason
from beaconfire.messages.words import HUB, Lane, Nation
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


class Journals(NamedTuple):
    """What the journals of an installation hold of reports.

    Attributes:
        records: the decision on each report, by originator, recipient and report id.
        waiting: rows of the hub's outboxes.
        taken: how often each nation's picture took each report.
        decided: ids of reports that each instance of the hub decided on towards somebody.
    """

    records: dict[tuple[str, str, str], AuditRecord]
    waiting: list[bytes]
    taken: dict[Nation, Counter[str]]
    decided: dict[str, set[str]]

    def acknowledged(self) -> set[str]:
        """Return the reports that some instance decided on towards somebody, not those refused on arrival."""
        return {report_id for _, recipient, report_id in self.records if recipient != HUB}

    def is_waiting(self, report_id: str) -> bool:
        """Return whether a report stands in an outbox of the hub, towards whomever."""
        marked = report_id.encode()
        return any(marked in body for body in self.waiting)


class Ways(NamedTuple):
    """Of the ways of acknowledged reports to each other nation, those that did not end in its picture.

    Attributes:
        waiting: in an outbox of the hub.
        replaced: ROUTINE or withheld as superseded, and a newer report of its track was taken there.
        missing: neither, report id and nation.
    """

    waiting: int
    replaced: int
    missing: tuple[tuple[str, Nation], ...]


def is_anything_waiting(installation: Installation) -> bool:
    """Return whether anything stands in an outbox of a running installation, or that can't be seen now."""
    places = [installation.journal(Role.HUB, hub) for hub in installation.hubs]
    places += [installation.journal(Role.GUARD, nation) for nation in installation.nations]
    try:
        return any(count_unreceipted(place) for place in places)
    except EnvironmentFault:
        return True


def reconcile(installation: Installation) -> Reconciled:
    """Return what the journals of an installation that has ended say together.

    Raises:
        EnvironmentFault: a journal can't be read.
    """
    return reconciled(read_journals(installation))


def read_journals(installation: Installation) -> Journals:
    """Return what the journals of an installation that has ended hold of reports.

    Raises:
        EnvironmentFault: a journal can't be read.
    """
    records: dict[tuple[str, str, str], AuditRecord] = {}
    waiting: list[bytes] = []
    decided: dict[str, set[str]] = {}
    for hub in installation.hubs:
        journal = Journal(installation.journal(Role.HUB, hub))
        try:
            found = [one for nation in installation.nations for one in _records(journal, nation)]
            _gather(records, found)
            decided[hub] = {one.report_id for one in found if one.recipient != HUB}
            waiting += [body for _, body in journal.rows(Table.OUTBOX)]
        finally:
            journal.close()
    taken = {nation: _taken(installation, nation) for nation in installation.nations}
    return Journals(records, waiting, taken, decided)


def reconciled(journals: Journals) -> Reconciled:
    """Return what journals say together."""
    passed = [one for one in journals.records.values() if one.outcome is not Outcome.REFUSED]
    return Reconciled(
        released=len(passed),
        refused=len(journals.records) - len(passed),
        lost=sum(_is_lost(one, journals) for one in passed),
        acknowledged=len(journals.acknowledged()),
        doubled=sum(count - 1 for ids in journals.taken.values() for count in ids.values()),
    )


def ways_of(journals: Journals, tracks: Mapping[str, tuple[Nation, str]]) -> Ways:
    """Return what became of each way of an acknowledged report, those that ended well left out.

    Args:
        journals: of an installation in which each nation may have all of each other's reports.
        tracks: originator and track of each report, each track's in the order in which it was stated.
    """
    newest: dict[tuple[Nation, tuple[Nation, str]], str] = {}
    for report_id, track in tracks.items():
        newest |= {(nation, track): report_id for nation, ids in journals.taken.items() if ids[report_id]}
    order = {report_id: place for place, report_id in enumerate(tracks)}
    acknowledged = journals.acknowledged()
    waiting, replaced, missing = 0, 0, []
    for report_id, track in tracks.items():
        for nation, ids in journals.taken.items():
            if nation == track[0] or ids[report_id] or report_id not in acknowledged:
                continue
            later = newest.get((nation, track))
            made_good = later is not None and order[later] > order[report_id]
            if made_good and _may_be_replaced(journals.records.get((track[0], nation, report_id))):
                replaced += 1
            elif journals.is_waiting(report_id):
                waiting += 1
            else:
                missing.append((report_id, nation))
    return Ways(waiting, replaced, tuple(missing))


def _may_be_replaced(record: AuditRecord | None) -> bool:
    if record is None:
        return False
    superseded = record.outcome is Outcome.REFUSED and record.reason is Reason.REPLAYED
    return superseded or (record.outcome is not Outcome.REFUSED and record.lane is Lane.ROUTINE)


def _gather(records: dict[tuple[str, str, str], AuditRecord], found: Iterable[AuditRecord]) -> None:
    """Add decisions; one to release stands over one not to, one on FLASH over one on ROUTINE.

    Refusals of what could not be read are of no report: a hub at the schema before has them in an upgrade.
    """
    for record in found:
        if not record.report_id:
            continue
        key = (record.originator, record.recipient, record.report_id)
        if key not in records or _weight(record) > _weight(records[key]):
            records[key] = record


def _weight(record: AuditRecord) -> int:
    return 0 if record.outcome is Outcome.REFUSED else 1 + (record.lane is Lane.FLASH)


def _records(hub: Journal, nation: Nation) -> Iterable[AuditRecord]:
    decoder = msgspec.msgpack.Decoder(AuditRecord)
    return (decoder.decode(body) for body in hub.log(f"gave/{nation}"))


def _taken(installation: Installation, nation: Nation) -> Counter[str]:
    journal = Journal(installation.journal(Role.PICTURE, nation))
    try:
        return Counter(body.decode() for body in journal.log(RECEIVED_LOG))
    finally:
        journal.close()


def _is_lost(record: AuditRecord, journals: Journals) -> bool:
    if record.lane is not Lane.FLASH or Nation(record.recipient) not in journals.taken:
        return False
    taken = journals.taken[Nation(record.recipient)][record.report_id]
    return not taken and not journals.is_waiting(record.report_id)


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

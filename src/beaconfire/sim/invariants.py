"""The invariants of the house, asserted at every step of a simulated run.

1. No partner receives what the arrangements and the originator's rules deny.
2. Nothing passes between two nations except through the hub.
3. Every release and every refusal has an audit record, committed before anything leaves; while a disk is
   full it stands in memory, and what leaves is no receipt. No nation accuses a hub that lost nothing of a
   fork.
4. What is receipted was committed and stays: the hub has a record of it towards each nation, a picture has
   it in its log, once. Nothing receipted on FLASH is lost; every FLASH report reaches each
   entitled partner, over either instance of the hub, within its limit once all faults but a dead hub are
   over, or a newer one of its track does, or a notice says why not. A nation's own picture takes whatever
   its own tracker states, however wrong their clock.
5. Time never runs back inside a node.
6. No bound is exceeded.
7. Nothing of another mode than the run's is said.
8. Once all clocks are right again nothing that is measured or sealed from then on is refused for its time.
9. A nation's warnings say what its picture holds, and that it is alone when its picture says so.

A breach stops the run: `Breach` names the invariant, the time and the place.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from beaconfire.audit.record import AuditRecord, Outcome, decode_record, flaw_in_log
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES, Message, decode, decode_header, decode_sealed
from beaconfire.messages.event import Event, Place, Warning
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery, Receipt, Standing, Suspension
from beaconfire.messages.words import HUB, Mode, Nation, TimeUs, is_hub, party_of
from beaconfire.nodes.commands import (
    RECEIVED_LOG,
    Append,
    Channel,
    Command,
    Deliver,
    Forget,
    Keep,
    Now,
    Send,
    Table,
)
from beaconfire.nodes.picture_rows import source_key
from beaconfire.sim.arrivals import Arrivals
from beaconfire.sim.disk import SimDisk
from beaconfire.sim.entitlement import Entitlement, Terms
from beaconfire.sim.network import Address, Letter
from beaconfire.sim.passages import Breach, Passage, words_of
from beaconfire.sim.receipted import Receipted
from beaconfire.sim.timeliness import INVARIANT as TIMELINESS
from beaconfire.sim.timeliness import Timeliness
from beaconfire.sim.warned import INVARIANT as WARNED
from beaconfire.sim.warned import Rows, Warned

COMMANDS_MAX: Final = 4_096
"""Commands of one call: a full resend window of both lanes to every party, with room."""
TABLE_MAX: Final = {Table.OUTBOX: 32_768, Table.INTAKE: 140_000, Table.STATE: 20_000}
"""Rows of each table: the bounds of outbox and intake times the parties, with room."""
AUDIT_LOGS: Final = ("guard/", "gave/", "given/")
_settled_decoder: Final = msgspec.msgpack.Decoder(tuple[int, str, bool, int])


class Invariants:
    """Looks on as `engine.Observer` and raises `Breach`.

    Attributes:
        arrivals: of every report a guard released.
        checked: how many checks of each invariant were made.
        notices: codes of the notices given.
    """

    def __init__(
        self,
        terms: Terms,
        mode: Mode,
        nations: Iterable[Nation],
        places: Iterable[Place],
        right_from_us: TimeUs | None = None,
    ) -> None:
        """Start before the first step; all clocks are right from `right_from_us` on, never if it is None."""
        self._terms = terms
        self._entitlements: dict[str, Entitlement] = {}
        self.arrivals = Arrivals(nations)
        self.checked: dict[int, int] = dict.fromkeys(range(1, 10), 0)
        self._timeliness = Timeliness(right_from_us)
        self.notices: set[str] = set()
        self._warned = Warned(places)
        self._mode = mode
        self._nations = tuple(nations)
        self._last: dict[Address, Now] = {}
        self._now_us: TimeUs = 0
        self._released: dict[str, set[tuple[str, bytes]]] = {}
        self._pending: dict[Address, Message] = {}
        self._unwritten: set[Address] = set()
        self._recorded: set[bytes] = set()
        self._recorded_at: dict[Address, set[str]] = {}
        self._receipted = Receipted()
        self._words: dict[str, list[Suspension]] = {}
        self._written_words: dict[str, int] = {}
        self._at_risk: dict[Address, list[str]] = {}

    def _entitlement_at(self, hub: str) -> Entitlement:
        """Return what an instance of the hub has to know: suspensions reach each by itself."""
        return self._entitlements.setdefault(hub, Entitlement(self._terms))

    def _learn(self, hub: str, words: Iterable[Suspension]) -> None:
        entitlement = self._entitlement_at(hub)
        for said in words:
            entitlement.suspend(said.party, said.arrangement, number=said.number, suspended=said.suspended)

    def _hold(self, invariant: int, what: str, *, holds: bool) -> None:
        self.checked[invariant] += 1
        if not holds:
            raise Breach(invariant, what, self._now_us)

    # A node was called.

    def called(self, address: Address, now: Now, commands: list[Command]) -> None:
        """Check time, bounds, modes and records of what a node answered; raises `Breach`."""
        self._now_us = now.monotonic_us
        last = self._last.get(address, now)
        forward = now.utc_us >= last.utc_us and now.monotonic_us >= last.monotonic_us
        self._hold(5, f"time ran back in {address}", holds=forward)
        self._last[address] = now
        self.arrivals.called(address, now)
        self._warned.called(address, now.monotonic_us)
        self._hold(6, f"{len(commands)} commands of {address}", holds=len(commands) <= COMMANDS_MAX)
        for command in commands:
            if isinstance(command, Send):
                self._look_at(address, command, now)
            elif isinstance(command, Keep | Forget | Append):
                self._unwritten.add(address)
        self._answered(address, commands)

    def _look_at(self, address: Address, command: Send, now: Now) -> None:
        message = command.message
        if isinstance(message, Report | Event | Warning):
            self._hold(7, f"{message.mode} said by {address}", holds=message.mode is self._mode)
        if isinstance(message, Report):
            inside = command.channel is Channel.OWN_REPORT and command.recipient == address.party
            self._hold(2, f"a bare report of {address} to {command.recipient}", holds=inside)
        if isinstance(message, Health | Notice):
            self._warned.said(address, message, self._now_us)
        if isinstance(message, Warning):
            what = f"{address} says of being alone: {message.alone}"
            self._hold(WARNED, what, holds=self._warned.is_true(message, self._now_us))
        if isinstance(message, Notice):
            timely = self._timeliness.is_kept_by(message, self._now_us)
            self._hold(TIMELINESS, f"{address}: {message.text}", holds=timely)
            false = message.code == "audit-fork" and not self.arrivals.is_any_hub_wiped
            self._hold(3, f"{address} accuses a hub that lost nothing: {message.text}", holds=not false)
            self.notices.add(message.code)
            self.arrivals.told(address, message, now)

    def _answered(self, address: Address, commands: list[Command]) -> None:
        """Check that every decision among the answers has its record there."""
        records = self._records(commands)
        cause = self._pending.pop(address, None)
        if address.role == "guard":
            self._check_guard(address, cause, records)
        for command in commands:
            if isinstance(command, Deliver):
                self._check_audited(address, command, records)
        if isinstance(cause, Delivery):
            self._settle(address, cause, records)
        elif isinstance(cause, Report) and address.role == "picture":
            key = source_key(cause.originator, cause.track)
            taken = any(isinstance(one, Keep) and one.key == key for one in commands)
            self._hold(4, f"{address} does not take {cause.report_id} of its own tracker", holds=taken)
        elif isinstance(cause, Suspension | Standing) and is_hub(address.party):
            self._words.setdefault(address.party, []).extend(words_of(cause))
            self._learn(address.party, words_of(cause))

    # What it wrote is on the disk, or waits in memory while that is full, and nothing is sent yet.

    def committed(self, address: Address, disk: SimDisk, commands: list[Command]) -> None:
        """Check the bounds of the disk and note what is on it; raises `Breach`."""
        for table, most in TABLE_MAX.items():
            size = disk.size(table)
            self._hold(6, f"{size} rows in {table} of {address}", holds=size <= most)
        if commands or address not in self._unwritten:
            self._unwritten.discard(address)
            self._at_risk.pop(address, None)
            self._written_words[address.party] = len(self._words.get(address.party, ()))
        for command in commands:
            if isinstance(command, Keep) and command.table is Table.INTAKE:
                _, report_id, *_ = _settled_decoder.decode(command.body)
                self._receipted.keep(address.party, report_id)
            elif isinstance(command, Append) and command.log.startswith(AUDIT_LOGS):
                record = decode_record(command.body)
                self._recorded.add(record.digest)
                self._hold_timely(address, record)
                self.arrivals.committed(address, command.log, record)

    def _hold_timely(self, address: Address, record: AuditRecord) -> None:
        passage = self.arrivals.passages.get(record.report_id)
        if passage is not None:
            what = f"{address} refuses {record.report_id} of {passage.originator}: {record.reason}"
            timely = self._timeliness.is_kept_in(record, passage.sent_at_us)
            self._hold(TIMELINESS, what, holds=timely)

    def _records(self, commands: list[Command]) -> list[AuditRecord]:
        """Return the audit records among what was written; note what was given to whom."""
        records: list[AuditRecord] = []
        for command in commands:
            if isinstance(command, Append) and command.log.startswith(AUDIT_LOGS):
                records.append(decode_record(command.body))
                if command.log.startswith("given/"):
                    self._note_given(command.log.removeprefix("given/"), records[-1])
        return records

    def _check_guard(self, address: Address, cause: Message | None, records: list[AuditRecord]) -> None:
        expected = [cause.report_id] if isinstance(cause, Report) else []
        found = [record.report_id for record in records]
        known = self._recorded_at.setdefault(address, set())
        told_again = not found and known.issuperset(expected)
        known.update(found)
        self._hold(
            3, f"records {found} of {address} for reports {expected}", holds=found == expected or told_again
        )
        if isinstance(cause, Report) and records and records[0].outcome is not Outcome.REFUSED:
            lane = records[0].lane
            new = Passage(cause.originator, cause.track, lane, self._now_us)
            self.arrivals.passages.setdefault(cause.report_id, new)
            self._released.setdefault(HUB, set()).add((cause.report_id, records[0].digest))
            self._at_risk.setdefault(address, []).append(cause.report_id)

    def _note_given(self, recipient: str, record: AuditRecord) -> None:
        self._released.setdefault(recipient, set()).add((record.report_id, record.digest))
        known = record.report_id in self.arrivals.passages or record.report_id in self.arrivals.orphans
        self._hold(3, f"release of an unknown report {record.report_id}", holds=known)

    def _check_audited(self, address: Address, command: Deliver, records: list[AuditRecord]) -> None:
        delivery = decode(command.body)
        assert isinstance(delivery, Delivery)
        digest = hashlib.sha256(delivery.sealed).digest()
        known = (delivery.report_id, digest) in self._released.get(party_of(command.recipient), set())
        what = f"{address} sends {delivery.report_id} to {command.recipient} without a record of its release"
        self._hold(3, what, holds=known)
        self.arrivals.stated(decode_header(decode_sealed(delivery.sealed).header))
        fresh = any(record.report_id == delivery.report_id for record in records)
        if is_hub(address.party) and fresh:
            self._check_entitled(address, delivery)

    def _check_entitled(self, hub: Address, delivery: Delivery) -> None:
        """Hold what leaves the hub now against the flows and the originator's own rules."""
        sealed = decode_sealed(delivery.sealed)
        header = decode_header(sealed.header)
        self._hold(7, f"{header.mode} leaves the hub", holds=header.mode is self._mode)
        recipient = Nation(delivery.recipient)
        entitlement = self._entitlement_at(hub.party)
        coarse = {one.group for one in sealed.degradations}
        for group in (*(one.group for one in sealed.disclosures), *coarse):
            right = entitlement.right(header.originator, recipient, group, self._now_us)
            entitled = right == "whole" or (right == "coarse" and group in coarse)
            what = f"{group} of {header.originator} leaves for {recipient}, whose right to it is {right!r}"
            self._hold(1, what, holds=entitled)

    def _settle(self, address: Address, cause: Delivery, records: list[AuditRecord]) -> None:
        """Hold the hub to one record per partner for each delivery it takes for the first time."""
        if not is_hub(address.party) or not records:
            return
        if any(record.recipient == HUB for record in records):
            return
        gave = {record.recipient for record in records if record.originator == cause.sender}
        others = {nation for nation in self._nations if nation != cause.sender}
        self._hold(3, f"records towards {sorted(gave)} for {sorted(others)}", holds=gave == others)

    def _take_receipt(self, receipt: Receipt) -> None:
        """Hold a receipt against what its sender has committed."""
        ends = f"{receipt.sender} to {receipt.recipient} on {receipt.lane}"
        for sequence, report_id in self._receipted.named_in(receipt, refused=False):
            what = f"a receipt of {ends} for {sequence}, which never arrived"
            self._hold(4, what, holds=report_id is not None)
            kept = self._receipted.has_kept(receipt.sender, report_id or "")
            self._hold(4, f"{report_id} is receipted by {receipt.sender}, not committed", holds=kept)
            self._receipted.add(receipt, report_id or "")
            passage = self.arrivals.passages.get(report_id or "")
            if passage is not None and not is_hub(receipt.sender):
                passage.taken.add(receipt.sender)
        for _, report_id in self._receipted.named_in(receipt, refused=True):
            if self.arrivals.is_wiped(receipt.sender):
                self._receipted.let_go(receipt.sender, report_id or "")
            passage = self.arrivals.passages.get(report_id or "")
            if passage is not None:
                passage.refused.add(receipt.sender)

    def died(self, address: Address) -> None:
        """Let go of what a guard had in memory alone: nobody outside the nation was promised it.

        A word that a hub could not write is gone with it too, until the hub hears it again.
        """
        self._pending.pop(address, None)
        self._unwritten.discard(address)
        self._recorded_at.pop(address, None)
        self._last.pop(address, None)
        self.arrivals.died(address)
        self._warned.died(address)
        self.arrivals.forget_unwritten(self._at_risk.pop(address, ()))
        if is_hub(address.party):
            kept = self._words.get(address.party, [])[: self._written_words.get(address.party, 0)]
            self._words[address.party] = kept
            self._entitlements.pop(address.party, None)
            self._learn(address.party, kept)

    def wiped(self, address: Address) -> None:
        """Let go of what was on a lost disk; what a picture had receipted on FLASH it must get again."""
        self.arrivals.wiped(address)
        party = address.party
        self._receipted.wiped(party, lambda one: not is_hub(party) and self.arrivals.is_flash(one, party))

    # Something leaves, something arrives.

    def sent(self, letter: Letter, message: Message) -> None:
        """Check the way and the size of what leaves; raises `Breach`."""
        source, destination = letter.source.party, letter.destination.party
        through = source == destination or is_hub(source) is not is_hub(destination)
        self.checked[2] += 1
        if not through:
            raise Breach(2, f"{letter.source} to {letter.destination}", self._now_us)
        if isinstance(message, Delivery):
            own = (message.sender, message.recipient) == (source, destination)
            self._hold(2, f"a delivery {message.sender} to {message.recipient}", holds=own)
            recorded = hashlib.sha256(message.sealed).digest() in self._recorded
            what = f"{message.report_id} leaves {letter.source} before its record is on the disk"
            self._hold(3, what, holds=recorded or letter.source in self._unwritten)
        elif isinstance(message, Receipt):
            self._take_receipt(message)
        fits = len(letter.data) <= MAXIMUM_MESSAGE_BYTES
        self._hold(6, f"a message of {len(letter.data)} bytes", holds=fits)

    def received(self, letter: Letter, message: Message, at_us: TimeUs) -> None:
        """Note what a node is about to be called with."""
        self._now_us = at_us
        self._pending[letter.destination] = message
        if isinstance(message, Delivery):
            self._receipted.came(message)

    # The end of the run, after the weather has cleared.

    def finish(self, logs: Mapping[tuple[str, str], list[bytes]]) -> None:
        """Check that all arrived that had to, and that every audit log is whole.

        Args:
            logs: records of every audit log of every disk and of what pictures took, by party and name.
        """
        for (party, name), records in logs.items():
            if name == RECEIVED_LOG:
                self._hold_taken_once(party, [body.decode() for body in records])
                continue
            flaw = flaw_in_log(records)
            self._hold(3, f"log {name} of {party}: {flaw}", holds=not flaw)
            if name.startswith("gave/"):
                self._hold_receipted_stays(party, name, records)
            elif name.startswith("guard/"):
                lost = self.arrivals.unrecorded(party, {decode_record(one).report_id for one in records})
                self._hold(3, f"the guard of {party} released {lost[:3]} and has no records", holds=not lost)
        self.arrivals.hold(self._hold, self._now_us, self._may_have)

    def hold_warned(self, nation: Nation, picture: Rows, warnings: Rows, now_us: TimeUs) -> None:
        """Check that the warnings of a nation say what its picture holds; arguments as of `Warned.flaws`."""
        flaws = self._warned.flaws(nation, picture, warnings, now_us)
        self._hold(WARNED, "; ".join(flaws), holds=not flaws)

    def _hold_receipted_stays(self, hub: str, name: str, records: list[bytes]) -> None:
        """Hold that what an instance receipted to a nation stands in its log, towards each other nation."""
        nation = name.removeprefix("gave/")
        others = {str(one) for one in self._nations if one != nation}
        lacking = self._receipted.lacking(hub, nation, map(decode_record, records), others)
        self._hold(4, "; ".join(lacking), holds=not lacking)

    def _hold_taken_once(self, nation: str, taken: list[str]) -> None:
        double = [one for one, count in Counter(taken).items() if count > 1]
        self._hold(4, f"{double[:3]} taken more than once by {nation}", holds=not double)
        held = set(taken)
        for report_ids in self._receipted.by(nation):
            lost = [one for one in report_ids - held if not self._is_held_back(one, nation)]
            self._hold(4, f"{nation} receipted {lost[:3]} and has lost it", holds=not lost)

    def _is_held_back(self, report_id: str, nation: str) -> bool:
        """Return whether one without its disk is not sent a report again: suspended all of it, or expired."""
        passage = self.arrivals.passages.get(report_id)
        if passage is None or not self.arrivals.is_wiped(nation):
            return False
        expired = self.arrivals.is_past(report_id, nation)
        return expired or not self._may_have(passage.originator, Nation(nation))

    def _may_have(self, originator: Nation, recipient: Nation) -> bool:
        """Return whether no party has since suspended all under which a nation was given anything."""
        rights = self._entitlements.values()
        return all(one.may_have_any(originator, recipient, self._now_us) for one in rights)

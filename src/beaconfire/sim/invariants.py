"""The invariants of the house, asserted at every step of a simulated run.

1. No partner receives what the arrangements and the originator's rules deny.
2. Nothing passes between two nations except through the hub.
3. Every release and every refusal has an audit record, committed before anything leaves.
4. What is receipted was committed, and nothing receipted on FLASH is lost; every FLASH report reaches each
   entitled partner within its limit once the weather has cleared, or a notice says why not.
5. Time never runs back inside a node.
6. No bound is exceeded.
7. Nothing of another mode than the run's is said.

A breach stops the run: `Breach` names the invariant, the time and the place.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from beaconfire.audit.record import AuditRecord, Outcome, decode_record, flaw_in_log
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES, Message, decode, decode_header, decode_sealed
from beaconfire.messages.event import Event, Warning
from beaconfire.messages.health import Notice
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery, Receipt, Suspension
from beaconfire.messages.words import HUB, Lane, Mode, Nation, TimeUs
from beaconfire.nodes.commands import Append, Channel, Command, Deliver, Keep, Now, Send, Table
from beaconfire.sim.disk import SimDisk
from beaconfire.sim.entitlement import Entitlement, Terms
from beaconfire.sim.network import Address, Letter

COMMANDS_MAX: Final = 4_096
"""Commands of one call: a full resend window of both lanes to every party, with room."""
TABLE_MAX: Final = {Table.OUTBOX: 32_768, Table.INTAKE: 70_000, Table.STATE: 20_000}
"""Rows of each table: the bounds of outbox and intake times the parties, with room."""
LIMIT_US: Final = 2_000_000
"""In calm weather a report has reached every entitled partner by then; a younger one may be on its way."""
AUDIT_LOGS: Final = ("guard/", "gave/", "given/")


class Breach(AssertionError):
    """An invariant does not hold.

    Attributes:
        invariant: its number in the module's list.
        at_us: simulated time.
    """

    def __init__(self, invariant: int, what: str, at_us: TimeUs) -> None:
        """Name the invariant, what was seen and when."""
        self.invariant = invariant
        self.at_us = at_us
        super().__init__(f"invariant {invariant} at {at_us}: {what}")


class Passage(msgspec.Struct):
    """One report on its way, from the guard that released it.

    Attributes:
        originator: whose.
        track: of the report.
        lane: it went on.
        sent_at_us: when it was sealed.
        at_hub: the hub committed it.
        refused: the hub committed a refusal of it.
        towards: recipients the hub released it to, and whether each committed it.
    """

    originator: Nation
    track: str
    lane: Lane
    sent_at_us: TimeUs
    at_hub: bool = False
    refused: bool = False
    towards: dict[str, bool] = msgspec.field(default_factory=dict)


class Invariants:
    """Looks on as `engine.Observer` and raises `Breach`.

    Attributes:
        passages: every report a guard released, by id.
        checked: how many checks of each invariant were made.
        notices: codes of the notices given.
    """

    def __init__(self, terms: Terms, mode: Mode, nations: Iterable[Nation]) -> None:
        """Start before the first step."""
        self.entitlement = Entitlement(terms)
        self.passages: dict[str, Passage] = {}
        self.checked: dict[int, int] = dict.fromkeys(range(1, 8), 0)
        self.notices: set[str] = set()
        self._mode = mode
        self._nations = tuple(nations)
        self._last: dict[Address, Now] = {}
        self._now_us: TimeUs = 0
        self._released: dict[str, set[tuple[str, bytes]]] = {}
        self._pending: dict[Address, Message] = {}
        self._frames: dict[tuple[str, str, Lane, int], str] = {}
        self._kept: set[tuple[str, str]] = set()

    def _hold(self, invariant: int, what: str, *, holds: bool) -> None:
        self.checked[invariant] += 1
        if not holds:
            raise Breach(invariant, what, self._now_us)

    # A node was called.

    def called(self, address: Address, now: Now, commands: list[Command]) -> None:
        """Check time, bounds and modes of what a node answered."""
        self._now_us = now.monotonic_us
        last = self._last.get(address, now)
        forward = now.utc_us >= last.utc_us and now.monotonic_us >= last.monotonic_us
        self._hold(5, f"time ran back in {address}", holds=forward)
        self._last[address] = now
        self._hold(6, f"{len(commands)} commands of {address}", holds=len(commands) <= COMMANDS_MAX)
        for command in commands:
            if isinstance(command, Send):
                self._look_at(address, command)

    def _look_at(self, address: Address, command: Send) -> None:
        message = command.message
        if isinstance(message, Report | Event | Warning):
            self._hold(7, f"{message.mode} said by {address}", holds=message.mode is self._mode)
        if isinstance(message, Report):
            inside = command.channel is Channel.OWN_REPORT and command.recipient == address.party
            self._hold(2, f"a bare report of {address} to {command.recipient}", holds=inside)
        if isinstance(message, Notice):
            self.notices.add(message.code)

    # What it wrote is committed, and nothing is sent yet.

    def committed(self, address: Address, disk: SimDisk, commands: list[Command]) -> None:
        """Check the bounds of the disk, and that every decision has its record."""
        for table, most in TABLE_MAX.items():
            self._hold(6, f"{disk.size(table)} rows in {table} of {address}", holds=disk.size(table) <= most)
        records = self._records(commands)
        cause = self._pending.pop(address, None)
        if address.role == "guard":
            self._check_guard(address, cause, records)
        for command in commands:
            if isinstance(command, Deliver):
                self._check_audited(address, command, records)
        if isinstance(cause, Delivery):
            if any(isinstance(command, Keep) and command.table is Table.INTAKE for command in commands):
                self._kept.add((address.party, cause.report_id))
            self._settle(address, cause, records)
        for command in commands:
            if isinstance(command, Send) and isinstance(command.message, Receipt):
                self._take_receipt(command.message)

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
        self._hold(3, f"records {found} of {address} for reports {expected}", holds=found == expected)
        if isinstance(cause, Report) and records[0].outcome is not Outcome.REFUSED:
            lane = records[0].lane
            self.passages[cause.report_id] = Passage(cause.originator, cause.track, lane, self._now_us)
            self._released.setdefault(HUB, set()).add((cause.report_id, records[0].digest))

    def _note_given(self, recipient: str, record: AuditRecord) -> None:
        self._released.setdefault(recipient, set()).add((record.report_id, record.digest))
        passage = self.passages.get(record.report_id)
        self._hold(3, f"release of an unknown report {record.report_id}", holds=passage is not None)
        if passage is not None:
            passage.towards.setdefault(recipient, False)

    def _check_audited(self, address: Address, command: Deliver, records: list[AuditRecord]) -> None:
        delivery = decode(command.body)
        assert isinstance(delivery, Delivery)
        digest = hashlib.sha256(delivery.sealed).digest()
        known = (delivery.report_id, digest) in self._released.get(command.recipient, set())
        what = f"{address} sends {delivery.report_id} to {command.recipient} without a record of its release"
        self._hold(3, what, holds=known)
        fresh = any(record.report_id == delivery.report_id for record in records)
        if address.party == HUB and fresh:
            self._check_entitled(delivery)

    def _check_entitled(self, delivery: Delivery) -> None:
        """Hold what leaves the hub now against the flows and the originator's own rules."""
        sealed = decode_sealed(delivery.sealed)
        header = decode_header(sealed.header)
        self._hold(7, f"{header.mode} leaves the hub", holds=header.mode is self._mode)
        recipient = Nation(delivery.recipient)
        coarse = {one.group for one in sealed.degradations}
        for group in (*(one.group for one in sealed.disclosures), *coarse):
            right = self.entitlement.right(header.originator, recipient, group, self._now_us)
            entitled = right == "whole" or (right == "coarse" and group in coarse)
            what = f"{group} of {header.originator} leaves for {recipient}, whose right to it is {right!r}"
            self._hold(1, what, holds=entitled)

    def _settle(self, address: Address, cause: Delivery, records: list[AuditRecord]) -> None:
        """Hold the hub to one record per partner for each delivery it takes for the first time."""
        if address.party != HUB or not records:
            return
        if any(record.recipient == HUB for record in records):
            return
        gave = {record.recipient for record in records if record.originator == cause.sender}
        others = {nation for nation in self._nations if nation != cause.sender}
        self._hold(3, f"records towards {sorted(gave)} for {sorted(others)}", holds=gave == others)
        passage = self.passages.get(cause.report_id)
        if passage is not None:
            passage.at_hub = True

    def _take_receipt(self, receipt: Receipt) -> None:
        """Hold a receipt against what its sender has committed."""
        for sequence in receipt.sequences:
            frame = (receipt.recipient, receipt.sender, receipt.lane, sequence)
            report_id = self._frames.get(frame)
            self._hold(4, f"a receipt for {frame}, which never arrived", holds=report_id is not None)
            kept = (receipt.sender, report_id) in self._kept
            self._hold(4, f"{report_id} is receipted by {receipt.sender}, not committed", holds=kept)
            passage = self.passages.get(report_id or "")
            if passage is not None and receipt.sender != HUB:
                passage.towards[receipt.sender] = True
        for sequence in receipt.refused:
            report_id = self._frames.get((receipt.recipient, receipt.sender, receipt.lane, sequence))
            passage = self.passages.get(report_id or "")
            if passage is not None:
                passage.refused = True

    # Something leaves, something arrives.

    def sent(self, letter: Letter, message: Message) -> None:
        """Check the way and the size of what leaves."""
        parties = {letter.source.party, letter.destination.party}
        self._hold(2, f"{letter.source} to {letter.destination}", holds=len(parties) == 1 or HUB in parties)
        if isinstance(message, Delivery):
            through = HUB in {message.sender, message.recipient} and message.sender == letter.source.party
            self._hold(2, f"a delivery {message.sender} to {message.recipient}", holds=through)
        size = len(letter.data)
        self._hold(6, f"a message of {size} bytes", holds=size <= MAXIMUM_MESSAGE_BYTES)

    def received(self, letter: Letter, message: Message, at_us: TimeUs) -> None:
        """Note what a node is about to be called with."""
        self._now_us = at_us
        self._pending[letter.destination] = message
        if isinstance(message, Delivery):
            frame = (message.sender, message.recipient, message.lane, message.sequence)
            self._frames[frame] = message.report_id
        if isinstance(message, Suspension) and letter.destination.party == HUB:
            self.entitlement.suspend(
                message.party, message.arrangement, number=message.number, suspended=message.suspended
            )

    # The end of the run, after the weather has cleared.

    def finish(self, logs: Mapping[str, list[bytes]]) -> None:
        """Check that all arrived that had to, and that every audit log is whole.

        Args:
            logs: records of every audit log of every disk, by party and name.
        """
        for name, records in logs.items():
            flaw = flaw_in_log(records)
            self._hold(3, f"log {name}: {flaw}", holds=not flaw)
        newest = self._newest_of_tracks()
        for report_id, passage in self.passages.items():
            if self._now_us - passage.sent_at_us < LIMIT_US:
                continue
            if passage.lane is Lane.FLASH or newest[passage.originator, passage.track] == report_id:
                self._hold_arrival(report_id, passage)

    def _newest_of_tracks(self) -> dict[tuple[str, str], str]:
        newest: dict[tuple[str, str], str] = {}
        for report_id, passage in self.passages.items():
            newest[passage.originator, passage.track] = report_id
        return newest

    def _hold_arrival(self, report_id: str, passage: Passage) -> None:
        what = f"{passage.lane} report {report_id} of {passage.originator}"
        excused = "flash-expired" in self.notices or passage.refused
        self._hold(4, f"{what} never reached the hub", holds=passage.at_hub or excused)
        for recipient, arrived in passage.towards.items():
            self._hold(4, f"{what} never reached {recipient}", holds=arrived or excused)

"""What had to arrive by the end of a run, and what excuses one report towards one recipient.

A promise begins with what is on a disk: what a node had in memory alone when it died was promised to nobody.
An excuse is of one report, one sender and one recipient: it was refused there; or was ROUTINE and gave way,
before it came there, to a newer one of its track, which is owed in its place; or it was past its time by the
clock of the instance that held it, which said so in a notice towards that recipient, afterwards; or, at an
instance that never had it, by the clock of its originator's guard; or all under which it could have been
given is suspended since.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple, Protocol

from beaconfire.audit.record import AuditRecord, Outcome
from beaconfire.messages.envelope import Header
from beaconfire.messages.health import Notice
from beaconfire.messages.refusal import Reason
from beaconfire.messages.words import HUB, Lane, Nation, TimeUs, is_hub
from beaconfire.nodes.commands import Now
from beaconfire.sim.network import Address
from beaconfire.sim.passages import Passage, newest_of_tracks

LIMIT_US: Final = 2_000_000
"""In calm weather a report has reached every entitled partner by then; a younger one may be on its way."""
ROUTINE_SHARE: Final = 10
"""On ROUTINE a report is worth sending for this part of the life that its header states."""
HELD_BACK_US: Final = 10_000_000
"""A notice that repeats is held back for so long, and then said for all of them."""
EXPIRY: Final = {Lane.FLASH: "flash-expired", Lane.ROUTINE: "routine-expired"}

MayHave = Callable[[Nation, Nation], bool]
"""Whether a recipient may have anything of an originator now, at every instance of the hub."""


class Hold(Protocol):
    """Holds a statement against an invariant: raises `Breach` if it does not hold."""

    def __call__(self, invariant: int, what: str, *, holds: bool) -> None:
        """Raise unless it holds."""
        ...


class _Told(NamedTuple):
    """A notice that something expired: who said it, of which lane, towards whom, and when by its clock."""

    party: str
    code: str
    text: str
    at: Now


class Arrivals:
    """Each report's way, what is known of it on disks, and what was said of it.

    Attributes:
        passages: every report a guard released, by id.
        orphans: ids of reports that a guard had in memory alone when it died.
    """

    def __init__(self, nations: Iterable[Nation]) -> None:
        """Start before the first step."""
        self.passages: dict[str, Passage] = {}
        self.orphans: set[str] = set()
        self._nations = tuple(nations)
        self._up: dict[str, Now] = {}
        self._latest_us: dict[str, TimeUs] = {}
        self._wiped: set[str] = set()
        self._told: list[_Told] = []
        self._withheld: dict[tuple[str, str, str], Reason | None] = {}

    def called(self, address: Address, now: Now) -> None:
        """Note that a node is up, and the time it was given."""
        if address.role in {"guard", "hub"}:
            self._up[address.party] = now
            self._latest_us[address.party] = max(now.utc_us, self._latest_us.get(address.party, 0))

    def died(self, address: Address) -> None:
        """Note that a node is down."""
        if address.role in {"guard", "hub"}:
            self._up.pop(address.party, None)

    def wiped(self, address: Address) -> None:
        """Note that a node lost its disk: what it owed others is gone with it."""
        self._wiped.add(address.party)
        if address.role == "hub":
            for passage in self.passages.values():
                passage.forget(address.party)

    def is_wiped(self, party: str) -> bool:
        """Return whether a disk of a party was lost."""
        return party in self._wiped

    @property
    def is_any_hub_wiped(self) -> bool:
        """Whether the disk of an instance of the hub was lost."""
        return any(map(is_hub, self._wiped))

    def unrecorded(self, nation: str, recorded: Collection[str]) -> list[str]:
        """Return what a guard released and had on its disk, and which is not among what is recorded."""
        released = (one for one, passage in self.passages.items() if passage.originator == nation)
        return [one for one in released if one not in recorded and one not in self.orphans]

    def is_flash(self, report_id: str, recipient: str) -> bool:
        """Return whether a report went to a recipient on FLASH, from any instance that remembers."""
        passage = self.passages.get(report_id)
        return passage is not None and passage.lanes.get(recipient, passage.lane) is Lane.FLASH

    def told(self, address: Address, notice: Notice, now: Now) -> None:
        """Note a notice that something expired."""
        if notice.code in EXPIRY.values():
            self._told.append(_Told(address.party, notice.code, notice.text, now))

    def stated(self, header: Header) -> None:
        """Note when a report was sealed and until when it is good, by its originator's clock."""
        passage = self.passages.get(header.report_id)
        if passage is not None:
            passage.good_us = (header.sent_at_us, header.expires_at_us)

    def committed(self, address: Address, log: str, record: AuditRecord) -> None:
        """Note a decision of an instance of the hub that is on its disk."""
        passage = self.passages.get(record.report_id)
        hub = address.party
        if not is_hub(hub) or passage is None:
            return
        if log.startswith("gave/"):
            passage.at_hubs.add(hub)
            if record.outcome is Outcome.REFUSED:
                self._withheld[hub, record.report_id, record.recipient] = record.reason
        elif log.startswith("given/"):
            passage.release(hub, record.recipient, record.lane)

    def forget_unwritten(self, report_ids: Iterable[str]) -> None:
        """Let go of what a guard that died had in memory alone, unless an instance of the hub has it."""
        for report_id in report_ids:
            self.orphans.add(report_id)
            passage = self.passages.get(report_id)
            if passage is not None and not passage.at_hubs:
                del self.passages[report_id]

    def hold(self, hold: Hold, now_us: TimeUs, may_have: MayHave) -> None:
        """Hold that all arrived that had to; what is younger than `LIMIT_US` may be on its way."""
        newest = newest_of_tracks(self.passages)
        for report_id, passage in self.passages.items():
            if now_us - passage.sent_at_us < LIMIT_US:
                continue
            for recipient, lane in {HUB: passage.lane, **passage.lanes}.items():
                is_newest = newest[recipient, passage.originator, passage.track] == report_id
                if lane is not Lane.FLASH and not is_newest:
                    continue
                what = f"report {report_id} of {passage.originator} never reached {recipient}"
                good = self._arrived(report_id, passage, recipient)
                hold(4, what, holds=good or self._is_excused(report_id, passage, recipient, may_have))

    def _arrived(self, report_id: str, passage: Passage, recipient: str) -> bool:
        """Return whether it is there, or gave way to a newer one that came there, taken or refused."""
        if recipient == HUB:
            return bool(passage.at_hubs)
        if recipient in passage.taken:
            return True
        superseded = any(
            self._withheld.get((hub, report_id, recipient)) is Reason.REPLAYED for hub in passage.at_hubs
        )
        if not superseded and recipient not in passage.replaceable:
            return False
        track = (passage.originator, passage.track)
        return any(
            recipient in other.taken or recipient in other.refused
            for other in self.passages.values()
            if (other.originator, other.track) == track and other.sent_at_us > passage.sent_at_us
        )

    def _is_excused(self, report_id: str, passage: Passage, recipient: str, may_have: MayHave) -> bool:
        if recipient == HUB:
            others = [one for one in self._nations if one != passage.originator]
            entitled = [one for one in others if may_have(passage.originator, one)]
            if entitled and passage.taken.issuperset(entitled):
                return True
            refused = any(is_hub(one) for one in passage.refused)
            of = report_id if passage.lane is Lane.FLASH else f"towards {HUB}"
            return refused or self._told_expired(passage.originator, passage, passage.lane, of)
        if recipient in passage.refused or not may_have(passage.originator, Nation(recipient)):
            return True
        up = [hub for hub in self._up if is_hub(hub) and hub not in self._wiped]
        return bool(up) and all(self._is_done(hub, report_id, passage, recipient) for hub in up)

    def _is_done(self, hub: str, report_id: str, passage: Passage, recipient: str) -> bool:
        """Return whether an instance owes a recipient a report no more: refused, or told that it expired."""
        if hub in passage.refused or self._withheld.get((hub, report_id, recipient)) is Reason.EXPIRED:
            return True
        if hub not in passage.at_hubs and (self._gave_way(hub, passage) or self._was_let_go(passage)):
            return True
        lane = passage.released.get((hub, recipient))
        return lane is not None and self._told_expired(hub, passage, lane, f"towards {recipient}")

    def is_past(self, report_id: str, recipient: str) -> bool:
        """Return whether each instance that gave a recipient a report on FLASH takes it for expired now."""
        passage = self.passages.get(report_id)
        if passage is None or passage.good_us is None:
            return False
        gave = [
            hub for (hub, whom), lane in passage.released.items() if (whom, lane) == (recipient, Lane.FLASH)
        ]
        clocks = [self._up.get(hub) for hub in gave]
        until_us = passage.good_us[1]
        return bool(clocks) and all(one is not None and one.utc_us >= until_us for one in clocks)

    def _gave_way(self, hub: str, passage: Passage) -> bool:
        """Return whether its sender sent an instance a newer one of its track in its place."""
        return passage.lane is Lane.ROUTINE and any(
            (hub in other.refused or hub in other.at_hubs)
            and (other.originator, other.track) == (passage.originator, passage.track)
            and other.sent_at_us > passage.sent_at_us
            for other in self.passages.values()
        )

    def _was_let_go(self, passage: Passage) -> bool:
        """Return whether its originator's guard took a report for expired, right or wrong."""
        until_us = _worth_until_us(passage, passage.lane)
        return until_us is not None and self._latest_us.get(passage.originator, 0) >= until_us

    def _told_expired(self, party: str, passage: Passage, lane: Lane, of: str) -> bool:
        """Return whether a party said of a report, or of its recipient, that it expired, once it had."""
        expires_us = _worth_until_us(passage, lane)
        if expires_us is None:
            return False
        last = self._up.get(party)
        return any(
            told.at.utc_us >= expires_us
            or (last is not None and last.utc_us >= expires_us and _is_held_back(told, last))
            for told in self._told
            if told.party == party and told.code == EXPIRY[lane] and of in told.text
        )


def _worth_until_us(passage: Passage, lane: Lane) -> TimeUs | None:
    """Return until when a report is worth sending, by its originator's clock; None before it left."""
    if passage.good_us is None:
        return None
    sent_us, expires_us = passage.good_us
    return expires_us if lane is Lane.FLASH else sent_us + (expires_us - sent_us) // ROUTINE_SHARE


def _is_held_back(told: _Told, last: Now) -> bool:
    """Return whether a notice of the same kind would still be held back now."""
    return told.code == EXPIRY[Lane.ROUTINE] and last.monotonic_us - told.at.monotonic_us < HELD_BACK_US

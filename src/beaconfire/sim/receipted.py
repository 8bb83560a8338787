"""What each end has on its disk and has receipted, so that a receipt can be held against it, and it stays."""

from collections.abc import Callable, Collection, Iterable, Iterator

from beaconfire.audit.record import AuditRecord
from beaconfire.messages.transfer import Delivery, Receipt
from beaconfire.messages.words import HUB, Lane


class Receipted:
    """Deliveries that came, reports that ends committed, and what they receipted to whom."""

    def __init__(self) -> None:
        """Start before the first step."""
        self._frames: dict[tuple[str, str, Lane, int], str] = {}
        self._kept: set[tuple[str, str]] = set()
        self._receipted: dict[tuple[str, str], set[str]] = {}

    def came(self, delivery: Delivery) -> None:
        """Note that a delivery reached its end."""
        frame = (delivery.sender, delivery.recipient, delivery.lane, delivery.sequence)
        self._frames[frame] = delivery.report_id

    def keep(self, party: str, report_id: str) -> None:
        """Note that a party has a report on its disk."""
        self._kept.add((party, report_id))

    def has_kept(self, party: str, report_id: str) -> bool:
        """Return whether a party has a report on its disk."""
        return (party, report_id) in self._kept

    def named_in(self, receipt: Receipt, *, refused: bool) -> Iterator[tuple[int, str | None]]:
        """Yield sequence and report of each delivery that a receipt takes, or refuses; None if none came."""
        for sequence in receipt.refused if refused else receipt.sequences:
            frame = (receipt.recipient, receipt.sender, receipt.lane, sequence)
            yield sequence, self._frames.get(frame)

    def add(self, receipt: Receipt, report_id: str) -> None:
        """Note that a report is receipted."""
        self._receipted.setdefault((receipt.sender, receipt.recipient), set()).add(report_id)

    def by(self, party: str) -> Iterator[set[str]]:
        """Yield the reports that a party receipted, for each to whom."""
        yield from (ids for ends, ids in self._receipted.items() if ends[0] == party)

    def between(self, party: str, sender: str) -> set[str]:
        """Return the reports that a party receipted to a sender."""
        return self._receipted.get((party, sender), set())

    def lacking(
        self, hub: str, nation: str, records: Iterable[AuditRecord], others: Collection[str]
    ) -> list[str]:
        """Return what an instance receipted to a nation and has no records of towards each of some others."""
        found: dict[str, set[str]] = {}
        for record in records:
            found.setdefault(record.report_id, set()).add(record.recipient)
        known = {report_id: found.get(report_id, set()) for report_id in self.between(hub, nation)}
        return [
            f"{hub} receipted {report_id} of {nation} and has records towards {sorted(whom)} alone"
            for report_id, whom in known.items()
            if not (whom.issuperset(others) or HUB in whom)
        ]

    def wiped(self, party: str, stays: Callable[[str], bool]) -> None:
        """Forget what was on a lost disk; of what it had receipted only what it must get again stays."""
        self._kept = {one for one in self._kept if one[0] != party}
        for ids in self.by(party):
            ids.intersection_update([one for one in ids if stays(one)])

    def let_go(self, party: str, report_id: str) -> None:
        """Stop expecting what an end without its disk was sent again and refused: suspended since."""
        for ids in self.by(party):
            ids.discard(report_id)

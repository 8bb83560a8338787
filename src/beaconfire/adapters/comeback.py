"""Whether a process that was hit came back, and how soon: from its own journal, once all has ended."""

from pathlib import Path

import msgspec

from beaconfire.adapters.clock import wall_minus_monotonic_us
from beaconfire.adapters.installation import Installation
from beaconfire.adapters.journal import InputKind, recorded_inputs


class Comeback(msgspec.Struct, frozen=True):
    """What the journal of a process says of the time after it was hit.

    Attributes:
        after_ms: from then to its first start, None if it was not started again.
        goes_on: it works still, or again, after the fault was over.
    """

    after_ms: float | None
    goes_on: bool


def comeback_of(installation: Installation, place: str, began_us: int, ended_us: int) -> Comeback | None:
    """Return how a process came back; None for what keeps no journal: servers, links.

    Args:
        installation: that has ended.
        place: such as "guard/KOR".
        began_us: when it was hit, wall time.
        ended_us: when the fault was over.
    """
    entry = next((one for one in installation.processes if one.name == place), None)
    if entry is None:
        return None
    journal = installation.journal(entry.role, entry.party)
    return _comeback(journal, began_us, ended_us) if journal.is_file() else None


def _comeback(journal: Path, began_us: int, ended_us: int) -> Comeback:
    started_us: int | None = None
    last_us = 0
    beyond_us = wall_minus_monotonic_us()
    for one in recorded_inputs(journal):
        at_us = one.monotonic_us + beyond_us
        if one.kind is InputKind.START and at_us >= began_us and started_us is None:
            started_us = at_us
        last_us = max(last_us, at_us if one.kind is InputKind.TICK else 0)
    after_ms = None if started_us is None else (started_us - began_us) / 1_000
    return Comeback(after_ms, last_us > ended_us)

"""What a nation vouched for of the logs that a hub keeps about it, and what it will vouch for next."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from beaconfire.audit.checkpoint import Checkpoint
from beaconfire.audit.merkle import verify_consistency

STATE: Final = "witness/"
"""Prefix of the rows that hold the newest vouched checkpoint of each log, per keeper."""
HASHES_MAX: Final = 64

_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")


class Witness:
    """The newest checkpoint of each log that this nation put its name to. It never takes one back.

    A first checkpoint is taken as it is: what came before it, only the records themselves can show.
    """

    def __init__(self, nation: str, rows: Iterable[tuple[str, bytes]]) -> None:
        """Restore from the rows of the journal's state table; other rows are passed over."""
        self._logs = frozenset({f"gave/{nation}", f"given/{nation}"})
        self._held: dict[str, Checkpoint] = {
            key.removeprefix(STATE): msgspec.msgpack.decode(body, type=Checkpoint)
            for key, body in rows
            if key.startswith(STATE)
        }

    def flaw_in(self, keeper: str, said: Checkpoint, earlier_size: int, proof: Sequence[bytes]) -> str:
        """Return why this nation does not vouch for a checkpoint, or an empty string.

        Args:
            keeper: instance of the hub that keeps the log.
            said: the checkpoint, its signature verified.
            earlier_size: where the proof starts.
            proof: that the log of `earlier_size` is the beginning of it.
        """
        if said.log not in self._logs or said.size < 1 or len(said.root) != 32:
            return "no checkpoint of a log about this nation"
        if len(proof) > HASHES_MAX or any(len(one) != 32 for one in proof):
            return "no consistency proof"
        held = self._held.get(f"{keeper}/{said.log}")
        if held is None:
            return ""
        if said.size < held.size:
            return f"{said.log} counts {said.size} records after it counted {held.size}"
        if said.size == held.size:
            return "" if said.root == held.root else f"{said.log} has two histories of {said.size} records"
        if earlier_size != held.size:
            return f"the proof of {said.log} starts at {earlier_size}, not at {held.size}"
        if not verify_consistency((held.size, held.root), (said.size, said.root), proof):
            return f"{said.log} of {said.size} records does not continue that of {held.size}"
        return ""

    def take(self, keeper: str, said: Checkpoint) -> tuple[str, bytes]:
        """Hold a checkpoint without a flaw; return key and body of the row to be kept."""
        name = f"{keeper}/{said.log}"
        self._held[name] = said
        return f"{STATE}{name}", _encoder.encode(said)

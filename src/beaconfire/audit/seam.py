"""Seams: where the records of a log were moved to an archive, and the log goes on.

A log never begins anew: what stays of the records before a seam are the roots of their subtrees, at most
three times 64 hashes, from which the next record's root, the next checkpoint and its proof follow.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from beaconfire.audit.merkle import node_hash

SEAM: Final = "seam/"
"""Prefix of the row, in the state table of a journal, that holds the seam of a log."""


class Seam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of what was moved.

    Attributes:
        log: its name, such as "gave/KOR".
        size: records before it.
        spans: (begin, end, root of 32 bytes) of full subtrees that together cover all of them, in order.
    """

    log: str
    size: int
    spans: tuple[tuple[int, int, bytes], ...]

    def has_boundary(self, size: int) -> bool:
        """Return whether the root of the first `size` records follows from what is kept."""
        return size >= self.size or any(end == size for _, end, _ in self.spans)

    def frontier(self) -> list[bytes]:
        """Return the roots of the largest full subtrees, in order: of falling size."""
        held: list[tuple[int, bytes]] = []
        for begin, end, digest in self.spans:
            width, joined = end - begin, digest
            while held and held[-1][0] == width:
                joined = node_hash(held.pop()[1], joined)
                width *= 2
            held.append((width, joined))
        return [digest for _, digest in held]


_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decoder: Final = msgspec.msgpack.Decoder(Seam)


def seam_row(seam: Seam) -> tuple[str, bytes]:
    """Return key and body of the row that keeps a seam."""
    return SEAM + seam.log, _encoder.encode(seam)


def seam_in(log: str, rows: Iterable[tuple[str, bytes]]) -> Seam | None:
    """Return the seam of a log among the rows of a state table, None if nothing of it was moved.

    Raises:
        msgspec.MsgspecError: the row holds none.
    """
    return next((_decoder.decode(body) for key, body in rows if key == SEAM + log), None)

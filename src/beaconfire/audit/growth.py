"""A growing log that can prove that it continues what somebody vouched for, without keeping its records.

Of a log of `n` records, vouched for up to `m` and offered up to `s`, the roots of full subtrees that do not
reach over `m` or `s` are kept: at most three times 64 hashes. They are all that a consistency proof needs.

Source: RFC 6962 section 2.1.2.
"""

from collections.abc import Iterable

from beaconfire.audit.merkle import EMPTY_ROOT, leaf_hash, node_hash


class Growth:
    """The roots of one log's subtrees.

    Attributes:
        size: number of records.
        vouched: size that was vouched for; proofs start there.
    """

    def __init__(
        self,
        records: Iterable[bytes] = (),
        vouched: int = 0,
        spans: Iterable[tuple[int, int, bytes]] = (),
        offered: int = 0,
    ) -> None:
        """Take the records already in the log, in order, and the size that was vouched for.

        Args:
            records: after the spans.
            vouched: size.
            spans: (begin, end, root) of full subtrees that stand for the records before, in order.
            offered: size that was offered to be vouched for and is still open, 0 if none is.
        """
        self.size = 0
        self.vouched = vouched
        self._offered = offered
        self._spans: list[tuple[int, int]] = []
        self._hashes: dict[tuple[int, int], bytes] = {}
        for begin, end, digest in spans:
            self.size = end
            self._push((begin, end), digest)
        for record in records:
            self.append(record)

    def spans(self) -> tuple[tuple[int, int, bytes], ...]:
        """Return (begin, end, root) of the subtrees kept: what goes on from here needs no record before."""
        return tuple((begin, end, self._hashes[begin, end]) for begin, end in self._spans)

    def append(self, record: bytes) -> None:
        """Add a record at the end."""
        span = (self.size, self.size + 1)
        self.size += 1
        self._push(span, leaf_hash(record))

    def _push(self, span: tuple[int, int], digest: bytes) -> None:
        """Keep the root of a span, joined with those before it where no boundary stands between."""
        while self._spans and self._joins(self._spans[-1], span):
            left = self._spans.pop()
            digest = node_hash(self._hashes.pop(left), digest)
            span = (left[0], span[1])
        self._spans.append(span)
        self._hashes[span] = digest

    def _joins(self, left: tuple[int, int], right: tuple[int, int]) -> bool:
        width = right[1] - right[0]
        full = left[1] - left[0] == width and width & (width - 1) == 0 and left[0] % (2 * width) == 0
        return full and left[1] not in {self.vouched, self._offered}

    def root(self) -> bytes:
        """Return the Merkle root over all records, 32 bytes."""
        return self._root(0, self.size) if self.size else EMPTY_ROOT

    def _root(self, begin: int, end: int) -> bytes:
        known = self._hashes.get((begin, end))
        if known is not None:
            return known
        middle = begin + _split(end - begin)
        return node_hash(self._root(begin, middle), self._root(middle, end))

    def offer(self) -> None:
        """Put a boundary at the present size: `vouch` may be called for it later."""
        self._offered = self.size

    def vouch(self) -> None:
        """Take the size offered last as vouched for."""
        self.vouched, spans = self._offered, self._spans
        hashes, self._spans, self._hashes = self._hashes, [], {}
        for span in spans:
            self._push(span, hashes[span])

    def proof(self) -> tuple[bytes, ...]:
        """Return the consistency proof from the vouched to the offered size."""
        if not 0 < self.vouched < self._offered:
            return ()
        return tuple(self._subproof(self.vouched, (0, self._offered), whole=True))

    def _subproof(self, size: int, span: tuple[int, int], *, whole: bool) -> list[bytes]:
        begin, end = span
        if size == end:
            return [] if whole else [self._root(begin, end)]
        middle = begin + _split(end - begin)
        if size <= middle:
            return [*self._subproof(size, (begin, middle), whole=whole), self._root(middle, end)]
        return [*self._subproof(size, (middle, end), whole=False), self._root(begin, middle)]


def _split(width: int) -> int:
    """Return the largest power of two smaller than a width."""
    return 1 << ((width - 1).bit_length() - 1)

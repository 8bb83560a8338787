"""Merkle logs: hashing, growth, inclusion and consistency proofs.

Source: RFC 6962 section 2.1 (hashing and proofs); RFC 9162 sections 2.1.3.2 and 2.1.4.2 (verification).
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(record: bytes) -> bytes:
    """Return the hash of one record, 32 bytes."""
    return hashlib.sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node over its two children, 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing log that keeps only the roots of its full subtrees: at most 64 hashes.

    Attributes:
        size: number of records.
    """

    def __init__(self, records: Iterable[bytes] = (), size: int = 0, frontier: Iterable[bytes] = ()) -> None:
        """Take the records already in the log, in order.

        Args:
            records: after those of the frontier.
            size: number of records that the frontier stands for.
            frontier: roots of their largest full subtrees, in order.
        """
        self.size = size
        self._frontier = list(frontier)
        for record in records:
            self.append(record)

    def append(self, record: bytes) -> None:
        """Add a record at the end."""
        carried, size = leaf_hash(record), self.size
        while size & 1:
            carried, size = node_hash(self._frontier.pop(), carried), size >> 1
        self._frontier.append(carried)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all records so far, 32 bytes."""
        if not self._frontier:
            return EMPTY_ROOT
        root = self._frontier[-1]
        for left in reversed(self._frontier[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, 32 bytes."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return node_hash(root_of(leaves[:split]), root_of(leaves[split:]))


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from the leaf at `index` to the root, lowest first.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} of {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root_of(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root_of(leaves[:split])]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether the proof shows a leaf hash at `index` of a log of `size` with that root."""
    if not 0 <= index < size:
        return False
    first, last, reached = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            reached = node_hash(one, reached)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            reached = node_hash(reached, one)
        first, last = first >> 1, last >> 1
    return last == 0 and reached == root


def consistency_proof(leaves: Sequence[bytes], earlier_size: int) -> list[bytes]:
    """Return the hashes that show the first `earlier_size` leaves to be a prefix of all.

    Raises:
        IndexError: the log was never of that size.
    """
    if not 0 <= earlier_size <= len(leaves):
        raise IndexError(f"no earlier size {earlier_size} of {len(leaves)}")
    return _subproof(leaves, earlier_size, whole=True) if earlier_size else []


def _subproof(leaves: Sequence[bytes], size: int, *, whole: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = _split(len(leaves))
    if size <= split:
        return [*_subproof(leaves[:split], size, whole=whole), root_of(leaves[split:])]
    return [*_subproof(leaves[split:], size - split, whole=False), root_of(leaves[:split])]


def verify_consistency(earlier: tuple[int, bytes], later: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Return whether the log (size, root) `later` holds the log `earlier` as its beginning."""
    (size_a, root_a), (size_b, root_b) = earlier, later
    if size_a == 0:
        return not proof and root_a == EMPTY_ROOT
    if size_a >= size_b:
        return size_a == size_b and root_a == root_b and not proof
    path = [root_a, *proof] if size_a & (size_a - 1) == 0 else list(proof)
    if not path:
        return False
    first, last = size_a - 1, size_b - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    reached_a = reached_b = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            reached_a, reached_b = node_hash(one, reached_a), node_hash(one, reached_b)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            reached_b = node_hash(reached_b, one)
        first, last = first >> 1, last >> 1
    return last == 0 and reached_a == root_a and reached_b == root_b

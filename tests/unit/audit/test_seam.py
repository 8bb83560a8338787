"""A log goes on from the subtrees of what was moved, with the same roots and proofs as over all records."""

import random

import pytest

from beaconfire.audit.growth import Growth
from beaconfire.audit.merkle import Tree, consistency_proof, leaf_hash, root_of
from beaconfire.audit.record import AuditLog
from beaconfire.audit.seam import Seam, seam_in, seam_row

RECORDS = [f"record {number}".encode() for number in range(140)]
LEAVES = [leaf_hash(one) for one in RECORDS]


@pytest.mark.parametrize("seed", range(40))
def test_a_log_that_is_moved_and_restored_again_and_again_has_the_roots_and_proofs_of_one_that_was_not(
    seed: int,
) -> None:
    chance = random.Random(seed)
    growth, vouched = Growth(), 0
    for number, record in enumerate(RECORDS, start=1):
        growth.append(record)
        if chance.random() < 0.15:
            moved = chance.randrange(number + 1)
            before = Growth(RECORDS[:moved], vouched)
            growth = Growth(RECORDS[moved:number], vouched, before.spans())
        assert growth.root() == root_of(LEAVES[:number])
        if chance.random() < 0.2:
            growth.offer()
            assert list(growth.proof()) == (consistency_proof(LEAVES[:number], vouched) if vouched else [])
            if chance.random() < 0.5:
                growth.vouch()
                vouched = number


def test_a_seam_is_small_and_comes_back_from_its_row() -> None:
    growth = Growth([b"x"] * 5_000, vouched=3_333)
    seam = Seam("gave/KOR", growth.size, growth.spans())
    assert len(seam.spans) < 64
    assert seam_in("gave/KOR", [("other", b""), seam_row(seam)]) == seam
    assert seam_in("gave/JPN", [seam_row(seam)]) is None


@pytest.mark.parametrize("size", [*range(1, 40), 139])
@pytest.mark.parametrize("vouched", [0, 5, 22])
def test_the_frontier_of_a_seam_is_that_of_a_tree_over_all(size: int, vouched: int) -> None:
    seam = Seam("x", size, Growth(RECORDS[:size], vouched).spans())
    tree = Tree((), size, seam.frontier())
    assert tree.root() == root_of(LEAVES[:size])
    tree.append(RECORDS[size % 140])
    assert tree.root() == root_of([*LEAVES[:size], LEAVES[size % 140]])


def test_what_was_moved_makes_room() -> None:
    seam = Seam("x", 100, Growth(RECORDS[:100]).spans())
    log = AuditLog("x", RECORDS[100:110], seam=seam)
    assert (log.size, log.held) == (110, 10)

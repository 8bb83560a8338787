import pytest

from beaconfire.audit.checkpoint import Checkpoint
from beaconfire.audit.merkle import consistency_proof, leaf_hash, root_of
from beaconfire.audit.witness import Witness

LEAVES = [leaf_hash(f"{number}".encode()) for number in range(20)]


def said(size: int, leaves: list[bytes] = LEAVES, log: str = "gave/KOR") -> Checkpoint:
    return Checkpoint(log=log, size=size, root=root_of(leaves[:size]), at_us=1)


def proof(earlier: int, later: int) -> list[bytes]:
    return consistency_proof(LEAVES[:later], earlier)


@pytest.fixture
def witness() -> Witness:
    held = Witness("KOR", [])
    assert not held.flaw_in("HUB", said(7), 0, [])
    held.take("HUB", said(7))
    return held


def test_vouches_for_what_continues_what_it_vouched_for(witness: Witness) -> None:
    assert not witness.flaw_in("HUB", said(13), 7, proof(7, 13))
    assert not witness.flaw_in("HUB", said(7), 0, [])


def test_two_histories_are_seen(witness: Witness) -> None:
    forked = [*LEAVES[:5], leaf_hash(b"other"), *LEAVES[6:]]
    assert "two histories" in witness.flaw_in("HUB", said(7, forked), 0, [])
    assert "does not continue" in witness.flaw_in("HUB", said(13, forked), 7, proof(7, 13))
    assert "after it counted" in witness.flaw_in("HUB", said(6), 0, [])
    assert "starts at" in witness.flaw_in("HUB", said(13), 5, proof(5, 13))


def test_other_instances_and_other_logs_are_apart(witness: Witness) -> None:
    forked = [leaf_hash(b"other"), *LEAVES[1:]]
    assert not witness.flaw_in("HUB-2", said(7, forked), 0, [])
    assert not witness.flaw_in("HUB", said(3, forked, "given/KOR"), 0, [])
    assert witness.flaw_in("HUB", said(3, log="gave/JPN"), 0, [])


def test_a_restarted_witness_holds_what_it_held(witness: Witness) -> None:
    row = witness.take("HUB", said(9))
    restored = Witness("KOR", [row, ("suspension/x", b"")])
    assert restored.flaw_in("HUB", said(7), 0, [])
    assert not restored.flaw_in("HUB", said(12), 9, proof(9, 12))

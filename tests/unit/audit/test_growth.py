import random

import pytest

from beaconfire.audit.growth import Growth
from beaconfire.audit.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    leaf_hash,
    root_of,
    verify_consistency,
)

RECORDS = [f"record {number}".encode() for number in range(140)]
LEAVES = [leaf_hash(one) for one in RECORDS]


@pytest.mark.parametrize("seed", range(40))
def test_roots_and_proofs_are_those_over_all_records(seed: int) -> None:
    chance = random.Random(seed)
    growth, vouched, offered = Growth(), 0, 0
    for number, record in enumerate(RECORDS, start=1):
        growth.append(record)
        assert growth.root() == root_of(LEAVES[:number])
        if chance.random() < 0.2:
            growth.offer()
            offered = number
            assert list(growth.proof()) == (consistency_proof(LEAVES[:number], vouched) if vouched else [])
        if chance.random() < 0.1 and offered > vouched:
            growth.vouch()
            vouched = offered
            assert growth.vouched == vouched


def test_offer_made_before_more_records_came_still_has_its_proof() -> None:
    growth = Growth(RECORDS[:37])
    growth.offer()
    growth.vouch()
    for record in RECORDS[37:61]:
        growth.append(record)
    growth.offer()
    for record in RECORDS[61:]:
        growth.append(record)
    earlier, later = (37, root_of(LEAVES[:37])), (61, root_of(LEAVES[:61]))
    assert verify_consistency(earlier, later, growth.proof())
    assert growth.root() == root_of(LEAVES)


def test_few_hashes_are_kept_however_long_the_log() -> None:
    growth = Growth(RECORDS)
    growth.offer()
    growth.vouch()
    for _ in range(5_000):
        growth.append(b"x")
    assert len(growth._hashes) < 64
    assert Growth().root() == EMPTY_ROOT


def test_restored_log_still_offers_what_it_offered() -> None:
    restored = Growth(RECORDS[:90], vouched=50, offered=77)
    assert list(restored.proof()) == consistency_proof(LEAVES[:77], 50)
    restored.vouch()
    restored.offer()
    assert list(restored.proof()) == consistency_proof(LEAVES[:90], 77)


def test_restored_log_goes_on_from_what_was_vouched_for() -> None:
    restored = Growth(RECORDS[:90], vouched=50)
    restored.offer()
    assert list(restored.proof()) == consistency_proof(LEAVES[:90], 50)

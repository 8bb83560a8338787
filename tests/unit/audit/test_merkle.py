import pytest

from beaconfire.audit.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# Source: certificate-transparency-go, merkletree test vectors: eight leaves and the root after each.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(one) for one in LEAVES]


def test_roots_are_those_of_the_known_vectors() -> None:
    tree = Tree()
    assert tree.root() == EMPTY_ROOT
    for index, (leaf, root) in enumerate(zip(LEAVES, ROOTS, strict=True), start=1):
        tree.append(leaf)
        assert tree.root().hex() == root
        assert root_of(HASHES[:index]).hex() == root


@pytest.mark.parametrize("size", range(1, 9))
def test_inclusion_proofs_hold_for_their_place_and_no_other(size: int) -> None:
    hashes, root = HASHES[:size], root_of(HASHES[:size])
    for index in range(size):
        proof = inclusion_proof(hashes, index)
        assert verify_inclusion(hashes[index], index, size, proof, root)
        for other in range(size):
            if other != index:
                assert not verify_inclusion(hashes[index], other, size, proof, root)
        assert not verify_inclusion(leaf_hash(b"x"), index, size, proof, root)
        assert not verify_inclusion(hashes[index], index, size, [*proof, b"0" * 32], root)


def test_consistency_proofs_hold_for_prefixes_and_nothing_else() -> None:
    for later in range(1, 9):
        end = (later, root_of(HASHES[:later]))
        for earlier in range(later + 1):
            start = (earlier, root_of(HASHES[:earlier]))
            proof = consistency_proof(HASHES[:later], earlier)
            assert verify_consistency(start, end, proof), (earlier, later)
            if earlier > 0:
                forked = (earlier, root_of([*HASHES[: earlier - 1], leaf_hash(b"fork")]))
                assert not verify_consistency(forked, end, proof), (earlier, later)


def test_no_proof_is_given_for_what_is_not_there() -> None:
    with pytest.raises(IndexError):
        inclusion_proof(HASHES, 8)
    with pytest.raises(IndexError):
        consistency_proof(HASHES, 9)

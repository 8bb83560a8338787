import ast
from pathlib import Path

import pytest

from beaconfire.audit import verifier
from beaconfire.audit.merkle import inclusion_proof, leaf_hash
from beaconfire.audit.verifier import leads_to, merkle_root, path_of, verify_log
from unit.audit.test_merkle import LEAVES, ROOTS


def test_roots_and_paths_are_those_of_the_known_vectors() -> None:
    for size, root in enumerate(ROOTS, start=1):
        assert merkle_root(LEAVES[:size]).hex() == root
        for index in range(size):
            path = path_of(LEAVES[:size], index)
            assert path == inclusion_proof([leaf_hash(one) for one in LEAVES[:size]], index)
            assert leads_to(LEAVES[index], (index, size), path, bytes.fromhex(root))
            assert not leads_to(b"x", (index, size), path, bytes.fromhex(root))
            assert not leads_to(LEAVES[index], (index, size), [*path, b"0" * 32], bytes.fromhex(root))
            assert not leads_to(LEAVES[index], (index + size, size), path, bytes.fromhex(root))


def test_it_shares_no_code_with_the_writer() -> None:
    tree = ast.parse(Path(verifier.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    assert not [name for name in {*modules, *names} if name and name.startswith("beaconfire")]


def test_what_is_no_record_and_no_checkpoint_is_a_flaw() -> None:
    for body in (b"", b"\x80", b"\xc0", b"\x91" * 2_000, b"\xa1\xff"):
        assert verify_log("gave/KOR", [body], [], None).flaw
        assert verify_log("gave/KOR", [], [body], None).flaw
    assert not verify_log("gave/KOR", [], [], None).flaw


def test_no_path_to_what_is_not_there() -> None:
    with pytest.raises(IndexError):
        path_of(LEAVES, 8)

"""RFC 6962 trees against a plain recursive reading of the RFC, over every size up to 70 and some larger."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.record.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(bytes((n % 256, n // 256))) for n in range(600)]


def mth(hashes: list[bytes]) -> bytes:
    """The definition in RFC 6962, 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def _nodes(height: int, position: int) -> bytes:
    return mth(LEAVES[position << height : (position + 1) << height])


def test_root_and_frontier_for_every_size() -> None:
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == mth([])
    for size in range(1, 71):
        frontier.append(LEAVES[size - 1])
        assert frontier.root() == mth(LEAVES[:size])
        frontier = Frontier.from_bytes(frontier.to_bytes())
    with pytest.raises(ValueError):
        Frontier.from_bytes(frontier.to_bytes()[:-1])


def test_appending_names_each_complete_subtree_once() -> None:
    frontier, seen = Frontier(), {}
    for leaf in LEAVES[:64]:
        for node in frontier.append(leaf):
            assert (node.height, node.position) not in seen
            seen[node.height, node.position] = node.hash
    assert seen == {(h, p): _nodes(h, p) for h in range(7) for p in range(64 >> h)}


def test_known_roots() -> None:
    """The RFC 6962 test tree of certificate-transparency-go: leaves given there, root of all eight."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf_hash(bytes.fromhex(leaf)))
    assert frontier.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_every_inclusion_proof_verifies_and_no_changed_one_does() -> None:
    for size in range(1, 40):
        root = mth(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(index, size, _nodes)
            assert verify_inclusion(LEAVES[index], index, size, proof, root)
            assert not verify_inclusion(LEAVES[index + 1], index, size, proof, root)
            assert not verify_inclusion(LEAVES[index], index, size, proof, LEAVES[0][::-1])
            assert not verify_inclusion(LEAVES[index], index, size, (*proof, root), root)
            assert not proof or not verify_inclusion(LEAVES[index], index, size, proof[:-1], root)
            for other in range(size):
                assert other == index or not verify_inclusion(LEAVES[index], other, size, proof, root)
    for outside in (-1, 40):
        assert not verify_inclusion(LEAVES[0], outside, 40, (), LEAVES[0])
        with pytest.raises(IndexError):
            inclusion_proof(outside, 40, _nodes)


def test_every_consistency_proof_verifies_and_no_changed_one_does() -> None:
    for size in range(1, 40):
        root = mth(LEAVES[:size])
        for old in range(size + 1):
            proof = consistency_proof(old, size, _nodes)
            old_root = mth(LEAVES[:old])
            assert verify_consistency(old, old_root, size, root, proof)
            assert not verify_consistency(old, LEAVES[0][::-1], size, root, proof)
            assert not verify_consistency(old, old_root, size, root, (*proof, root))
            if 0 < old < size:
                assert not verify_consistency(old, old_root, size, LEAVES[0][::-1], proof)
                assert not verify_consistency(old, old_root, size, root, proof[:-1])
    assert not verify_consistency(5, LEAVES[0], 4, LEAVES[0], ())


@given(st.integers(1, 600), st.data())
def test_larger_trees(size: int, data: st.DataObject) -> None:
    root = mth(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    assert verify_inclusion(LEAVES[index], index, size, inclusion_proof(index, size, _nodes), root)
    old = data.draw(st.integers(0, size))
    assert verify_consistency(old, mth(LEAVES[:old]), size, root, consistency_proof(old, size, _nodes))


def test_leaves_and_nodes_are_hashed_apart() -> None:
    """Or an inner node could be passed off as an entry (second preimage)."""
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)

"""Merkle trees of RFC 6962, section 2.1: hashing, growing, proofs of inclusion and consistency. SHA-256."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""(height, position) → hash of the complete subtree over leaves position·2^height … (position+1)·2^height."""


def leaf_hash(leaf: bytes) -> bytes:
    """MTH of one entry."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """MTH of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree of 2^height leaves, the `position`-th of its height."""

    height: int
    position: int
    hash: bytes


@dataclass(slots=True)
class Frontier:
    """The right edge of a tree: enough to append and to give the root without reading the leaves again.

    `peaks` are the complete subtrees from left to right, one for each bit set in `size`.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[Node]:
        """Add the hash of one leaf; returns the subtrees it completed, lowest first."""
        completed = [Node(0, self.size, leaf)]
        height, position, carry = 0, self.size, leaf
        while position & 1:
            carry = node_hash(self.peaks.pop(), carry)
            height, position = height + 1, position >> 1
            completed.append(Node(height, position, carry))
        self.peaks.append(carry)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The tree's root hash."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def to_bytes(self) -> bytes:
        """Size (8 bytes, big-endian), then the peaks."""
        return self.size.to_bytes(8, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Frontier":
        """Inverse of `to_bytes`; raises ValueError."""
        size = int.from_bytes(data[:8], "big")
        if len(data) != 8 + HASH_BYTES * size.bit_count():
            raise ValueError("a frontier has one peak for each bit set in its size")
        return cls(size, [data[at : at + HASH_BYTES] for at in range(8, len(data), HASH_BYTES)])


def range_hash(start: int, end: int, nodes: NodeReader) -> bytes:
    """MTH(D[start:end]) where `start` is a multiple of the largest power of two below the length (RFC 6962)."""
    length = end - start
    if length & (length - 1) == 0:
        return nodes(length.bit_length() - 1, start // length)
    middle = start + _split(length)
    return node_hash(range_hash(start, middle, nodes), range_hash(middle, end, nodes))


def inclusion_proof(index: int, size: int, nodes: NodeReader) -> tuple[bytes, ...]:
    """PATH(index, D[0:size]) of RFC 6962, 2.1.1, from the leaf upwards; raises IndexError."""
    if not 0 <= index < size:
        raise IndexError("no such leaf in a tree of this size")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(middle, end, nodes))
            end = middle
        else:
            path.append(range_hash(start, middle, nodes))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, size: int, nodes: NodeReader) -> tuple[bytes, ...]:
    """PROOF(old, D[0:size]) of RFC 6962, 2.1.2; empty for equal sizes and for an empty old tree."""
    if not 0 <= old <= size:
        raise IndexError("an older tree is not larger")
    if old in (0, size):
        return ()
    proof: list[bytes] = []
    start, end, whole = 0, size, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(range_hash(middle, end, nodes))
            end = middle
        else:
            proof.append(range_hash(start, middle, nodes))
            start, whole = middle, False
    if not whole:
        proof.append(range_hash(start, end, nodes))
    return tuple(reversed(proof))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf with hash `leaf` stands at `index` of the tree with this root."""
    if not 0 <= index < size:
        return False
    number, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            found = node_hash(step, found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = node_hash(found, step)
        number, last = number >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` is the tree of `old` with leaves appended (RFC 9162, 2.1.4.2)."""
    if old > size or old < 0:
        return False
    if old in (0, size):
        return not proof and (root == old_root if old == size else old_root == EMPTY_ROOT)
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    number, last = old - 1, size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old_found = found = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            old_found, found = node_hash(step, old_found), node_hash(step, found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = node_hash(found, step)
        number, last = number >> 1, last >> 1
    return last == 0 and old_found == old_root and found == root


def _split(length: int) -> int:
    """The largest power of two smaller than `length`."""
    return 1 << (length - 1).bit_length() - 1

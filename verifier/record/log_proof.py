"""What the log proves of one certificate: that its newest status stands in the log, under a signed checkpoint.

The door is `GET /log/proof/{token}`:

    {"leaf_index", "tree_size", "leaf_hash": hex, "proof": [hex, …] (RFC 6962, 2.1.1, from the leaf upwards),
     "checkpoint": signed note, "leaf": hex}

The leaf is the newest that states a status (the issue or a change); further files of a certificate have leaves too.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from keys.public.keyset import KeySet
from verifier.record.log_reading import (
    FILE_LEAF,
    Checkpoint,
    CheckpointMalformedError,
    CheckpointUntrustedError,
    Leaf,
    LeafMalformedError,
    decode_leaf,
    verify_checkpoint,
)
from verifier.record.log_tiles import LogStore, prove_inclusion
from verifier.record.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from verifier.record.register import StoredCheckpoint

_MAX_STEPS = 63


class ProofMalformedError(ValueError):
    """Not a proof of the form above."""


class ProofRefusedError(Exception):
    """The proof does not show it: a foreign checkpoint, another certificate, a path that leads elsewhere."""


class ProofStore(LogStore, Protocol):
    """Where proofs are made from; `SqlRegister` is one."""

    def leaves_of(self, token: str) -> list[tuple[int, bytes]]:
        """Index and bytes of every leaf of a certificate, newest first."""
        ...

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The newest checkpoint."""
        ...


@dataclass(frozen=True, slots=True)
class StatusProof:
    """A leaf, its path to the root, and the signed note that holds the root. Nothing in it is verified yet."""

    leaf: bytes
    leaf_index: int
    tree_size: int
    path: tuple[bytes, ...]
    checkpoint: str

    def to_json(self) -> dict[str, Any]:
        """As `/log/proof/{token}` answers."""
        return {
            "leaf_index": self.leaf_index,
            "tree_size": self.tree_size,
            "leaf_hash": leaf_hash(self.leaf).hex(),
            "proof": [step.hex() for step in self.path],
            "checkpoint": self.checkpoint,
            "leaf": self.leaf.hex(),
        }

    @classmethod
    def from_json(cls, data: Any) -> "StatusProof":
        """Inverse of `to_json`; raises ProofMalformedError."""
        try:
            leaf = bytes.fromhex(data["leaf"])
            path = tuple(bytes.fromhex(step) for step in data["proof"])
            index, size, note = data["leaf_index"], data["tree_size"], data["checkpoint"]
            whole = data["leaf_hash"] == leaf_hash(leaf).hex() and isinstance(note, str)
        except (KeyError, TypeError, ValueError) as exc:
            raise ProofMalformedError("not a proof of inclusion") from exc
        if not whole or type(index) is not int or type(size) is not int or len(path) > _MAX_STEPS:
            raise ProofMalformedError("not a proof of inclusion")
        if any(len(step) != HASH_BYTES for step in path):
            raise ProofMalformedError("a step of the proof is not a hash")
        return cls(leaf, index, size, path, note)


def prove_status(store: ProofStore, token: str) -> StatusProof | None:
    """The proof for the newest status of a certificate (token in upper case); None when the log has none."""
    newest = store.latest_checkpoint()
    if newest is None:
        return None
    for index, leaf in store.leaves_of(token):
        # A leaf past the checkpoint was written after it was read: the next question finds both.
        if index < newest.tree_size and decode_leaf(leaf).kind != FILE_LEAF:
            proven = prove_inclusion(store, index, newest.tree_size)
            return StatusProof(leaf, index, newest.tree_size, proven.path, newest.signed_note)
    return None


def verify_status_proof(
    proof: StatusProof, key_set: KeySet, token: str, *, origin: str | None = None
) -> tuple[Leaf, Checkpoint]:
    """Check everything: the checkpoint's signature, the path, and that the leaf is this certificate's.

    `origin` is the log's name, where the caller knows it. Returns the leaf and the tree head; whether the leaf says
    the same as the register is for the caller. Raises ProofMalformedError or ProofRefusedError.
    """
    try:
        head = verify_checkpoint(proof.checkpoint, key_set, origin=origin)
        leaf = decode_leaf(proof.leaf)
    except (CheckpointMalformedError, LeafMalformedError) as exc:
        raise ProofMalformedError(str(exc)) from exc
    except CheckpointUntrustedError as exc:
        raise ProofRefusedError(str(exc)) from exc
    if head.tree_size != proof.tree_size:
        raise ProofRefusedError("the proof and the checkpoint speak of trees of different size")
    if not leaf.is_of(token) or leaf.kind == FILE_LEAF:
        raise ProofRefusedError("the leaf is not about the status of this certificate")
    if not verify_inclusion(leaf_hash(proof.leaf), proof.leaf_index, head.tree_size, proof.path, head.root_hash):
        raise ProofRefusedError("the path does not lead to the signed root")
    return leaf, head

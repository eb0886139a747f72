"""Signs the list of an auditor's pack, with the log key and in the form of a checkpoint of another origin."""

import hashlib

from issuer.sealing.credential import HasSigners
from keys.public.keyset import KeySet
from keys.public.purposes import KeyPurpose
from verifier.record.log_reading import Checkpoint, checkpoint_text, sign_note, verify_checkpoint

ENDING = "/pack"
"""The last part of the origin line: keeps it apart from the public log and from heads of the audit chain."""


def sign_pack(room: HasSigners, origin: str, sums: bytes, files: int) -> str:
    """A signed note (C2SP signed-note, type 0x02) over SHA-256 of `sums` (the text of SHA256SUMS) and how many files.

    `origin` is the log's; the pack's has ENDING in the place of `/log`.
    """
    signer = room.signer(KeyPurpose.LOG)
    name = origin.removesuffix("/log") + ENDING
    text = checkpoint_text(Checkpoint(name, files, hashlib.sha256(sums).digest()))
    return sign_note(text, name, bytes.fromhex(signer.kid)[:4], signer.sign(text.encode()))


def is_signed_pack(note: str, keys: KeySet, sums: bytes, files: int) -> bool:
    """Whether a published key signed just this list. Raises what `verify_checkpoint` raises."""
    signed = verify_checkpoint(note, keys)
    same = (signed.tree_size, signed.root_hash) == (files, hashlib.sha256(sums).digest())
    return same and signed.origin.endswith(ENDING)

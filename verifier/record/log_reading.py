"""The transparency log as anyone reads it: its leaves and its signed checkpoints.

A leaf is deterministic CBOR: `[1, kind, event, token digest, file digest, status, seconds]`

    kind          "issue", "status" or "file"
    event         number of the event; it salts both digests, so that two leaves of one certificate look unrelated
    token digest  SHA-256("ecert-log-token" NUL event(8) token(16)); the token is 128 random bits
    file digest   SHA-256("ecert-log-file" NUL event(8) token(16) sha256(32)), or empty
    status        status value in words after this event, empty for a file
    seconds       when it became true, since 1970 UTC

Nothing in it can be tied to a certificate without that certificate's token.

A checkpoint is a C2SP tlog-checkpoint: a signed note whose signature is of type 0x02 (ECDSA P-256 with SHA-256,
DER) under the LOG key. Its key ID is the first 4 bytes of SHA-256 of the key's SPKI, as C2SP signed-note states
for that type, which is also how our hex key ids begin. To join the public network of witnesses, tlog-tiles asks
for an Ed25519 signature beside it; readers here would ignore one, as they ignore any signature they do not know.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from keys.public.keyset import KeySet
from keys.public.purposes import KeyPurpose
from verifier.record import cbor
from verifier.record.merkle import HASH_BYTES
from verifier.record.qr import unb32

_SIGNATURE_MARK = "— "
_MAX_NOTE = 65_536
_MAX_SIGNATURES = 16


class CheckpointMalformedError(ValueError):
    """The text is not a checkpoint."""


class CheckpointUntrustedError(Exception):
    """No published log key signed the checkpoint, or it belongs to another log."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many leaves, which root."""

    origin: str
    tree_size: int
    root_hash: bytes


def encode_leaf(kind: str, event: int, token: str, *, file_sha256: str | None, status: str, at: datetime) -> bytes:
    """The bytes of one leaf. `file_sha256` in hex, `at` aware."""
    file_part = b"" if file_sha256 is None else file_digest(event, token, file_sha256)
    return cbor.encode([1, kind, event, token_digest(event, token), file_part, status, int(at.timestamp())])


def token_digest(event: int, token: str) -> bytes:
    """How a leaf names a certificate."""
    return hashlib.sha256(b"ecert-log-token\0" + event.to_bytes(8, "big") + unb32(token)).digest()


def file_digest(event: int, token: str, file_sha256: str) -> bytes:
    """How a leaf names a file."""
    message = b"ecert-log-file\0" + event.to_bytes(8, "big") + unb32(token) + bytes.fromhex(file_sha256)
    return hashlib.sha256(message).digest()


def origin_of(base_url: str) -> str:
    """A log's origin line: its address without the scheme."""
    return base_url.split("://", 1)[-1].rstrip("/") + "/log"


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The note text that is signed, its last newline included."""
    root = base64.b64encode(checkpoint.root_hash).decode()
    return f"{checkpoint.origin}\n{checkpoint.tree_size}\n{root}\n"


def sign_note(text: str, key_name: str, key_id: bytes, signature: bytes) -> str:
    """A signed note with one signature."""
    return f"{text}\n{_SIGNATURE_MARK}{key_name} {base64.b64encode(key_id + signature).decode()}\n"


def read_checkpoint(note: str) -> Checkpoint:
    """The tree head of a note whose signature is NOT checked; raises CheckpointMalformedError."""
    return _parse(note)[0]


def verify_checkpoint(note: str, key_set: KeySet, *, origin: str | None = None) -> Checkpoint:
    """Check a checkpoint against the published log keys (retired ones still vouch for what they signed).

    Signatures of unknown keys are ignored, as signed-note orders; one of ours that does not fit refuses the
    whole note. Raises CheckpointMalformedError, CheckpointUntrustedError.
    """
    checkpoint, text, signatures = _parse(note)
    if origin is not None and checkpoint.origin != origin:
        raise CheckpointUntrustedError("the checkpoint belongs to another log")
    known = {bytes.fromhex(key.kid)[:4]: key.public_key for key in key_set.for_purpose(KeyPurpose.LOG)}
    vouched = False
    for name, key_id, signature in signatures:
        key = known.get(key_id)
        if key is None or name != checkpoint.origin:
            continue
        try:
            key.verify(signature, text.encode(), ec.ECDSA(SHA256()))
        except InvalidSignature as exc:
            raise CheckpointUntrustedError("the log's signature does not fit the checkpoint") from exc
        vouched = True
    if not vouched:
        raise CheckpointUntrustedError("no published log key signed this checkpoint")
    return checkpoint


def _parse(note: str) -> tuple[Checkpoint, str, list[tuple[str, bytes, bytes]]]:
    if len(note) > _MAX_NOTE or any(char < " " and char != "\n" for char in note) or not note.endswith("\n"):
        raise CheckpointMalformedError("not a signed note")
    head, separator, tail = note.rpartition("\n\n")
    if not separator:
        raise CheckpointMalformedError("not a signed note")
    lines = head.split("\n")
    if len(lines) < 3 or not all(lines):
        raise CheckpointMalformedError("a checkpoint has at least three lines")
    origin, size, root = lines[:3]
    if not size.isascii() or not size.isdigit() or (size[0] == "0" and size != "0") or len(size) > 18:
        raise CheckpointMalformedError("the tree size is not a number")
    root_hash = _base64(root)
    if len(root_hash) != HASH_BYTES:
        raise CheckpointMalformedError("the root hash is not 32 bytes")
    signatures = [_signature(line) for line in tail[:-1].split("\n")]
    if len(signatures) > _MAX_SIGNATURES:
        raise CheckpointMalformedError("more signatures than are accepted")
    return Checkpoint(origin, int(size), root_hash), head + "\n", signatures


def _signature(line: str) -> tuple[str, bytes, bytes]:
    if not line.startswith(_SIGNATURE_MARK):
        raise CheckpointMalformedError("a signature line is missing its mark")
    name, _, encoded = line[len(_SIGNATURE_MARK) :].partition(" ")
    raw = _base64(encoded)
    if not name or len(raw) <= 4:
        raise CheckpointMalformedError("a signature line is cut off")
    return name, raw[:4], raw[4:]


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise CheckpointMalformedError("not base64") from exc
    if base64.b64encode(data).decode() != text:
        raise CheckpointMalformedError("not canonical base64")
    return data

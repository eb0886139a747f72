"""The transparency log as anyone reads it: its leaves and its signed checkpoints.

A leaf is deterministic CBOR: `[2, kind, event, token digest, content digest, status, seconds, place]`

    kind          "issue", "status" or "file"
    event         number of the event; it salts both digests, so that an issue and what follows look unrelated
    token digest  SHA-256("ecert-log-token" NUL event(8) token(16)); the token is 128 random bits
    content       of an issue or file, SHA-256("ecert-log-file" NUL event(8) token(16) sha256(32) of the sealed file);
    digest        of a status, SHA-256("ecert-log-change" NUL event(8) token(16) text), the text being reason class,
                  effective date and whether void from the beginning (0 or 1), with NUL between them
    status        status value in words after this event, empty for a file
    seconds       when it became true, since 1970 UTC
    place         `[list id, index]` of the status-list entry that this event set; `[]` where it set none, which is so
                  for files and for every issue as valid

Nothing in it can be tied to a certificate without that certificate's token. A change of status shows its place, as
anyone sees who compares two versions of a list; an issue must not (docs/decisions/0005).

A checkpoint is a C2SP tlog-checkpoint: a signed note whose signature is of type 0x02 (ECDSA P-256 with SHA-256,
DER) under the LOG key. Its key ID is the first 4 bytes of SHA-256 of the key's SPKI, as C2SP signed-note states
for that type, which is also how our hex key ids begin. To join the public network of witnesses, tlog-tiles asks
for an Ed25519 signature beside it; readers here would ignore one, as they ignore any signature they do not know.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from keys.public.keyset import KeySet
from keys.public.purposes import KeyPurpose
from verifier.record import cbor
from verifier.record.merkle import HASH_BYTES
from verifier.record.qr import unb32

ISSUE_LEAF: Final = "issue"
STATUS_LEAF: Final = "status"
FILE_LEAF: Final = "file"
LEAF_KINDS: Final = (ISSUE_LEAF, STATUS_LEAF, FILE_LEAF)
_LEAF: Final = 2
_SIGNATURE_MARK = "— "
_MAX_NOTE = 65_536
_MAX_SIGNATURES = 16


class CheckpointMalformedError(ValueError):
    """The text is not a checkpoint."""


class CheckpointUntrustedError(Exception):
    """No published log key signed the checkpoint, or it belongs to another log."""


class LeafMalformedError(ValueError):
    """The bytes are not a leaf of the form above."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry of the log, as `encode_leaf` wrote it. `seconds` since 1970 UTC."""

    kind: str
    event: int
    token_digest: bytes
    content_digest: bytes
    status: str
    seconds: int
    place: tuple[str, int] | None

    def is_of(self, token: str) -> bool:
        """Whether it speaks of the certificate with this token."""
        return token_digest(self.event, token) == self.token_digest


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many leaves, which root."""

    origin: str
    tree_size: int
    root_hash: bytes


def encode_leaf(
    kind: str,
    event: int,
    token: str,
    *,
    content: bytes,
    status: str,
    at: datetime,
    place: tuple[str, int] | None = None,
) -> bytes:
    """The bytes of one leaf. `content` is `file_digest` or `change_digest`, `at` aware, `place` (list id, index)."""
    digest, seconds = token_digest(event, token), int(at.timestamp())
    return cbor.encode([_LEAF, kind, event, digest, content, status, seconds, list(place or ())])


def decode_leaf(data: bytes) -> Leaf:
    """Inverse of `encode_leaf`; raises LeafMalformedError for anything that it would not have written."""
    try:
        form, kind, event, token_part, content, status, seconds, place = cbor.decode(data)
    except (cbor.CborError, TypeError, ValueError) as exc:
        raise LeafMalformedError("not a leaf of the log") from exc
    numbers = all(type(number) is int and 0 <= number < 1 << 63 for number in (event, seconds))
    digests = all(isinstance(part, bytes) and len(part) == HASH_BYTES for part in (token_part, content))
    if form != _LEAF or kind not in LEAF_KINDS or not numbers or not digests or not isinstance(status, str):
        raise LeafMalformedError("not a leaf of the log")
    if (kind == FILE_LEAF) != (status == "") or not _is_place(place) or (kind == FILE_LEAF and place):
        raise LeafMalformedError("not a leaf of the log")
    return Leaf(kind, event, token_part, content, status, seconds, (place[0], place[1]) if place else None)


def token_digest(event: int, token: str) -> bytes:
    """How a leaf names a certificate."""
    return hashlib.sha256(b"ecert-log-token\0" + event.to_bytes(8, "big") + unb32(token)).digest()


def file_digest(event: int, token: str, file_sha256: str) -> bytes:
    """How a leaf names a file."""
    message = b"ecert-log-file\0" + event.to_bytes(8, "big") + unb32(token) + bytes.fromhex(file_sha256)
    return hashlib.sha256(message).digest()


def change_digest(event: int, token: str, reason: str | None, effective_on: date, from_beginning: bool) -> bytes:
    """How a leaf names what a change of status says besides the status itself."""
    text = f"{reason or ''}\0{effective_on.isoformat()}\0{int(from_beginning)}"
    message = b"ecert-log-change\0" + event.to_bytes(8, "big") + unb32(token) + text.encode()
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
    return f"{text}\n{note_signature(key_name, key_id, signature)}"


def note_signature(key_name: str, key_id: bytes, signature: bytes) -> str:
    """One signature line of a note, its newline included."""
    return f"{_SIGNATURE_MARK}{key_name} {base64.b64encode(key_id + signature).decode()}\n"


def note_parts(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The signed text, and name, key id and signature of every line; raises CheckpointMalformedError."""
    return _parse(note)[1:]


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


def _is_place(place: Any) -> bool:
    if not isinstance(place, list) or len(place) not in (0, 2):
        return False
    return not place or (isinstance(place[0], str) and type(place[1]) is int and 0 <= place[1] < 1 << 31)


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

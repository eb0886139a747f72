"""Cosignatures of witnesses on the log's checkpoints (C2SP tlog-cosignature, Ed25519, type 0x04).

A witness is somebody else who remembers the largest log they saw and signs only what grew out of it. Its public key
is a signed-note verifier key: `name+hex key id+base64(0x04 ‖ 32 bytes)`. The signed message is
`cosignature/v1 LF time SECONDS LF` and the whole note text; the signature line holds key id, seconds (8 bytes, big
endian) and 64 bytes of Ed25519.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from verifier.record.log_reading import CheckpointMalformedError, note_parts, note_signature

ED25519_COSIGNATURE = 0x04
_SIGNATURE_BYTES = 4 + 8 + 64


class WitnessKeyError(ValueError):
    """Not a verifier key of a witness."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Who may cosign. `url` is its submission prefix, where the log asks; readers need none."""

    name: str
    public_key: Ed25519PublicKey
    url: str | None = None

    @property
    def key_id(self) -> bytes:
        """SHA-256(name LF 0x04 key), its first 4 bytes."""
        return key_id_of(self.name, self.public_key)

    @property
    def vkey(self) -> str:
        """The key as it is handed around."""
        raw = bytes((ED25519_COSIGNATURE,)) + self.public_key.public_bytes_raw()
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Witness":
        """`VKEY`, or `URL VKEY` as in the setting ECERT_WITNESSES; raises WitnessKeyError."""
        *address, vkey = text.split() or [""]
        name, _, rest = vkey.partition("+")
        identity, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
            if not name or len(address) > 1 or len(raw) != 33 or raw[0] != ED25519_COSIGNATURE:
                raise WitnessKeyError("not the verifier key of a witness (Ed25519 cosignature)")
            witness = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]), address[0] if address else None)
            if bytes.fromhex(identity) != witness.key_id:
                raise WitnessKeyError("the key id does not belong to the key")
        except (binascii.Error, ValueError) as exc:
            if isinstance(exc, WitnessKeyError):
                raise
            raise WitnessKeyError("not the verifier key of a witness") from exc
        return witness


def key_id_of(name: str, public_key: Ed25519PublicKey) -> bytes:
    """See `Witness.key_id`."""
    material = name.encode() + b"\n" + bytes((ED25519_COSIGNATURE,)) + public_key.public_bytes_raw()
    return hashlib.sha256(material).digest()[:4]


def cosign(note: str, name: str, key: Ed25519PrivateKey, seconds: int) -> str:
    """The signature line of a witness for the note's text at this time; raises CheckpointMalformedError."""
    text, _ = note_parts(note)
    signature = key.sign(_message(text, seconds))
    return note_signature(name, key_id_of(name, key.public_key()), seconds.to_bytes(8, "big") + signature)


def cosignatures(note: str, witnesses: tuple[Witness, ...]) -> dict[str, int]:
    """Name → seconds since 1970 of every witness in `witnesses` whose cosignature on this note verifies.

    One key counts once, under whatever names; a note that is no note has none.
    """
    try:
        text, signatures = note_parts(note)
    except CheckpointMalformedError:
        return {}
    found: dict[str, int] = {}
    counted: set[bytes] = set()
    for witness in witnesses:
        raw_key = witness.public_key.public_bytes_raw()
        for name, key_id, signature in signatures:
            if name != witness.name or key_id != witness.key_id or len(signature) != _SIGNATURE_BYTES - 4:
                continue
            seconds = int.from_bytes(signature[:8], "big")
            if raw_key not in counted and _verifies(witness.public_key, signature[8:], _message(text, seconds)):
                counted.add(raw_key)
                found[name] = seconds
    return found


def count_cosignatures(note: str, witnesses: tuple[Witness, ...]) -> int:
    """How many of these witnesses vouch for the note."""
    return len(cosignatures(note, witnesses)) if witnesses else 0


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True

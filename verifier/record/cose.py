"""COSE_Sign1 with ES256 (RFC 9052, 4.2 and 4.4; RFC 9053, 2.1), the profile used here and nothing else.

A message is `18([protected: bstr, unprotected: map, payload: bstr, signature: bstr .size 64])`, in
deterministic CBOR. Tag 18 is required. Our profile adds: the unprotected header is exactly the empty map,
and the protected header holds exactly the labels the caller names, `1` (alg) being `-7` (ES256) and `4`
(kid) being the 8 bytes whose hex form is the key id in the published key set.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from verifier.record import cbor

TAG: Final = 18
ES256: Final = -7
ALG: Final = 1
KID: Final = 4
TYP: Final = 16
"""RFC 9596."""
SIGNATURE_BYTES: Final = 64
KID_BYTES: Final = 8


class CoseError(ValueError):
    """The bytes are not a COSE_Sign1 message of the accepted form."""


@dataclass(frozen=True, slots=True)
class Sign1:
    """A COSE_Sign1 message, taken apart and not yet verified."""

    protected_bytes: bytes
    protected: dict[int | str, Any]
    unprotected: dict[int | str, Any]
    payload: bytes
    signature: bytes

    def require_profile(self, *labels: int) -> str:
        """Hold the message to our profile with exactly `labels` protected; returns the kid in hex.

        Raises CoseError. An empty unprotected header matters: it is not signed, so anything in it could be changed.
        """
        if self.unprotected:
            raise CoseError("the unprotected header is not empty")
        if set(self.protected) != set(labels):
            raise CoseError("the protected header has other labels than it should")
        if self.protected.get(ALG) != ES256:
            raise CoseError("the algorithm is not ES256")
        kid = self.protected.get(KID)
        if not isinstance(kid, bytes) or len(kid) != KID_BYTES:
            raise CoseError("the key id is not 8 bytes")
        return kid.hex()

    def verified_by(self, public_key: ec.EllipticCurvePublicKey, external_aad: bytes = b"") -> bool:
        """Whether this is an ES256 signature of `public_key` (P-256) over the message."""
        algorithm = self.protected.get(ALG, self.unprotected.get(ALG))
        if algorithm != ES256 or not isinstance(public_key.curve, ec.SECP256R1):
            return False
        tbs = to_be_signed(self.protected_bytes, self.payload, external_aad)
        return es256_verifies(public_key, self.signature, tbs)


def es256_verifies(public_key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (64 bytes, r then s) is `public_key`'s ECDSA P-256 SHA-256 signature of `message`."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public_key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def to_be_signed(protected: bytes, payload: bytes, external_aad: bytes = b"") -> bytes:
    """The Sig_structure of RFC 9052, 4.4; an empty protected map counts as the empty string."""
    return cbor.encode(["Signature1", b"" if protected == b"\xa0" else protected, external_aad, payload])


def encode_sign1(protected: dict[int, Any], payload: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """A signed message. `sign` maps the bytes to be signed to 64 bytes, r then s."""
    header = cbor.encode(protected)
    signature = sign(to_be_signed(header, payload))
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError("an ES256 signature has 64 bytes")
    return bytes((0xC0 | TAG,)) + cbor.encode([header, {}, payload, signature])


def decode_sign1(data: bytes) -> Sign1:
    """Take a message apart; raises CoseError."""
    try:
        parts = cbor.decode(cbor.untag(data, TAG))
        if not (isinstance(parts, list) and len(parts) == 4):
            raise CoseError("a COSE_Sign1 message has four parts")
        header_bytes, unprotected, payload, signature = parts
        if not isinstance(header_bytes, bytes) or not isinstance(payload, bytes) or not isinstance(signature, bytes):
            raise CoseError("protected header, payload and signature are byte strings")
        protected = cbor.decode(header_bytes) if header_bytes else {}
    except cbor.CborError as exc:
        raise CoseError(str(exc)) from exc
    if not isinstance(protected, dict) or not isinstance(unprotected, dict):
        raise CoseError("a header is not a map")
    return Sign1(header_bytes, protected, unprotected, payload, signature)

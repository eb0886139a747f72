"""The credential in the QR code and in the PDF's attachment: a CWT (RFC 8392) in COSE_Sign1 (RFC 9052), ES256.

Byte layout, deterministic CBOR throughout (RFC 8949, 4.2.1; `verifier.record.cbor`):

    d2                                  tag 18, required
    84                                  array of four
      4d a2 01 26 04 48 <kid: 8>        protected header {1: -7 (ES256), 4: kid}, nothing else
      a0                                unprotected header, exactly the empty map
      58 <n> <claims>                   payload: the claims below (59 <hi> <lo> from 256 bytes on)
      58 40 <signature: 64>             r then s over ["Signature1", protected, h'', payload]

    claims = {6: issued at, 7: token, -65537: certificate}       in this order, nothing else
    of a purpose-bound copy: {4: end, 6: issued at, 7: token, -65537: certificate, -65538: copy}

    | label  | what                     | CBOR  | size, meaning                                               |
    |--------|--------------------------|-------|-------------------------------------------------------------|
    | 4      | exp (RFC 8392, 3.1.4)    | uint  | 24:00 of the copy's last day in Asia/Shanghai, as iat       |
    | 6      | iat (RFC 8392, 3.1.6)    | uint  | whole seconds since 1970-01-01T00:00:00Z                    |
    | 7      | cti (RFC 8392, 3.1.7)    | bytes | 16: the token in the QR's address, base32-decoded           |
    | -65537 | certificate (private use)| array | exactly the ten values below, in this order                 |
    | -65538 | copy (private use)       | array | list_id and list_index of the copy's own entry, set when    |
    |        |                          |       | its holder takes it back; the certificate's tells the rest  |

    | place | what            | CBOR  | size, meaning                                                       |
    |-------|-----------------|-------|---------------------------------------------------------------------|
    | 0     | management_no   | text  | 1..40 characters                                                    |
    | 1     | name            | text  | 1..128 characters, any script                                       |
    | 2     | programme_code  | text  | 1..32                                                               |
    | 3     | programme_name  | text  | 1..80                                                               |
    | 4     | level           | text  | 0..16                                                               |
    | 5     | specialty       | text  | 0..80                                                               |
    | 6     | approved_on     | uint  | days since 1970-01-01                                               |
    | 7     | id_digest       | bytes | 8: see `id_digest`                                                  |
    | 8     | list_id         | text  | 1..32: status list `/status-lists/{list_id}`                        |
    | 9     | list_index      | uint  | place in that list, below 2^20                                      |

An array in one private-use claim, because private-use labels (below -65536) take five bytes each and the
shorter labels belong to IANA. 200 to 215 bytes for a typical certificate, with its signature.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from keys.public.keyset import KeySet, UnknownKeyError
from keys.public.purposes import KeyPurpose
from verifier.record import cbor
from verifier.record.copy_claims import CopyClaims
from verifier.record.cose import ALG, KID, CoseError, decode_sign1
from verifier.record.qr import TOKEN_BYTES, QrGrammarError, b32, unb32

MAX_CREDENTIAL_BYTES: Final = 1024
ID_DIGEST_BYTES: Final = 8
ID_DIGEST_ROUNDS: Final = 10_000
EXP: Final = 4
IAT: Final = 6
CTI: Final = 7
CERTIFICATE: Final = -65537
COPY: Final = -65538
_TEXT_LIMITS: Final = {
    "management_no": (1, 40),
    "name": (1, 128),
    "programme_code": (1, 32),
    "programme_name": (1, 80),
    "level": (0, 16),
    "specialty": (0, 80),
    "list_id": (1, 32),
}
_MAX_INDEX: Final = 1 << 20
_EPOCH: Final = date(1970, 1, 1)
_MAX_DAYS: Final = (date.max - _EPOCH).days
_MAX_SECONDS: Final = 253_402_300_799  # 9999-12-31T23:59:59Z


class CredentialMalformedError(ValueError):
    """The bytes are not a credential of the layout above. The text never repeats what was read."""


class CredentialUntrustedError(Exception):
    """The credential is well formed and not ours.

    `code`: `unknown-key` (no QR key has that id), `bad-signature`, or `key-out-of-time` (the key was not
    in use at the time of issue the credential states).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class KeyState(StrEnum):
    """Whether the key that signed still signs today."""

    CURRENT = "current"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class CredentialClaims:
    """What a credential says. Raises ValueError when a value is outside the layout.

    `token`: 26 base32 characters; `issued_at`: aware, kept in whole seconds UTC; `id_digest`: 8 bytes.
    """

    token: str
    management_no: str
    name: str
    programme_code: str
    programme_name: str
    level: str
    specialty: str
    approved_on: date
    id_digest: bytes
    list_id: str
    list_index: int
    issued_at: datetime
    copy: CopyClaims | None = None
    """Of a purpose-bound copy; `token` and `management_no` are then the copy's own."""

    def __post_init__(self) -> None:
        for field, (least, most) in _TEXT_LIMITS.items():
            if not least <= len(getattr(self, field)) <= most:
                raise ValueError(f"{field} has {least} to {most} characters")
        if len(self.id_digest) != ID_DIGEST_BYTES:
            raise ValueError(f"id_digest has {ID_DIGEST_BYTES} bytes")
        if not 0 <= self.list_index < _MAX_INDEX:
            raise ValueError("list_index is out of range")
        if self.approved_on < _EPOCH:
            raise ValueError("approved_on lies before 1970")
        if self.issued_at.tzinfo is None or self.issued_at.timestamp() < 0:
            raise ValueError("issued_at is an aware instant after 1970")
        _token_bytes(self.token)
        object.__setattr__(self, "issued_at", self.issued_at.astimezone(UTC).replace(microsecond=0))


@dataclass(frozen=True, slots=True)
class VerifiedCredential:
    """Claims whose signature was checked, the key (hex id) that made it, and whether that key is still in use."""

    claims: CredentialClaims
    kid: str
    key_state: KeyState


def id_digest(token: str, id_type: str, id_no: str) -> bytes:
    """Digest that lets whoever already has the ID number confirm it: 8 bytes.

    PBKDF2-HMAC-SHA256 (RFC 8018; WebCrypto has it) of `id_type NUL id_no`, blanks removed and upper case,
    salted with the token's 16 bytes, 10,000 rounds. ID numbers are few enough to try them all, and the salt
    stands in the same QR code: the rounds make that slow, they do not make it impossible.
    """
    canonical = f"{id_type}\0{''.join(id_no.split()).upper()}".encode()
    return hashlib.pbkdf2_hmac("sha256", canonical, _token_bytes(token), ID_DIGEST_ROUNDS, ID_DIGEST_BYTES)


def encode_claims(claims: CredentialClaims) -> bytes:
    """The payload to be signed."""
    certificate: list[Any] = [
        claims.management_no,
        claims.name,
        claims.programme_code,
        claims.programme_name,
        claims.level,
        claims.specialty,
        (claims.approved_on - _EPOCH).days,
        claims.id_digest,
        claims.list_id,
        claims.list_index,
    ]
    signed: dict[int, Any] = {
        IAT: int(claims.issued_at.timestamp()),
        CTI: _token_bytes(claims.token),
        CERTIFICATE: certificate,
    }
    if claims.copy is not None:
        signed |= {EXP: claims.copy.ends_at, COPY: [claims.copy.list_id, claims.copy.list_index]}
    return cbor.encode(signed)


def decode_claims(payload: bytes) -> CredentialClaims:
    """Read a payload; raises CredentialMalformedError."""
    try:
        claims = cbor.decode(payload)
    except cbor.CborError as exc:
        raise CredentialMalformedError(str(exc)) from exc
    known = ({IAT, CTI, CERTIFICATE}, {EXP, IAT, CTI, CERTIFICATE, COPY})
    if not isinstance(claims, dict) or set(claims) not in known:
        raise CredentialMalformedError("the claims are not those of this layout")
    iat, cti, values = claims[IAT], claims[CTI], claims[CERTIFICATE]
    if not isinstance(iat, int) or not 0 <= iat <= _MAX_SECONDS:
        raise CredentialMalformedError("the time of issue is not a time")
    if not isinstance(cti, bytes) or len(cti) != TOKEN_BYTES:
        raise CredentialMalformedError("the token is not 16 bytes")
    kinds = (str, str, str, str, str, str, int, bytes, str, int)
    if (
        not isinstance(values, list)
        or len(values) != len(kinds)
        or not all(isinstance(value, kind) for value, kind in zip(values, kinds, strict=True))
    ):
        raise CredentialMalformedError("the certificate claim does not hold the ten values of this layout")
    if not 0 <= values[6] <= _MAX_DAYS:
        raise CredentialMalformedError("the approval date is not a date")
    try:
        return CredentialClaims(
            token=b32(cti),
            management_no=values[0],
            name=values[1],
            programme_code=values[2],
            programme_name=values[3],
            level=values[4],
            specialty=values[5],
            approved_on=_EPOCH + timedelta(days=values[6]),
            id_digest=values[7],
            list_id=values[8],
            list_index=values[9],
            issued_at=datetime.fromtimestamp(iat, UTC),
            copy=CopyClaims.read(claims[EXP], claims[COPY]) if COPY in claims else None,
        )
    except ValueError as exc:
        raise CredentialMalformedError(str(exc)) from exc


def read_credential(cose: bytes) -> tuple[CredentialClaims, str]:
    """Claims and key id of a credential whose signature is NOT checked; raises CredentialMalformedError."""
    if len(cose) > MAX_CREDENTIAL_BYTES:
        raise CredentialMalformedError("longer than any credential")
    try:
        message = decode_sign1(cose)
        kid = message.require_profile(ALG, KID)
    except CoseError as exc:
        raise CredentialMalformedError(str(exc)) from exc
    return decode_claims(message.payload), kid


def verify_credential(cose: bytes, key_set: KeySet) -> VerifiedCredential:
    """Check a credential's form, key, signature and time, in that order.

    Raises CredentialMalformedError or CredentialUntrustedError. Status is not looked at here.
    """
    claims, kid = read_credential(cose)
    try:
        key = key_set.find(kid, KeyPurpose.QR_CREDENTIAL)
    except UnknownKeyError as exc:
        raise CredentialUntrustedError("unknown-key", "no published QR key has this id") from exc
    if not decode_sign1(cose).verified_by(key.public_key):
        raise CredentialUntrustedError("bad-signature", "the signature does not fit the content")
    if not key.may_have_signed_at(claims.issued_at):
        raise CredentialUntrustedError("key-out-of-time", "the key was not in use at the stated time of issue")
    return VerifiedCredential(claims, kid, KeyState.CURRENT if key.retired_at is None else KeyState.RETIRED)


def _token_bytes(token: str) -> bytes:
    try:
        raw = unb32(token)
    except QrGrammarError as exc:
        raise ValueError("token is not base32") from exc
    if len(raw) != TOKEN_BYTES:
        raise ValueError("a token has 16 bytes")
    return raw

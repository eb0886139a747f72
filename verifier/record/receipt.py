"""A receipt: what a check answered, when, to whom it was for, and where the log stood; signed, kept by the asker.

COSE_Sign1 (RFC 9052), ES256, with the key of purpose `receipt` (`verifier.record.cose`, deterministic CBOR):

    protected header {1: -7 (ES256), 4: kid}; unprotected header empty
    claims = {1: origin, 6: asked at, 7: receipt id, -65537: statement}     in this order, nothing else

    | label  | what                     | CBOR  | size, meaning                                                  |
    |--------|--------------------------|-------|----------------------------------------------------------------|
    | 1      | iss (RFC 8392, 3.1.1)    | text  | 1..120: scheme and host of the verifier that answered          |
    | 6      | iat (RFC 8392, 3.1.6)    | uint  | whole seconds since 1970-01-01T00:00:00Z                       |
    | 7      | cti (RFC 8392, 3.1.7)    | bytes | 16 random bytes                                                |
    | -65537 | statement (private use)  | array | the fifteen values below, in this order; "" or 0 when absent   |

    | place | what           | CBOR  | size, meaning                                                            |
    |-------|----------------|-------|--------------------------------------------------------------------------|
    | 0     | micros         | uint  | below 1,000,000: what `iat` leaves out                                   |
    | 1     | subject        | bytes | 16: a token was asked about; 32: a file with this SHA-256                |
    | 2     | verdict        | text  | a `Verdict`                                                              |
    | 3     | reason         | text  | 0..40: code of the first check that did not pass                         |
    | 4     | label          | text  | 0..80: the asker's own words                                             |
    | 5     | log size       | uint  | leaves of the log at the newest checkpoint                               |
    | 6     | log root       | bytes | 32, or 0 when there was no checkpoint                                    |
    | 7     | token          | bytes | 16: the certificate found, or 0                                          |
    | 8     | reason class   | text  | 0..32                                                                    |
    | 9     | effective on   | uint  | days since 1970-01-01, or 0                                              |
    | 10    | programme name | text  | 0..80                                                                    |
    | 11    | level          | text  | 0..16                                                                    |
    | 12    | specialty      | text  | 0..80                                                                    |
    | 13    | approved on    | uint  | days since 1970-01-01, or 0                                              |
    | 14    | issued on      | uint  | days since 1970-01-01, or 0                                              |

No name and no number is in it unless the asker wrote one into the label.

As a PDF it stands at the end of a page (`verifier.record.receipt_page`).
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from keys.public.keyset import KeySet, UnknownKeyError
from keys.public.purposes import KeyPurpose
from verifier.record import cbor
from verifier.record.cose import ALG, ES256, KID, CoseError, decode_sign1, encode_sign1
from verifier.record.qr import TOKEN_BYTES, QrGrammarError, b32, unb32
from verifier.record.verdict import Verdict

FORMAT: Final = "ecert-receipt-1"
MAX_LABEL: Final = 80
MAX_RECEIPT_BYTES: Final = 1400
ISS, IAT, CTI, STATEMENT = 1, 6, 7, -65537
_EPOCH: Final = date(1970, 1, 1)
_MAX_DAYS: Final = (date.max - _EPOCH).days
_MAX_SECONDS: Final = 253_402_300_799
_KINDS: Final = (int, bytes, str, str, str, int, bytes, bytes, str, int, str, str, str, int, int)
_TEXT_LIMITS: Final = {"origin": 120, "reason": 40, "reason_class": 32, "programme_name": 80, "level": 16}
MARK: Final = b"%ECERT-RECEIPT-1 "
"""What the receipt begins with at the end of a PDF."""


class ReceiptMalformedError(ValueError):
    """Not a receipt of the form above. The text never repeats what was read."""


class ReceiptUntrustedError(Exception):
    """Well formed and not signed by us. `code`: `unknown-key`, `bad-signature`, `key-out-of-time`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Found:
    """What the register held of the certificate: public fields only."""

    token: str
    reason_class: str
    effective_on: date | None
    programme_name: str
    level: str
    specialty: str
    approved_on: date
    issued_on: date


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says. Raises ValueError for values outside the layout.

    `subject`: a token (26 base32 characters) or a file's SHA-256 (64 hex digits); `asked_at` aware, to the
    microsecond; `log_root` 32 bytes, empty when `log_size` is 0.
    """

    receipt_id: str
    origin: str
    asked_at: datetime
    subject: str
    verdict: Verdict
    reason: str
    label: str
    log_size: int
    log_root: bytes
    found: Found | None = None

    def __post_init__(self) -> None:
        if self.asked_at.tzinfo is None or clean_label(self.label) != self.label:
            raise ValueError("an aware instant and a clean label are needed")
        _subject_bytes(self.subject)
        if len(_token(self.receipt_id)) != TOKEN_BYTES or len(self.log_root) != (32 if self.log_size else 0):
            raise ValueError("the receipt id has 16 bytes, the log's root 32")
        for field, most in _TEXT_LIMITS.items():
            holder = self if hasattr(self, field) else self.found
            if holder is not None and len(getattr(holder, field)) > most:
                raise ValueError(f"{field} has at most {most} characters")

    @property
    def of_file(self) -> bool:
        """Whether a file was asked about; else a token."""
        return len(self.subject) == 64

    def to_json(self) -> dict[str, Any]:
        """The statement for people and programs; what counts is the signed form beside it."""
        found = self.found
        return {
            "receipt_id": self.receipt_id,
            "origin": self.origin,
            "asked_at": self.asked_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "asked_about": {"sha256" if self.of_file else "token": self.subject},
            "verdict": self.verdict.value,
            "reason": self.reason or None,
            "label": self.label,
            "log": {"tree_size": self.log_size, "root_hash": self.log_root.hex()} if self.log_size else None,
            "certificate": None
            if found is None
            else {
                "token": found.token,
                "reason_class": found.reason_class or None,
                "effective_on": found.effective_on.isoformat() if found.effective_on else None,
                "programme_name": found.programme_name,
                "level": found.level,
                "specialty": found.specialty,
                "approved_on": found.approved_on.isoformat(),
                "issued_on": found.issued_on.isoformat(),
            },
        }


def clean_label(text: str) -> str:
    """The asker's words made harmless: NFC, one line, nothing invisible; raises ValueError over 80 characters.

    Control, format (also those that turn the direction of writing), private-use and unassigned characters fall away.
    """
    shown = (" " if char.isspace() else char for char in unicodedata.normalize("NFC", text))
    plain = "".join(char for char in shown if char == " " or not unicodedata.category(char).startswith("C"))
    line = " ".join(plain.split())
    if len(line) > MAX_LABEL:
        raise ValueError(f"a label has at most {MAX_LABEL} characters")
    return line


def encode_receipt(receipt: Receipt, kid: str, sign_raw: Callable[[bytes], bytes]) -> bytes:
    """The signed form. `sign_raw` gives ES256 signatures of 64 bytes by the key with this id (hex)."""
    found = receipt.found
    statement: list[Any] = [
        receipt.asked_at.microsecond,
        _subject_bytes(receipt.subject),
        receipt.verdict.value,
        receipt.reason,
        receipt.label,
        receipt.log_size,
        receipt.log_root,
        _token(found.token) if found else b"",
        found.reason_class if found else "",
        _days(found.effective_on) if found else 0,
        found.programme_name if found else "",
        found.level if found else "",
        found.specialty if found else "",
        _days(found.approved_on) if found else 0,
        _days(found.issued_on) if found else 0,
    ]
    claims = {
        ISS: receipt.origin,
        IAT: int(receipt.asked_at.replace(microsecond=0).timestamp()),
        CTI: _token(receipt.receipt_id),
        STATEMENT: statement,
    }
    return encode_sign1({ALG: ES256, KID: bytes.fromhex(kid)}, cbor.encode(claims), sign_raw)


def read_receipt(signed: bytes) -> tuple[Receipt, str]:
    """Receipt and key id; the signature is NOT checked. Raises ReceiptMalformedError."""
    if len(signed) > MAX_RECEIPT_BYTES:
        raise ReceiptMalformedError("longer than any receipt")
    try:
        message = decode_sign1(signed)
        kid = message.require_profile(ALG, KID)
        return _decode(cbor.decode(message.payload)), kid
    except (CoseError, cbor.CborError, ValueError, OverflowError) as error:
        raise ReceiptMalformedError("not a receipt") from error


def verify_receipt(signed: bytes, key_set: KeySet) -> Receipt:
    """Check form, key, signature and time, in that order; raises ReceiptMalformedError, ReceiptUntrustedError."""
    receipt, kid = read_receipt(signed)
    try:
        key = key_set.find(kid, KeyPurpose.RECEIPT)
    except UnknownKeyError as error:
        raise ReceiptUntrustedError("unknown-key") from error
    if not decode_sign1(signed).verified_by(key.public_key):
        raise ReceiptUntrustedError("bad-signature")
    if not key.may_have_signed_at(receipt.asked_at):
        raise ReceiptUntrustedError("key-out-of-time")
    return receipt


def looks_like_receipt(data: bytes) -> bool:
    """Whether a file means to be a receipt, in either form."""
    return b"\n" + MARK in data[-2200:] or (data.lstrip()[:1] == b"{" and FORMAT.encode() in data[:400])


def _decode(claims: Any) -> Receipt:
    if not isinstance(claims, dict) or set(claims) != {ISS, IAT, CTI, STATEMENT}:
        raise ReceiptMalformedError("the claims are not the four of this layout")
    origin, seconds, receipt_id, values = claims[ISS], claims[IAT], claims[CTI], claims[STATEMENT]
    if not isinstance(seconds, int) or not 0 <= seconds <= _MAX_SECONDS or not isinstance(origin, str):
        raise ReceiptMalformedError("origin or time is none")
    if (
        not isinstance(receipt_id, bytes)
        or not isinstance(values, list)
        or len(values) != len(_KINDS)
        or not all(isinstance(value, kind) for value, kind in zip(values, _KINDS, strict=True))
        or not 0 <= values[0] < 1_000_000
    ):
        raise ReceiptMalformedError("the statement does not hold the fifteen values of this layout")
    found = None
    if values[7]:
        found = Found(
            token=b32(values[7]),
            reason_class=values[8],
            effective_on=_day(values[9]),
            programme_name=values[10],
            level=values[11],
            specialty=values[12],
            approved_on=_a_day(values[13]),
            issued_on=_a_day(values[14]),
        )
    return Receipt(
        receipt_id=b32(receipt_id),
        origin=origin,
        asked_at=datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=values[0]),
        subject=values[1].hex() if len(values[1]) == 32 else b32(values[1]),
        verdict=Verdict(values[2]),
        reason=values[3],
        label=values[4],
        log_size=values[5],
        log_root=values[6],
        found=found,
    )


def _subject_bytes(subject: str) -> bytes:
    raw = bytes.fromhex(subject) if len(subject) == 64 else _token(subject)
    if len(raw) not in (TOKEN_BYTES, 32):
        raise ValueError("a receipt is about a token or a file's digest")
    return raw


def _token(text: str) -> bytes:
    try:
        raw = unb32(text)
    except QrGrammarError as error:
        raise ValueError("not base32") from error
    if len(raw) != TOKEN_BYTES:
        raise ValueError("a token has 16 bytes")
    return raw


def _days(day: date | None) -> int:
    return 0 if day is None else (day - _EPOCH).days


def _day(days: int) -> date | None:
    if not 0 <= days <= _MAX_DAYS:
        raise ReceiptMalformedError("not a date")
    return _EPOCH + timedelta(days=days) if days else None


def _a_day(days: int) -> date:
    return _day(days) or _EPOCH

"""Grammar of the QR text: `HTTPS://HOST/V/TOKEN#PAYLOAD` (design §6)."""

import base64
import re
import secrets
from dataclasses import dataclass

TOKEN_BYTES = 16
TOKEN_PATTERN = re.compile(r"[A-Z2-7]{26}")
MAX_QR_TEXT = 1024

_QR = re.compile(
    r"(?P<origin>https?://(?P<host>[a-z0-9.-]+(?::[0-9]{1,5})?))/v/(?P<token>[a-z2-7]{26})(?:#(?P<payload>[a-z2-7]+))?",
    re.IGNORECASE | re.ASCII,
)


class QrGrammarError(ValueError):
    """The text is not one of our QR codes."""


@dataclass(frozen=True, slots=True)
class QrText:
    """A parsed QR text. `origin` is lower case, `token` upper case, `payload` decoded COSE bytes or None."""

    origin: str
    token: str
    payload: bytes | None


def new_token() -> str:
    """A fresh certificate token: 128 random bits as 26 base32 characters."""
    return base64.b32encode(secrets.token_bytes(TOKEN_BYTES)).decode().rstrip("=")


def is_token(text: str) -> bool:
    """Whether `text` has a token's shape, in either case.

    ASCII only: other letters (a dotless i, a long s) have upper cases that would make a second spelling of a token.
    """
    return text.isascii() and TOKEN_PATTERN.fullmatch(text.upper()) is not None


def b32(data: bytes) -> str:
    """RFC 4648 base32, upper case, no padding: every character is in QR's alphanumeric set."""
    return base64.b32encode(data).decode().rstrip("=")


def unb32(text: str) -> bytes:
    """Inverse of `b32`, either case; raises QrGrammarError for anything that is not canonical base32."""
    upper = text.upper()
    try:
        data = base64.b32decode(upper + "=" * (-len(upper) % 8))
    except ValueError as exc:
        raise QrGrammarError("payload is not base32") from exc
    if b32(data) != upper:
        raise QrGrammarError("payload is not canonical base32")
    return data


def qr_segments(base_url: str, token: str, payload: bytes) -> tuple[str, str, str]:
    """The QR text in three segments: `#` is not alphanumeric in QR, so it stands alone (a smaller symbol)."""
    return (f"{base_url.rstrip('/')}/v/{token}".upper(), "#", b32(payload))


def qr_text(base_url: str, token: str, payload: bytes) -> str:
    """The whole QR text."""
    return "".join(qr_segments(base_url, token, payload))


def parse_qr(text: str) -> QrText:
    """Parse a QR text or verification address; raises QrGrammarError. The host is not judged here."""
    text = text.strip()
    if len(text) > MAX_QR_TEXT:
        raise QrGrammarError("text is longer than any of our QR codes")
    found = _QR.fullmatch(text)
    if found is None:
        raise QrGrammarError("text is not a certificate's QR code")
    payload = found["payload"]
    return QrText(
        origin=found["origin"].lower(),
        token=found["token"].upper(),
        payload=unb32(payload) if payload else None,
    )

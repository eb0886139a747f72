"""JWS compact serialisation (RFC 7515, 7.1) with canonical base64url: taken apart here, verified by the caller."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any


class JwsError(ValueError):
    """The bytes are not a JWS in compact form with a JSON header and JSON claims."""


@dataclass(frozen=True, slots=True)
class Jws:
    """`signed` is what the signature covers: header and claims as they were sent."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def b64url(data: bytes) -> str:
    """base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    """Inverse of `b64url`; raises JwsError for any other spelling of the same bytes."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise JwsError("not base64url") from exc
    if b64url(data) != text:
        raise JwsError("not canonical base64url")
    return data


def signing_input(header: dict[str, Any], claims: dict[str, Any]) -> bytes:
    """What is to be signed."""
    return ".".join(b64url(_json(part)) for part in (header, claims)).encode()


def split(token: bytes) -> Jws:
    """Take a JWS apart; raises JwsError."""
    try:
        header, claims, signature = token.decode("ascii").split(".")
    except ValueError as exc:
        raise JwsError("not three parts of ASCII text") from exc
    return Jws(_object(header), _object(claims), f"{header}.{claims}".encode(), unb64url(signature))


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(unb64url(part), object_pairs_hook=_once)
    except (ValueError, RecursionError) as exc:
        raise JwsError("a part is not a JSON object with each name once") from exc
    if not isinstance(value, dict):
        raise JwsError("a part is not a JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JwsError("a name is given twice")
    return found

"""Signed webhooks: Standard Webhooks 1.0, signature `v1a` (Ed25519), a key pair for each address.

`webhook-signature: v1a,BASE64` is over `webhook-id.webhook-timestamp.body`. The public half, `whpk_…`, is given to
the watcher; nobody who holds it can sign, so a leak at a receiver forges nothing.
"""

import base64
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from issuer.sharing.addresses import Target, resolved

PUBLIC_PREFIX: Final = "whpk_"
TIMEOUT_SECONDS: Final = 8.0
ANSWER_BYTES: Final = 4096
"""How much of a receiver's answer is read."""


class NotDeliveredError(Exception):
    """It did not arrive. `code` is short and names no address; `final`: trying again would not help."""

    def __init__(self, code: str, *, final: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.final = final


def new_key() -> str:
    """A fresh private key, base64 of its 32 bytes."""
    raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return base64.b64encode(raw).decode()


def public_key(private: str) -> str:
    """The public half as receivers are given it: `whpk_` and base64 of 32 bytes."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return PUBLIC_PREFIX + base64.b64encode(raw).decode()


def signature(private: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`; `timestamp` in seconds since 1970 UTC."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1a," + base64.b64encode(key.sign(signed)).decode()


def post(target: Target, body: bytes, headers: dict[str, str], *, private: bool) -> bytes:
    """Send once; the first bytes of a 2xx answer. No redirect is followed, no proxy is asked.

    Raises NotDeliveredError, and AddressRefusedError as `resolved` does.
    """
    address = resolved(target, private=private)
    literal = f"[{address}]" if ":" in address else address
    url = f"{target.scheme}://{literal}:{target.port}{target.path}"
    default = target.port == (443 if target.scheme == "https" else 80)
    named = {"Host": target.host if default else f"{target.host}:{target.port}", "User-Agent": "ecert"}
    options: dict[str, Any] = {"extensions": {"sni_hostname": target.host}}
    try:
        with (
            httpx.Client(follow_redirects=False, timeout=TIMEOUT_SECONDS, trust_env=False) as client,
            client.stream("POST", url, content=body, headers={**headers, **named}, **options) as answer,
        ):
            status, said = answer.status_code, b""
            for piece in answer.iter_raw(ANSWER_BYTES):
                said += piece
                if len(said) >= ANSWER_BYTES:
                    break
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
        raise NotDeliveredError("no-answer") from exc
    if not 200 <= status < 300:
        raise NotDeliveredError(f"answered-{status}", final=status == httpx.codes.GONE)
    return said[:ANSWER_BYTES]

"""What an identity provider publishes about itself: its description and its keys, fetched and kept for a while."""

import logging
import ssl
import threading
import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from issuer.errors import UnavailableError, Words

log = logging.getLogger(__name__)

KEEP_SECONDS = 600.0
"""How long a document is used before it is asked for again."""
TIMEOUT = httpx.Timeout(5.0)


@cache
def trust() -> ssl.SSLContext:
    """Whom https is trusted to be: read once, since reading all authorities takes as long as a request."""
    return httpx.create_ssl_context()


class Documents:
    """JSON documents by address. Safe to share between threads: one fetches, the others wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def get(self, address: str, *, again: bool = False) -> tuple[dict[str, Any], bool]:
        """The document and whether it was fetched just now; `again`: whatever is kept. Raises UnavailableError."""
        with self._lock:
            kept = self._kept.get(address)
            if kept is not None and not again and time.monotonic() - kept[0] < KEEP_SECONDS:
                return kept[1], False
            try:
                answer = httpx.get(address, timeout=TIMEOUT, verify=trust(), follow_redirects=False)
                answer.raise_for_status()
                found = answer.json()
            except (httpx.HTTPError, ValueError) as exc:
                raise unreachable(type(exc).__qualname__) from None
            if not isinstance(found, dict):
                raise unreachable("not a JSON object")
            self._kept[address] = (time.monotonic(), found)
            return found, True


def is_safe(address: str) -> bool:
    """https, or this very machine (a provider beside us)."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))


def unreachable(fault: str) -> UnavailableError:
    """The provider does not answer as one; `fault` is written to the log only."""
    log.error("the identity provider cannot be used: %s", fault)
    return UnavailableError(
        "oidc-unreachable",
        Words("身份认证平台暂时无法使用。", "The identity provider cannot be used just now."),
        remedy=Words("请稍后重试，或使用本地账号登录。", "Try again shortly, or sign in with a local account."),
    )

"""The published key set as the web serves and uses it: read again when the file changes."""

import base64
import hashlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keys.public.keyset import KeySet, KeySetMalformedError, PublishedKey, read_key_set
from keys.public.purposes import KeyPurpose
from verifier.web.standing import Standing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedKeys:
    """One reading of the file: the key set, its bytes as published, their ETag, and the keys pages need."""

    key_set: KeySet
    published: bytes
    etag: str
    qr_keys: list[dict[str, Any]]
    log_keys: list[dict[str, Any]]


class KeyFile:
    """Follows one key set file. Safe for threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._mark: tuple[int, int, int] | None = None
        self._loaded: LoadedKeys | None = None
        self._standing = Standing(
            log, away="the published key set cannot be read", back="the published key set can be read again"
        )

    def load(self) -> LoadedKeys:
        """The keys as they stand now; raises OSError or KeySetMalformedError, never an older reading."""
        try:
            loaded = self._read()
        except (OSError, KeySetMalformedError) as error:
            self._standing.lost(error)
            raise
        self._standing.found()
        return loaded

    def _read(self) -> LoadedKeys:
        found = self._path.stat()
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        with self._lock:
            if self._loaded is None or mark != self._mark:
                published = self._path.read_bytes()
                key_set = read_key_set(self._path)
                etag = f'"{hashlib.sha256(published).hexdigest()[:32]}"'
                qr_keys = [_for_page(key) for key in key_set.for_purpose(KeyPurpose.QR_CREDENTIAL)]
                log_keys = [_bare(key) for key in key_set.for_purpose(KeyPurpose.LOG)]
                self._loaded, self._mark = LoadedKeys(key_set, published, etag, qr_keys, log_keys), mark
            return self._loaded

    def key_set(self) -> KeySet:
        """The key set alone; raises as `load` does."""
        return self.load().key_set


def _for_page(key: PublishedKey) -> dict[str, Any]:
    """A key as the QR page's script takes it: coordinates as in a JWK, times in whole seconds since 1970."""
    return _bare(key) | {
        "nbf": int(key.not_before.timestamp()),
        "exp": int(key.not_after.timestamp()),
        "retired": None if key.retired_at is None else int(key.retired_at.timestamp()),
    }


def _bare(key: PublishedKey) -> dict[str, Any]:
    numbers = key.public_key.public_numbers()
    return {"kid": key.kid, "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}


def _coordinate(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()

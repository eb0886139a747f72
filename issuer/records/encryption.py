"""Personal data at rest: AES-256-GCM per value, one derived key per purpose, blind index for exact search.

A stored value is `version(1) | nonce(12) | ciphertext+tag`. The associated data is the column's purpose,
so a value moved to another column does not open. Purposes never change once data exists.
"""

import hashlib
import hmac
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_VERSION = b"\x01"


class DataKeyMissingError(RuntimeError):
    """Personal data was touched before `use_data_key` was called."""


class SealedValueError(ValueError):
    """A stored value does not open: wrong key, wrong column, or changed bytes."""


class DataKey:
    """The 32-byte key personal data rests under."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError("a data key has 32 bytes")
        self._secret = secret
        self._ciphers: dict[str, AESGCM] = {}

    def _derive(self, purpose: str) -> bytes:
        return HKDFExpand(SHA256(), 32, b"ecert/" + purpose.encode()).derive(self._secret)

    def _cipher(self, purpose: str) -> AESGCM:
        cipher = self._ciphers.get(purpose)
        if cipher is None:
            cipher = self._ciphers[purpose] = AESGCM(self._derive(f"value/{purpose}"))
        return cipher

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Encrypt one value for one purpose."""
        nonce = os.urandom(12)
        return _VERSION + nonce + self._cipher(purpose).encrypt(nonce, plain, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt one value; raises SealedValueError."""
        if sealed[:1] != _VERSION:
            raise SealedValueError(f"unknown format of a sealed value ({purpose})")
        try:
            return self._cipher(purpose).decrypt(sealed[1:13], sealed[13:], purpose.encode())
        except InvalidTag as exc:
            raise SealedValueError(f"a sealed value does not open ({purpose})") from exc

    def blind_index(self, purpose: str, value: str) -> str:
        """Keyed digest for exact search over an encrypted column: 64 hex characters."""
        return hmac.new(self._derive(f"index/{purpose}"), value.encode(), hashlib.sha256).hexdigest()


_current: DataKey | None = None


def use_data_key(key: DataKey) -> None:
    """Give the encrypted columns of this process their key (composition root only)."""
    global _current
    _current = key


def data_key() -> DataKey:
    """The key in use; raises DataKeyMissingError."""
    if _current is None:
        raise DataKeyMissingError("the data key is not loaded")
    return _current


class EncryptedText(TypeDecorator[str]):
    """A text column that rests encrypted. `purpose` is normally `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else data_key().seal(self.purpose, value.encode())

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else data_key().open(self.purpose, bytes(value)).decode()

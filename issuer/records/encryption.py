"""Personal data at rest: AES-256-GCM per value, one derived key per purpose, blind index for exact search.

A stored value is `1 | nonce(12) | ciphertext+tag` under key 1, `2 | key number(4) | nonce(12) | ciphertext+tag` under
a later one. The associated data is the column's purpose, so a value moved to another column does not open. Purposes
never change once data exists. Which keys there are: `issuer.personal_data.ring`.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_VERSION = b"\x01"
_NUMBERED = b"\x02"
FIRST = 1
"""Number of the key made by `ecert init`, `keys/data.key`."""


SEARCHED = frozenset({"persons.id_no", "registrations.name", "watchers.address", "staff_identities.subject"})
"""Purposes of blind indexes over an encrypted column: they are computed again when their key is rotated."""
KEPT_DIGESTS = (
    "registrations.row_digest",
    "seal_intents.content",
    "paper_pickup_codes.code",
    "idempotency_keys.request",
    "watchers.link",
)
"""Digests nothing can compute again, made before keys were rotated: each keeps its own key. All later purposes share
the one under `DIGESTS`. What keeps them opens no value."""
DIGESTS = "*"


class DataKeyMissingError(RuntimeError):
    """A data key is needed that is not loaded, or not on this machine."""


class SealedValueError(ValueError):
    """A stored value does not open: wrong key, wrong column, or changed bytes."""


class DataKey:
    """The keys personal data rests under: usually one, several while they are being rotated.

    Values are sealed with `value_key` and opened with whichever key they name; exact search tries the index of every
    key at hand (`blind_indexes`), so a row is found whether or not it was moved to the new key already.
    """

    def __init__(
        self,
        secret: bytes | Mapping[int, bytes],
        *,
        value_key: int | None = None,
        index_key: int | None = None,
        kept: Mapping[str, bytes] | None = None,
        reload: "Callable[[], tuple[dict[int, bytes], dict[str, bytes]]] | None" = None,
    ) -> None:
        """`secret`: 32 bytes (key 1), or several by number. `kept`: digest keys that outlive the key they came from.

        `reload` reads keys and kept digest keys again, for when another process made a new one.
        """
        self._secrets = {FIRST: secret} if isinstance(secret, bytes) else dict(secret)
        if not self._secrets or any(len(each) != 32 for each in self._secrets.values()):
            raise ValueError("a data key has 32 bytes")
        self._kept = dict(kept or {})
        self._reload = reload
        self._ciphers: dict[tuple[int, str], AESGCM] = {}
        self.value_key = value_key or min(self._secrets)
        self.index_key = index_key or min(self._secrets)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The keys at hand, oldest first."""
        return tuple(sorted(self._secrets))

    def use(self, value_key: int, index_key: int) -> None:
        """Seal with one and index with the other from now on; raises DataKeyMissingError when one is not at hand."""
        for number in (value_key, index_key):
            self._secret(number)
        self.value_key, self.index_key = value_key, index_key

    def read_again(self) -> None:
        """Take up keys that were made or retired since (`reload`); nothing without one."""
        if self._reload is not None:
            self._secrets, self._kept = self._reload()
            self._ciphers = {place: cipher for place, cipher in self._ciphers.items() if place[0] in self._secrets}

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Encrypt one value for one purpose."""
        nonce = os.urandom(12)
        return (
            header_of(self.value_key)
            + nonce
            + self._cipher(self.value_key, purpose).encrypt(nonce, plain, purpose.encode())
        )

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt one value; raises SealedValueError (another format, key or purpose, or changed bytes)."""
        number, body = key_number(sealed), len(header_of(key_number(sealed) or FIRST))
        if number is None:
            raise SealedValueError(f"unknown format of a sealed value ({purpose})")
        try:
            cipher = self._cipher(number, purpose)
            return cipher.decrypt(sealed[body : body + 12], sealed[body + 12 :], purpose.encode())
        except (InvalidTag, DataKeyMissingError) as exc:
            raise SealedValueError(f"a sealed value does not open ({purpose})") from exc

    def blind_index(self, purpose: str, value: str) -> str:
        """Keyed digest to store beside an encrypted column, or in place of a secret: 64 hex characters."""
        return self._digest(self.index_key, purpose, value)

    def blind_indexes(self, purpose: str, value: str) -> tuple[str, ...]:
        """The digests under which `value` may rest, the one of new rows first; for exact search."""
        others = (number for number in self.numbers if number != self.index_key and purpose in SEARCHED)
        return tuple(self._digest(number, purpose, value) for number in (self.index_key, *others))

    def digest_keys(self) -> dict[str, bytes]:
        """The keys of all digests but those of `SEARCHED`, to be kept when the key they come from is retired."""
        own = {purpose: self._digest_key(FIRST, purpose) for purpose in KEPT_DIGESTS}
        return own | {DIGESTS: self._digest_root()}

    def _digest_root(self) -> bytes:
        return self._kept.get(DIGESTS) or self._derive(FIRST, "digests")

    def _digest(self, number: int, purpose: str, value: str) -> str:
        return hmac.new(self._digest_key(number, purpose), value.encode(), hashlib.sha256).hexdigest()

    def _digest_key(self, number: int, purpose: str) -> bytes:
        if purpose in SEARCHED:
            return self._derive(number, f"index/{purpose}")
        if purpose in KEPT_DIGESTS:
            return self._kept.get(purpose) or self._derive(FIRST, f"index/{purpose}")
        return HKDFExpand(SHA256(), 32, b"ecert/index/" + purpose.encode()).derive(self._digest_root())

    def _secret(self, number: int) -> bytes:
        if number not in self._secrets:
            self.read_again()
        try:
            return self._secrets[number]
        except KeyError as exc:
            raise DataKeyMissingError(f"data key {number} is not on this machine") from exc

    def _derive(self, number: int, purpose: str) -> bytes:
        return HKDFExpand(SHA256(), 32, b"ecert/" + purpose.encode()).derive(self._secret(number))

    def _cipher(self, number: int, purpose: str) -> AESGCM:
        cipher = self._ciphers.get((number, purpose))
        if cipher is None:
            cipher = self._ciphers[number, purpose] = AESGCM(self._derive(number, f"value/{purpose}"))
        return cipher


def header_of(number: int) -> bytes:
    """What a value sealed with one key begins with."""
    return _VERSION if number == FIRST else _NUMBERED + number.to_bytes(4, "big")


def key_number(sealed: bytes) -> int | None:
    """The number of the key a value was sealed with; None for what is no sealed value."""
    if sealed[:1] == _VERSION:
        return FIRST
    return int.from_bytes(sealed[1:5], "big") if sealed[:1] == _NUMBERED and len(sealed) > 5 else None


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

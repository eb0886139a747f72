"""An encrypted stream under a passphrase: what a backup is written into and read from.

`MAGIC | salt(16) | frame…`, a frame being `last(1) | length(4) | AES-256-GCM ciphertext`. The nonce is the frame's
number, and whether it is the last one is authenticated: frames cannot be exchanged, left out or cut off unnoticed.
"""

import io
import secrets
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"ecert-backup-2\n"
FRAME = 1 << 20
_COST = {"n": 2**16, "r": 8, "p": 1}


class WrongPassphraseError(ValueError):
    """The first frame does not open."""


class SealedWriter(io.RawIOBase):
    """Takes bytes, writes frames; whole only once `finish` was called."""

    def __init__(self, out: IO[bytes], passphrase: str) -> None:
        salt = secrets.token_bytes(16)
        self._out = out
        self._cipher = _cipher(passphrase, salt)
        self._held = bytearray()
        self._number = 0
        out.write(MAGIC + salt)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take `data`; full frames go out."""
        self._held += data
        while len(self._held) > FRAME:
            self._frame(bytes(self._held[:FRAME]), last=False)
            del self._held[:FRAME]
        return len(data)

    def finish(self) -> None:
        """Write the last frame."""
        self._frame(bytes(self._held), last=True)
        self._held.clear()

    def _frame(self, plain: bytes, *, last: bool) -> None:
        head = bytes([last])
        sealed = self._cipher.encrypt(self._number.to_bytes(12, "big"), plain, head)
        self._number += 1
        self._out.write(head + len(sealed).to_bytes(4, "big") + sealed)


class SealedReader(io.RawIOBase):
    """Gives back what was written; raises ValueError for a changed, cut or foreign stream."""

    def __init__(self, source: IO[bytes], passphrase: str) -> None:
        if source.read(len(MAGIC)) != MAGIC:
            raise ValueError("no backup of ours")
        self._source = source
        self._cipher = _cipher(passphrase, source.read(16))
        self._held = b""
        self._number = 0
        self._ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        parts, left = [], size
        while left != 0:
            if not self._held:
                if self._ended:
                    break
                self._held = self._frame()
                continue
            part = self._held if left < 0 else self._held[:left]
            self._held = self._held[len(part) :]
            parts.append(part)
            left = left - len(part) if left > 0 else left
        return b"".join(parts)

    def _frame(self) -> bytes:
        head = self._source.read(5)
        length = int.from_bytes(head[1:], "big")
        if len(head) != 5 or head[0] > 1 or length > FRAME + 16:
            raise ValueError("the backup is cut off or damaged")
        sealed = self._source.read(length)
        try:
            plain = self._cipher.decrypt(self._number.to_bytes(12, "big"), sealed, head[:1])
        except InvalidTag as exc:
            if self._number == 0:
                raise WrongPassphraseError("the first frame does not open") from exc
            raise ValueError("the backup is damaged") from exc
        self._number += 1
        if head[0]:
            self._ended = True
            if self._source.read(1):
                raise ValueError("something follows the end")
        return plain


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, **_COST).derive(passphrase.encode()))

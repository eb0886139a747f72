"""The one private key of the public side: it signs receipts and nothing else.

Made and certified by the key ceremony (`ecert keys rotate receipt` makes a new one), read from
`DATA_DIR/keys/receipt/KID.pem`. Where there is no such file the verifier answers everything but receipts.
"""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keys.public.ecdsa import lower_half
from keys.public.keyset import KeySet, PublishedKey, UnknownKeyError, receipt_key_path
from keys.public.purposes import KeyPurpose


class NoReceiptKeyError(Exception):
    """This installation has no receipt key, or one that may not be used; one line, without a path."""


@dataclass(frozen=True, slots=True)
class ReceiptSigner:
    """A key in use. `sign_raw` gives 64 bytes, r then s (RFC 9053, 2.1)."""

    published: PublishedKey
    sign_raw: Callable[[bytes], bytes]

    @property
    def kid(self) -> str:
        """Key id as in the published set."""
        return self.published.kid


def open_receipt_signer(keys_dir: Path, key_set: KeySet) -> ReceiptSigner:
    """The receipt key that is in use now; raises NoReceiptKeyError."""
    try:
        published = key_set.current(KeyPurpose.RECEIPT)
        path = receipt_key_path(keys_dir, published.kid)
        if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise NoReceiptKeyError("the receipt key is open to others")
        key = load_pem_private_key(path.read_bytes(), None)
    except (UnknownKeyError, OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NoReceiptKeyError("there is no receipt key here") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != published.public_key:
        raise NoReceiptKeyError("the receipt key is not the published one")

    def sign_raw(message: bytes) -> bytes:
        r, s = decode_dss_signature(lower_half(key.sign(message, ec.ECDSA(SHA256()))))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return ReceiptSigner(published, sign_raw)

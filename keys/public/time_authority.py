"""An outside time-stamp authority (RFC 3161): its certificate and path, published beside our own keys.

Ours are P-256 and of one profile; an outside authority's are as its own rules have them. Its certificate may hold an
RSA key or another NIST curve, and one of the two usages of RFC 3161. Everything else is as strict as for our own.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.public.ecdsa import ORDERS
from keys.public.purposes import KeyPurpose

SMALLEST_RSA: Final = 2048
LARGEST_RSA: Final = 8192
"""In bits. Above the largest a check would cost more than it is worth (OpenSSL's limit is 16,384)."""

AuthorityKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class TimeAuthority:
    """Whose tokens are accepted beside those of our own authority. `kid`: as of our own keys."""

    kid: str
    public_key: AuthorityKey = field(compare=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = field(default=())
    """Intermediate certificates above `certificate`, issuer first, without the root."""

    @property
    def purpose(self) -> KeyPurpose:
        """The only thing it vouches for."""
        return KeyPurpose.TIMESTAMP


def time_authority(certificate: x509.Certificate, chain: tuple[x509.Certificate, ...] = ()) -> TimeAuthority:
    """The published form; raises ValueError for a key of a kind that no token is accepted from."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) or not is_fit(key):
        raise ValueError("neither RSA of 2048 to 8192 bits nor a NIST curve")
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TimeAuthority(hashlib.sha256(spki).hexdigest()[:16], key, certificate, chain)


def is_fit(key: object) -> bool:
    """Whether tokens by this kind of key are accepted: RSA with PKCS #1 v1.5, or ECDSA on P-256, P-384, P-521."""
    if isinstance(key, rsa.RSAPublicKey):
        return SMALLEST_RSA <= key.key_size <= LARGEST_RSA
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ORDERS


def path_der(authority: TimeAuthority) -> list[bytes]:
    """Its certificate and those above, leaf first, as the published set lists them."""
    return [certificate.public_bytes(Encoding.DER) for certificate in (authority.certificate, *authority.chain)]


def from_path(path: list[Any]) -> TimeAuthority:
    """Read what `path_der` gives; raises ValueError, TypeError."""
    leaf, *chain = map(x509.load_der_x509_certificate, path)
    return time_authority(leaf, tuple(chain))

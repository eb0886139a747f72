"""A key held in memory: parsed once, used for one purpose only."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from keys.public.ecdsa import lower_half
from keys.public.keyset import key_id
from keys.public.purposes import KeyPurpose

_SHA256 = ec.ECDSA(hashes.SHA256())


class SoftwareSigner:
    """Implements `keys.private.signer.Signer` with OpenSSL by way of cryptography. Safe for threads."""

    def __init__(
        self,
        purpose: KeyPurpose,
        private_key: ec.EllipticCurvePrivateKey,
        certificate: x509.Certificate,
        chain: tuple[x509.Certificate, ...],
    ) -> None:
        if private_key.public_key() != certificate.public_key():
            raise ValueError("the certificate belongs to another key")
        self.purpose = purpose
        self.public_key = private_key.public_key()
        self.kid = key_id(self.public_key)
        self.certificate = certificate
        self.chain = chain
        self._key = private_key

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 with SHA-256 over `message`, DER, s in its lower half."""
        return lower_half(self._key.sign(message, _SHA256))

    def sign_raw(self, message: bytes) -> bytes:
        """The same as 64 bytes, r then s."""
        return raw_signature(self.sign(message))

    def __repr__(self) -> str:
        return f"SoftwareSigner({self.purpose.value}, {self.kid})"


def raw_signature(der: bytes) -> bytes:
    """A DER ECDSA signature over P-256 as 64 bytes, r then s (RFC 9053, 2.1)."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")

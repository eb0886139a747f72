"""The one shape every private key has, whether it lives in a file or in a token."""

from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from keys.public.purposes import KeyPurpose


class Signer(Protocol):
    """A key of one purpose. Implementations are safe to call from several threads."""

    @property
    def purpose(self) -> KeyPurpose:
        """The only act this key may be used for."""
        ...

    @property
    def kid(self) -> str:
        """Key id as in the published key set: first 8 bytes of SHA-256 of the public key's SPKI, in hex."""
        ...

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The P-256 public key."""
        ...

    @property
    def certificate(self) -> x509.Certificate:
        """The signer's own X.509 certificate."""
        ...

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Certificates above `certificate`, issuer first, root last."""
        ...

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 with SHA-256 over `message`; returns the DER form (RFC 3279, 2.2.3)."""
        ...

    def sign_raw(self, message: bytes) -> bytes:
        """The same signature as 64 bytes, r then s (RFC 9053, 2.1; JOSE ES256)."""
        ...

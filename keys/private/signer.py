"""The one shape every private key has, whether it lives in a file or in a token."""

from collections.abc import Callable
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from keys.public.keyset import PublishedKey
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
        """ECDSA P-256 with SHA-256 over `message`, DER (RFC 3279), s in its lower half (`keys.public.ecdsa`)."""
        ...

    def sign_raw(self, message: bytes) -> bytes:
        """The same signature as 64 bytes, r then s (RFC 9053, 2.1; JOSE ES256)."""
        ...


Certify = Callable[[ec.EllipticCurvePublicKey], tuple[x509.Certificate, tuple[x509.Certificate, ...]]]
"""Gives a public key its certificate and the path above it, issuer first, root last."""


class KeyMaker(Protocol):
    """Where signing keys are made and stay: encrypted files or a token."""

    def make(self, purpose: KeyPurpose, certify: Certify) -> PublishedKey:
        """A new key of this purpose, certified and kept; returns its public half."""
        ...

    def retire(self, key: PublishedKey) -> None:
        """Take the right to sign from a key that was replaced; nothing happens when the key is kept elsewhere."""
        ...

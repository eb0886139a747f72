"""Keys for tests of the public record: a signer and a published key for each purpose, self-signed, quick to make."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keys.private.software import SoftwareSigner
from keys.public.keyset import KeySet, published_key
from keys.public.purposes import KeyPurpose

NOW = datetime(2025, 10, 27, 1, 0, tzinfo=UTC)
"""The present of these tests."""
_START = datetime(2025, 1, 1, tzinfo=UTC)


class Bench:
    """Stands where the sealing room stands: `signer(purpose)` and the key set that publishes the same keys."""

    def __init__(self, retired: Mapping[KeyPurpose, datetime] | None = None) -> None:
        self.signers = {purpose: make_signer(purpose) for purpose in KeyPurpose}
        self.key_set = KeySet(
            keys=tuple(
                published_key(purpose, signer.certificate, retired_at=(retired or {}).get(purpose))
                for purpose, signer in self.signers.items()
            ),
            anchors=(),
            crls=(),
            generated_at=NOW,
        )

    def signer(self, purpose: KeyPurpose) -> SoftwareSigner:
        """The key of a purpose."""
        return self.signers[purpose]


def make_signer(purpose: KeyPurpose) -> SoftwareSigner:
    """A fresh P-256 key with a self-signed certificate, good from the start of 2025 for 20 years."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test {purpose}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_START)
        .not_valid_after(_START + timedelta(days=7300))
        .sign(key, hashes.SHA256())
    )
    return SoftwareSigner(purpose, key, certificate, ())

"""One purpose, one key: a key made for one act is refused for every other (NIST SP 800-57 part 1, 5.2)."""

from enum import StrEnum


class KeyPurpose(StrEnum):
    """What a key may sign. The value is also its name in key files and in the published key set."""

    DOCUMENT_SEAL = "document-seal"
    """PAdES signature over the certificate PDF (ETSI EN 319 142-1)."""
    QR_CREDENTIAL = "qr-credential"
    """COSE_Sign1 in the QR code (RFC 9052)."""
    STATUS_LIST = "status-list"
    """Token Status List (draft-ietf-oauth-status-list)."""
    LOG = "log"
    """Checkpoints of the transparency log (C2SP tlog-checkpoint)."""
    TIMESTAMP = "timestamp"
    """Time-stamp tokens of the built-in development authority (RFC 3161)."""
    RECEIPT = "receipt"
    """Receipts of checks (COSE_Sign1): the only private key of the public side."""


ISSUER_PURPOSES = tuple(purpose for purpose in KeyPurpose if purpose is not KeyPurpose.RECEIPT)
"""Purposes whose private keys never leave the issuing side."""

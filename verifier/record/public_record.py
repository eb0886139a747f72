"""The public record of one certificate: no name, no ID number (design §2)."""

from dataclasses import dataclass
from datetime import date, datetime

from verifier.record.status import CertificateStatus, ReasonClass


@dataclass(frozen=True, slots=True)
class PublicRecord:
    """One row of `public_record.certificates`.

    Sizes: `token` 26 base32 characters (128+ random bits); digests are lower-case hex SHA-256;
    `number_digest` and `holder_digest` are keyed (see `verifier.record.lookup`), so the table alone
    tells nobody's number or name.
    """

    token: str
    status: CertificateStatus
    reason_class: ReasonClass | None
    programme_code: str
    programme_name: str
    level: str
    specialty: str
    approved_on: date
    issued_on: date
    file_sha256: str
    credential_sha256: str
    """Digest of the COSE bytes carried in this certificate's QR: a QR whose payload differs is altered."""
    number_digest: str
    holder_digest: str
    list_id: str
    list_index: int
    published_at: datetime
    status_changed_at: datetime | None = None
    effective_on: date | None = None
    superseded_by: str | None = None
    identity_digest: str | None = None
    """Keyed, ten bits (`verifier.record.lookup.identity_digest`); None where the last four are not on record."""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One line of a certificate's public history, oldest first by `sequence`."""

    token: str
    sequence: int
    status: CertificateStatus
    reason_class: ReasonClass | None
    effective_on: date
    changed_at: datetime
    from_beginning: bool = False
    """The certificate counts as never having been good (R9): on no day, whatever `effective_on` says."""

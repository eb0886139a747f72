"""What a purpose-bound copy says: its certificate's content, with token, number, purpose and last day of its own."""

from dataclasses import dataclass, fields, replace
from datetime import date

from issuer.issuance.content import CertificateContent
from templates.certificate.data import Annotation, CertificatePage
from verifier.record.copy_claims import CopyClaims
from verifier.record.credential import CredentialClaims


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyContent(CertificateContent):
    """`list_id` and `list_index` stay the certificate's, whose status the copy shares; `own_*` is its own entry."""

    purpose: str
    valid_until: date
    own_list_id: str
    own_list_index: int

    @classmethod
    def of(
        cls,
        original: CertificateContent,
        *,
        token: str,
        copy_no: str,
        entry: tuple[str, int],
        purpose: str,
        valid_until: date,
    ) -> "CopyContent":
        """A copy of `original` as it stands."""
        same = {field.name: getattr(original, field.name) for field in fields(CertificateContent)}
        own = {"token": token, "management_no": copy_no, "purpose": purpose, "valid_until": valid_until}
        return cls(**{**same, **own}, own_list_id=entry[0], own_list_index=entry[1])

    def claims(self) -> CredentialClaims:
        """As a certificate's, with the end of the copy."""
        claims = CertificateContent.claims(self)
        return replace(claims, copy=CopyClaims(self.valid_until, self.own_list_id, self.own_list_index))

    def page(self, credential: bytes, photo: bytes | None) -> CertificatePage:
        """As a certificate's, annotated."""
        page = CertificateContent.page(self, credential, photo)
        return replace(page, annotation=Annotation(self.purpose, self.valid_until))

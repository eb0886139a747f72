"""What a certificate says, as one frozen value: the thing that is decided first, then sealed, then compared."""

import json
from dataclasses import dataclass, fields
from datetime import date, datetime
from urllib.parse import urlsplit

from issuer.records.encryption import DataKey
from issuer.rules.terms import IdType
from templates.certificate.data import CertificatePage
from verifier.record.credential import CredentialClaims, id_digest
from verifier.record.qr import qr_segments

DIGEST_PURPOSE = "seal_intents.content"

ID_TYPE_LABELS = {
    IdType.RESIDENT_ID: "居民身份证",
    IdType.HK_MACAU_PERMIT: "港澳居民来往内地通行证",
    IdType.TAIWAN_PERMIT: "台湾居民来往大陆通行证",
    IdType.RESIDENCE_PERMIT: "港澳台居民居住证",
    IdType.FOREIGNER_PERMIT: "外国人永久居留身份证",
    IdType.PASSPORT: "护照",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateContent:
    """Everything the page and the QR credential of one certificate are made from, except the photo's bytes.

    `made_at` (aware) is the instant of the intent this content belongs to. `base_url` is where the QR points to.
    """

    token: str
    management_no: str
    name: str
    gender: str
    id_type: str
    id_no: str
    programme_code: str
    programme_name: str
    level: str
    specialty: str
    approved_on: date
    issued_on: date
    authority: str
    list_id: str
    list_index: int
    template: str
    base_url: str
    photo_key: str | None
    sample: bool
    made_at: datetime

    def canonical(self) -> bytes:
        """The content as canonical JSON: sorted keys, no blanks, UTF-8, dates in ISO 8601."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {key: value.isoformat() if isinstance(value, date) else value for key, value in values.items()}
        return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    def digest(self, key: DataKey) -> str:
        """Keyed digest of `canonical`, 64 hex characters: a plain one could be guessed from the rest of the row."""
        return key.blind_index(DIGEST_PURPOSE, self.canonical().decode())

    def claims(self) -> CredentialClaims:
        """What the QR credential says. Raises ValueError when a value is outside its layout."""
        return CredentialClaims(
            token=self.token,
            management_no=self.management_no,
            name=self.name,
            programme_code=self.programme_code,
            programme_name=self.programme_name,
            level=self.level,
            specialty=self.specialty,
            approved_on=self.approved_on,
            id_digest=id_digest(self.token, self.id_type, self.id_no),
            list_id=self.list_id,
            list_index=self.list_index,
            issued_at=self.made_at,
        )

    def page(self, credential: bytes, photo: bytes | None) -> CertificatePage:
        """The page that shows this content and carries `credential`."""
        return CertificatePage(
            name=self.name,
            gender=self.gender,
            id_type=ID_TYPE_LABELS[IdType(self.id_type)],
            id_number=self.id_no,
            programme_name=self.programme_name,
            level=self.level,
            specialty=self.specialty,
            management_no=self.management_no,
            approved_on=self.approved_on,
            issued_on=self.issued_on,
            authority=self.authority,
            qr_segments=qr_segments(self.base_url, self.token, credential),
            verify_host=urlsplit(self.base_url).netloc,
            credential=credential,
            document_id=self.token,
            made_at=self.made_at,
            photo=photo,
            sample=self.sample,
            template=self.template,
        )

"""What a certificate page shows. Plain values: this package knows neither the issuer nor the verifier."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Annotation:
    """What makes a page a purpose-bound copy (加注件): what it is for, and its last day."""

    purpose: str
    valid_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePage:
    """Everything that differs between two certificates of one template.

    `photo` is the portrait as it came (JPEG or PNG) or None; `qr_segments` are the three strings of
    `verifier.record.qr.qr_segments`; `credential` is the COSE_Sign1 CWT, attached as `credential.cbor`.
    `made_at` (aware) becomes the document's date: the same page with the same `made_at` gives the same bytes.
    `sample` marks title, seal and ground with 示例 / 样章.
    """

    name: str
    gender: str
    id_type: str
    """Label of the kind of identity document, Chinese: 居民身份证, 护照 …"""
    id_number: str
    programme_name: str
    level: str
    specialty: str
    management_no: str
    approved_on: date
    issued_on: date
    authority: str
    qr_segments: tuple[str, str, str]
    verify_host: str
    """Host (and port) of the official verification site, as people should read it."""
    credential: bytes
    document_id: str
    made_at: datetime
    photo: bytes | None = None
    sample: bool = False
    template: str = "default"
    title: str | None = None
    """Overrides the template's title."""
    credential_type: Literal["application/cwt", "application/cose"] = "application/cwt"
    annotation: Annotation | None = None
    """Of a purpose-bound copy; `management_no` is then the copy's own number."""


def long_date(day: date) -> str:
    """A date as the page writes it: 2025年6月8日."""
    return f"{day.year}年{day.month}月{day.day}日"


def annotation_values(annotation: Annotation) -> dict[str, str]:
    """What stands in each box of a copy's panel, as text."""
    return {"purpose": annotation.purpose, "valid_until": f"{long_date(annotation.valid_until)}24时"}


def page_values(page: CertificatePage) -> dict[str, str]:
    """What stands in each field box of the layout, as text."""
    return {
        "name": page.name,
        "gender": page.gender,
        "id_type": page.id_type,
        "id_number": page.id_number,
        "programme_name": page.programme_name,
        "level": page.level or "—",
        "specialty": page.specialty or "—",
        "management_no": page.management_no,
        "approved_on": long_date(page.approved_on),
        "issued_on": long_date(page.issued_on),
        "authority": page.authority,
        "verify_host": page.verify_host,
    }

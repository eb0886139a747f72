"""What the page can hold, asked before a management number is spent."""

from datetime import UTC, datetime

from issuer.issuance.facts import Case, Examination
from templates.certificate.qr import fits
from templates.fonts import missing_glyphs
from verifier.record.cose import ALG, ES256, KID, encode_sign1
from verifier.record.credential import ID_DIGEST_BYTES, CredentialClaims, encode_claims
from verifier.record.qr import b32, qr_segments
from verifier.record.status_list import LIST_ENTRIES

_TOKEN = b32(bytes(16))
_NUMBER_DIGITS = 24
_SHORT_NAME = 24
"""Bytes of a name for which no symbol needs to be worked out."""


def page_obstacle(examination: Examination, case: Case, base_url: str, name: str) -> str | None:
    """Why this name cannot stand on a certificate: `glyph-missing`, `name-too-long-for-qr`, or None."""
    programme, registration = examination.programme, case.registration
    drawn = (name, registration.specialty, registration.level, programme.name, programme.authority)
    if missing_glyphs("".join((*drawn, case.person.id_no))):
        return "glyph-missing"
    if len(name.encode()) > _SHORT_NAME and not fits(
        qr_segments(base_url, _TOKEN, _longest(examination, case, name))
    ):
        return "name-too-long-for-qr"
    return None


def _longest(examination: Examination, case: Case, name: str) -> bytes:
    """A credential as long as this case's can get; nothing in it is real but the name, and it is not signed."""
    programme, registration = examination.programme, case.registration
    claims = CredentialClaims(
        token=_TOKEN,
        management_no="9" * _NUMBER_DIGITS,
        name=name,
        programme_code=programme.code,
        programme_name=programme.name,
        level=registration.level or programme.level,
        specialty=registration.specialty,
        approved_on=examination.sitting.approved_on,
        id_digest=bytes(ID_DIGEST_BYTES),
        list_id="99",
        list_index=LIST_ENTRIES - 1,
        issued_at=datetime(2100, 1, 1, tzinfo=UTC),
    )
    return encode_sign1({ALG: ES256, KID: bytes(8)}, encode_claims(claims), lambda _message: bytes(64))

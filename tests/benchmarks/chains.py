"""The two chains that are compared: this program's, and the strongest one made of the same libraries as they come.

Both make the same certificate: the same claims signed into the QR credential, the same page, portrait and attachment,
a seal of the same level with the same P-256 key, times from the same authority in the same process.
"""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pylopdf_fonts_zh_cn
import qrcode
import typst
from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from issuer.issuance.content import CertificateContent
from issuer.sealing.credential import sign_credential
from issuer.sealing.room import SealingRoom
from keys.private.timestamp_authority import TimestampAuthority
from keys.public.purposes import KeyPurpose
from templates.certificate import page as page_module
from templates.certificate.layout import HERE
from templates.certificate.page import SEAL_FIELD, STANDARDS, render
from templates.certificate.qr import QUIET_ZONE, outlines
from templates.fonts import FIRST_FAMILY

Chain = Callable[[CertificateContent, bytes, str], bytes]
"""A content, a portrait and a level in, a sealed file out."""


def our_chain(room: SealingRoom) -> Chain:
    """What the press does up to the seal."""

    def make(content: CertificateContent, photo: bytes, level: str) -> bytes:
        credential = sign_credential(room, content.claims())
        return room.seal_pdf(render(content.page(credential, photo)), level=level)

    return make


class _Authority(TimeStamper):
    """The same time-stamp authority behind pyHanko's own interface: RFC 3161 requests and answers."""

    def __init__(self, authority: TimestampAuthority) -> None:
        super().__init__()
        self._authority = authority

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(self._authority.answer(req.dump()))


def stock_chain(room: SealingRoom, *, fixed_mask: bool = False) -> Chain:
    """Typst with one warm compiler and the one font the page needs, `qrcode`, `PdfSigner` with `SimpleSigner`.

    `fixed_mask`: spare `qrcode` the search for the best mask, which takes most of its time.
    """
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[pylopdf_fonts_zh_cn.serif_path().parent],
    )
    compiler = typst.Compiler(input=HERE / "page.typ", root=HERE, font_paths=fonts, ignore_system_fonts=True)
    stamper = _Authority(TimestampAuthority(room.signer(KeyPurpose.TIMESTAMP), lambda: datetime.now(UTC)))
    seal = _stock_seal(room, stamper)

    def make(content: CertificateContent, photo: bytes, level: str) -> bytes:
        page = content.page(sign_credential(room, content.claims()), photo)
        # The page's data as the page module gives it to Typst, but for the symbol.
        data = _page_data(page)
        data["qr"] = _stock_symbol(page.qr_segments, fixed_mask=fixed_mask)
        data["families"] = [FIRST_FAMILY]
        inputs = {"page": json.dumps(data, ensure_ascii=False)}
        at = int(page.made_at.timestamp())
        pdf = compiler.compile(sys_inputs=inputs, format="pdf", pdf_standards=list(STANDARDS), timestamp=at)
        assert isinstance(pdf, bytes)
        return seal(pdf, level)

    return make


def _page_data(page: Any) -> dict[str, Any]:
    """The page module's data for Typst, without the time its own symbol takes."""
    own, page_module.qr_svg = page_module.qr_svg, lambda _segments: ""
    try:
        return page_module._page_data(page)
    finally:
        page_module.qr_svg = own


def _stock_symbol(segments: tuple[str, str, str], *, fixed_mask: bool) -> str:
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M, border=0, mask_pattern=3 if fixed_mask else None
    )
    for segment in segments:
        code.add_data(segment, optimize=0)
    code.make(fit=True)
    side = len(code.modules) + 2 * QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}">'
        f'<rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path fill="#000" fill-rule="evenodd" d="{outlines(code.modules)}"/></svg>'
    )


def _stock_seal(room: SealingRoom, stamper: TimeStamper) -> Callable[[bytes, str], bytes]:
    own = room.signer(KeyPurpose.DOCUMENT_SEAL)
    key = own._key  # type: ignore[attr-defined] # the same key, as a PKCS#12 file would hold it
    store = SimpleCertificateStore()
    store.register_multiple(map(_asn1, own.chain))
    signer = SimpleSigner(
        signing_cert=_asn1(own.certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        ),
        cert_registry=store,
    )
    roots = [_asn1(anchor) for anchor in room.key_set.anchors]
    crls = [crl.public_bytes(Encoding.DER) for crl in room.key_set.crls]

    def seal(pdf: bytes, level: str) -> bytes:
        long_term = level == "B-LTA"
        context = ValidationContext(
            trust_roots=roots, crls=crls, allow_fetching=False, other_certs=[_asn1(one) for one in own.chain]
        )
        metadata = PdfSignatureMetadata(
            field_name="Seal",
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            embed_validation_info=long_term,
            use_pades_lta=long_term,
            validation_context=context if long_term else None,
        )
        field = SigFieldSpec("Seal", box=tuple(map(int, SEAL_FIELD)))
        stamp = None if level == "B-B" else stamper
        out = io.BytesIO()
        PdfSigner(metadata, signer=signer, timestamper=stamp, new_field_spec=field).sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out
        )
        return out.getvalue()

    return seal


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    loaded: asn1_x509.Certificate = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    return loaded

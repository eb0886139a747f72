"""The PAdES seal of the certificate page (ETSI EN 319 142-1), certified with DocMDP level 1."""

import io
from collections.abc import Callable
from datetime import datetime

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers, timestamps
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from keys.private.signer import Signer
from keys.private.timestamp_authority import TimestampAuthority
from keys.public.keyset import KeySet


class _Signer(signers.Signer):
    def __init__(self, signer: Signer) -> None:
        chain = [_asn1(cert) for cert in (signer.certificate, *signer.chain)]
        store = SimpleCertificateStore()
        store.register_multiple(chain)
        super().__init__(signing_cert=chain[0], cert_registry=store)
        self._own = signer

    async def async_sign_raw(self, data, digest_algorithm, dry_run=False):  # type: ignore[no-untyped-def]
        return self._own.sign(data)


class _TimeStamper(timestamps.TimeStamper):
    def __init__(self, authority: TimestampAuthority) -> None:
        super().__init__()
        self._authority = authority

    async def async_request_tsa_response(self, req):  # type: ignore[no-untyped-def]
        from asn1crypto import tsp

        return tsp.TimeStampResp.load(self._authority.answer(req.dump()))


def _asn1(cert):  # type: ignore[no-untyped-def]
    return asn1_x509.Certificate.load(cert.public_bytes(Encoding.DER))


class PdfSealer:
    """Seals pages with one key."""

    def __init__(
        self, signer: Signer, authority: TimestampAuthority, key_set: KeySet, now: Callable[[], datetime]
    ) -> None:
        self._signer = _Signer(signer)
        self._stamper = _TimeStamper(authority)
        self._key_set = key_set

    def _context(self) -> ValidationContext:
        return ValidationContext(
            trust_roots=[_asn1(cert) for cert in self._key_set.anchors],
            other_certs=[_asn1(cert) for key in self._key_set.keys for cert in (key.certificate, *key.chain)],
            crls=[asn1_crl.CertificateList.load(crl.public_bytes(Encoding.DER)) for crl in self._key_set.crls],
            allow_fetching=False,
            revocation_mode="require",
        )

    def seal(self, pdf: bytes, level: str) -> bytes:
        """The sealed file."""
        meta = signers.PdfSignatureMetadata(
            field_name="Seal",
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            embed_validation_info=level in ("B-LT", "B-LTA"),
            use_pades_lta=level == "B-LTA",
            validation_context=self._context(),
        )
        out = io.BytesIO()
        signers.PdfSigner(
            meta,
            self._signer,
            timestamper=None if level == "B-B" else self._stamper,
            new_field_spec=SigFieldSpec("Seal", box=(360, 120, 480, 240)),
        ).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out)
        return out.getvalue()

    def extend(self, pdf: bytes) -> bytes:
        """One more archive timestamp."""
        out = io.BytesIO()
        PdfTimeStamper(self._stamper).update_archival_timestamp_chain(
            __import__("pyhanko.pdf_utils.reader", fromlist=["x"]).PdfFileReader(io.BytesIO(pdf)),
            self._context(),
            output=out,
        )
        return out.getvalue()

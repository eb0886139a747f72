"""The PAdES seal of the certificate page (ETSI EN 319 142-1), certified with DocMDP level 1.

    revision 1   the page as rendered, PDF/A-3a and PDF/UA-1
    revision 2   both fields laid out and the seal filled in, over everything before it     B-B, B-T
    revision 3   certificates and CRLs (DSS)                                                       B-LT
                 with an archive timestamp over everything before it                               B-LTA

pyHanko reads and writes the PDF objects. The signed data is written by `keys.private.cms`, and the DSS comes from the
key set in memory: pyHanko's own path validates its fresh signature again to collect the same objects, four times as
slow.
"""

import hashlib
import io
import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal, Protocol, get_args

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.signers.cms_embedder import SigMDPSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp, PdfSignedData, SignatureObject
from pyhanko.sign.validation.dss import DocumentSecurityStore

from issuer.errors import InputError, Words
from issuer.sealing.page_fields import (
    ARCHIVE_FIELD_NAME,
    SEAL_FIELD_NAME,
    Rectangle,
    add_archive_field,
    lay_out_fields,
)
from keys.private.cms import DATA, CmsWriter
from keys.private.signer import Signer
from keys.public.keyset import KeySet
from keys.public.purposes import KeyPurpose

Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]
LEVELS: tuple[str, ...] = get_args(Level)
_SLACK = 16
"""An ECDSA signature in DER varies by a few bytes."""


class Timestamps(Protocol):
    """Where time-stamp tokens come from."""

    @property
    def reserve(self) -> int:
        """Bytes that are surely enough for one token."""
        ...

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The path of the authority's certificate, for the DSS; known once it has given a token."""
        ...

    def token(self, digest: bytes) -> bytes:
        """A DER RFC 3161 token over a SHA-256 digest."""
        ...


class PdfSealer:
    """Seals pages with one key; certificates and CRLs are encoded once. Safe for threads."""

    def __init__(
        self,
        signer: Signer,
        timestamps: Timestamps,
        key_set: KeySet,
        now: Callable[[], datetime],
        seal_box: Rectangle,
        archive_box: Rectangle,
    ) -> None:
        if signer.purpose is not KeyPurpose.DOCUMENT_SEAL:
            raise ValueError(f"a {signer.purpose} key does not seal documents")
        self._cms = CmsWriter(signer, DATA)
        self._timestamps = timestamps
        self._now = now
        self._seal_box = seal_box
        self._archive_box = archive_box
        self._cms_bytes = len(self._cms.write(bytes(32))) + _SLACK
        self._certificates = [_asn1(certificate) for certificate in (signer.certificate, *signer.chain)]
        self._crls = [_asn1_crl(crl) for crl in key_set.crls]

    def seal(self, pdf: bytes, level: str) -> bytes:
        """The sealed file; raises InputError for an unknown level or a page that cannot be sealed."""
        if level not in LEVELS:
            raise InputError("seal-level", Words("没有这个签章级别。", f"Seal levels are {', '.join(LEVELS)}."))
        # ISO 19005-3, 6.1.9: an object starts a line. Typst ends its file without one.
        buffer = io.BytesIO(pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n")
        writer = _open(buffer)
        archive_box = self._archive_box if level == "B-LTA" else None
        fields = lay_out_fields(writer, self._seal_box, archive_box)
        self._certify(writer, buffer, fields.seal, timestamped=level != "B-B")
        if level in ("B-LT", "B-LTA"):
            writer = _open(buffer)
            self._preserve(writer)
            if fields.archive is None:
                writer.write_in_place()
            else:
                self._archive(writer, buffer, fields.archive)
        return buffer.getvalue()

    def extend(self, pdf: bytes) -> bytes:
        """The file with the present CRLs and one more archive timestamp; raises InputError unless it is sealed."""
        buffer = io.BytesIO(pdf)
        writer = _open(buffer)
        names = _field_names(writer)
        if SEAL_FIELD_NAME not in names:
            raise InputError("not-sealed", Words("这份文件没有电子印章。", "This file has no seal to preserve."))
        name = next(name for name in _archive_names() if name not in names)
        self._preserve(writer)
        self._archive(writer, buffer, add_archive_field(writer, name))
        return buffer.getvalue()

    def _certify(
        self,
        writer: IncrementalPdfFileWriter,
        buffer: io.BytesIO,
        field: generic.IndirectObject,
        *,
        timestamped: bool,
    ) -> None:
        reserve = self._cms_bytes + (self._timestamps.reserve if timestamped else 0)
        signature = SignatureObject(
            subfilter=SigSeedSubFilter.PADES, timestamp=self._now(), bytes_reserved=_hex_digits(reserve)
        )
        reference = _set_value(writer, field, signature)
        SigMDPSetup(md_algorithm="sha256", certify=True, docmdp_perms=MDPPerm.NO_CHANGES).apply(reference, writer)
        writer.register_extension(ESIC_EXTENSION_1)
        timestamp = self._timestamp_signature if timestamped else None
        _fill(writer, buffer, signature, lambda digest: self._cms.write(digest, timestamp=timestamp))

    def _timestamp_signature(self, signature: bytes) -> bytes:
        return self._timestamps.token(hashlib.sha256(signature).digest())

    def _preserve(self, writer: IncrementalPdfFileWriter) -> None:
        certificates = [*self._certificates, *map(_asn1, self._timestamps.certificates)]
        DocumentSecurityStore.supply_dss_in_writer(writer, None, certs=certificates, crls=self._crls)

    def _archive(self, writer: IncrementalPdfFileWriter, buffer: io.BytesIO, field: generic.IndirectObject) -> None:
        timestamp = DocumentTimestamp(bytes_reserved=_hex_digits(self._timestamps.reserve))
        _set_value(writer, field, timestamp)
        _fill(writer, buffer, timestamp, self._timestamps.token)


class _Update(IncrementalPdfFileWriter):
    """An incremental update that leaves the document's metadata alone.

    pyHanko stamps its name and the machine's time into Info; the page's Info and XMP agree, and stay so.
    """

    def _update_meta(self) -> None:
        return


def _open(buffer: io.BytesIO) -> IncrementalPdfFileWriter:
    buffer.seek(0)
    try:
        writer = _Update(buffer)
        encrypted = writer.security_handler is not None
    except (PdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise _unreadable() from error
    if encrypted:
        raise _unreadable()
    return writer


def _set_value(
    writer: IncrementalPdfFileWriter, field: generic.IndirectObject, value: PdfSignedData
) -> generic.IndirectObject:
    reference = writer.add_object(value)
    # Looked up again: the reference may come from an earlier update of the same file.
    dictionary = writer.get_object(generic.Reference(field.idnum, field.generation, writer))
    dictionary["/V"] = reference
    writer.mark_update(generic.Reference(field.idnum, field.generation, writer))
    return reference


def _fill(
    writer: IncrementalPdfFileWriter, buffer: io.BytesIO, value: PdfSignedData, sign: Callable[[bytes], bytes]
) -> None:
    """Write the update behind what `buffer` holds, and put `sign(SHA-256 of the byte range)` into its gap."""
    steps = value.fill(writer, "sha256", in_place=True)
    prepared, _ = next(steps)
    steps.send(sign(prepared.document_digest))
    steps.close()


def _field_names(writer: IncrementalPdfFileWriter) -> set[str]:
    return {name for name, _, _ in enumerate_sig_fields(writer)}


def _archive_names() -> Iterator[str]:
    yield ARCHIVE_FIELD_NAME
    for number in itertools.count(2):
        yield f"{ARCHIVE_FIELD_NAME}{number}"


def _hex_digits(size: int) -> int:
    return 2 * size


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    loaded: asn1_x509.Certificate = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    return loaded


def _asn1_crl(crl: x509.CertificateRevocationList) -> asn1_crl.CertificateList:
    loaded: asn1_crl.CertificateList = asn1_crl.CertificateList.load(crl.public_bytes(Encoding.DER))
    return loaded


def _unreadable() -> InputError:
    return InputError(
        "page-unreadable",
        Words("这不是可以盖章的 PDF。", "This is not a PDF that can be sealed."),
        remedy=Words("请重新生成证书页面。", "Render the page again."),
    )

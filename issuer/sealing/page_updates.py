"""The updates of a page that pyHanko writes: the seal, its validation data, the archive timestamp.

`issuer.sealing.laid_out` learns from these what is the same for every page of a kind, and is held to give the
same bytes. pyHanko's own signing path is not used: it validates its fresh signature again to collect the objects of
the document security store, which are in memory here.
"""

import io
from collections.abc import Callable, Sequence
from datetime import datetime

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.signers.cms_embedder import SigMDPSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp, PdfSignedData, SignatureObject
from pyhanko.sign.validation.dss import DocumentSecurityStore

from issuer.errors import InputError, Words
from issuer.sealing.laid_out import GapTooSmallError
from issuer.sealing.page_fields import Rectangle, add_archive_field, lay_out_fields

Sign = Callable[[bytes], bytes]
"""SHA-256 of a byte range in, the DER that goes into its gap out."""


def add_seal(
    page: bytes, boxes: tuple[Rectangle, Rectangle | None], at: datetime, reserve: int, sign: Sign
) -> tuple[bytes, int | None]:
    """`page` with its fields laid out and the seal filled in, certified with DocMDP level 1 (ISO 32000-2, 12.8.2.2).

    `boxes` of the seal and, if one will follow, of the archive timestamp; `reserve` bytes for what `sign` gives.
    Returns the file and the object number of the empty archive field. Raises InputError for a page that is not fit,
    GapTooSmallError.
    """
    buffer = io.BytesIO(page)
    writer = open_writer(buffer)
    fields = lay_out_fields(writer, *boxes)
    signature = SignatureObject(subfilter=SigSeedSubFilter.PADES, timestamp=at, bytes_reserved=2 * reserve)
    reference = set_value(writer, fields.seal.idnum, signature)
    SigMDPSetup(md_algorithm="sha256", certify=True, docmdp_perms=MDPPerm.NO_CHANGES).apply(reference, writer)
    writer.register_extension(ESIC_EXTENSION_1)
    fill(writer, buffer, signature, _fitting(sign, reserve))
    return buffer.getvalue(), None if fields.archive is None else fields.archive.idnum


def add_validation_data(
    pdf: bytes, certificates: Sequence[asn1_x509.Certificate], crls: Sequence[asn1_crl.CertificateList]
) -> bytes:
    """`pdf` with a document security store that holds these and what it held before (ISO 32000-2, 12.8.4.3)."""
    buffer = io.BytesIO(pdf)
    writer = open_writer(buffer)
    DocumentSecurityStore.supply_dss_in_writer(writer, None, certs=certificates, crls=crls)
    writer.write_in_place()
    return buffer.getvalue()


def add_archive_timestamp(
    pdf: bytes,
    certificates: Sequence[asn1_x509.Certificate],
    crls: Sequence[asn1_crl.CertificateList],
    field: int | str,
    reserve: int,
    sign: Sign,
) -> bytes:
    """`pdf` with validation data as above and a timestamp over everything, in one update.

    `field`: the object number of an empty archive field, or the name of a new one.
    """
    buffer = io.BytesIO(pdf)
    writer = open_writer(buffer)
    DocumentSecurityStore.supply_dss_in_writer(writer, None, certs=certificates, crls=crls)
    number = field if isinstance(field, int) else add_archive_field(writer, field).idnum
    fill_with_timestamp(writer, buffer, number, reserve, sign)
    return buffer.getvalue()


def field_names(pdf: bytes) -> set[str]:
    """Names of the signature fields; raises InputError for a file that cannot be read."""
    return {name for name, _, _ in enumerate_sig_fields(open_writer(io.BytesIO(pdf)))}


class _Update(IncrementalPdfFileWriter):
    """An incremental update that leaves the document's metadata alone.

    pyHanko stamps its name and the machine's time into Info; the page's Info and XMP agree, and stay so.
    """

    def _update_meta(self) -> None:
        return


def open_writer(buffer: io.BytesIO) -> IncrementalPdfFileWriter:
    """An update of what `buffer` holds; raises InputError `page-unreadable`."""
    try:
        writer = _Update(buffer)
        encrypted = writer.security_handler is not None
    except (PdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise _unreadable() from error
    if encrypted:
        raise _unreadable()
    return writer


def set_value(writer: IncrementalPdfFileWriter, field: int, value: PdfSignedData) -> generic.IndirectObject:
    """Put a signature dictionary into the field with this object number."""
    reference = writer.add_object(value)
    where = generic.Reference(field, 0, writer)
    writer.get_object(where)["/V"] = reference
    writer.mark_update(where)
    return reference


def fill_with_timestamp(
    writer: IncrementalPdfFileWriter, buffer: io.BytesIO, field: int, reserve: int, sign: Sign
) -> None:
    """Close the update with a document timestamp in the field with this object number (ISO 32000-2, 12.8.5)."""
    timestamp = DocumentTimestamp(bytes_reserved=2 * reserve)
    set_value(writer, field, timestamp)
    fill(writer, buffer, timestamp, _fitting(sign, reserve))


def _fitting(sign: Sign, reserve: int) -> Sign:
    def signed(digest: bytes) -> bytes:
        der = sign(digest)
        if len(der) > reserve:
            raise GapTooSmallError(f"{len(der)} bytes do not fit a gap of {reserve}")
        return der

    return signed


def fill(writer: IncrementalPdfFileWriter, buffer: io.BytesIO, value: PdfSignedData, sign: Sign) -> None:
    """Write the update behind what `buffer` holds, and put `sign(SHA-256 of the byte range)` into its gap."""
    steps = value.fill(writer, "sha256", in_place=True)
    prepared, _ = next(steps)
    steps.send(sign(prepared.document_digest))
    steps.close()


def _unreadable() -> InputError:
    return InputError(
        "page-unreadable",
        Words("这不是可以盖章的 PDF。", "This is not a PDF that can be sealed."),
        remedy=Words("请重新生成证书页面。", "Render the page again."),
    )

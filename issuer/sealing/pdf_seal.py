"""The PAdES seal of the certificate page (ETSI EN 319 142-1), certified with DocMDP level 1.

    revision 1   the page as rendered, PDF/A-3a and PDF/UA-1
    revision 2   both fields laid out and the seal filled in, over everything before it     B-B, B-T
    revision 3   certificates and CRLs (DSS)                                                       B-LT
                 with an archive timestamp over everything before it                               B-LTA

Both updates are laid out once for each kind of page (`laid_out`) by what pyHanko writes (`page_updates`); from then
on a seal is two hashes, the signatures, and filling in. The signed data is written by `keys.private.cms`.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Literal, Protocol, get_args

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from issuer.errors import InputError, Words
from issuer.sealing.laid_out import GapTooSmallError, PageEnd, UpdateTemplate, read_page_end
from issuer.sealing.page_fields import ARCHIVE_FIELD_NAME, SEAL_FIELD_NAME, Rectangle
from issuer.sealing.page_updates import add_archive_timestamp, add_seal, add_validation_data, field_names
from keys.private.cms import DATA, CmsWriter
from keys.private.signer import Signer
from keys.public.keyset import KeySet
from keys.public.purposes import KeyPurpose
from templates.certificate.fast.bounded import Bounded

Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]
LEVELS: tuple[str, ...] = get_args(Level)
KEPT_LAYOUTS = 128
"""Kinds of page whose updates are kept, about 10 kB each."""
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
        self._own_path = (signer.certificate, *signer.chain)
        self._crls = [_asn1_crl(crl) for crl in key_set.crls]
        self._seals: Bounded[tuple[object, ...], tuple[UpdateTemplate, int | None] | None] = Bounded(KEPT_LAYOUTS)
        self._archives: Bounded[tuple[object, ...], UpdateTemplate | None] = Bounded(KEPT_LAYOUTS)

    def seal(self, pdf: bytes, level: str) -> bytes:
        """The sealed file; raises InputError for an unknown level or a page that cannot be sealed."""
        if level not in LEVELS:
            raise InputError("seal-level", Words("没有这个签章级别。", f"Seal levels are {', '.join(LEVELS)}."))
        # ISO 19005-3, 6.1.9: an object starts a line. Typst ends its file without one.
        page = pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n"
        try:
            return self._sealed(page, level)
        except GapTooSmallError:
            # An outside service's tokens have grown; it knows now by how much.
            return self._sealed(page, level)

    def extend(self, pdf: bytes) -> bytes:
        """The file with the present CRLs and one more archive timestamp; raises InputError unless it is sealed."""
        names = field_names(pdf)
        if SEAL_FIELD_NAME not in names:
            raise InputError("not-sealed", Words("这份文件没有电子印章。", "This file has no seal to preserve."))
        name = next(name for name in _archive_names() if name not in names)
        return self._archived_by_pyhanko(pdf, name)

    def _sealed(self, page: bytes, level: str) -> bytes:
        end = None if level == "B-LT" else read_page_end(page)
        return (self._filled_in(page, end, level) if end else None) or self._by_pyhanko(page, level)

    # -- by what is laid out -------------------------------------------------------------------------

    def _filled_in(self, page: bytes, end: PageEnd, level: str) -> bytes | None:
        at, timestamped, archived = self._now().astimezone(UTC), level != "B-B", level == "B-LTA"
        reserve = self._seal_reserve(level)
        found = self._seals.get((end.kind, level, reserve), lambda: self._learn_seal(page, at, level))
        if found is None:
            return None
        template, field = found
        update = template.fill(len(page), end.table_at, end.identifier, at)
        so_far = hashlib.sha256(page)
        so_far.update(update.before)
        whole = so_far.copy()
        whole.update(update.after)
        gap = update.gap(self._signed(whole.digest(), timestamped=timestamped))
        sealed = b"".join((page, update.before, gap, update.after))
        if not archived or field is None:
            return sealed
        above = self._timestamps.certificates
        room = self._timestamps.reserve
        second = self._archives.get((end.kind, above, room), lambda: self._learn_archive(sealed, field))
        if second is None:
            return self._archived_by_pyhanko(sealed, field)
        last = second.fill(len(sealed), update.table_at, end.identifier)
        for part in (gap, update.after, last.before, last.after):
            so_far.update(part)
        return b"".join((sealed, last.before, last.gap(self._timestamps.token(so_far.digest())), last.after))

    def _learn_seal(self, page: bytes, at: datetime, level: str) -> tuple[UpdateTemplate, int | None] | None:
        laid_out, field = add_seal(page, self._boxes(level), at, self._seal_reserve(level), _nothing)
        try:
            return UpdateTemplate(laid_out[len(page) :], len(page), at), field
        except ValueError:
            return None

    def _learn_archive(self, sealed: bytes, field: int) -> UpdateTemplate | None:
        certificates = self._validation_path()
        laid_out = add_archive_timestamp(sealed, certificates, self._crls, field, self._timestamps.reserve, _nothing)
        try:
            return UpdateTemplate(laid_out[len(sealed) :], len(sealed), None)
        except ValueError:
            return None

    # -- by pyHanko ----------------------------------------------------------------------------------

    def _by_pyhanko(self, page: bytes, level: str) -> bytes:
        timestamped = level != "B-B"
        sealed, field = add_seal(
            page,
            self._boxes(level),
            self._now().astimezone(UTC),
            self._seal_reserve(level),
            lambda digest: self._signed(digest, timestamped=timestamped),
        )
        if level == "B-LT":
            return add_validation_data(sealed, self._validation_path(), self._crls)
        return sealed if field is None else self._archived_by_pyhanko(sealed, field)

    def _archived_by_pyhanko(self, pdf: bytes, field: int | str) -> bytes:
        reserve = self._timestamps.reserve
        certificates = self._validation_path()
        return add_archive_timestamp(pdf, certificates, self._crls, field, reserve, self._timestamps.token)

    # -- what both need ------------------------------------------------------------------------------

    def _boxes(self, level: str) -> tuple[Rectangle, Rectangle | None]:
        return self._seal_box, self._archive_box if level == "B-LTA" else None

    def _seal_reserve(self, level: str) -> int:
        return self._cms_bytes + (0 if level == "B-B" else self._timestamps.reserve)

    def _signed(self, digest: bytes, *, timestamped: bool) -> bytes:
        return self._cms.write(digest, timestamp=self._timestamp_signature if timestamped else None)

    def _timestamp_signature(self, signature: bytes) -> bytes:
        return self._timestamps.token(hashlib.sha256(signature).digest())

    def _validation_path(self) -> list[asn1_x509.Certificate]:
        return [_asn1(certificate) for certificate in (*self._own_path, *self._timestamps.certificates)]


def _nothing(_digest: bytes) -> bytes:
    return b""


def _archive_names() -> Iterator[str]:
    yield ARCHIVE_FIELD_NAME
    for number in itertools.count(2):
        yield f"{ARCHIVE_FIELD_NAME}{number}"


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    loaded: asn1_x509.Certificate = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    return loaded


def _asn1_crl(crl: x509.CertificateRevocationList) -> asn1_crl.CertificateList:
    loaded: asn1_crl.CertificateList = asn1_crl.CertificateList.load(crl.public_bytes(Encoding.DER))
    return loaded

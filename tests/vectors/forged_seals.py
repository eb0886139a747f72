"""Seals made anew: by another authority with our looks, by our keys of other purposes, by our own key misused."""

import io

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import SigMDPSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from issuer.sealing.page_fields import lay_out_fields
from issuer.sealing.page_updates import fill, set_value
from keys.private.cms import DATA, CmsWriter
from keys.private.signer import Signer
from keys.public.purposes import KeyPurpose
from tests.vectors.attacks import ALTERED, BROKEN, UNTRUSTED, Target, attack, swap
from tests.vectors.update_attacks import QuietWriter

_BOX = (360.0, 120.0, 480.0, 240.0)

for _level in ("B-B", "B-T", "B-LT", "B-LTA"):

    @attack(f"another-authority-{_level}", UNTRUSTED)
    def _foreign(target: Target, level: str = _level) -> bytes:
        return target.foreign.seal_pdf(target.page, level=level)


@attack("another-authority-over-our-seal", ALTERED)
def _second_seal(target: Target) -> bytes:
    """A second signature, by another authority, over our whole file."""
    return _signed(target.sealed, CmsWriter(target.foreign.signer(KeyPurpose.DOCUMENT_SEAL), DATA))


@attack("another-authority-renewal", ALTERED)
def _foreign_renewal(target: Target) -> bytes:
    return target.foreign.extend(target.sealed)


def _signed(pdf: bytes, cms: CmsWriter, *, permissions: MDPPerm | None = None, token: bytes | None = None) -> bytes:
    """`pdf` with one more signature field, filled by `cms`."""
    buffer = io.BytesIO(pdf)
    writer = QuietWriter(buffer)
    if "/AcroForm" in writer.root:
        field = generic.DictionaryObject(
            {
                generic.pdf_name("/FT"): generic.pdf_name("/Sig"),
                generic.pdf_name("/T"): generic.TextStringObject("Seal2"),
                generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
                generic.pdf_name("/Subtype"): generic.pdf_name("/Widget"),
                generic.pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 0, 0))),
            }
        )
        reference = writer.add_object(field)
        form = writer.root["/AcroForm"]
        form["/Fields"].append(reference)
        writer.update_container(form)
    else:
        reference = lay_out_fields(writer, _BOX, None).seal
    signature = SignatureObject(subfilter=SigSeedSubFilter.PADES, bytes_reserved=24_000)
    value = set_value(writer, reference.idnum, signature)
    if permissions is not None:
        SigMDPSetup(md_algorithm="sha256", certify=True, docmdp_perms=permissions).apply(value, writer)
    stamp = (lambda _: token) if token is not None else None
    fill(writer, buffer, signature, lambda digest: cms.write(digest, timestamp=stamp))
    return buffer.getvalue()


def _own_cms(target: Target, purpose: KeyPurpose = KeyPurpose.DOCUMENT_SEAL) -> CmsWriter:
    return CmsWriter(target.room.signer(purpose), DATA)


for _purpose in (KeyPurpose.QR_CREDENTIAL, KeyPurpose.TIMESTAMP, KeyPurpose.STATUS_LIST, KeyPurpose.LOG):

    @attack(f"our-{_purpose.value}-key-as-seal", UNTRUSTED)
    def _wrong_purpose(target: Target, purpose: KeyPurpose = _purpose) -> bytes:
        return _signed(target.page, _own_cms(target, purpose), permissions=MDPPerm.NO_CHANGES)


@attack("our-key-without-certification", UNTRUSTED)
def _not_certified(target: Target) -> bytes:
    return _signed(target.page, _own_cms(target))


for _permission in (MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE):

    @attack(f"our-key-permitting-{_permission.name.lower()}", UNTRUSTED)
    def _permissive(target: Target, permission: MDPPerm = _permission) -> bytes:
        return _signed(target.page, _own_cms(target), permissions=permission)


@attack("our-key-without-timestamp", ALTERED)
def _no_timestamp(target: Target) -> bytes:
    return target.room.seal_pdf(target.page, level="B-B")


@attack("our-key-with-timestamp-of-something-else", UNTRUSTED)
def _other_timestamp(target: Target) -> bytes:
    token = target.room._sealing()._timestamps.token(bytes(32))
    return _signed(target.page, _own_cms(target), permissions=MDPPerm.NO_CHANGES, token=token)


@attack("our-key-with-foreign-timestamp", ALTERED)
def _foreign_timestamp(target: Target) -> bytes:
    token = target.foreign._sealing()._timestamps.token(bytes(32))
    return _signed(target.page, _own_cms(target), permissions=MDPPerm.NO_CHANGES, token=token)


@attack("our-key-twice", ALTERED)
def _twice(target: Target) -> bytes:
    return _signed(target.sealed, _own_cms(target))


@attack("our-key-on-another-page", UNTRUSTED)
def _without_credential(target: Target) -> bytes:
    """The seal on a page that carries no credential (an insider's mistake)."""
    page = swap(target.page, b"/EmbeddedFiles", b"/EmbeddedFilez")
    return target.room.seal_pdf(page, level="B-T")


class _NamedAsOurs:
    """The foreign key behind our certificate: what a forger has who copies our certificate from any file."""

    purpose = KeyPurpose.DOCUMENT_SEAL

    def __init__(self, own: Signer, foreign: Signer) -> None:
        self.certificate, self.chain, self.kid, self.public_key = own.certificate, own.chain, own.kid, own.public_key
        self._foreign = foreign

    def sign(self, message: bytes) -> bytes:
        return self._foreign.sign(message)


@attack("our-certificate-with-a-foreign-key", ALTERED)
def _borrowed_certificate(target: Target) -> bytes:
    own = target.room.signer(KeyPurpose.DOCUMENT_SEAL)
    signer = _NamedAsOurs(own, target.foreign.signer(KeyPurpose.DOCUMENT_SEAL))
    return _signed(target.page, CmsWriter(signer, DATA), permissions=MDPPerm.NO_CHANGES)  # type: ignore[arg-type]


@attack("saved-again", BROKEN | UNTRUSTED)
def _saved_again(target: Target) -> bytes:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(target.sealed)))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@attack("saved-again-without-the-seal", UNTRUSTED)
def _unsealed(target: Target) -> bytes:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(target.page)))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()

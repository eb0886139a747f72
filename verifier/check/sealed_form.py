"""What the sealed revision itself must say: one seal, no change permitted, one credential attached.

Read only after the signature over these bytes holds, so every word here is ours.
"""

import zlib
from dataclasses import dataclass
from typing import Final

from verifier.check.envelope import Envelope
from verifier.check.sections import SealedRevision
from verifier.check.syntax import Name, PdfSyntaxError, Reference, Stream, Text, Value, text_of

CREDENTIAL_FILE: Final = "credential.cbor"
_MAX_CREDENTIAL: Final = 4096
_MAX_FIELDS: Final = 16


class NotASealError(Exception):
    """The revision is signed by us and is not a sealed certificate; `code` names the step that failed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class SealedForm:
    """Object numbers the later updates may touch: what holds the list of fields (the list itself or the form around
    it), and signature fields still empty."""

    field_list: int
    empty_fields: frozenset[int]


def read_form(sealed: SealedRevision, envelope: Envelope, pdf: bytes) -> SealedForm:
    """Find the one signature of the form and hold it to a certifying seal; raises NotASealError, PdfSyntaxError."""
    catalog = sealed.catalog
    form, pages = sealed.dictionary(catalog.get("AcroForm")), sealed.dictionary(catalog.get("Pages"))
    kids, fields = sealed.array(pages.get("Kids")), sealed.array(form.get("Fields"))
    holders = [value for value in (form.get("Fields"), catalog.get("AcroForm")) if isinstance(value, Reference)]
    if not holders or not kids or not isinstance(kids[0], Reference):
        raise NotASealError("structure-broken")
    signatures: list[Value] = []
    empty: set[int] = set()
    for reference in fields[:_MAX_FIELDS]:
        field = sealed.dictionary(reference)
        if field.get("FT") != Name("Sig") or not isinstance(reference, Reference):
            raise NotASealError("structure-broken")
        if "V" in field:
            signatures.append(field["V"])
        else:
            empty.add(reference.number)
    if len(signatures) != 1 or len(fields) > _MAX_FIELDS:
        raise NotASealError("structure-broken")
    signature = sealed.dictionary(signatures[0])
    _hold_to_seal(sealed, signature, signatures[0], envelope, pdf)
    return SealedForm(holders[0].number, frozenset(empty))


def _hold_to_seal(
    sealed: SealedRevision, signature: dict[str, Value], reference: Value, envelope: Envelope, pdf: bytes
) -> None:
    contents = Text(pdf[envelope.before : envelope.after])
    if signature.get("Contents") != contents or signature.get("ByteRange") != envelope.byte_range:
        raise NotASealError("structure-byterange")
    if signature.get("SubFilter") != Name("ETSI.CAdES.detached"):
        raise NotASealError("structure-cms")
    if "Perms" not in sealed.catalog or "Reference" not in signature:
        raise NotASealError("seal-permits-changes")
    permissions = sealed.dictionary(sealed.catalog["Perms"])
    references = sealed.array(signature["Reference"])
    if repr(permissions.get("DocMDP")) != repr(reference) or len(references) != 1:
        raise NotASealError("seal-permits-changes")
    transform = sealed.dictionary(references[0])
    parameters = sealed.dictionary(transform.get("TransformParams"))
    if transform.get("TransformMethod") != Name("DocMDP") or repr(parameters.get("P")) != "1":
        raise NotASealError("seal-permits-changes")


def read_attachment(sealed: SealedRevision) -> bytes:
    """The bytes of the one attached `credential.cbor`; raises NotASealError, PdfSyntaxError."""
    names = sealed.dictionary(sealed.catalog.get("Names"))
    tree = sealed.dictionary(names.get("EmbeddedFiles"))
    entries = sealed.array(tree.get("Names"))
    found = [
        sealed.dictionary(entries[index + 1])
        for index in range(0, len(entries) - 1, 2)
        if text_of(sealed.resolve(entries[index])) == CREDENTIAL_FILE
    ]
    if len(found) != 1:
        raise NotASealError("attachment-missing")
    stream = sealed.resolve(sealed.dictionary(found[0].get("EF")).get("F"))
    if not isinstance(stream, Stream):
        raise NotASealError("attachment-missing")
    return _unpack(stream)


def _unpack(stream: Stream) -> bytes:
    how = stream.header.get("Filter")
    if how is None:
        return stream.data[: _MAX_CREDENTIAL + 1]
    if how not in (Name("FlateDecode"), [Name("FlateDecode")]):
        raise NotASealError("attachment-missing")
    try:
        return zlib.decompressobj().decompress(stream.data, _MAX_CREDENTIAL + 1)
    except zlib.error as error:
        raise PdfSyntaxError("the attachment does not unpack") from error

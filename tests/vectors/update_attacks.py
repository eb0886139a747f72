"""Incremental updates behind our file: plain, and covered by a timestamp of the very service we accept."""

import io
from collections.abc import Callable

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from issuer.sealing.page_fields import add_archive_field
from issuer.sealing.page_updates import fill_with_timestamp
from tests.vectors.attacks import ALTERED, Target, attack

Edit = Callable[[IncrementalPdfFileWriter], None]


class QuietWriter(IncrementalPdfFileWriter):
    """Writes what it is told and no metadata."""

    _force_write_when_empty = True

    def _update_meta(self) -> None:
        return


def updated(pdf: bytes, edit: Edit, writer_class: type[IncrementalPdfFileWriter] = QuietWriter) -> bytes:
    """`pdf` with an incremental update behind it."""
    buffer = io.BytesIO(pdf)
    writer = writer_class(buffer)
    edit(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def stamped(target: Target, pdf: bytes, edit: Edit) -> bytes:
    """The same, and an archive timestamp of the accepted service over everything: an attacker may ask it for one."""
    timestamps = target.room._sealing()._timestamps
    buffer = io.BytesIO(pdf)
    writer = QuietWriter(buffer)
    edit(writer)
    field = add_archive_field(writer, "Archive7").idnum
    fill_with_timestamp(writer, buffer, field, timestamps.reserve, timestamps.token)
    return buffer.getvalue()


def _page(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    return writer.root["/Pages"]["/Kids"][0]


def _nothing(writer: IncrementalPdfFileWriter) -> None:
    """An update that says nothing."""


def _new_text(writer: IncrementalPdfFileWriter) -> None:
    page = _page(writer)
    stream = generic.StreamObject(stream_data=b"BT /F1 40 Tf 100 400 Td (another name) Tj ET")
    page["/Contents"] = writer.add_object(stream)
    writer.update_container(page)


def _text_in_place(writer: IncrementalPdfFileWriter) -> None:
    drawing = _page(writer).raw_get("/Contents")
    reference = drawing.raw_get(0) if isinstance(drawing, generic.ArrayObject) else drawing
    writer.objects[(0, reference.idnum)] = generic.StreamObject(stream_data=b"BT (x) Tj ET")


def _annotation(writer: IncrementalPdfFileWriter, subtype: str = "/FreeText") -> None:
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name(subtype),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (50, 50, 400, 400))),
            pdf_name("/Contents"): generic.TextStringObject("一级建造师"),
        }
    )
    writer.register_annotation(page, writer.add_object(note))


def _stamp_annotation(writer: IncrementalPdfFileWriter) -> None:
    _annotation(writer, "/Stamp")


def _info(writer: IncrementalPdfFileWriter) -> None:
    info = writer.trailer["/Info"]
    info["/Title"] = generic.TextStringObject("another title")
    writer.update_container(info)


def _metadata(writer: IncrementalPdfFileWriter) -> None:
    reference = writer.root.raw_get("/Metadata")
    stream = generic.StreamObject(
        {pdf_name("/Type"): pdf_name("/Metadata"), pdf_name("/Subtype"): pdf_name("/XML")}, stream_data=b"<x/>"
    )
    writer.objects[(0, reference.idnum)] = stream


def _open_action(writer: IncrementalPdfFileWriter) -> None:
    action = {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.TextStringObject("app.alert(1)")}
    writer.root["/OpenAction"] = generic.DictionaryObject(action)
    writer.update_root()


def _attachment(writer: IncrementalPdfFileWriter) -> None:
    names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    stream = names[1]["/EF"].raw_get("/F")
    writer.objects[(0, stream.idnum)] = generic.StreamObject(stream_data=b"another credential")


def _second_attachment(writer: IncrementalPdfFileWriter) -> None:
    names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    names.append(generic.TextStringObject("credential.cbor"))
    names.append(writer.add_object(generic.DictionaryObject()))
    writer.update_root()


def _permissions_removed(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/Perms"]
    writer.update_root()


def _store_removed(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/DSS"]
    writer.update_root()


def _store_edited(writer: IncrementalPdfFileWriter) -> None:
    store = writer.root["/DSS"]
    store["/Certs"] = generic.ArrayObject([writer.add_object(generic.StreamObject(stream_data=b"no certificate"))])
    writer.update_container(store)


def _store_with_stowaway(writer: IncrementalPdfFileWriter) -> None:
    store = writer.root["/DSS"]
    store["/XObject"] = writer.add_object(generic.StreamObject(stream_data=b"q Q"))
    writer.update_container(store)


def _new_page(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]
    page = generic.DictionaryObject(
        {pdf_name("/Type"): pdf_name("/Page"), pdf_name("/Parent"): writer.root.raw_get("/Pages")}
    )
    pages["/Kids"].insert(0, writer.add_object(page))
    pages["/Count"] = generic.NumberObject(2)
    writer.update_container(pages)


def _page_box(writer: IncrementalPdfFileWriter) -> None:
    page = _page(writer)
    page["/CropBox"] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 200)))
    writer.update_container(page)


def _layers(writer: IncrementalPdfFileWriter) -> None:
    layers = {pdf_name("/OCGs"): generic.ArrayObject(), pdf_name("/D"): generic.DictionaryObject()}
    writer.root["/OCProperties"] = generic.DictionaryObject(layers)
    writer.update_root()


def _other_page_tree(writer: IncrementalPdfFileWriter) -> None:
    page = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Page")})
    kids = generic.ArrayObject([writer.add_object(page)])
    tree = {
        pdf_name("/Type"): pdf_name("/Pages"),
        pdf_name("/Kids"): kids,
        pdf_name("/Count"): generic.NumberObject(1),
    }
    writer.root["/Pages"] = writer.add_object(generic.DictionaryObject(tree))
    writer.update_root()


def _font(writer: IncrementalPdfFileWriter) -> None:
    fonts = _page(writer)["/Resources"]["/Font"]
    reference = fonts.raw_get(next(iter(fonts)))
    writer.objects[(0, reference.idnum)] = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Font")})


def _seal_field(writer: IncrementalPdfFileWriter) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0]
    field["/Rect"] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 1, 1)))
    writer.update_container(field)


def _seal_removed(writer: IncrementalPdfFileWriter) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0]
    del field["/V"]
    writer.update_container(field)


def _appearances(writer: IncrementalPdfFileWriter) -> None:
    form = writer.root["/AcroForm"]
    form["/NeedAppearances"] = generic.BooleanObject(True)
    writer.update_container(form)


def _visible_field(writer: IncrementalPdfFileWriter) -> None:
    field = generic.DictionaryObject(
        {
            pdf_name("/FT"): pdf_name("/Tx"),
            pdf_name("/T"): generic.TextStringObject("name"),
            pdf_name("/V"): generic.TextStringObject("another name"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (90, 500, 300, 540))),
        }
    )
    form = writer.root["/AcroForm"]
    form["/Fields"].append(writer.add_object(field))
    writer.update_container(form)


def _orphan(writer: IncrementalPdfFileWriter) -> None:
    writer.add_object(generic.StreamObject(stream_data=b"kept for a later shadow attack"))


def _structure(writer: IncrementalPdfFileWriter) -> None:
    tree = writer.root["/StructTreeRoot"]
    tree["/RoleMap"] = generic.DictionaryObject()
    writer.update_container(tree)


def _numbers_for_booleans(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/MarkInfo"]["/Marked"] = generic.NumberObject(1)
    writer.update_root()


_EDITS: dict[str, Edit] = {
    "nothing": _nothing,
    "new-text": _new_text,
    "text-in-place": _text_in_place,
    "free-text-annotation": _annotation,
    "stamp-annotation": _stamp_annotation,
    "info": _info,
    "metadata": _metadata,
    "open-action": _open_action,
    "attachment-replaced": _attachment,
    "attachment-added": _second_attachment,
    "permissions-removed": _permissions_removed,
    "store-removed": _store_removed,
    "store-edited": _store_edited,
    "store-with-stowaway": _store_with_stowaway,
    "page-added": _new_page,
    "page-cropped": _page_box,
    "layers": _layers,
    "page-tree-swapped": _other_page_tree,
    "font-swapped": _font,
    "seal-field-moved": _seal_field,
    "seal-field-emptied": _seal_removed,
    "appearances-regenerated": _appearances,
    "text-field-over-the-name": _visible_field,
    "orphan-object": _orphan,
    "structure-tree": _structure,
    "number-for-boolean": _numbers_for_booleans,
}

for _name, _edit in _EDITS.items():

    @attack(f"update-{_name}", ALTERED)
    def _plain(target: Target, edit: Edit = _edit) -> bytes:
        return updated(target.sealed, edit)

    if not _name.startswith("store"):

        @attack(f"update-sealed-revision-{_name}", ALTERED)
        def _behind_seal(target: Target, edit: Edit = _edit) -> bytes:
            return updated(target.cut, edit)

    if _edit is not _nothing:

        @attack(f"timestamped-{_name}", ALTERED)
        def _with_stamp(target: Target, edit: Edit = _edit) -> bytes:
            return stamped(target, target.sealed, edit)


@attack("update-by-a-stock-library", ALTERED)
def _stock(target: Target) -> bytes:
    return updated(target.sealed, _annotation, IncrementalPdfFileWriter)


@attack("shadow-hide-and-replace", ALTERED)
def _hide_and_replace(target: Target) -> bytes:
    """Bring a page back to its state before the seal: the seal's own update of it is overridden."""
    buffer = io.BytesIO(target.sealed)
    writer = QuietWriter(buffer)
    page = writer.root["/Pages"]["/Kids"][0]
    del page["/Annots"]
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@attack("timestamped-renewal-listed-by-the-page", ALTERED)
def _renewal_on_the_page(target: Target) -> bytes:
    """A renewal whose field the page lists as well: the page is never written again."""
    timestamps = target.room._sealing()._timestamps
    buffer = io.BytesIO(target.sealed)
    writer = QuietWriter(buffer)
    field = add_archive_field(writer, "Archive7")
    writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), field)
    fill_with_timestamp(writer, buffer, field.idnum, timestamps.reserve, timestamps.token)
    return buffer.getvalue()

"""The two signature fields of a certificate page, laid out so that the page stays PDF/A-3a and PDF/UA-1.

A stock signature field breaks both: it has no spoken name (`/TU`, ISO 14289-1, 7.18.1) and its widget stands outside
the structure tree (7.18.4). Here each widget gets a name, a place in the parent tree and a `Form` element of its own.
The seal is drawn by the page; the widget over it has an empty appearance, so that nothing is drawn twice.
"""

from dataclasses import dataclass

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.writer import BasePdfFileWriter

from issuer.errors import InputError, Words

SEAL_FIELD_NAME = "Seal"
ARCHIVE_FIELD_NAME = "Archive"
_SEAL_TITLE = "电子印章签名 / Electronic seal"
_ARCHIVE_TITLE = "存档时间戳 / Archive timestamp"
_PRINT, _LOCKED = 1 << 2, 1 << 7
_SIGNATURES_EXIST, _APPEND_ONLY = 1, 2

Rectangle = tuple[float, float, float, float]
"""(left, bottom, right, top) in points, PDF coordinates."""


@dataclass(frozen=True, slots=True)
class PageFields:
    """References to the fields laid out; the field is its own widget annotation."""

    seal: generic.IndirectObject
    archive: generic.IndirectObject | None


def lay_out_fields(writer: BasePdfFileWriter, seal: Rectangle, archive: Rectangle | None) -> PageFields:
    """Add the fields to the first page of a tagged PDF, in the update that `writer` is making.

    `seal` is where the seal is drawn. `archive` is shrunk to its lower left corner: a document timestamp has no
    appearance (ISO 32000-2, 12.8.5), and checkers take a visible one for a change of the page.
    Raises InputError for a page that is not tagged or already holds a form.
    """
    page = _PageTree(writer)
    fields = [page.add_field(SEAL_FIELD_NAME, _SEAL_TITLE, seal)]
    if archive is not None:
        left, bottom, _, _ = archive
        fields.append(page.add_field(ARCHIVE_FIELD_NAME, _ARCHIVE_TITLE, (left, bottom, left, bottom)))
    page.finish(fields)
    return PageFields(seal=fields[0], archive=fields[1] if archive is not None else None)


def add_archive_field(writer: BasePdfFileWriter, name: str) -> generic.IndirectObject:
    """One more archive timestamp field, for a renewal years later.

    A sealed page and its structure tree may not change any more, and a widget listed by the page would need a `Form`
    element there (ISO 14289-1, 7.18.4). So the page does not list this one: nothing of a document timestamp is shown.
    """
    field = _widget(None, name, _ARCHIVE_TITLE, (0, 0, 0, 0))
    reference = writer.add_object(field)
    form = writer.root["/AcroForm"]
    form["/Fields"].append(reference)
    writer.update_container(form["/Fields"])
    return reference


class _PageTree:
    """The objects of the page that gain an entry: page, structure root, its first element."""

    def __init__(self, writer: BasePdfFileWriter) -> None:
        self._writer = writer
        root = writer.root
        if "/AcroForm" in root:
            raise _unfit("页面上已有表单或签名。", "The page already holds a form or a signature.")
        try:
            self._page = _first_page_reference(writer)
            self._structure = root["/StructTreeRoot"]
            self._numbers = self._structure["/ParentTree"]["/Nums"]
            self._next_key = int(self._structure["/ParentTreeNextKey"])
            top = self._structure.raw_get("/K")
            top = top.get_object()
            self._document = top.raw_get(0) if isinstance(top, generic.ArrayObject) else self._structure.raw_get("/K")
            self._children = self._document.get_object()["/K"]
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise _unfit("页面没有无障碍标签结构。", "The page is not a tagged PDF.") from error
        if not isinstance(self._children, generic.ArrayObject):
            raise _unfit("页面没有无障碍标签结构。", "The page is not a tagged PDF.")

    def add_field(self, name: str, title: str, box: Rectangle) -> generic.IndirectObject:
        writer = self._writer
        widget = _widget(self._page, name, title, box)
        widget["/StructParent"] = generic.NumberObject(self._next_key)
        if box[0] != box[2]:
            # ISO 19005-3, 6.3.3: a widget that has a size has a normal appearance. This one draws nothing.
            widget["/AP"] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(_nothing(box))})
        reference = writer.add_object(widget)
        element = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/StructElem"),
                pdf_name("/S"): pdf_name("/Form"),
                pdf_name("/P"): self._document,
                pdf_name("/Pg"): self._page,
                pdf_name("/Alt"): generic.TextStringObject(title),
                pdf_name("/K"): generic.DictionaryObject(
                    {pdf_name("/Type"): pdf_name("/OBJR"), pdf_name("/Obj"): reference}
                ),
            }
        )
        element_reference = writer.add_object(element)
        self._children.append(element_reference)
        self._numbers.append(generic.NumberObject(self._next_key))
        self._numbers.append(element_reference)
        self._next_key += 1
        return reference

    def finish(self, fields: list[generic.IndirectObject]) -> None:
        writer = self._writer
        for field in fields:
            writer.register_annotation(self._page, field)
        self._structure["/ParentTreeNextKey"] = generic.NumberObject(self._next_key)
        for changed in (self._structure, self._numbers, self._children):
            writer.update_container(changed)
        form = generic.DictionaryObject(
            {
                pdf_name("/Fields"): generic.ArrayObject(fields),
                pdf_name("/SigFlags"): generic.NumberObject(_SIGNATURES_EXIST | _APPEND_ONLY),
            }
        )
        # Indirect, so that a renewal can add a field without touching the catalogue.
        writer.root["/AcroForm"] = writer.add_object(form)
        writer.update_root()


def _first_page_reference(writer: BasePdfFileWriter) -> generic.IndirectObject:
    reference, _ = writer.find_page_for_modification(0)
    return generic.IndirectObject(reference.idnum, reference.generation, writer)


def _widget(page: generic.IndirectObject | None, name: str, title: str, box: Rectangle) -> generic.DictionaryObject:
    return generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Sig"),
            pdf_name("/T"): generic.TextStringObject(name),
            pdf_name("/TU"): generic.TextStringObject(title),
            pdf_name("/F"): generic.NumberObject(_PRINT | _LOCKED),
            **({} if page is None else {pdf_name("/P"): page}),
            pdf_name("/Rect"): generic.ArrayObject([generic.FloatObject(value) for value in box]),
        }
    )


def _nothing(box: Rectangle) -> generic.StreamObject:
    left, bottom, right, top = box
    return generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject(
                [generic.FloatObject(value) for value in (0, 0, right - left, top - bottom)]
            ),
            pdf_name("/Resources"): generic.DictionaryObject(),
        },
        stream_data=b"",
    )


def _unfit(zh: str, en: str) -> InputError:
    return InputError("page-unfit", Words(zh, en), remedy=Words("请重新生成证书页面。", "Render the page again."))

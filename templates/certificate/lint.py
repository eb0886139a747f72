"""Reading a rendered page back, and comparing it with what it should say, before anything is sealed.

A batch once sealed another person's data (design §10): what is compared here is not what was asked for
but what the finished file shows, box by box of the layout, through another program's eyes (PDFium).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2

from templates.certificate.data import CertificatePage, annotation_values, page_values
from templates.certificate.fast.ground import without_ground
from templates.certificate.layout import Rectangle, geometry, rectangle

_MARGIN = 1.0
"""Points a glyph may reach over its box: overhang of the outermost outlines, far less than a letter."""

_pdfium = threading.RLock()
"""PDFium is not safe for threads: a second one would be told what stands on the first one's page."""


@dataclass(frozen=True, slots=True)
class PageText:
    """Texts of a rendered page: `fields` by box of the layout, `pages` how many there are, `text` all of page one."""

    fields: dict[str, str]
    pages: int
    text: str


def read_back(pdf: bytes, template: str | None = None) -> PageText:
    """Extract what the page shows. Raises ValueError when `pdf` is not a readable PDF. Line ends come as `\\n`."""
    with opened(without_ground(pdf)) as document:
        reader = document[0].get_textpage()
        fields = {name: _within(reader, rectangle("fields", name, template)) for name in geometry(template)["fields"]}
        return PageText(fields=fields, pages=len(document), text=_lines(reader.get_text_range()))


@contextmanager
def opened(pdf: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """The document in PDFium, for one thread at a time. Raises ValueError when `pdf` is not a readable PDF."""
    with _pdfium:
        try:
            document = pypdfium2.PdfDocument(pdf)
        except pypdfium2.PdfiumError as exc:
            raise ValueError("not a readable PDF") from exc
        try:
            yield document
        finally:
            document.close()


def lint_page(pdf: bytes, page: CertificatePage) -> tuple[str, ...]:
    """What is wrong with the rendered page; empty is good. Names fields, never their contents."""
    found = read_back(pdf, page.template)
    problems = [] if found.pages == 1 else [f"pages: {found.pages} instead of 1"]
    shown, values = found.fields, page_values(page)
    if page.annotation is not None:
        shown, values = (
            shown | _read_boxes(pdf, "annotation", page.template),
            values | annotation_values(page.annotation),
        )
    for name, value in values.items():
        if not _same(value, shown[name]):
            problems.append(f"{name}: the page does not show the recorded value")
    return tuple(problems)


def _read_boxes(pdf: bytes, section: str, template: str) -> dict[str, str]:
    with opened(pdf) as document:
        reader = document[0].get_textpage()
        return {name: _within(reader, rectangle(section, name, template)) for name in geometry(template)[section]}


def _within(reader: pypdfium2.PdfTextPage, box: Rectangle) -> str:
    left, bottom, right, top = box
    return _lines(reader.get_text_bounded(left - _MARGIN, bottom - _MARGIN, right + _MARGIN, top + _MARGIN))


def _lines(text: str) -> str:
    return "\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip("\n ")


def _same(value: str, shown: str) -> bool:
    """Exact equality, where a line end on the page stands for nothing or for the one blank it was broken at."""
    rest = value
    for line in shown.split("\n"):
        rest = rest.removeprefix(" ") if rest is not value else rest
        if not line or not rest.startswith(line):
            return False
        rest = rest[len(line) :]
    return not rest

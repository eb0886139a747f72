"""The one door to the certificate page: a CertificatePage in, PDF bytes out."""

import base64
import json
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import typst

from templates.certificate.copy_mark import copy_mark_svg
from templates.certificate.data import Annotation, CertificatePage, annotation_values, long_date, page_values
from templates.certificate.fast.assemble import quick_page
from templates.certificate.ground import ground_svg
from templates.certificate.layout import HERE, Rectangle, geometry, rectangle
from templates.certificate.lint import PageText, lint_page, read_back
from templates.certificate.photo import HEIGHT, WIDTH, PhotoError, prepare_photo
from templates.certificate.qr import QrTooLongError, qr_svg
from templates.certificate.seal import pictured_seal, seal_svg
from templates.certificate.wording import UnknownTemplateError, template_names, template_version, wording
from templates.fonts import families, missing_glyphs, typst_fonts

__all__ = [
    "ARCHIVE_FIELD",
    "SEAL_FIELD",
    "Annotation",
    "CertificatePage",
    "PageText",
    "PhotoError",
    "QrTooLongError",
    "Rectangle",
    "RenderError",
    "UnknownTemplateError",
    "lint_page",
    "long_date",
    "missing_glyphs",
    "prepare_photo",
    "read_back",
    "render",
    "template_names",
    "template_version",
    "typeset",
]

SEAL_FIELD: Rectangle = rectangle("signature", "seal")
"""Where the seal's signature widget lies: over the drawn seal. PDF points (left, bottom, right, top)."""

ARCHIVE_FIELD: Rectangle = rectangle("signature", "archive")
"""Where the archive timestamp's widget lies: a small corner of the margin. PDF points."""

_compiling = threading.Lock()
"""The compiler serves one caller at a time: a second thread would be told it is borrowed."""

STANDARDS: Final = ("a-3a", "ua-1")


class RenderError(RuntimeError):
    """The page could not be made. The message names no personal data."""


def render(page: CertificatePage) -> bytes:
    """One A4 page as PDF/A-3a and PDF/UA-1, with the credential attached as `credential.cbor`.

    What is the same on many pages is drawn once (`templates.certificate.fast`); the page is the one `typeset` draws.
    The same page gives the same bytes. Raises PhotoError, QrTooLongError, UnknownTemplateError, and RenderError
    for anything else (a character without a glyph, a text that does not fit its box on one page).
    """
    # Copies are made one by one, and differ in what an edition takes for fixed.
    quick = None if page.annotation else quick_page(page, typeset)
    return typeset(page) if quick is None else quick


def typeset(page: CertificatePage) -> bytes:
    """The whole page laid out and drawn by Typst; raises as `render`."""
    inputs = {"page": json.dumps(_page_data(page), ensure_ascii=False)}
    try:
        with _compiling:
            pdf = _compiler().compile(
                sys_inputs=inputs,
                format="pdf",
                pdf_standards=list(STANDARDS),
                timestamp=int(page.made_at.timestamp()),
            )
    except typst.TypstError as exc:
        # Typst quotes the text it could not set, which may be a person's name: do not pass it on.
        raise RenderError("the page could not be laid out") from exc
    if not isinstance(pdf, bytes):
        raise RenderError("the page did not come out as one file")
    return pdf


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    """One warm compiler a process: fonts are read once, layout.toml and page.typ are parsed once."""
    return typst.Compiler(input=HERE / "page.typ", root=HERE, font_paths=typst_fonts(), ignore_system_fonts=True)


def _page_data(page: CertificatePage) -> dict[str, Any]:
    words = wording(page.template)
    inks: Mapping[str, str] = words["inks"]
    return {
        "values": page_values(page),
        "texts": _texts(page, words["texts"]),
        "labels": words["labels"],
        "inks": inks,
        "families": list(families()),
        "sample_notice": words["texts"]["sample_notice"] if page.sample else None,
        "ground": ground_svg(tuple(inks.items()), page.sample),
        "photo": _photo_svg(page.photo),
        "qr": qr_svg(page.qr_segments),
        "seal": _seal(page, words["seal"].get("file"), inks["seal"]),
        "layout": geometry(page.template),
        "credential": list(page.credential),
        "credential_type": page.credential_type,
        "document_id": page.document_id,
        "annotation": annotation_values(page.annotation) if page.annotation else None,
        "mark": copy_mark_svg(inks["paper"], inks["deep"], page.annotation.valid_until) if page.annotation else None,
    }


def _seal(page: CertificatePage, picture: Path | None, ink: str) -> str:
    if picture is None:
        return seal_svg(page.authority, ink, page.sample)
    return pictured_seal(picture.read_bytes(), picture.suffix == ".png", ink, page.sample)


def _texts(page: CertificatePage, texts: Mapping[str, Any]) -> dict[str, Any]:
    filled = {"authority": page.authority, "programme_name": page.programme_name, "verify_host": page.verify_host}

    def fill(text: Any) -> Any:
        return [fill(line) for line in text] if isinstance(text, list) else text.format_map(filled)

    out = {name: fill(text) for name, text in texts.items()}
    if page.title is not None:
        out["title"] = page.title
    elif page.sample:
        out["title"] = out["sample_title"]
    if page.sample:
        out["seal_alt"] = out["sample_seal_alt"]
    if page.annotation:
        out["subtitle"], out["title_en"] = out["copy_subtitle"], out["copy_title_en"]
        out["notes"], out["notes_en"] = out["copy_notes"], out["copy_notes_en"]
    out["document_title"] = f"{out['title']}{out['subtitle']}"
    return out


def _photo_svg(photo: bytes | None) -> str | None:
    """The portrait in an SVG shell: a way to hand a JPEG to Typst in memory, which it copies as it is."""
    if photo is None:
        return None
    data = base64.b64encode(prepare_photo(photo)).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<image width="{WIDTH}" height="{HEIGHT}" href="data:image/jpeg;base64,{data}"/></svg>'
    )

"""A person's page from an edition: its fixed objects as they are, a few set anew."""

import logging
import re

from templates.certificate.data import CertificatePage, page_values
from templates.certificate.fast.bounded import Bounded
from templates.certificate.fast.edition import Draw, Edition, forget_fragments
from templates.certificate.fast.font import OBJECTS, font_objects
from templates.certificate.fast.ground import ground_object
from templates.certificate.fast.objects import UnfitError, packed_object
from templates.certificate.fast.shapes import FIELDS, drawable, shape
from templates.certificate.fast.symbol import symbol

KEPT_EDITIONS = 48
"""Kinds of page kept in a process, about 200 kB each: a sitting has as many as it has specialties."""

_log = logging.getLogger(__name__)
_DOCUMENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_editions: Bounded[tuple[object, ...], "_Setter | None"] = Bounded(KEPT_EDITIONS)


def quick_page(page: CertificatePage, draw: Draw) -> bytes | None:
    """The page, or None when it is left to `draw`. Raises PhotoError and QrTooLongError as `draw` would.

    The same page gives the same bytes, whatever was made before.
    """
    values = {field: page_values(page)[field] for field in FIELDS}
    forms = {field: shape(value) for field, value in values.items()}
    if not all(forms.values()) or not all(map(drawable, values.values())):
        return None
    if _DOCUMENT_ID.fullmatch(page.document_id) is None:
        return None
    setter = _editions.get(_kind(page), lambda: _setter(page, draw))
    return None if setter is None else setter.page(page, values, {field: form or "" for field, form in forms.items()})


def forget() -> None:
    """Drop what was learned: the template's files have changed."""
    _editions.clear()
    forget_fragments()


def _kind(page: CertificatePage) -> tuple[object, ...]:
    """Everything that is not set person by person."""
    return (
        page.template,
        page.title,
        page.sample,
        page.authority,
        page.verify_host,
        page.programme_name,
        page.level,
        page.specialty,
        page.approved_on,
        page.issued_on,
        page.credential_type,
        page.photo is None,
    )


def _setter(page: CertificatePage, draw: Draw) -> "_Setter | None":
    try:
        return _Setter(Edition(page, draw))
    except UnfitError as unfit:
        _log.warning("pages of template %s are left to the slow way: %s", page.template, unfit)
        return None


class _Setter:
    """An edition with its fixed objects in one block and their places in the table written."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        file, parts = edition.drawn.file, edition.drawn.parts
        self._count = max(file.bodies)
        ground, before, after, self._font = (self._count + step for step in (1, 2, 3, 4))
        self._size = self._count + 4 + OBJECTS
        first = min(*edition.places.values(), edition.qr_place)
        last = max(*edition.places.values(), edition.qr_place)
        pieces = [piece.raw for piece in edition.drawn.pieces]
        self._middle = {place: pieces[place] for place in range(first, last + 1)}
        bodies = {number: body for number, body in file.bodies.items() if number not in _set_anew(edition)}
        bodies[parts.page] = _once(
            bodies[parts.page],
            b"/Contents %d 0 R" % parts.content,
            b"/Contents[%d 0 R %d 0 R %d 0 R %d 0 R]" % (ground, before, parts.content, after),
        )
        bodies[parts.resources] = _once(
            bodies[parts.resources], b"/Font<</f0 ", b"/Font<</f9 %d 0 R/f0 " % self._font
        )
        text = next(place for place, piece in enumerate(edition.drawn.pieces) if piece.marked is not None)
        bodies[ground] = ground_object(ground, b"".join(pieces[:text]))
        bodies[before] = packed_object(before, b"".join(pieces[text:first]), 9)
        bodies[after] = packed_object(after, b"".join(pieces[last + 1 :]), 9)
        self._lines = [b"0000000000 65535 f \n"] * self._size
        block, at = [file.head], len(file.head)
        for number, body in bodies.items():
            self._lines[number] = b"%010d 00000 n \n" % at
            block.append(body)
            at += len(body)
        self._block = b"".join(block)
        self._trailer = b"/Root %d 0 R/Info %d 0 R" % (file.root, file.info)

    def page(self, page: CertificatePage, values: dict[str, str], forms: dict[str, str]) -> bytes | None:
        """The whole file, or None when a value is not laid out in one line."""
        edition = self._edition
        fragments = {field: edition.fragment(field, forms[field]) for field in FIELDS}
        chars = tuple(
            dict.fromkeys(
                char
                for field in FIELDS
                if not all(char in edition.codes for char in values[field])
                for char in values[field]
            )
        )
        codes = {char: b"%04X" % code for code, char in enumerate(chars, 1)}
        middle = dict(self._middle)
        for field, fragment in fragments.items():
            if fragment is None:
                return None
            known = all(char in edition.codes for char in values[field])
            font, shown = (b"/f0", edition.codes) if known else (b"/f9", codes)
            middle[edition.places[field]] = fragment.fill(values[field], font, shown)
        matrix = symbol(page.qr_segments)
        middle[edition.qr_place] = edition.qr(page.qr_segments, len(matrix)).fill(matrix)
        drawing = b"".join(middle.values())
        content = edition.drawn.parts.content
        objects = [
            (content, packed_object(content, drawing, 1)),
            *font_objects(edition.look, self._font, chars),
        ]
        personal, identifiers = edition.personal.make(page, drawing)
        return self._joined([*objects, *personal], identifiers)

    def _joined(self, objects: list[tuple[int, bytes]], identifiers: bytes) -> bytes:
        lines = self._lines.copy()
        at = len(self._block)
        for number, body in objects:
            lines[number] = b"%010d 00000 n \n" % at
            at += len(body)
        table = b"xref\n0 %d\n%b" % (self._size, b"".join(lines))
        trailer = b"trailer\n<</Size %d%b%b>>\nstartxref\n%d\n%%%%EOF\n" % (
            self._size,
            self._trailer,
            identifiers,
            at,
        )
        return b"".join((self._block, *(body for _, body in objects), table, trailer))


def _set_anew(edition: Edition) -> set[int]:
    return (edition.drawn.parts.personal | {edition.drawn.file.info}) - set(edition.drawn.parts.font)


def _once(body: bytes, old: bytes, new: bytes) -> bytes:
    if body.count(old) != 1:
        raise UnfitError("a reference to replace")
    return body.replace(old, new)

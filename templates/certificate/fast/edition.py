"""What is the same for all pages of one kind: learned from two pages that Typst draws, and proven on the second.

Two invented people who differ in everything personal are drawn. Whatever differs between the two files must be
one of the places that are known to be personal, and what is learned from the first must give the second's bytes.
Anything else, such as a name inside the fixed wording, makes the edition unfit, and its pages are left to Typst.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from templates.certificate.data import CertificatePage, page_values
from templates.certificate.fast import invented
from templates.certificate.fast.bounded import Bounded
from templates.certificate.fast.font import FontLook
from templates.certificate.fast.fragment import Fragment, QrFragment
from templates.certificate.fast.objects import UnfitError
from templates.certificate.fast.parts import Drawn, read
from templates.certificate.fast.personal import PersonalObjects
from templates.certificate.fast.shapes import FIELDS, example
from templates.certificate.fast.symbol import symbol

Draw = Callable[[CertificatePage], bytes]
"""The slow way to a page."""

KEPT_FRAGMENTS = 512
KEPT_SYMBOLS = 16
_LOOK = re.compile(
    rb"/FontName/[A-Z]{6}\+([A-Za-z0-9-]+)(/Flags [0-9]+/FontBBox\[([-0-9 ]+)\].*?)/CIDSet [0-9]+ 0 R"
    rb"/FontFile3 [0-9]+ 0 R>>"
)


_fragments: Bounded[tuple[object, ...], Fragment | None] = Bounded(KEPT_FRAGMENTS)


def forget_fragments() -> None:
    """Drop every learned layout."""
    _fragments.clear()


class Edition:
    """One kind of page. Safe for threads.

    `drawn` is the first invented person's file; `places` says which of its pieces show which field, `qr_place` the
    symbol; `codes` are the characters its font holds, as hex glyph codes; `personal` the objects set for each person.
    """

    def __init__(self, page: CertificatePage, draw: Draw) -> None:
        """Learn from `page` all that is not personal; raises UnfitError, and whatever `draw` raises."""
        self._draw = draw
        self._symbols: Bounded[int, QrFragment] = Bounded(KEPT_SYMBOLS)
        self._model, other = invented.person(page, 0), invented.person(page, 1)
        self.drawn, second = read(draw(self._model)), read(draw(other))
        self.codes = {char: b"%04X" % code for code, char in self.drawn.pieces[0].codes.items() if len(char) == 1}
        self.look = _look(self.drawn)
        self.places, self.qr_place = _places(self.drawn, second, self._model, other)
        self.personal = PersonalObjects(self.drawn, self._model, second, other)
        QrFragment(self.drawn.pieces[self.qr_place], symbol(self._model.qr_segments))
        _hold_same(self.drawn, second)

    def fragment(self, field: str, form: str) -> Fragment | None:
        """The layout of values of one shape in a field; None when Typst must set them."""
        # Another edition's layout serves too where the same invented person is laid out by the same bytes.
        witness = self.drawn.pieces[self.places[field]].fixed
        return _fragments.get((self._model.template, witness, field, form), lambda: self._learn(field, form))

    def qr(self, segments: tuple[str, str, str], side: int) -> QrFragment:
        """The layout of a symbol of `side` modules, which these segments need; raises UnfitError."""
        return self._symbols.get(side, lambda: self._learn_symbol(segments))

    def _learn(self, field: str, form: str) -> Fragment | None:
        values = (example(field, form, 0), example(field, form, 1))
        try:
            changes: list[dict[str, Any]] = [{field: value} for value in values]
            first, second = (read(self._draw(replace(self._model, **change))) for change in changes)
            if len(first.pieces) != len(self.drawn.pieces) or len(second.pieces) != len(self.drawn.pieces):
                return None  # it wraps
            place = self.places[field]
            return Fragment(first.pieces[place], second.pieces[place], values)
        except UnfitError:
            return None

    def _learn_symbol(self, segments: tuple[str, str, str]) -> QrFragment:
        alike = invented.same_size(segments, 0)
        drawn = read(self._draw(replace(self._model, qr_segments=alike)))
        return QrFragment(drawn.pieces[self.qr_place], symbol(alike))


def _places(first: Drawn, second: Drawn, one: CertificatePage, other: CertificatePage) -> tuple[dict[str, int], int]:
    """Where each field and the symbol are drawn: the pieces that differ, all of them, each explained."""
    if len(first.pieces) != len(second.pieces):
        raise UnfitError("the number of pieces")
    pairs = enumerate(zip(first.pieces, second.pieces, strict=True))
    differing = {place: pair for place, pair in pairs if not pair[0].same(pair[1])}
    shown: Mapping[tuple[str, str], str] = {
        (page_values(one)[field], page_values(other)[field]): field for field in FIELDS
    }
    places, symbols = {}, []
    for place, (before, after) in differing.items():
        field = shown.get((before.text, after.text))
        if field is not None:
            places[field] = place
        else:
            symbols.append(place)
    if set(places) != set(FIELDS) or len(symbols) != 1 or len(differing) != len(FIELDS) + 1:
        raise UnfitError("the personal pieces")
    return places, symbols[0]


def _hold_same(first: Drawn, second: Drawn) -> None:
    """Every object is equal in both but for the personal ones."""
    personal = first.parts.personal | {first.file.info}
    if first.parts != second.parts or first.file.head != second.file.head:
        raise UnfitError("the order of objects")
    if first.file.bodies.keys() != second.file.bodies.keys() or first.file.root != second.file.root:
        raise UnfitError("the number of objects")
    for number, body in first.file.bodies.items():
        if number not in personal and second.file.bodies[number] != body:
            raise UnfitError(f"object {number}")


def _look(drawn: Drawn) -> FontLook:
    found = _LOOK.search(drawn.file.bodies[drawn.parts.font[2]])
    if found is None:
        raise UnfitError("the font's descriptor")
    return FontLook(found[1], tuple(map(int, found[3].split())), found[2])

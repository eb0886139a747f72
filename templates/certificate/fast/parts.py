"""Which object of a drawn file plays which part, found from the catalogue on."""

import re
from dataclasses import dataclass

from templates.certificate.fast.content import Piece, code_map, pieces
from templates.certificate.fast.objects import TypstFile, UnfitError, stream_of, take_apart


@dataclass(frozen=True, slots=True)
class Parts:
    """Object numbers of one drawn page. `font`: font, inner font, descriptor, CIDSet, program, ToUnicode."""

    page: int
    content: int
    resources: int
    font: tuple[int, ...]
    photo: int | None
    credential: int
    metadata: int

    @property
    def personal(self) -> set[int]:
        """Objects that differ from person to person (the font's: from one choice of text to another)."""
        optional = {self.photo} if self.photo is not None else set()
        return {self.content, self.credential, self.metadata, *self.font, *optional}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A file Typst drew, taken apart."""

    file: TypstFile
    parts: Parts
    pieces: tuple[Piece, ...]


def read(pdf: bytes) -> Drawn:
    """Take a drawn page apart; raises UnfitError."""
    file = take_apart(pdf)
    parts = _find(file)
    codes = code_map(stream_of(file.bodies[parts.font[-1]]))
    return Drawn(file, parts, pieces(stream_of(file.bodies[parts.content]), codes))


def _find(file: TypstFile) -> Parts:
    catalogue = file.bodies[file.root]
    page = _only(file, rb"/Type/Page/")
    resources = _follow(file.bodies[page], b"/Resources")
    fonts = re.findall(rb"/f[0-9]+ [0-9]+ 0 R", file.bodies[resources])
    if len(fonts) != 1:
        raise UnfitError("more than one font")
    font = _follow(file.bodies[resources], b"/Font<</f0")
    inner = _follow(file.bodies[font], rb"/DescendantFonts\[")
    descriptor = _follow(file.bodies[inner], b"/FontDescriptor")
    look = file.bodies[descriptor]
    photos = [
        number
        for number in map(int, re.findall(rb"/x[0-9]+ ([0-9]+) 0 R", file.bodies[resources]))
        if b"/Filter/DCTDecode" in file.bodies[number][:400]
    ]
    if len(photos) > 1:
        raise UnfitError("more than one photo")
    return Parts(
        page=page,
        content=_follow(file.bodies[page], b"/Contents"),
        resources=resources,
        font=(
            font,
            inner,
            descriptor,
            _follow(look, b"/CIDSet"),
            _follow(look, b"/FontFile3"),
            _follow(file.bodies[font], b"/ToUnicode"),
        ),
        photo=photos[0] if photos else None,
        credential=_only(file, rb"/Type/EmbeddedFile"),
        metadata=_follow(catalogue, b"/Metadata"),
    )


def _only(file: TypstFile, mark: bytes) -> int:
    found = [number for number, body in file.bodies.items() if mark in body[:600]]
    if len(found) != 1:
        raise UnfitError(f"not one object is {mark!r}")
    return found[0]


def _follow(body: bytes, key: bytes) -> int:
    found = re.findall(rb"%b ?([0-9]+) 0 R" % key, body)
    if len(found) != 1:
        raise UnfitError(f"not one reference {key!r}")
    return int(found[0])

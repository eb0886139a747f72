"""The PDF objects of a small font: the glyphs of one person that the edition's own font does not hold."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from templates.certificate.fast.glyphs import blank, cff, glyph
from templates.certificate.fast.objects import UnfitError, packed_object, stream_object

OBJECTS = 6
"""How many objects `font_objects` makes; the first is the font itself."""

_CMAP_HEAD = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo <</Registry (Adobe)/Ordering (UCS)/Supplement 0>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
"""
_CMAP_END = b"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"


@dataclass(frozen=True, slots=True)
class FontLook:
    """What the small font takes over from the edition's: name without its subset tag, and descriptor entries."""

    name: bytes
    bounds: tuple[int, ...]
    measures: bytes
    """Flags, angle, heights and stem as the descriptor writes them."""


def font_objects(look: FontLook, first: int, chars: Sequence[str]) -> list[tuple[int, bytes]]:
    """Objects numbered from `first`; the code of a character is its place in `chars` plus one. Raises UnfitError."""
    glyphs = [blank()]
    for char in chars:
        one = glyph(char)
        if one is None:
            raise UnfitError("a character of another font")
        glyphs.append(one)
    name = _tag(chars) + b"+" + look.name
    base, inner, descriptor, cid_set, cmap, program = range(first, first + OBJECTS)
    widths = b" ".join(b"%d" % one.advance for one in glyphs)
    return [
        (
            base,
            b"%d 0 obj\n<</Type/Font/Subtype/Type0/BaseFont/%b-Identity-H/Encoding/Identity-H"
            b"/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>\nendobj\n\n" % (base, name, inner, cmap),
        ),
        (
            inner,
            b"%d 0 obj\n<</Type/Font/Subtype/CIDFontType0/BaseFont/%b/CIDSystemInfo<</Registry(Adobe)"
            b"/Ordering(Identity)/Supplement 0>>/FontDescriptor %d 0 R/DW 0/W[0[%b]]>>\nendobj\n\n"
            % (inner, name, descriptor, widths),
        ),
        (
            descriptor,
            b"%d 0 obj\n<</Type/FontDescriptor/FontName/%b%b/CIDSet %d 0 R/FontFile3 %d 0 R>>\nendobj\n\n"
            % (descriptor, name, look.measures, cid_set, program),
        ),
        (cid_set, stream_object(cid_set, b"", _all_bits(len(glyphs)))),
        (cmap, packed_object(cmap, _to_unicode(chars), 1, b"/Type/CMap/CMapName/Adobe-Identity-UCS")),
        (
            program,
            packed_object(program, cff(name.decode("ascii"), glyphs, look.bounds), 6, b"/Subtype/CIDFontType0C"),
        ),
    ]


def _tag(chars: Sequence[str]) -> bytes:
    """Six capitals that are the same for the same subset (ISO 32000-1, 9.6.4)."""
    value = struct.unpack(">Q", hashlib.sha256("".join(chars).encode()).digest()[:8])[0]
    return bytes(65 + value // 26**place % 26 for place in range(6))


def _all_bits(count: int) -> bytes:
    """The first `count` bits set, from the highest of the first byte on."""
    whole = (1 << count) - 1
    size = (count + 7) // 8
    return (whole << (8 * size - count)).to_bytes(size, "big")


def _to_unicode(chars: Sequence[str]) -> bytes:
    lines = [b"<%04X> <%b>\n" % (at, _utf16(char)) for at, char in enumerate(chars, 1)]
    blocks = [lines[at : at + 100] for at in range(0, len(lines), 100)]
    body = b"".join(b"%d beginbfchar\n%bendbfchar\n" % (len(block), b"".join(block)) for block in blocks)
    return _CMAP_HEAD + body + _CMAP_END


def _utf16(char: str) -> bytes:
    return char.encode("utf-16-be").hex().upper().encode("ascii")

"""A page whose unchanging parts are compressed once, so that sending it costs little (RFC 1951, 1952).

Long constant parts are deflated beforehand, each ending with a full flush: such a part refers to nothing before it
and can stand between any two others. What lies between them is deflated for every answer.
"""

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from weakref import WeakValueDictionary

from verifier.web.prepared import Template

_PLACE: Final = re.compile(rb"%%|%b")
_LONG: Final = 512
"""Bytes from which a constant part is worth its own compression."""
_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK: Final = b"\x03\x00"
_SEAMS: Final = (b"<body>", b"<main", b'<p class="part asof">', b"<footer", b'"keys":[', b"<script>")
"""Where a part with an answer's own values begins or ends, or pages that differ begin to be alike again."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _Constant:
    text: bytes
    deflated: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """A page as parts: constants, deflated already, and templates."""

    parts: tuple[_Constant | Template, ...]

    def plain(self, values: Mapping[str, bytes]) -> bytes:
        """The page with the values put in."""
        return b"".join([part.text if isinstance(part, _Constant) else part.filled(values) for part in self.parts])

    def zipped(self, values: Mapping[str, bytes]) -> bytes:
        """The same, as gzip."""
        out, crc, size = [_HEAD], 0, 0
        for part in self.parts:
            if isinstance(part, _Constant):
                text = part.text
                out.append(part.deflated)
            else:
                text = part.filled(values)
                out.append(_deflated(text, 4))
            crc = zlib.crc32(text, crc)
            size += len(text)
        out += (_LAST_BLOCK, struct.pack("<II", crc, size & 0xFFFFFFFF))
        return b"".join(out)


_constants: "WeakValueDictionary[bytes, _Constant]" = WeakValueDictionary()


def packed(template: Template) -> Packed:
    """Cut a template at the seams. Equal constants of different pages are one object."""
    parts: list[_Constant | Template] = []
    order = list(template.order)
    for text in _cut(template.text):
        places = _PLACE.findall(text).count(b"%b")
        if places == 0 and len(text) >= _LONG:
            parts.append(_constant(text.replace(b"%%", b"%")))
        else:
            parts.append(Template(text, tuple(order[:places])))
            order = order[places:]
    return Packed(tuple(parts))


def _constant(text: bytes) -> _Constant:
    kept = _constants.get(text)
    if kept is None:
        kept = _Constant(text, _deflated(text, 9))
        _constants[text] = kept
    return kept


def _cut(text: bytes) -> list[bytes]:
    cuts = sorted({0, len(text)} | {text.find(seam) for seam in _SEAMS if seam in text})
    return [text[start:end] for start, end in pairwise(cuts)]


def _deflated(text: bytes, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH)

"""A page whose unchanging parts are compressed once, so that sending it costs little (RFC 1951, 1952).

Constant parts are deflated beforehand, each ending with a full flush: such a part refers to nothing before it and can
stand between any two others. What an answer puts in stands between them as it is, in stored blocks (RFC 1951, 3.2.4).
The checksum of the whole is put together from those of the parts (as zlib's `crc32_combine` does), so that no answer
reads the constants again.
"""

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final
from weakref import WeakValueDictionary

from verifier.web.prepared import Template

_LONG: Final = 512
"""Bytes from which a constant part is kept as an object of its own, which all pages that have it share."""
_WORTH: Final = 40
"""Bytes from which a constant between two values is worth a deflated block."""
_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK: Final = b"\x03\x00"
_SEAMS: Final = (b"<body>", b"<main", b'<p class="part asof">', b"<footer", b'"keys":[', b"<script>")
"""Where a part with an answer's own values begins or ends, or pages that differ begin to be alike again."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _Constant:
    """A text that never changes, with all that can be said of it beforehand."""

    text: bytes
    deflated: bytes
    crc: int
    shift: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """A page as constants and the names of values, in their order."""

    parts: tuple[_Constant | str, ...]

    def plain(self, values: Mapping[str, bytes]) -> bytes:
        """The page with the values put in."""
        return b"".join([values[part] if isinstance(part, str) else part.text for part in self.parts])

    def zipped(self, values: Mapping[str, bytes]) -> bytes:
        """The same, as gzip. A value has less than 65,536 bytes."""
        out, crc, size = [_HEAD], 0, 0
        for part in self.parts:
            if isinstance(part, str):
                value = values[part]
                out += (_stored_head(len(value)), value)
                crc = zlib.crc32(value, crc)
                size += len(value)
            else:
                out.append(part.deflated)
                first, second, third, fourth = part.shift
                crc = (
                    first[crc & 255] ^ second[crc >> 8 & 255] ^ third[crc >> 16 & 255] ^ fourth[crc >> 24] ^ part.crc
                )
                size += len(part.text)
        out += (_LAST_BLOCK, struct.pack("<II", crc, size & 0xFFFFFFFF))
        return b"".join(out)


_constants: "WeakValueDictionary[bytes, _Constant]" = WeakValueDictionary()


def packed(template: Template) -> Packed:
    """Cut a template at the seams and at its places. Equal constants of different pages are one object."""
    parts: list[_Constant | str] = []
    order = iter(template.order)
    for text in _cut(template.text):
        runs = re.split(rb"(%b)", re.sub(rb"%%", b"\0\0", text))
        for run in runs:
            if run == b"%b":
                parts.append(next(order))
            elif run:
                parts.append(_constant(run.replace(b"\0\0", b"%")))
    return Packed(tuple(parts))


def _constant(text: bytes) -> _Constant:
    kept = _constants.get(text)
    if kept is None:
        body = _deflated(text) if len(text) >= _WORTH else _stored_head(len(text)) + text
        kept = _Constant(text, body, zlib.crc32(text), _shift(len(text)))
        if len(text) >= _LONG:
            _constants[text] = kept
    return kept


def _cut(text: bytes) -> list[bytes]:
    cuts = sorted({0, len(text)} | {text.find(seam) for seam in _SEAMS if seam in text})
    return [text[start:end] for start, end in pairwise(cuts)]


def _deflated(text: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH)


@cache
def _stored_head(length: int) -> bytes:
    """What stands before a stored block that is not the last; the block before it ended on a whole byte."""
    return struct.pack("<BHH", 0, length, length ^ 0xFFFF)


@cache
def _shift(length: int) -> tuple[tuple[int, ...], ...]:
    """For each byte of a CRC-32, the CRC after `length` further zero bytes: a CRC is linear over GF(2)."""
    zeros = bytes(length)
    # Starting value and final value are inverted (RFC 1952, 8); against the CRC from zero that cancels out.
    from_nothing = zlib.crc32(zeros, 0)
    bits = [zlib.crc32(zeros, 1 << bit) ^ from_nothing for bit in range(32)]
    tables = []
    for byte in range(4):
        table = [0] * 256
        for value in range(1, 256):
            low = value & -value
            table[value] = table[value ^ low] ^ bits[8 * byte + low.bit_length() - 1]
        tables.append(tuple(table))
    return tuple(tables)

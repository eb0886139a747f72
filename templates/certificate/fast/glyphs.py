"""Glyph programs of the page's first font, and CFF font programs made of a few of them (Adobe TN 5176)."""

import itertools
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fontTools.cffLib import privateDictOperators
from fontTools.cffLib.transforms import desubroutinizeCharString

from templates.certificate.fast.objects import UnfitError
from templates.fonts import first_font

KEPT_GLYPHS = 8192
"""Glyph programs kept in memory, about 300 bytes each: the names of a province need a few thousand."""

_ROS, _CID_COUNT, _CHARSET, _CHAR_STRINGS, _FD_ARRAY, _FD_SELECT = 1230, 1234, 15, 17, 1236, 1237
_PRIVATE, _BOUNDS = 18, 5
_PRIVATE_OPERATORS = {
    name: 1200 + code[1] if isinstance(code, tuple) else code for code, name, *_ in privateDictOperators
}
_DELTAS = frozenset(name for _, name, kind, *_ in privateDictOperators if kind == "delta")
_ADOBE, _IDENTITY = 391, 392


@dataclass(frozen=True, slots=True)
class Glyph:
    """A glyph program that calls no subroutine, its advance (1/1000 em) and which private dictionary it needs."""

    program: bytes
    advance: int
    family: int


_reading = threading.Lock()


@lru_cache(maxsize=KEPT_GLYPHS)
def glyph(char: str) -> Glyph | None:
    """The glyph of one character, None when the font does not have it."""
    with _reading:
        font = first_font()
        name = font.getBestCmap().get(ord(char))
        return None if name is None else _read(font, name)


@lru_cache(maxsize=1)
def blank() -> Glyph:
    """Glyph 0, which every font program holds."""
    with _reading:
        font = first_font()
        return _read(font, font.getGlyphOrder()[0])


def _read(font: Any, name: str) -> Glyph:
    top = font["CFF "].cff.topDictIndex[0]
    string, family = top.CharStrings.getItemAndSelector(name)
    desubroutinizeCharString(string)
    string.compile()
    return Glyph(bytes(string.bytecode), int(font["hmtx"][name][0]), int(family))


@lru_cache(maxsize=64)
def _private(family: int) -> bytes:
    """A private dictionary of the font, but for its subroutines, which no program calls any more."""
    with _reading:
        entries = dict(first_font()["CFF "].cff.topDictIndex[0].FDArray[family].Private.rawDict)
    entries.pop("Subrs", None)
    out = []
    for name, value in entries.items():
        numbers = [one - before for before, one in itertools.pairwise([0, *value])] if name in _DELTAS else [value]
        if not all(isinstance(one, int) for one in numbers):
            raise UnfitError(f"{name} of the font is not a whole number")
        out.append(b"".join(map(_number, numbers)) + _operator(_PRIVATE_OPERATORS[name]))
    return b"".join(out)


def cff(name: str, glyphs: Sequence[Glyph], bounds: Sequence[int]) -> bytes:
    """A CID-keyed font program in which the CID of each glyph is its place in `glyphs`; the first is glyph 0."""
    families = sorted({one.family for one in glyphs})
    privates = [_private(family) for family in families]
    head = b"\x01\x00\x04\x04" + _index([name.encode("ascii")])
    tail = _index([b"Adobe", b"Identity"]) + _index([])
    # Every offset is written in five bytes, so the top dictionary's length is known before its contents.
    top_length = len(_index([_top(len(glyphs), bounds, 0, 0, 0, 0)]))
    charset_at = len(head) + top_length + len(tail)
    charset = b"\x02" + struct.pack(">HH", 1, len(glyphs) - 2) if len(glyphs) > 1 else b"\x00"
    select_at = charset_at + len(charset)
    select = b"\x00" + bytes(families.index(one.family) for one in glyphs)
    strings_at = select_at + len(select)
    strings = _index([one.program for one in glyphs])
    private_at = strings_at + len(strings)
    array = []
    for private in privates:
        array.append(_number(len(private)) + _number(private_at) + _operator(_PRIVATE))
        private_at += len(private)
    top = _top(len(glyphs), bounds, charset_at, select_at, strings_at, private_at)
    return b"".join((head, _index([top]), tail, charset, select, strings, *privates, _index(array)))


def _top(count: int, bounds: Sequence[int], charset: int, select: int, strings: int, array: int) -> bytes:
    return b"".join(
        (
            _number(_ADOBE) + _number(_IDENTITY) + _number(0) + _operator(_ROS),
            b"".join(map(_number, bounds)) + _operator(_BOUNDS),
            _number(count) + _operator(_CID_COUNT),
            _number(charset) + _operator(_CHARSET),
            _number(select) + _operator(_FD_SELECT),
            _number(strings) + _operator(_CHAR_STRINGS),
            _number(array) + _operator(_FD_ARRAY),
        )
    )


def _number(value: int) -> bytes:
    return b"\x1d" + struct.pack(">i", value)


def _operator(code: int) -> bytes:
    """One byte, or 12 and a second one: 1230 stands for 12 30."""
    return bytes((12, code - 1200)) if code >= 1200 else bytes((code,))


def _index(items: Sequence[bytes]) -> bytes:
    if not items:
        return b"\x00\x00"
    offsets, at = [1], 1
    for item in items:
        at += len(item)
        offsets.append(at)
    return struct.pack(f">HB{len(offsets)}I", len(items), 4, *offsets) + b"".join(items)

"""Which values Typst sets alike. Two values of one shape differ only in their glyphs, never in where those stand.

All ideographs of the first font are one em wide, break lines alike and are never kerned. Digits are not equally
wide, so a layout is learned twice, with the widest and the narrowest digit: where both come out alike, every
mixture does. Every other character stands for itself.
"""

import unicodedata
from functools import lru_cache

from templates.certificate.fast.glyphs import glyph

FIELDS = ("name", "gender", "id_type", "id_number", "management_no")
"""The boxes of the layout that are set person by person; all others belong to the edition."""

_EM = 1000
_IDEOGRAPH, _DIGIT = "字", "0"
_MAX_OTHERS = 3
"""A value of many other characters (a name in Latin letters) would be a shape for one person: it is left to Typst."""

_SAMPLES = {  # of each field: ideographs, so that one field's text is not taken for another's
    "name": "永国",
    "gender": "甲乙",
    "id_type": "春秋",
    "id_number": "天地",
    "management_no": "山水",
}


def shape(value: str) -> str | None:
    """The shape of a value, None when it is left to Typst."""
    out = "".join(map(_class, value))
    others = sum(char not in (_IDEOGRAPH, _DIGIT) for char in out)
    return out if value and others <= _MAX_OTHERS else None


@lru_cache(maxsize=8192)
def _class(char: str) -> str:
    if char in "0123456789":
        return _DIGIT
    name = unicodedata.name(char, "")
    if name.startswith("CJK UNIFIED IDEOGRAPH") or char == "〇":
        found = glyph(char)
        # What the font lacks stands for itself, and `drawable` says no to it.
        return _IDEOGRAPH if found is not None and found.advance == _EM else char
    return char


def drawable(value: str) -> bool:
    """Whether the first font holds every character."""
    return all(glyph(char) is not None for char in value)


def example(field: str, form: str, turn: int) -> str:
    """A value of a shape to learn from; `turn` 0 has the widest digits, 1 the narrowest."""
    digits = sorted("0123456789", key=_advance)
    chosen = {_IDEOGRAPH: _SAMPLES[field][turn], _DIGIT: digits[0] if turn else digits[-1]}
    return "".join(chosen.get(char, char) for char in form)


def _advance(char: str) -> int:
    found = glyph(char)
    return found.advance if found is not None else 0

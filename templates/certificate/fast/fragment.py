"""A personal piece of the drawing with its contents left open."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from templates.certificate.fast.content import Piece
from templates.certificate.fast.objects import UnfitError
from templates.certificate.qr import QUIET_ZONE, borders

Matrix = np.ndarray[Any, np.dtype[np.bool_]]

_FONT = re.compile(rb"/f0(?= )")
_PATH = re.compile(rb"(.* scn )((?:[0-9]+ [0-9]+ [ml] |[0-9]+ [0-9]+ l\nh\s)+)(f\*?\nQ\nQ\n?EMC)", re.DOTALL)
_POINT = re.compile(rb"([0-9]+) ([0-9]+) ([ml])")


class Fragment:
    """One field's piece: positions, sizes and colours as Typst set them, the glyphs to be filled in."""

    def __init__(self, first: Piece, second: Piece, values: tuple[str, str]) -> None:
        """From two values of one shape; raises UnfitError when they are not set alike, or not as one piece each."""
        lengths = [len(run) for run in first.shown]
        if (first.text, second.text) != values or first.fixed != second.fixed:
            raise UnfitError("a field is not set alike")
        if lengths != [len(run) for run in second.shown] or len(_FONT.findall(first.fixed[0])) != 1:
            raise UnfitError("a field is not one run of one font")
        ends = [sum(lengths[: at + 1]) for at in range(len(lengths))]
        self._runs = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
        self._fixed = {name: (_FONT.sub(name, first.fixed[0]), *first.fixed[1:]) for name in (b"/f0", b"/f9")}

    def fill(self, value: str, font: bytes, codes: Mapping[str, bytes]) -> bytes:
        """The piece showing `value` in `font` (/f0: the edition's, /f9: the person's)."""
        fixed = self._fixed[font]
        out = [fixed[0]]
        for run, after in zip(self._runs, fixed[1:], strict=True):
            out += (b"<", *(codes[char] for char in value[run]), b">", after)
        return b"".join(out)


class QrFragment:
    """The QR symbol's piece: the white ground and the scale as Typst set them, the dark modules to be filled in."""

    def __init__(self, piece: Piece, matrix: Matrix) -> None:
        """From a piece that shows `matrix`; raises UnfitError when it shows something else."""
        found = _PATH.fullmatch(piece.raw)
        if found is None or not np.array_equal(_inside(found[2], len(matrix)), matrix):
            raise UnfitError("the QR symbol's drawing")
        self._before, self._after = found[1], found[3]

    def fill(self, matrix: Matrix) -> bytes:
        """The piece showing `matrix`."""
        path = " h ".join(f"{corners[0]} m {' l '.join(corners[1:])} l" for corners in borders(matrix))
        return b"".join((self._before, path.encode("ascii"), b"\nh\n", self._after))


def _inside(path: bytes, side: int) -> Matrix:
    """Which modules a path of straight edges encloses, even-odd: each upright edge turns all to its right."""
    whole = side + 2 * QUIET_ZONE
    turned = np.zeros((whole, whole + 1), np.int8)
    start = at = (0, 0)
    for x, y, kind in _POINT.findall(path):
        point = (int(x), int(y))
        if kind == b"m":
            _turn(turned, at, start)
            start = point
        else:
            _turn(turned, at, point)
        at = point
    _turn(turned, at, start)
    dark = np.cumsum(turned, axis=1)[:, :-1] % 2 == 1
    inner: Matrix = dark[QUIET_ZONE:-QUIET_ZONE, QUIET_ZONE:-QUIET_ZONE]
    if inner.sum() != dark.sum():
        raise UnfitError("the QR symbol's quiet zone")
    return inner


def _turn(turned: np.ndarray[Any, np.dtype[np.int8]], one: tuple[int, int], other: tuple[int, int]) -> None:
    if (one[0] != other[0] and one[1] != other[1]) or max(*one, *other) >= turned.shape[1]:
        raise UnfitError("the QR symbol's edges")
    if one[0] == other[0]:
        turned[min(one[1], other[1]) : max(one[1], other[1]), one[0]] += 1

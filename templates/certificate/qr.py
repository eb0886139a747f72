"""The QR symbol as vector: three segments, error correction M (L for very long names), one path (ISO/IEC 18004)."""

import re
from typing import Any

import numpy as np
import qrcode
from qrcode.exceptions import DataOverflowError
from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData

MAX_VERSION = 12
"""Budget of design §6: a denser symbol does not scan well from a phone."""

QUIET_ZONE = 4
"""Modules of white on every side."""

_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]+")
MASK = 3
"""One mask, not the best of eight: base32 of a signature is as good as random, so any mask spreads evenly."""

_GRID = 128
_POINTS = tuple(f"{place % _GRID} {place // _GRID}" for place in range(_GRID * _GRID))
"""Coordinates as text, row by row: two thousand are needed for a symbol."""

# Data bits of versions 1..12 at level M: 8 × data codewords (ISO/IEC 18004, table 7).
_CAPACITY = tuple(8 * words for words in (16, 28, 44, 64, 86, 108, 124, 154, 182, 216, 254, 290))


_CAPACITY_L = 8 * 370
"""Data bits of version 12 at level L: for the few names of eight characters and more, rather than refuse them."""


class QrTooLongError(ValueError):
    """The QR text does not fit version 12, not even at level L."""


def fits(segments: tuple[str, ...]) -> bool:
    """Whether the text can be drawn within the budget at all; cheap, to be asked before a number is spent."""
    try:
        symbol_size(segments)
    except QrTooLongError:
        return False
    return True


def qr_matrix(segments: tuple[str, ...]) -> list[list[bool]]:
    """Dark modules of the smallest fitting symbol, without the quiet zone. Raises QrTooLongError."""
    version, level = symbol_size(segments)
    code = qrcode.QRCode(
        version=version,
        error_correction=level,
        border=0,
        mask_pattern=MASK,
    )
    for segment in segments:
        code.add_data(QRData(segment.encode("ascii"), mode=_mode(segment)))
    try:
        code.make(fit=False)
    except DataOverflowError as exc:
        raise QrTooLongError("the QR text does not fit its symbol") from exc
    return [[bool(module) for module in row] for row in code.modules]


def qr_svg(segments: tuple[str, ...]) -> str:
    """The symbol with its quiet zone on white, as SVG: one path round the dark areas leaves no gaps."""
    rows = qr_matrix(segments)
    side = len(rows) + 2 * QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}">'
        f'<rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path fill="#000" fill-rule="evenodd" d="{outlines(rows)}"/></svg>'
    )


def outlines(rows: "list[list[bool]] | np.ndarray[Any, np.dtype[np.bool_]]") -> str:
    """Borders between dark and light as closed SVG paths, absolute lines only, for the even-odd rule."""
    return "".join("M" + "L".join(border) + "Z" for border in borders(rows))


def borders(rows: "list[list[bool]] | np.ndarray[Any, np.dtype[np.bool_]]") -> list[list[str]]:
    """Borders between dark and light, each as its corners "x y", the quiet zone counted in.

    Corners come in pairs along every row and along every column (a point where two dark modules touch only at
    their corners counts twice), so a border is walked by going to the partner in the row, then in the column.
    """
    dark = np.pad(np.asarray(rows, dtype=np.int8), 1)
    nw, ne, sw, se = dark[:-1, :-1], dark[:-1, 1:], dark[1:, :-1], dark[1:, 1:]
    corners = ((nw ^ ne ^ sw ^ se) + 2 * ((nw == se) & (ne == sw) & (nw != ne))).ravel()
    y, x = np.divmod(np.repeat(np.flatnonzero(corners), corners[corners > 0]), dark.shape[1] - 1)
    by_column = np.argsort(x * len(dark) + y, kind="stable")
    partner = np.empty_like(by_column)
    partner[by_column[0::2]], partner[by_column[1::2]] = by_column[1::2], by_column[0::2]
    points = [_POINTS[place] for place in ((y + QUIET_ZONE) * _GRID + x + QUIET_ZONE).tolist()]
    onward = partner[np.arange(len(points)) ^ 1].tolist()
    waiting = bytearray(b"\1") * (len(points) // 2)  # the pairs in rows not walked yet
    found = []
    start = waiting.find(1)
    while start >= 0:
        border: list[str] = []
        at = 2 * start
        while waiting[at >> 1]:
            waiting[at >> 1] = 0
            border += (points[at], points[at ^ 1])
            at = onward[at]
        found.append(border)
        start = waiting.find(1, start)
    return found


def _mode(segment: str) -> int:
    return int(MODE_ALPHA_NUM if is_alphanumeric(segment) else MODE_8BIT_BYTE)


def is_alphanumeric(segment: str) -> bool:
    """Whether a segment fits QR's alphanumeric mode."""
    return _ALPHANUMERIC.fullmatch(segment) is not None


def symbol_size(segments: tuple[str, ...]) -> tuple[int, int]:
    """Version and error correction level (as `qrcode` numbers it) of the smallest fitting symbol."""
    # The count of a segment's characters takes one of two lengths up to version 12 (ISO/IEC 18004, table 3).
    small, large = (sum(_bits(segment, version) for segment in segments) for version in (9, 10))
    for version, capacity in enumerate(_CAPACITY, 1):
        if (small if version < 10 else large) <= capacity:
            return version, qrcode.constants.ERROR_CORRECT_M
    if large <= _CAPACITY_L:
        return MAX_VERSION, qrcode.constants.ERROR_CORRECT_L
    raise QrTooLongError(f"the QR text needs more than version {MAX_VERSION} at level L")


def _bits(segment: str, version: int) -> int:
    length = len(segment)
    if _mode(segment) == MODE_ALPHA_NUM:
        return 4 + (9 if version < 10 else 11) + 11 * (length // 2) + 6 * (length % 2)
    return 4 + (8 if version < 10 else 16) + 8 * length

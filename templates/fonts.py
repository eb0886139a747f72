"""Where the page's fonts are, and which characters they can really draw.

Order (design §6): Noto Serif SC, which comes with the program, then Hanazono A and B, which hold the rest
of the 87,887 ideographs of GB 18030-2022 and are a system package (Debian: `fonts-hanazono`). Where Hanazono
is not installed, the characters only it holds are reported as missing, never drawn as a box.
"""

import os
import struct
import unicodedata
from functools import lru_cache
from pathlib import Path

import pylopdf_fonts_zh_cn
import typst
from fontTools.pens.basePen import NullPen
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

FONTS_DIR_VARIABLE = "ECERT_FONTS_DIR"
"""Environment variable: a folder with HanaMinA.ttf and HanaMinB.ttf, looked at before the system's."""

FIRST_FAMILY = "Noto Serif SC"
RARE_FILES = ("HanaMinA.ttf", "HanaMinB.ttf")
_SYSTEM_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path("/Library/Fonts"),
)

BLANKS = frozenset(" \u3000")
"""Characters that are drawn as nothing on purpose."""

_GLYPH_HEAD = 10
"""Bytes before the contours' ends: their number and the bounding box."""
_NEVER_DRAWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@lru_cache(maxsize=1)
def rare_font_files() -> tuple[Path, ...]:
    """The Hanazono files found on this machine, A before B; empty when not installed."""
    named = os.environ.get(FONTS_DIR_VARIABLE)
    folders = ((Path(named),) if named else ()) + _SYSTEM_FOLDERS
    found = []
    for name in RARE_FILES:
        hits = (hit for folder in folders if folder.is_dir() for hit in sorted(folder.rglob(name)))
        first = next(hits, None)
        if first is not None:
            found.append(first)
    return tuple(found)


def font_files() -> tuple[Path, ...]:
    """All font files of the page in order of preference."""
    return (pylopdf_fonts_zh_cn.serif_path(), *rare_font_files())


def families() -> tuple[str, ...]:
    """Font families of the page in order of preference, those that are here."""
    return (FIRST_FAMILY, *(path.stem for path in rare_font_files()))


@lru_cache(maxsize=1)
def typst_fonts() -> typst.Fonts:
    """The same fonts for Typst and nothing else: no system or embedded font can slip into a page."""
    folders = list(dict.fromkeys(path.parent for path in font_files()))
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


@lru_cache(maxsize=4)
def _font(path: Path) -> "_DrawnFont":
    return _DrawnFont(path)


def first_font() -> TTFont:
    """The font tried first, opened once a process; reading it is not safe for threads."""
    return _font(pylopdf_fonts_zh_cn.serif_path()).font


class _DrawnFont:
    """One font file: its character map, and whether a glyph has an outline."""

    def __init__(self, path: Path) -> None:
        self.font = TTFont(path, lazy=True)
        self._cmap: dict[int, str] = self.font.getBestCmap()
        self._glyphs = self.font.getGlyphSet()
        self.units_per_em: int = self.font["head"].unitsPerEm

    def draws(self, char: str) -> bool:
        """Whether the font maps `char` to a glyph with at least one stroke of outline."""
        glyph = self._cmap.get(ord(char))
        if glyph is None:
            return False
        header = self._header(glyph)
        if header is not None:
            return header
        try:
            self._glyphs[glyph].draw(_FirstStroke())
        except _OutlineFound:
            return True
        return False

    def _header(self, glyph: str) -> bool | None:
        """Whether an unread TrueType glyph has a stroke, by its head alone; None where it must be drawn to know.

        A number of contours and, for each, its last point (OpenType, "glyf"): a contour of two points is a stroke.
        """
        data = getattr(self.font["glyf"].glyphs[glyph], "data", b"") if "glyf" in self.font else b""
        if len(data) < _GLYPH_HEAD:
            return None
        (contours,) = struct.unpack_from(">h", data)
        if contours < 1:
            return None
        ends = struct.unpack_from(f">{contours}H", data, _GLYPH_HEAD)
        return any(last > before + 1 for before, last in zip((-1, *ends), ends, strict=False))

    def path(self, char: str, transform: tuple[float, float, float, float, float, float]) -> str:
        """Outline of `char` as SVG path data under an affine transform of font units."""
        pen = SVGPathPen(self._glyphs, ntos=lambda value: f"{value:.2f}".rstrip("0").rstrip("."))
        self._glyphs[self._cmap[ord(char)]].draw(TransformPen(pen, transform))
        return str(pen.getCommands())

    def advance(self, char: str) -> float:
        """Advance width in font units."""
        return float(self._glyphs[self._cmap[ord(char)]].width)


class _OutlineFound(Exception):
    """Raised by the pen at the first stroke, so that no glyph is walked further than needed."""


class _FirstStroke(NullPen):  # type: ignore[misc]
    def lineTo(self, *_: object) -> None:  # noqa: N802
        raise _OutlineFound

    def curveTo(self, *_: object) -> None:  # noqa: N802
        raise _OutlineFound

    def qCurveTo(self, *_: object) -> None:  # noqa: N802
        raise _OutlineFound

    def addComponent(self, *_: object, **__: object) -> None:  # noqa: N802
        # A TrueType composite: its parts are drawn glyphs.
        raise _OutlineFound


@lru_cache(maxsize=131072)
def can_draw(char: str) -> bool:
    """Whether one character will be visible on the page (or is a blank that should not be)."""
    if char in BLANKS:
        return True
    if unicodedata.category(char) in _NEVER_DRAWN:
        return False
    return any(_font(path).draws(char) for path in font_files())


def missing_glyphs(text: str) -> tuple[str, ...]:
    """Characters of `text` that cannot be drawn, each once, in order of appearance; empty is good.

    A character counts as drawable only if one of the page's fonts maps it to a glyph with an outline.
    Private-use, unassigned, control and format characters are always missing.
    """
    return tuple(char for char in dict.fromkeys(text) if not can_draw(char))


def serif_outline(text: str, *, size: float, x: float, y: float, squeeze: float = 1.0) -> tuple[str, float]:
    """SVG path of `text` set in Noto Serif SC with its baseline start at (x, y), y downwards.

    `size` is the em in the same units as x and y; `squeeze` scales widths. Returns path data and the width.
    Used for lettering that is a drawing (seal, watermark) and must not become text of the page.
    """
    font = _font(pylopdf_fonts_zh_cn.serif_path())
    scale = size / font.units_per_em
    parts, pen_x = [], x
    for char in text:
        parts.append(font.path(char, (scale * squeeze, 0, 0, -scale, pen_x, y)))
        pen_x += font.advance(char) * scale * squeeze
    return "".join(parts), pen_x - x

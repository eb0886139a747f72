"""The page's drawing taken apart: marked pieces, and the strings they show (ISO 32000-1, 9.4.3, 14.6)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from templates.certificate.fast.objects import UnfitError

_MARKED = re.compile(rb"/Span<</MCID ([0-9]+)")
_CHARACTER = rb"[^()\\]|\\[0-7]{1,3}|\\."


def _literal(depth: int) -> bytes:
    # Parentheses that balance need no escape (7.3.4.2), and two glyph codes may happen to be a pair of them.
    inner = rb"%b|%b" % (_CHARACTER, _literal(depth - 1)) if depth else _CHARACTER
    return rb"\((?:%b)*\)" % inner


_STRING = re.compile(rb"%b|<[0-9A-Fa-f]*>(?!>)" % _literal(4), re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_CHARS = re.compile(rb"beginbfchar\n(.*?)endbfchar", re.DOTALL)
_RANGES = re.compile(rb"beginbfrange")
_CHAR = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>")

CodeMap = Mapping[int, str]
"""Glyph code → text, of the one font of the page."""


def code_map(cmap: bytes) -> dict[int, str]:
    """A ToUnicode stream as Typst writes it; raises UnfitError."""
    if _RANGES.search(cmap):
        raise UnfitError("ToUnicode ranges")
    return {
        int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be")
        for block in _CHARS.findall(cmap)
        for code, text in _CHAR.findall(block)
    }


@dataclass(frozen=True)
class Piece:
    """One marked piece of the drawing, from its BDC to its EMC; `marked` is its MCID, None for an artifact."""

    raw: bytes
    codes: CodeMap

    @cached_property
    def marked(self) -> int | None:
        found = _MARKED.match(self.raw)
        return int(found[1]) if found else None

    @cached_property
    def _split(self) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
        body = self.raw.find(b"BDC") + 3 if self.marked is not None else len(self.raw)
        if b" Tf" not in self.raw[body:]:
            return (self.raw,), ()
        fixed, shown, at = [], [], 0
        for found in _STRING.finditer(self.raw, body):
            fixed.append(self.raw[at : found.start()])
            shown.append(self._decoded(found[0]))
            at = found.end()
        return (*fixed, self.raw[at:]), tuple(shown)

    def _decoded(self, string: bytes) -> str:
        if string.startswith(b"<"):
            raw = bytes.fromhex(string[1:-1].decode())
        else:
            raw = _ESCAPE.sub(_unescaped, string[1:-1])
        try:
            return "".join(self.codes[int.from_bytes(raw[at : at + 2], "big")] for at in range(0, len(raw), 2))
        except KeyError as exc:
            raise UnfitError("a glyph without text") from exc

    @property
    def fixed(self) -> tuple[bytes, ...]:
        """What stands around the strings; one more than `shown`."""
        return self._split[0]

    @property
    def shown(self) -> tuple[str, ...]:
        """The strings, as text."""
        return self._split[1]

    @property
    def text(self) -> str:
        """All it shows."""
        return "".join(self.shown)

    def same(self, other: "Piece") -> bool:
        """Whether both draw the same."""
        return self.fixed == other.fixed and self.shown == other.shown


def _unescaped(found: "re.Match[bytes]") -> bytes:
    code: bytes = found[1]
    return bytes((int(code, 8) & 0xFF,)) if code[:1].isdigit() else _ESCAPES.get(code, code)


def pieces(content: bytes, codes: CodeMap) -> tuple[Piece, ...]:
    """The drawing as pieces that joined are `content`; the last may be empty."""
    return tuple(Piece(raw, codes) for raw in re.split(rb"(?<=EMC)", content))

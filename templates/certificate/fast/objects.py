"""A file as Typst writes it, taken apart into its numbered objects (ISO 32000-1, 7.5: a plain table, no updates)."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

_START = re.compile(rb"startxref\s+([0-9]+)\s+%%EOF\s*$")
_TABLE = re.compile(rb"xref\s+0 ([0-9]+)\s+")
_TRAILER = re.compile(
    rb"trailer\s*<</Size [0-9]+/Root ([0-9]+) 0 R/Info ([0-9]+) 0 R/ID\[\(([^()\\]*)\)\(([^()\\]*)\)\]>>"
)
_STREAM = re.compile(rb"\bstream\n(.*)\nendstream\s*endobj\s*$", re.DOTALL)


class UnfitError(Exception):
    """Typst's file is not of the form the quick way knows; the page is left to Typst."""


@dataclass(frozen=True, slots=True)
class TypstFile:
    """`head` stands before the first object; `bodies` are whole objects (`N 0 obj … endobj`) by number."""

    head: bytes
    bodies: dict[int, bytes]
    root: int
    info: int
    document_id: bytes
    instance_id: bytes


def take_apart(pdf: bytes) -> TypstFile:
    """Split a file at its cross-reference table; raises UnfitError."""
    start = _START.search(pdf)
    table = _TABLE.match(pdf, int(start[1])) if start else None
    trailer = _TRAILER.search(pdf, table.end()) if table else None
    if start is None or table is None or trailer is None:
        raise UnfitError("cross-reference table")
    entries = pdf[table.end() : trailer.start()].split(b"\n")
    places = {int(line[:10]): number for number, line in enumerate(entries[: int(table[1])]) if line[17:18] == b"n"}
    order = sorted(places)
    ends = [*order[1:], int(start[1])]
    bodies = {places[at]: pdf[at:end] for at, end in zip(order, ends, strict=True)}
    for number, body in bodies.items():
        if not body.startswith(b"%d 0 obj" % number) or not body.rstrip().endswith(b"endobj"):
            raise UnfitError("objects")
    return TypstFile(pdf[: order[0]], bodies, int(trailer[1]), int(trailer[2]), trailer[3], trailer[4])


def stream_of(body: bytes) -> bytes:
    """The stream of an object, unpacked; raises UnfitError."""
    found = _STREAM.search(body)
    if found is None:
        raise UnfitError("stream")
    return zlib.decompress(found[1]) if b"/FlateDecode" in body[: found.start()] else found[1]


def header_of(body: bytes) -> bytes:
    """The dictionary of a stream object, without what comes before and after."""
    found = _STREAM.search(body)
    if found is None:
        raise UnfitError("stream")
    return body[body.index(b"obj") + 3 : found.start()].strip()


def stream_object(number: int, header: bytes, data: bytes) -> bytes:
    """A stream object; `header` is a dictionary's inside, without /Length."""
    return b"%d 0 obj\n<</Length %d%b>>\nstream\n%b\nendstream\nendobj\n\n" % (number, len(data), header, data)


def packed_object(number: int, data: bytes, level: int, header: bytes = b"") -> bytes:
    """A stream object packed with Flate."""
    return stream_object(number, b"/Filter/FlateDecode" + header, zlib.compress(data, level))


class Slots:
    """Bytes with places in them that differ from person to person."""

    def __init__(self, whole: bytes, values: Mapping[str, bytes]) -> None:
        """Every occurrence of each of `values` becomes a place by its name; longer values are taken first."""
        names = {value: name for name, value in values.items()}
        pattern = re.compile(b"|".join(re.escape(value) for value in sorted(names, key=len, reverse=True)))
        self._fixed: list[bytes] = []
        self._names: list[str] = []
        at = 0
        for found in pattern.finditer(whole):
            self._fixed.append(whole[at : found.start()])
            self._names.append(names[found[0]])
            at = found.end()
        self._last = whole[at:]

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The bytes with these values in their places."""
        out: list[bytes] = []
        for fixed, name in zip(self._fixed, self._names, strict=True):
            out += (fixed, values[name])
        return b"".join((*out, self._last))

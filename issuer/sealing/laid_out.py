"""Seal and archive timestamp of a page whose kind was sealed before: nothing but filling in what differs.

Everything an update of pyHanko's says is the same for all pages of a kind: the fields, their places in the structure,
the certified signature, the validation data. It is learned once a kind from pyHanko itself, with an empty gap. For
a page are set: the gap, the byte range, the time, the offsets, the identifiers (ISO 32000-2, 7.5.6).

Two pages are of one kind when the objects that the updates change are equal in both, byte for byte, and the
trailers agree. A page of any other form is left to pyHanko.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

_END = re.compile(rb"startxref\n([0-9]{1,10})\n%%EOF\n\Z")
_TABLE = re.compile(rb"xref\n0 ([0-9]{1,7})\n")
_ENTRY_BYTES = 20
_ENTRY = re.compile(rb"([0-9]{10}) 00000 n[ \r]\n")
_TRAILER = re.compile(
    rb"trailer\n<</Size ([0-9]+)/Root ([0-9]+) 0 R/Info ([0-9]+) 0 R"
    rb"/ID\[\(([A-Za-z0-9+/=]+)\)\([A-Za-z0-9+/=]+\)\]>>\n"
    rb"startxref\n([0-9]+)\n%%EOF\n\Z"
)
_OBJECT = re.compile(rb"([0-9]+) 0 obj\n<<.*?>>\nendobj\n", re.DOTALL)
_PAGES, _STRUCTURE = re.compile(rb"/Pages ([0-9]+) 0 R"), re.compile(rb"/StructTreeRoot ([0-9]+) 0 R")
_KIDS, _DOCUMENT = re.compile(rb"/Kids\[([0-9]+) 0 R\]"), re.compile(rb"/K\[([0-9]+) 0 R\]")
_GAP = re.compile(rb"(/Contents )<(0+)>(\n/ByteRange \[[0-9 ]+\] *\n)")
_LINE = re.compile(rb"[0-9]{10}(?= 00000 n)")
_TAIL = re.compile(rb"/ID \[ <([0-9a-f]+)> <([0-9a-f]{32})> \]\n/Prev ([0-9]+)\n>>\nstartxref\n([0-9]+)\n%%EOF\n\Z")
_IDENTIFIER_BYTES = 16


@dataclass(frozen=True, slots=True)
class PageEnd:
    """What sealing needs to know of a page: its kind, where its table stands, its first identifier in hex."""

    kind: tuple[bytes, ...]
    table_at: int
    identifier: bytes


def read_page_end(pdf: bytes) -> PageEnd | None:
    """Read a tagged page as Typst and the quick edition write it; None for any other form, a sealed one included."""
    last = _END.search(pdf, max(0, len(pdf) - 64))
    table = _TABLE.match(pdf, int(last[1])) if last else None
    if last is None or table is None:
        return None
    count, first = int(table[1]), table.end()
    trailer = _TRAILER.match(pdf, first + _ENTRY_BYTES * count)
    if trailer is None or int(trailer[1]) != count or trailer[5] != last[1]:
        return None

    def named(number: bytes) -> bytes:
        at = _ENTRY.match(pdf, first + _ENTRY_BYTES * int(number))
        found = _OBJECT.match(pdf, int(at[1])) if at else None
        if found is None or found[1] != number:
            raise _OtherFormError
        return found[0]

    try:
        catalogue = named(trailer[2])
        pages, structure = named(_only(_PAGES, catalogue)), named(_only(_STRUCTURE, catalogue))
        page, document = named(_only(_KIDS, pages)), named(_only(_DOCUMENT, structure))
    except _OtherFormError:
        return None
    kind = (trailer[1], trailer[2], trailer[3], catalogue, pages, page, structure, document)
    return PageEnd(kind, table.start(), trailer[4].hex().encode())


class _OtherFormError(Exception):
    """The page is not written in the one form that is known here."""


def _only(pattern: re.Pattern[bytes], body: bytes) -> bytes:
    found: list[bytes] = pattern.findall(body)
    if len(found) != 1:
        raise _OtherFormError
    return found[0]


class GapTooSmallError(ValueError):
    """What is to be filled in is longer than the room that was left for it."""


@dataclass(frozen=True, slots=True)
class Open:
    """An update around its gap. `before` and `after` are what its signature covers beside the file so far."""

    before: bytes
    after: bytes
    table_at: int
    reserve: int

    def gap(self, der: bytes) -> bytes:
        """The gap filled; raises GapTooSmallError."""
        if len(der) > self.reserve:
            raise GapTooSmallError(f"{len(der)} bytes do not fit a gap of {self.reserve}")
        return b"<%b>" % der.hex().upper().encode("ascii").ljust(2 * self.reserve, b"0")


class UpdateTemplate:
    """One update that ends with a signature, learned from one that pyHanko wrote with an empty gap."""

    def __init__(self, update: bytes, base: int, at: datetime | None) -> None:
        """`update` begins at byte `base` of its file; `at` is the time it states, if it states one.

        Raises ValueError when filling it in again does not give the same bytes.
        """
        tail = _TAIL.search(update)
        found = list(_GAP.finditer(update))
        if tail is None or len(found) != 1:
            raise ValueError("the update has not the form it is known by")
        gap = found[0]
        self._table = int(tail[4]) - base
        self._before = update[: gap.end(1)]
        self._reserve = len(gap[2]) // 2
        self._range_width = len(gap[3])
        statement = update[gap.end() : self._table]
        if at is not None:
            if statement.count(_time(at)) != 1:
                raise ValueError("the time of sealing is not where it was expected")
            statement = _escaped(statement).replace(_time(at), b"%b")
        else:
            statement = _escaped(statement)
        table = update[self._table : tail.start()]
        self._places = [int(entry) - base for entry in _LINE.findall(table)]
        self._rest = b"".join(
            (
                statement,
                _LINE.sub(b"%010d", table),
                b"/ID [ <%b> <%b> ]\n/Prev %d\n>>\nstartxref\n%d\n%%%%EOF\n",
            )
        )
        again = self._fill(base, int(tail[3]), tail[1], tail[2], at)
        if again.before + b"<%b>" % gap[2] + again.after != update:
            raise ValueError("the update is not given again")

    def fill(self, base: int, previous: int, identifier: bytes, at: datetime | None = None) -> Open:
        """The update at byte `base` of a file whose last table stands at `previous`.

        `identifier`: the file's first one in hex; the second is new with every update (ISO 32000-2, 14.4).
        """
        fresh = secrets.token_hex(_IDENTIFIER_BYTES).encode("ascii")
        return self._fill(base, previous, identifier, fresh, at)

    def _fill(self, base: int, previous: int, first: bytes, second: bytes, at: datetime | None) -> Open:
        time = () if at is None else (_time(at),)
        places = (base + place for place in self._places)
        rest = self._rest % (*time, *places, first, second, previous, base + self._table)
        stop = base + len(self._before)
        start = stop + 2 * self._reserve + 2
        covered = b"\n/ByteRange [0 %d %d %d]" % (stop, start, self._range_width + len(rest))
        after = covered.ljust(self._range_width - 1) + b"\n" + rest
        return Open(self._before, after, base + self._table, self._reserve)


def _time(at: datetime) -> bytes:
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii")


def _escaped(raw: bytes) -> bytes:
    return raw.replace(b"%", b"%%")
